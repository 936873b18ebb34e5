#include "interrupts.h"
#include "io.h"
#include "lapic.h"
#include "layout.h"
#include "panic.h"

#define PIC1 0x20
#define PIC2 0xa0
#define PIC_BASE 0x20 /* vector of IRQ 0 */
#define PIC_END_OF_INTERRUPT 0x20
#define PIC_UNMASKED 0xffe4 /* IRQ 0 timer, 1 keyboard, 3 COM2, 4 COM1 */

#define PIT_COUNTER 0x40
#define PIT_COMMAND 0x43
#define PIT_HZ 1193182
#define PIT_RELOAD (PIT_HZ / TICK_HZ)

struct frame {
  uint32_t edi, esi, ebp, esp, ebx, edx, ecx, eax;
  uint32_t vector, error, eip;
};

struct gate {
  uint16_t offset_low, selector, flags, offset_high;
};

struct table_pointer {
  uint16_t limit;
  uint32_t base;
} __attribute__((packed));

extern const unsigned char interrupt_entries[][16];

static struct gate idt[VECTORS];
struct table_pointer idt_pointer; /* boot.S loads it on every CPU */

static volatile unsigned ticks;

void interrupt (const struct frame *frame) {
  uint32_t vector = frame->vector;
  if (vector < PIC_BASE)
    panic("exception %u at 0x%x, error 0x%x", vector, frame->eip, frame->error);
  else if (vector < PIC_BASE + 16) {
    if (vector == PIC_BASE) ticks = ticks + 1;
    if (vector >= PIC_BASE + 8) outb(PIC2, PIC_END_OF_INTERRUPT);
    outb(PIC1, PIC_END_OF_INTERRUPT);
  } else if (vector == VECTOR_WAKE)
    lapic_end_of_interrupt();
}

static void idt_init (void) {
  for (unsigned i = 0; i < VECTORS; i++) {
    uint32_t entry = (uint32_t)interrupt_entries[i];
    idt[i] = (struct gate){(uint16_t)entry, CODE_SELECTOR, 0x8e00, (uint16_t)(entry >> 16)};
  }
  idt_pointer = (struct table_pointer){sizeof(idt) - 1, (uint32_t)idt};
  __asm__ volatile("lidt %0" : : "m"(idt_pointer));
}

static void pic_init (void) {
  outb(PIC1, 0x11);
  outb(PIC2, 0x11);
  outb(PIC1 + 1, PIC_BASE);
  outb(PIC2 + 1, PIC_BASE + 8);
  outb(PIC1 + 1, 4); /* the second one hangs on IRQ 2 */
  outb(PIC2 + 1, 2);
  outb(PIC1 + 1, 1);
  outb(PIC2 + 1, 1);
  outb(PIC1 + 1, PIC_UNMASKED & 0xff);
  outb(PIC2 + 1, PIC_UNMASKED >> 8);
}

void timer_init (void) {
  outb(PIT_COMMAND, 0x34); /* counter 0, both bytes, rate generator */
  outb(PIT_COUNTER, PIT_RELOAD & 0xff);
  outb(PIT_COUNTER, PIT_RELOAD >> 8);
}

void interrupts_init (void) {
  idt_init();
  pic_init();
  timer_init();
  lapic_init(true);
  interrupts_on();
}

unsigned time_ms (void) {
  return ticks * (1000 / TICK_HZ);
}

static unsigned pit_count (void) {
  outb(PIT_COMMAND, 0);
  unsigned low = inb(PIT_COUNTER);
  return low | (unsigned)inb(PIT_COUNTER) << 8;
}

void delay_us (unsigned us) {
  unsigned left = us * 12 / 10 + 1; /* the counter runs at 1.19 MHz */
  unsigned last = pit_count();
  for (;;) {
    unsigned now = pit_count();
    unsigned passed = last >= now ? last - now : last + PIT_RELOAD - now;
    if (passed >= left) return;
    left -= passed;
    last = now;
  }
}

void sleep_ms (unsigned ms) {
  unsigned start = time_ms();
  while (time_ms() - start < ms) interrupts_wait();
}

void triple_fault (void) {
  struct table_pointer none = {0, 0};
  interrupts_off();
  __asm__ volatile("lidt %0; int3" : : "m"(none));
  __builtin_unreachable();
}
