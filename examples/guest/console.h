/* What the guest says and hears. The kernel's messages and the user's dialogue are two streams;
** each goes to a set of devices. */

#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

enum console_device {
  CONSOLE_NONE = 0,
  CONSOLE_COM1 = 1,
  CONSOLE_COM2 = 2,
  CONSOLE_SCREEN = 4 /* VGA text and the keyboard */
};

enum console_noise { NOISE_NONE, NOISE_AFTER, NOISE_INSIDE };

void console_init (unsigned devices);
void console_use (unsigned kernel_devices, unsigned user_devices);

/* Log lines thrown over the prompts of console_prompt(): some time after them, or into them. */
void console_noise (enum console_noise noise);

/* A kernel message: "demo: ", the text, a line end. Kept for dmesg. */
void say (const char *format, ...);
void console_dmesg (void);

/* To the user, "\n" as "\r\n". Formats: %s %c %u %x %%. */
void print (const char *format, ...);

/* print() into a buffer; what does not fit is cut off. */
void console_format (char *buffer, size_t size, const char *format, ...);

/* For panic(): a line on the kernel's devices. */
void console_emergency (const char *format, va_list arguments);

/* Exact bytes on the kernel's devices, "\n" as it is. */
void console_raw (const char *bytes, size_t n);

/* A key within the time, or -1. */
int console_key (unsigned timeout_ms);

/* Reads a line with echo and editing, beginning with what `line` already holds. */
void console_line (char *line, size_t size);

/* A prompt, exactly as given, and the answer; together or one after the other. */
void console_prompt (const char *prompt);
void console_answer (char *line, size_t size);
void console_ask (const char *prompt, char *line, size_t size);

#endif
