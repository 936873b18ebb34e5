#include "console.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "recorder.h"

enum {
  BATCH = 256,       /* messages per recvmmsg() */
  SMALL = 64,        /* bytes of a message that need no page of their own */
  LARGE = 64 * 1024, /* and those that do; a message beyond both is cut and counted lost */
  RING_DEFAULT = 1 << 20,
  SNDBUF_WANTED = 16 << 20, /* some 40,000 messages once the kernel has doubled it */
  MESSAGE_COST = 830,       /* bytes of the send buffer that a one-byte message takes */
  OFFSET_ATTEMPTS = 3,
  FIFO_PRIORITY = 10,
  NICE = -10
};

/* How long bytes gather before they are drained: long enough to cost a boot nothing (5 ms adds 0.4 %
** to its time, waking for each byte 3 %), short enough for a script that waits for a prompt. It is
** shorter when the send buffer is small: a guest can send a byte each microsecond or two. */
#define WAIT_MAX_NS (5 * MB_NS_PER_MS)
#define WAIT_PER_MESSAGE_NS MB_NS_PER_US

/* What recvmmsg() fills. Only messages over SMALL bytes touch, and so cost, pages of `large`. */
struct inbox {
  struct mmsghdr messages[BATCH];
  struct iovec parts[BATCH][2];
  union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(struct timespec))];
  } control[BATCH];
  char small[BATCH][SMALL];
  char (*large)[LARGE];
};

struct mb_console {
  int fd;       /* our end */
  int guest_fd; /* QEMU's, until it is handed over */
  int event;
  struct mb_ring *ring;
  struct mb_recorder *recorder;
  const struct mb_clock *clock;
  enum mb_console_transport transport;
  bool started, joined;
  pthread_t thread;
  pthread_mutex_t lock; /* for stats, which the thread brings up to date once per batch */
  pthread_cond_t changed;
  struct mb_console_stats stats;
  /* The thread's own. */
  struct mb_console_stats work;
  int64_t floor_ns; /* nothing still unread was sent before this instant */
  int64_t wait_ns;  /* see adapt() */
  size_t in_buffer; /* estimated cost, in send buffer bytes, of what the last drain took */
  struct inbox *inbox;
};

/* -- opening -- */

static void close_fd (int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

static void inbox_free (struct inbox *inbox) {
  if (inbox == NULL) return;
  if (inbox->large != NULL) munmap(inbox->large, (size_t)BATCH * LARGE);
  free(inbox);
}

static struct inbox *inbox_new (void) {
  struct inbox *inbox = calloc(1, sizeof *inbox);
  if (inbox == NULL) return NULL;
  void *large = mmap(NULL, (size_t)BATCH * LARGE, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (large == MAP_FAILED) {
    free(inbox);
    return NULL;
  }
  inbox->large = large;
  for (int i = 0; i < BATCH; i++) {
    inbox->parts[i][0] = (struct iovec){inbox->small[i], SMALL};
    inbox->parts[i][1] = (struct iovec){inbox->large[i], LARGE};
    inbox->messages[i].msg_hdr.msg_iov = inbox->parts[i];
    inbox->messages[i].msg_hdr.msg_iovlen = 2;
    inbox->messages[i].msg_hdr.msg_control = inbox->control[i].bytes;
  }
  return inbox;
}

/* A pair with stamps where the system has it, else a plain stream. */
static int open_pair (struct mb_console *c) {
  int ends[2];
  int on = 1;
  if (c->transport == MB_CONSOLE_VIRTUAL) {
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return -1;
    c->fd = ends[0];
    c->guest_fd = ends[1];
    return 0;
  }
  if (c->transport == MB_CONSOLE_KERNEL &&
      socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0) {
    if (setsockopt(ends[0], SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) == 0) {
      c->fd = ends[0];
      c->guest_fd = ends[1];
      return 0;
    }
    close(ends[0]);
    close(ends[1]);
  }
  c->transport = MB_CONSOLE_READ;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) return -1;
  c->fd = ends[0];
  c->guest_fd = ends[1];
  return 0;
}

static size_t enlarge_sndbuf (int fd) {
  int size = SNDBUF_WANTED;
  if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0)
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size); /* as far as the host allows */
  socklen_t length = sizeof size;
  if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &length) < 0) return 0;
  return (size_t)size;
}

static void note_offset (struct mb_console_stats *stats, int64_t offset_ns) {
  if (offset_ns < stats->offset_min_ns) stats->offset_min_ns = offset_ns;
  if (offset_ns > stats->offset_max_ns) stats->offset_max_ns = offset_ns;
}

