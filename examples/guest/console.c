#include "console.h"
#include "interrupts.h"
#include "io.h"
#include "keyboard.h"
#include "serial.h"
#include "vga.h"

#define FOREVER (~0u)
#define NOISE_DELAY_MS 150
#define NOISE_LINE "\r\ndemo: log: eth0: link up, 1000 Mb/s, full duplex\r\n"

#define DMESG_BYTES 4096

static unsigned kernel_devices, user_devices;
static enum console_noise noise;
static char dmesg[DMESG_BYTES];
static size_t dmesg_used;

void console_init (unsigned devices) {
  if (devices & CONSOLE_COM1) serial_init(SERIAL_COM1);
  if (devices & CONSOLE_COM2) serial_init(SERIAL_COM2);
  if (devices & CONSOLE_SCREEN) {
    vga_init();
    keyboard_init();
  }
}

void console_use (unsigned kernel, unsigned user) {
  kernel_devices = kernel;
  user_devices = user;
}

void console_noise (enum console_noise n) {
  noise = n;
}

static void put (unsigned devices, char c) {
  if (devices & CONSOLE_COM1) serial_put(SERIAL_COM1, c);
  if (devices & CONSOLE_COM2) serial_put(SERIAL_COM2, c);
  if (devices & CONSOLE_SCREEN) vga_put(c);
}

static void put_text (unsigned devices, const char *s) {
  while (*s != '\0') put(devices, *s++);
}

/* Where formatted text goes: to devices, and into a buffer if there is one. */
struct sink {
  unsigned devices;
  char *buffer;
  size_t room;
};

static void sink_put (struct sink *sink, char c) {
  if (c == '\n') put(sink->devices, '\r');
  put(sink->devices, c);
  if (sink->room > 0) {
    *sink->buffer++ = c;
    sink->room--;
  }
}

static void sink_text (struct sink *sink, const char *s) {
  while (*s != '\0') sink_put(sink, *s++);
}

static void sink_number (struct sink *sink, unsigned n, unsigned base) {
  char digits[12];
  unsigned i = sizeof(digits);
  digits[--i] = '\0';
  do digits[--i] = "0123456789abcdef"[n % base];
  while ((n /= base) != 0);
  sink_text(sink, digits + i);
}

static void sink_format (struct sink *sink, const char *format, va_list arguments) {
  for (; *format != '\0'; format++) {
    if (*format != '%') {
      sink_put(sink, *format);
      continue;
    }
    switch (*++format) {
    case 's':
      sink_text(sink, va_arg(arguments, const char *));
      break;
    case 'c':
      sink_put(sink, (char)va_arg(arguments, int));
      break;
    case 'u':
      sink_number(sink, va_arg(arguments, unsigned), 10);
      break;
    case 'x':
      sink_number(sink, va_arg(arguments, unsigned), 16);
      break;
    default:
      sink_put(sink, *format);
    }
  }
}

static void log_message (const char *start, const char *format, va_list arguments) {
  struct sink sink = {kernel_devices, dmesg + dmesg_used, DMESG_BYTES - dmesg_used};
  sink_text(&sink, start);
  sink_format(&sink, format, arguments);
  sink_put(&sink, '\n');
  dmesg_used = DMESG_BYTES - sink.room;
}

void say (const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  log_message("demo: ", format, arguments);
  va_end(arguments);
}

void console_emergency (const char *format, va_list arguments) {
  log_message("\npanic: ", format, arguments);
}

void print (const char *format, ...) {
  struct sink sink = {user_devices, NULL, 0};
  va_list arguments;
  va_start(arguments, format);
  sink_format(&sink, format, arguments);
  va_end(arguments);
}

void console_format (char *buffer, size_t size, const char *format, ...) {
  struct sink sink = {CONSOLE_NONE, buffer, size - 1};
  va_list arguments;
  va_start(arguments, format);
  sink_format(&sink, format, arguments);
  va_end(arguments);
  *sink.buffer = '\0';
}

void console_dmesg (void) {
  struct sink sink = {user_devices, NULL, 0};
  for (size_t i = 0; i < dmesg_used; i++) sink_put(&sink, dmesg[i]);
}

void console_raw (const char *bytes, size_t n) {
  for (size_t i = 0; i < n; i++) put(kernel_devices, bytes[i]);
}

static int poll (void) {
  int c = -1;
  if (user_devices & CONSOLE_COM1) c = serial_get(SERIAL_COM1);
  if (c < 0 && (user_devices & CONSOLE_COM2)) c = serial_get(SERIAL_COM2);
  if (c < 0 && (user_devices & CONSOLE_SCREEN)) c = keyboard_get();
  return c;
}

int console_key (unsigned timeout_ms) {
  unsigned start = time_ms();
  for (;;) {
    interrupts_off();
    int c = poll();
    if (c >= 0 || (timeout_ms != FOREVER && time_ms() - start >= timeout_ms)) {
      interrupts_on();
      return c;
    }
    interrupts_wait();
  }
}

static void edit_line (char *line, size_t size, bool noisy) {
  size_t n = strlen(line);
  print("%s", line);
  for (;;) {
    int c = console_key(noisy ? NOISE_DELAY_MS : FOREVER);
    if (c < 0) {
      put_text(user_devices, NOISE_LINE);
      noisy = false;
    } else if (c == '\r' || c == '\n')
      break;
    else if (c == '\b' || c == 0x7f) {
      if (n > 0) {
        n--;
        print("\b \b");
      }
    } else if (c == 'U' - '@')
      for (; n > 0; n--) print("\b \b");
    else if (c >= ' ' && n + 1 < size) {
      line[n++] = (char)c;
      print("%c", c);
    }
  }
  line[n] = '\0';
  print("\n");
}

void console_line (char *line, size_t size) {
  edit_line(line, size, false);
}

void console_prompt (const char *prompt) {
  size_t half = noise == NOISE_INSIDE ? strlen(prompt) / 2 : 0;
  for (size_t i = 0; prompt[i] != '\0'; i++) {
    if (half != 0 && i == half) put_text(user_devices, NOISE_LINE);
    put(user_devices, prompt[i]);
  }
}

void console_answer (char *line, size_t size) {
  line[0] = '\0';
  edit_line(line, size, noise == NOISE_AFTER);
}

void console_ask (const char *prompt, char *line, size_t size) {
  console_prompt(prompt);
  console_answer(line, size);
}
