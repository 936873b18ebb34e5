#include "panic.h"
#include "console.h"
#include "io.h"

void halt (void) {
  for (;;) {
    interrupts_off();
    __asm__ volatile("hlt");
  }
}

void panic (const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  console_emergency(format, arguments);
  va_end(arguments);
  halt();
}
