#include "console.h"
#include "io.h"
#include "layout.h"
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

static void choose_console (void) {
  unsigned devices = option_is("console", "vga") ? CONSOLE_SCREEN : CONSOLE_COM1;
  if (option_given("silent")) devices = CONSOLE_NONE;
  console_use(devices, devices);
  console_init(devices | (option_given("com2") ? CONSOLE_COM2 : 0));
  if (option_given("noisy"))
    console_noise(option_is("noisy", "inside") ? NOISE_INSIDE : NOISE_AFTER);
}

void kernel_main (uint32_t magic, const void *info, uint32_t quiet) {
  crc32_init();
  options_set(command_line(magic, info));
  choose_console();
  phases_run(magic == LOADER_MAGIC && !quiet);
  shell_login();
}