static int prepare (struct mb_console *c, const struct mb_console_options *options,
                    struct mb_error *err) {
  c->recorder = mb_recorder_open(options->log, options->timing, err);
  if (c->recorder == NULL) return -1;
  c->ring = mb_ring_new(options->ring_bytes > 0 ? options->ring_bytes : RING_DEFAULT);
  c->inbox = inbox_new();
  if (c->ring == NULL || c->inbox == NULL) return mb_error_set(err, ENOMEM, "console: ");
  c->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (c->event < 0 || open_pair(c) < 0) return mb_error_set(err, errno, "console: ");
  c->work.sndbuf_bytes = enlarge_sndbuf(c->guest_fd);
  static const char *const sources[] = {"kernel", "read", "virtual"};
  c->work.clock_source = sources[c->transport];
  struct mb_clock_offset offset = mb_clock_measure(c->clock, OFFSET_ATTEMPTS);
  c->work.offset_min_ns = c->work.offset_max_ns = offset.offset_ns;
  c->floor_ns = c->clock->monotonic_ns(c->clock->state);
  c->stats = c->work;
  return 0;
}

static void init_lock (struct mb_console *c) {
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&c->changed, &monotonic);
  pthread_condattr_destroy(&monotonic);
  pthread_mutex_init(&c->lock, NULL);
}

struct mb_console *mb_console_open (const struct mb_console_options *options,
                                    struct mb_error *err) {
  struct mb_console *c = calloc(1, sizeof *c);
  if (c == NULL) {
    mb_error_set(err, ENOMEM, "console: ");
    return NULL;
  }
  c->fd = c->guest_fd = c->event = -1;
  c->clock = options->clock != NULL ? options->clock : &mb_clock_system;
  c->transport = options->transport;
  init_lock(c);
  if (prepare(c, options, err) == 0) return c;
  mb_console_close(c);
  return NULL;
}

/* -- the drain thread -- */

static void publish (struct mb_console *c) {
  c->work.error = *mb_recorder_error(c->recorder);
  pthread_mutex_lock(&c->lock);
  c->stats = c->work;
  pthread_mutex_unlock(&c->lock);
}

static void notify (struct mb_console *c) {
  eventfd_write(c->event, 1); /* fails only when it is readable already */
}

/* The instant a message was sent, on the monotonic clock. A clock that was stepped between its
** stamp and our measurement would move it by the step; but it was sent after we last saw the line
** empty, after the message before it, and not in the future. */
static int64_t monotonic_stamp (const struct mb_console *c, struct msghdr *header,
                                int64_t offset_ns, int64_t now_ns) {
  struct cmsghdr *control = CMSG_FIRSTHDR(header);
  int64_t t_ns = now_ns;
  if (control != NULL && control->cmsg_level == SOL_SOCKET &&
      control->cmsg_type == SO_TIMESTAMPNS) {
    struct timespec stamp;
    memcpy(&stamp, CMSG_DATA(control), sizeof stamp);
    t_ns = (int64_t)stamp.tv_sec * MB_NS_PER_S + stamp.tv_nsec - offset_ns;
  }
  if (t_ns > now_ns) t_ns = now_ns;
  if (t_ns < c->floor_ns) t_ns = c->floor_ns;
  return t_ns;
}

static void record (struct mb_console *c, int64_t t_ns, const char *data, size_t n) {
  if (n == 0) return;
  mb_recorder_add(c->recorder, t_ns, data, n);
  while (n > 0) {
    size_t part = n < MB_RING_CHUNK_MAX ? n : MB_RING_CHUNK_MAX;
    if (!mb_ring_push(c->ring, t_ns, data, part)) c->work.overruns += part;
    data += part;
    n -= part;
  }
}

/* The time that QEMU put behind a message of *n bytes in all; takes it off. */
static int64_t virtual_stamp (struct mb_console *c, int index, size_t *n) {
  const struct inbox *inbox = c->inbox;
  char bytes[sizeof(int64_t)];
  if (*n < sizeof bytes) {
    mb_recorder_fail(c->recorder, EBADMSG, "console: bytes came without their virtual time");
    return c->work.last_ns;
  }
  *n -= sizeof bytes;
  for (size_t i = 0; i < sizeof bytes; i++) {
    size_t at = *n + i;
    const char *from = at < SMALL ? &inbox->small[index][at] : &inbox->large[index][at - SMALL];
    bytes[i] = *from;
  }
  int64_t t_ns;
  memcpy(&t_ns, bytes, sizeof t_ns);
  return t_ns;
}

