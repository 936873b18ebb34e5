/* The capture reader. Input: two bytes, how long the timing file is; the timing file; the rest is the log. Whatever
** they hold, all bytes of the log come in order unless the timing is refused, and times never go back. */
#include <string.h>

#include "capture.h"
#include "lines.h"
#include "memory_file.h"

static void read_all (struct mb_capture *c, const uint8_t *log, size_t size) {
  struct mb_error err = {0};
  struct mb_capture_stats stats;
  const char *bytes;
  size_t n;
  size_t at = 0;
  int64_t t_ns, soon_ns;
  int64_t last_ns = 0;
  int status;
  while (true) {
    int ahead = mb_capture_peek(c, &soon_ns, &err);
    status = mb_capture_read(c, &bytes, &n, &t_ns, &err);
    MUST(ahead == status);
    if (status != 1) break;
    MUST(soon_ns == t_ns);
    MUST(n > 0 && n <= size - at && memcmp(bytes, log + at, n) == 0);
    MUST(t_ns == MB_TIME_UNKNOWN || t_ns >= last_ns);
    if (t_ns != MB_TIME_UNKNOWN) last_ns = t_ns;
    at += n;
  }
  MUST(status == 0 ? at == size : err.text[0] != '\0');
  mb_capture_stats(c, &stats);
  MUST(stats.bytes == at && stats.untimed_bytes <= at);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  size_t timing_size = (size_t)data[0] << 8 | data[1];
  data += 2;
  size -= 2;
  if (timing_size > size) timing_size = size;
  struct memory_file timing = memory_file_new(data, timing_size);
  struct memory_file log = memory_file_new(data + timing_size, size - timing_size);
  struct mb_error err = {0};
  struct mb_capture *c = mb_capture_open(log.path, timing.path, &err);
  MUST(c != NULL);
  read_all(c, data + timing_size, size - timing_size);
  mb_capture_close(c);
  close(timing.fd);
  close(log.fd);
  return 0;
}
