/* A console is one serial line of a guest: a socket pair whose far end becomes QEMU's, a thread
** that drains the near end, the capture files that this thread writes, and a ring in which it hands
** the bytes on to whoever watches the boot. The kernel stamps each message while QEMU sends it, so
** the thread need not hurry: it wakes every few milliseconds and takes what has gathered.
**
** The thread never waits for the reader of the ring, nor for the disk to have room: a chunk that
** finds the ring full is in the files but not in the ring (stats: overruns), and after a failed
** write draining goes on, so that the guest is not held up, and the failure is kept.
**
** All calls are for the thread that opened the console. Times are CLOCK_MONOTONIC nanoseconds. */
#ifndef MB_CONSOLE_H
#define MB_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "clock.h"
#include "error.h"
#include "ring.h"

enum mb_console_transport {
  MB_CONSOLE_KERNEL, /* SOCK_SEQPACKET, each message stamped by the kernel (falls back to READ) */
  MB_CONSOLE_READ,   /* SOCK_STREAM, stamped after read() returns: for comparison */
  MB_CONSOLE_VIRTUAL /* SOCK_SEQPACKET, each message followed by its instant in the guest's virtual
                     ** time, by engine/qemu/virtualtime.c inside QEMU: all stamps are that time */
};

struct mb_console_options {
  const char *log;    /* file for the bytes, truncated; NULL: none */
  const char *timing; /* file for "SECONDS BYTES" lines; NULL: none */
  size_t ring_bytes;  /* 0: 1 MiB */
  enum mb_console_transport transport;
  const struct mb_clock *clock; /* NULL: the system's; borrowed for the console's life */
};

struct mb_console_stats {
  uint64_t bytes;            /* drained so far */
  uint64_t chunks;           /* messages (or, with "read", reads) */
  uint64_t overruns;         /* bytes that found the ring full */
  const char *clock_source;  /* "kernel", "read" or "virtual" */
  const char *scheduling;    /* of the drain thread: "fifo", "nice" or "other"; NULL before start */
  int thread_id;             /* of the drain thread, for its affinity; 0 before start */
  int64_t first_ns, last_ns; /* stamps; meaningless while bytes is 0 */
  int64_t offset_min_ns, offset_max_ns; /* extremes of realtime - monotonic since open */
  size_t sndbuf_bytes;   /* QEMU's end: what the guest can send before it must wait for us */
  bool ended;            /* the far end was closed, or finish() gave up waiting */
  struct mb_error error; /* the first failure of a write or read; code 0: none */
};

struct mb_console;

/* NULL and *err on failure. */
struct mb_console *mb_console_open (const struct mb_console_options *options, struct mb_error *err);

/* Stops the thread (what the kernel holds is still drained), closes everything. NULL is fine. */
void mb_console_close (struct mb_console *c);

/* QEMU's end, close-on-exec and owned by the console; -1 after handover() or finish(), which close
** it. The end of the line is only seen when every copy is closed. */
int mb_console_guest_fd (const struct mb_console *c);
void mb_console_handover (struct mb_console *c);

/* Starts the drain thread. The times in the timing file count from t0_ns. 0, or -1 and *err. */
int mb_console_start (struct mb_console *c, int64_t t0_ns, struct mb_error *err);

/* An eventfd: readable when something was put into the ring since it was last reset, and for good
** once the line has ended. Reset it first, then read the ring until it is empty. */
int mb_console_fd (const struct mb_console *c);
void mb_console_drain_event (struct mb_console *c);

/* The ring's chunks, oldest first; see mb_ring_next() and mb_ring_release(). */
bool mb_console_next (struct mb_console *c, struct mb_chunk *chunk);
void mb_console_release (struct mb_console *c);

/* Sends bytes to the guest, each as a message of its own (a UART takes one byte at a time and the
** rest of a longer message would be lost). Never waits: returns how many went out, possibly 0;
** -1 and *err when the line has ended. */
ssize_t mb_console_write (struct mb_console *c, const char *data, size_t n, struct mb_error *err);

/* Waits until the line has ended, at most timeout_ns, then flushes the files and ends the thread.
** After the timeout it takes what the kernel holds and cuts the line. 0, or -1 and *err when
** anything of the capture could not be written (as in stats). Idempotent. */
int mb_console_finish (struct mb_console *c, int64_t timeout_ns, struct mb_error *err);

void mb_console_stats (struct mb_console *c, struct mb_console_stats *stats);

#endif