static void take (struct mb_console *c, int index, int64_t offset_ns, int64_t now_ns) {
  struct inbox *inbox = c->inbox;
  size_t n = inbox->messages[index].msg_len;
  int64_t t_ns = c->transport == MB_CONSOLE_VIRTUAL
                     ? virtual_stamp(c, index, &n)
                     : monotonic_stamp(c, &inbox->messages[index].msg_hdr, offset_ns, now_ns);
  size_t small = n < SMALL ? n : SMALL;
  record(c, t_ns, inbox->small[index], small);
  record(c, t_ns, inbox->large[index], n - small);
  if (c->work.bytes == 0) c->work.first_ns = t_ns;
  c->work.last_ns = t_ns;
  if (c->transport != MB_CONSOLE_VIRTUAL) c->floor_ns = t_ns;
  c->work.bytes += n;
  c->work.chunks++;
  c->in_buffer += MESSAGE_COST + n;
  if (inbox->messages[index].msg_hdr.msg_flags & MSG_TRUNC)
    mb_recorder_fail(c->recorder, EMSGSIZE, "console: a message was cut");
}

/* The far end is closed: an empty read without the stamp that an empty message would have. */
static bool is_end (const struct mb_console *c, int index) {
  const struct mmsghdr *message = &c->inbox->messages[index];
  return message->msg_len == 0 &&
         (c->transport != MB_CONSOLE_KERNEL || message->msg_hdr.msg_controllen == 0);
}

/* Takes one batch. How many messages came; -1: the line has ended. */
static int receive (struct mb_console *c) {
  struct inbox *inbox = c->inbox;
  /* A stamp taken after read() belongs to one read. */
  unsigned wanted = c->transport == MB_CONSOLE_READ ? 1 : BATCH;
  for (unsigned i = 0; i < wanted; i++)
    inbox->messages[i].msg_hdr.msg_controllen = sizeof inbox->control[i].bytes;
  int count;
  int64_t before_ns = c->clock->monotonic_ns(c->clock->state);
  /* ECONNRESET: the far end was closed before it read all we had sent. recvmmsg() says so once,
  ** ahead of what the far end had still sent itself. */
  do count = recvmmsg(c->fd, inbox->messages, wanted, MSG_DONTWAIT, NULL);
  while (count < 0 && (errno == EINTR || errno == ECONNRESET));
  if (count < 0 && errno == EAGAIN) count = 0;
  if (count < 0) {
    mb_recorder_fail(c->recorder, errno, "console: cannot be read");
    return -1;
  }
  int64_t offset_ns = 0;
  int64_t now_ns = 0;
  if (count > 0) {
    offset_ns = mb_clock_measure(c->clock, OFFSET_ATTEMPTS).offset_ns;
    now_ns = c->clock->monotonic_ns(c->clock->state);
    note_offset(&c->work, offset_ns);
  }
  for (int i = 0; i < count; i++) {
    if (is_end(c, i)) return -1;
    take(c, i, offset_ns, now_ns);
  }
  if (count < (int)wanted && before_ns > c->floor_ns) c->floor_ns = before_ns;
  return count;
}

/* Takes all there is. False: the line has ended. */
static bool drain (struct mb_console *c) {
  int count;
  int full = c->transport == MB_CONSOLE_READ ? 1 : BATCH;
  c->in_buffer = 0;
  do {
    uint64_t before = c->work.bytes;
    count = receive(c);
    if (c->work.bytes > before) notify(c);
  } while (count == full);
  mb_recorder_flush(c->recorder);
  publish(c);
  return count >= 0;
}

/* Halves the wait when the send buffer came close to full, which would have made the guest wait. */
static void adapt (struct mb_console *c) {
  int64_t longest = (int64_t)(c->work.sndbuf_bytes / MESSAGE_COST) * WAIT_PER_MESSAGE_NS;
  if (longest > WAIT_MAX_NS) longest = WAIT_MAX_NS;
  if (c->in_buffer > c->work.sndbuf_bytes / 2)
    c->wait_ns /= 2;
  else if (c->in_buffer < c->work.sndbuf_bytes / 8)
    c->wait_ns = c->wait_ns > 0 ? 2 * c->wait_ns : MB_NS_PER_US;
  if (c->wait_ns > longest) c->wait_ns = longest;
}

/* Sleeps until there is something to take, then lets more gather unless the line is at its end. */
static void await (struct mb_console *c) {
  struct pollfd line = {.fd = c->fd, .events = POLLIN | POLLRDHUP};
  if (poll(&line, 1, -1) < 0 || (line.revents & ~POLLIN) != 0) return;
  if (c->transport == MB_CONSOLE_READ || c->wait_ns < MB_NS_PER_US) return;
  struct timespec wait = {.tv_nsec = (long)c->wait_ns};
  line.events = POLLRDHUP;
  ppoll(&line, 1, &wait, NULL);
}

