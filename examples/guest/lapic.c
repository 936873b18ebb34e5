#include "lapic.h"
#include "interrupts.h"
#include "io.h"

#define BASE 0xfee00000u

enum {
  ID = 0x20,
  TASK_PRIORITY = 0x80,
  END_OF_INTERRUPT = 0xb0,
  SPURIOUS = 0xf0,
  COMMAND = 0x300,
  DESTINATION = 0x310,
  LINT0 = 0x350
};

#define ENABLED 0x100
#define EXTERNAL 0x700
#define MASKED 0x10000

#define INIT 0x4500
#define STARTUP 0x4600
#define FIXED 0x4000
#define ALL_OTHERS 0xc0000
#define PENDING 0x1000

static volatile uint32_t *reg (unsigned offset) {
  return (volatile uint32_t *)(BASE + offset);
}

void lapic_init (bool first_cpu) {
  *reg(TASK_PRIORITY) = 0;
  *reg(LINT0) = first_cpu ? EXTERNAL : MASKED;
  *reg(SPURIOUS) = ENABLED | VECTOR_SPURIOUS;
}

uint8_t lapic_id (void) {
  return (uint8_t)(*reg(ID) >> 24);
}

void lapic_end_of_interrupt (void) {
  *reg(END_OF_INTERRUPT) = 0;
}

static void send (uint8_t id, uint32_t command) {
  while (*reg(COMMAND) & PENDING) cpu_pause();
  *reg(DESTINATION) = (uint32_t)id << 24;
  *reg(COMMAND) = command;
}

void lapic_send_init (uint8_t id) {
  send(id, INIT);
}

void lapic_send_startup (uint8_t id, uint8_t page) {
  send(id, STARTUP | page);
}

void lapic_wake (uint8_t id) {
  send(id, FIXED | VECTOR_WAKE);
}

void lapic_wake_others (void) {
  send(0, ALL_OTHERS | FIXED | VECTOR_WAKE);
}
