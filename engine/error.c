#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int mb_error_set (struct mb_error *err, int code, const char *format, ...) {
  if (err == NULL) return -1;
  va_list args;
  va_start(args, format);
  /* A false alarm of clang-tidy 14 when it checks several files in one run. */
  vsnprintf(err->text, sizeof err->text, format, args); // NOLINT(clang-analyzer-valist.*)
  va_end(args);
  err->code = code;
  size_t n = strlen(err->text);
  if (n >= 2 && strcmp(err->text + n - 2, ": ") == 0)
    snprintf(err->text + n, sizeof err->text - n, "%s", strerrordesc_np(code));
  return -1;
}
