#include "smp.h"
#include "acpi.h"
#include "interrupts.h"
#include "io.h"
#include "lapic.h"
#include "layout.h"

#define START_LIMIT_MS 1000
#define INIT_DELAY_US 10000 /* Intel SDM volume 3, "MP Initialization Protocol" */
#define STARTUP_DELAY_US 200

extern const unsigned char trampoline[], trampoline_end[];
extern void ap_entry (void);

static unsigned present = 1, up = 1;
static uint8_t first_cpu;
static struct job *current; /* atomic */

static void work (struct job *job) {
  uint32_t index;
  while ((index = __atomic_fetch_add(&job->next, 1, __ATOMIC_ACQ_REL)) < job->total) {
    job->part(index);
    if (__atomic_add_fetch(&job->done, 1, __ATOMIC_ACQ_REL) == job->total &&
        lapic_id() != first_cpu)
      lapic_wake(first_cpu);
  }
}

/* boot.S gets every other CPU here. */
_Noreturn void smp_cpu_main (void) {
  lapic_init(false);
  __atomic_add_fetch(&up, 1, __ATOMIC_ACQ_REL);
  lapic_wake(first_cpu);
  for (;;) {
    interrupts_off();
    struct job *job = __atomic_load_n(&current, __ATOMIC_ACQUIRE);
    if (job != NULL && __atomic_load_n(&job->next, __ATOMIC_ACQUIRE) < job->total) {
      interrupts_on();
      work(job);
    } else
      interrupts_wait();
  }
}

void smp_run (struct job *job) {
  __atomic_store_n(&current, job, __ATOMIC_RELEASE);
  if (up > 1) lapic_wake_others();
  work(job);
  for (;;) {
    interrupts_off();
    if (__atomic_load_n(&job->done, __ATOMIC_ACQUIRE) == job->total) break;
    interrupts_wait();
  }
  interrupts_on();
}

void smp_start (void) {
  uint8_t ids[MAX_CPUS];
  unsigned count = acpi_cpus(ids, MAX_CPUS);
  first_cpu = lapic_id();
  if (count < 2) return;
  present = count;

  size_t bytes = (size_t)(trampoline_end - trampoline);
  memcpy((void *)TRAMPOLINE, trampoline, bytes);
  *(volatile uint32_t *)(TRAMPOLINE + bytes - 4) = (uint32_t)ap_entry;

  for (unsigned i = 0; i < count; i++)
    if (ids[i] != first_cpu) lapic_send_init(ids[i]);
  delay_us(INIT_DELAY_US);
  for (unsigned round = 0; round < 2; round++) { /* a CPU that runs already ignores the second */
    for (unsigned i = 0; i < count; i++)
      if (ids[i] != first_cpu) lapic_send_startup(ids[i], TRAMPOLINE >> 12);
    delay_us(STARTUP_DELAY_US);
  }

  unsigned start = time_ms();
  for (;;) {
    interrupts_off();
    if (smp_up() == present || time_ms() - start > START_LIMIT_MS) break;
    interrupts_wait();
  }
  interrupts_on();
}

unsigned smp_present (void) {
  return present;
}

unsigned smp_up (void) {
  return __atomic_load_n(&up, __ATOMIC_ACQUIRE);
}
