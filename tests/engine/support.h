/* What several of the engine's tests need. */
#ifndef MB_TESTS_SUPPORT_H
#define MB_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Long enough for a loaded machine under valgrind; only a failing test waits for it. */
enum { PATIENCE_MS = 60000 };

static inline int count_fds (void) {
  int n = 0;
  DIR *directory = opendir("/proc/self/fd");
  assert_non_null(directory);
  while (readdir(directory) != NULL) n++;
  closedir(directory);
  return n;
}

static inline void await_readable (int fd) {
  struct pollfd p = {.fd = fd, .events = POLLIN};
  assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
}

/* The content of a file, with a zero after it; the caller frees it. */
static inline char *read_file (const char *path, size_t *size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  assert_true(fd >= 0);
  struct stat info;
  assert_int_equal(fstat(fd, &info), 0);
  char *data = malloc((size_t)info.st_size + 1);
  assert_non_null(data);
  *size = 0;
  while (*size < (size_t)info.st_size) {
    ssize_t n = read(fd, data + *size, (size_t)info.st_size - *size);
    assert_true(n > 0);
    *size += (size_t)n;
  }
  data[*size] = '\0';
  close(fd);
  return data;
}

/* A directory for one test's files, removed with them by remove_directory(). */
static inline char *make_directory (void) {
  char template[] = "/tmp/moonboot-test-XXXXXX";
  assert_non_null(mkdtemp(template));
  return strdup(template);
}

static inline char *path_in (const char *directory, const char *name) {
  char *path = NULL;
  assert_true(asprintf(&path, "%s/%s", directory, name) > 0);
  return path;
}

static inline void remove_directory (char *path) {
  DIR *directory = opendir(path);
  assert_non_null(directory);
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
    if (entry->d_name[0] != '.') assert_int_equal(unlinkat(dirfd(directory), entry->d_name, 0), 0);
  closedir(directory);
  assert_int_equal(rmdir(path), 0);
  free(path);
}

#endif
