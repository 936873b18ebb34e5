/* A run-time failure: an errno value and one line for a person (what, where, what to do). */
#ifndef MB_ERROR_H
#define MB_ERROR_H

struct mb_error {
  int code;       /* an errno value; 0: no failure */
  char text[256]; /* without a newline, cut when longer */
};

/* Fills *err (which may be NULL) and returns -1. A format that ends in ": " gets strerror(code)
** appended. */
int mb_error_set (struct mb_error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
