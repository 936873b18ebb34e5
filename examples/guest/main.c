#include "console.h"
#include "installer.h"
#include "interrupts.h"
#include "io.h"
#include "layout.h"
#include "menu.h"
#include "minix.h"
#include "options.h"
#include "phases.h"
#include "shell.h"

#define MULTIBOOT_LOADED 0x2badb002
#define MULTIBOOT_HAS_COMMAND_LINE 4

struct multiboot_info {
  uint32_t flags, memory_lower, memory_upper, boot_device;
  const char *command_line; /* the kernel's file name comes first */
};

static const char *command_line (uint32_t magic, const void *info) {
  if (magic == LOADER_MAGIC) return info;
  const struct multiboot_info *multiboot = info;
  if (magic != MULTIBOOT_LOADED || !(multiboot->flags & MULTIBOOT_HAS_COMMAND_LINE)) return "";
  const char *line = multiboot->command_line;
  while (*line != ' ' && *line != '\0') line++;
  return line;
}

static unsigned chosen_devices (void) {
  if (option_given("silent")) return CONSOLE_NONE;
  if (option_given("menu")) return CONSOLE_COM1 | CONSOLE_SCREEN;
  return option_is("console", "vga") ? CONSOLE_SCREEN : CONSOLE_COM1;
}

static void choose_noise (void) {
  if (option_given("noisy"))
    console_noise(option_is("noisy", "inside") ? NOISE_INSIDE : NOISE_AFTER);
}

/* What was on the boot medium: the installer's menu, perhaps. */
static void choose_from_menu (void) {
  interrupts_init();
  unsigned devices = menu_run();
  console_use(devices, devices);
}

void kernel_main (uint32_t magic, const void *info, uint32_t quiet) {
  timer_init();
  crc32_init();
  options_set(command_line(magic, info));
  unsigned devices = chosen_devices();
  if (option_given("dialogue")) devices = minix_devices();
  console_init(devices | (option_given("com2") ? CONSOLE_COM2 : 0));
  console_use(devices, devices);
  phases_begin(magic == LOADER_MAGIC && !quiet);
  if (option_given("menu")) choose_from_menu();
  choose_noise();
  if (option_given("install") || option_given("dialogue")) {
    interrupts_init();
    if (option_given("dialogue")) minix_run();
    installer_run();
  }
  phases_run();
  shell_login();
}
