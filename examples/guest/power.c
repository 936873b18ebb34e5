#include "power.h"
#include "console.h"
#include "interrupts.h"
#include "io.h"
#include "panic.h"

#define ACPI_CONTROL 0x604      /* PM1a_CNT, where SeaBIOS puts it on "pc" and "q35" */
#define ACPI_CONTROL_OLD 0xb004 /* where other firmware for these machines does */
#define ACPI_SLEEP_S5 0x2000

#define PATIENCE_US 30000000 /* the machine takes its time, more of it on a busy host */

#define RESET_CONTROL 0xcf9
#define KEYBOARD_COMMAND 0x64
#define KEYBOARD_RESET 0xfe

void power_off (void) {
  outw(ACPI_CONTROL, ACPI_SLEEP_S5);
  outw(ACPI_CONTROL_OLD, ACPI_SLEEP_S5);
  delay_us(PATIENCE_US);
  print("The machine did not switch off: please do.\n");
  halt();
}

void power_reset (void) {
  outb(RESET_CONTROL, 0x02);
  outb(RESET_CONTROL, 0x06);
  delay_us(50000);
  outb(KEYBOARD_COMMAND, KEYBOARD_RESET);
  delay_us(50000);
  triple_fault();
}
