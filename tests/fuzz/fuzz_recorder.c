/* The capture writer, read back by the reader. Input: chunks, each of three bytes that say how much later it comes (in
** units of 100 ns, so that roundings show), one that says how long it is, and its bytes. What is read back is what was
** written, each byte at its time rounded to the microsecond. */
#include <string.h>

#include "capture.h"
#include "memory_file.h"
#include "recorder.h"

enum { HEADER_BYTES = 4, UNIT_NS = 100 };

struct chunk {
  int64_t t_ns; /* since t0 */
  const uint8_t *bytes;
  size_t size;
};

/* Takes the next chunk off the input. */
static bool next_chunk (const uint8_t **data, size_t *size, struct chunk *chunk) {
  const uint8_t *d = *data;
  if (*size < HEADER_BYTES) return false;
  chunk->t_ns += UNIT_NS * (int64_t)(d[0] << 16 | d[1] << 8 | d[2]);
  chunk->size = d[3] < *size - HEADER_BYTES ? d[3] : *size - HEADER_BYTES;
  chunk->bytes = d + HEADER_BYTES;
  *data += HEADER_BYTES + chunk->size;
  *size -= HEADER_BYTES + chunk->size;
  return true;
}

static void write_all (const char *log, const char *timing, const uint8_t *data, size_t size) {
  const int64_t t0_ns = 1234567890123;
  struct mb_error err = {0};
  struct mb_recorder *recorder = mb_recorder_open(log, timing, &err);
  MUST(recorder != NULL);
  mb_recorder_start(recorder, t0_ns);
  struct chunk chunk = {0};
  while (next_chunk(&data, &size, &chunk)) {
    if (chunk.size > 0)
      mb_recorder_add(recorder, t0_ns + chunk.t_ns, (const char *)chunk.bytes, chunk.size);
    if (chunk.size % 7 == 0) mb_recorder_flush(recorder);
  }
  MUST(mb_recorder_error(recorder)->code == 0);
  mb_recorder_close(recorder);
}

static void read_back (const char *log, const char *timing, const uint8_t *data, size_t size) {
  struct mb_error err = {0};
  struct mb_capture *capture = mb_capture_open(log, timing, &err);
  MUST(capture != NULL);
  struct chunk chunk = {0};
  const char *bytes;
  size_t held = 0;
  int64_t t_ns = 0;
  while (next_chunk(&data, &size, &chunk)) {
    int64_t rounded_ns = (chunk.t_ns + 500) / 1000 * 1000;
    for (size_t i = 0; i < chunk.size; i++, held--) {
      if (held == 0) MUST(mb_capture_read(capture, &bytes, &held, &t_ns, &err) == 1);
      MUST((uint8_t)*bytes++ == chunk.bytes[i]);
      MUST(t_ns == rounded_ns);
    }
  }
  MUST(held == 0 && mb_capture_read(capture, &bytes, &held, &t_ns, &err) == 0);
  struct mb_capture_stats stats;
  mb_capture_stats(capture, &stats);
  MUST(stats.mismatch == NULL && stats.untimed_bytes == 0);
  mb_capture_close(capture);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  struct memory_file log = memory_file_new("", 0);
  struct memory_file timing = memory_file_new("", 0);
  write_all(log.path, timing.path, data, size);
  read_back(log.path, timing.path, data, size);
  close(log.fd);
  close(timing.fd);
  return 0;
}