static void raise_priority (struct mb_console *c) {
  struct sched_param parameter = {.sched_priority = FIFO_PRIORITY};
  if (pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameter) == 0)
    c->work.scheduling = "fifo";
  else if (setpriority(PRIO_PROCESS, (id_t)c->work.thread_id, NICE) == 0)
    c->work.scheduling = "nice";
  else
    c->work.scheduling = "other";
}

static void *drain_thread (void *argument) {
  struct mb_console *c = argument;
  pthread_setname_np(pthread_self(), "console");
  c->work.thread_id = gettid();
  raise_priority(c);
  publish(c);
  pthread_cond_signal(&c->changed);
  do {
    adapt(c);
    await(c);
  } while (drain(c));
  c->work.ended = true;
  publish(c);
  pthread_cond_signal(&c->changed);
  notify(c);
  return NULL;
}

/* -- the owner's side -- */

int mb_console_start (struct mb_console *c, int64_t t0_ns, struct mb_error *err) {
  if (c->started) return mb_error_set(err, EALREADY, "console: started before");
  mb_recorder_start(c->recorder, t0_ns);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before); /* the thread inherits it: signals are for others */
  int code = pthread_create(&c->thread, NULL, drain_thread, c);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (code != 0) return mb_error_set(err, code, "console: no drain thread: ");
  c->started = true;
  pthread_mutex_lock(&c->lock); /* so that the thread's id is known from now on */
  while (c->stats.thread_id == 0) pthread_cond_wait(&c->changed, &c->lock);
  pthread_mutex_unlock(&c->lock);
  return 0;
}

int mb_console_guest_fd (const struct mb_console *c) {
  return c->guest_fd;
}

void mb_console_handover (struct mb_console *c) {
  close_fd(&c->guest_fd);
}

int mb_console_fd (const struct mb_console *c) {
  return c->event;
}

void mb_console_drain_event (struct mb_console *c) {
  eventfd_t count;
  eventfd_read(c->event, &count);
  struct mb_console_stats stats;
  mb_console_stats(c, &stats);
  if (stats.ended) notify(c);
}

bool mb_console_next (struct mb_console *c, struct mb_chunk *chunk) {
  return mb_ring_next(c->ring, chunk);
}

void mb_console_release (struct mb_console *c) {
  mb_ring_release(c->ring);
}

ssize_t mb_console_write (struct mb_console *c, const char *data, size_t n, struct mb_error *err) {
  size_t sent = 0;
  while (sent < n) {
    ssize_t status = send(c->fd, data + sent, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (status == 1)
      sent++;
    else if (errno == EAGAIN)
      break;
    else if (errno != EINTR) {
      if (sent > 0) break;
      return mb_error_set(err, errno, "console: the guest's end is closed: ");
    }
  }
  return (ssize_t)sent;
}

/* Waits until the line has ended, within the time given. */
static bool await_end (struct mb_console *c, int64_t timeout_ns) {
  int64_t now_ns = mb_clock_now();
  int64_t deadline_ns = timeout_ns < INT64_MAX - now_ns ? now_ns + timeout_ns : INT64_MAX;
  struct timespec deadline = {deadline_ns / MB_NS_PER_S, deadline_ns % MB_NS_PER_S};
  int status = 0;
  pthread_mutex_lock(&c->lock);
  while (!c->stats.ended && status == 0)
    status = pthread_cond_timedwait(&c->changed, &c->lock, &deadline);
  bool ended = c->stats.ended;
  pthread_mutex_unlock(&c->lock);
  return ended;
}

static void stop (struct mb_console *c, int64_t timeout_ns) {
  close_fd(&c->guest_fd);
  if (!c->started || c->joined) return;
  /* After a shutdown the far end can send no more, what it sent is still there, and then comes
  ** the end. */
  if (!await_end(c, timeout_ns)) shutdown(c->fd, SHUT_RD);
  pthread_join(c->thread, NULL);
  c->joined = true;
}

int mb_console_finish (struct mb_console *c, int64_t timeout_ns, struct mb_error *err) {
  stop(c, timeout_ns);
  mb_recorder_flush(c->recorder);
  const struct mb_error *error = mb_recorder_error(c->recorder);
  if (error->code == 0) return 0;
  return mb_error_set(err, error->code, "%s", error->text);
}

void mb_console_stats (struct mb_console *c, struct mb_console_stats *stats) {
  pthread_mutex_lock(&c->lock);
  *stats = c->stats;
  pthread_mutex_unlock(&c->lock);
}

void mb_console_close (struct mb_console *c) {
  if (c == NULL) return;
  stop(c, 0);
  mb_recorder_close(c->recorder);
  mb_ring_free(c->ring);
  inbox_free(c->inbox);
  close_fd(&c->fd);
  close_fd(&c->event);
  pthread_cond_destroy(&c->changed);
  pthread_mutex_destroy(&c->lock);
  free(c);
}
