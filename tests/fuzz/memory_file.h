/* Files in memory, for code that wants paths. */
#ifndef MB_FUZZ_MEMORY_FILE_H
#define MB_FUZZ_MEMORY_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct memory_file {
  int fd;
  char path[32];
};

static inline struct memory_file memory_file_new (const void *data, size_t size) {
  struct memory_file file = {.fd = memfd_create("fuzz", MFD_CLOEXEC)};
  if (file.fd < 0 || write(file.fd, data, size) != (ssize_t)size) abort();
  snprintf(file.path, sizeof file.path, "/proc/self/fd/%d", file.fd);
  return file;
}

/* What the fuzzer calls, and what must hold. */
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);               \
      abort();                                                                                     \
    }                                                                                              \
  } while (0)

#endif
