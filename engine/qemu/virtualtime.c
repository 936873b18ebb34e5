/* Loaded into QEMU (LD_PRELOAD) for a guest whose time is virtual: puts the guest's time behind what
** QEMU sends on a console. A console sends each byte as it executes the guest's OUT, in the vCPU's
** thread, where the virtual clock stands at that very instruction; outside QEMU nothing shows it
** that exactly (QMP and the monitor answer later, trace events carry the host's time).
**
** A message becomes its bytes, then eight more: the nanoseconds of QEMU_CLOCK_VIRTUAL, an int64_t in
** the host's byte order. Only consoles are SOCK_SEQPACKET; all else goes out as it is. A QEMU that
** does not export its clock (one built without modules) is ended, with the reason on its stderr. */
#include <dlfcn.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PARTS_MAX = 16, QEMU_CLOCK_VIRTUAL = 1 /* QEMUClockType, include/qemu/timer.h */ };

typedef ssize_t send_function (int, const struct msghdr *, int);
typedef int64_t clock_function (int);

static _Noreturn void give_up (const char *why) {
  ssize_t written = write(STDERR_FILENO, why, strlen(why));
  (void)written;
  _exit(1);
}

static int is_console (int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

/* POSIX promises that what dlsym() gives for a function can be called as one; ISO C does not. */
static send_function *next_sendmsg (void) {
  static send_function *next;
  if (next == NULL) *(void **)&next = dlsym(RTLD_NEXT, "sendmsg");
  return next;
}

static int64_t virtual_now (void) {
  static clock_function *clock_ns;
  if (clock_ns == NULL) *(void **)&clock_ns = dlsym(RTLD_DEFAULT, "qemu_clock_get_ns");
  if (clock_ns == NULL)
    give_up("moonboot: this QEMU does not export its virtual clock (qemu_clock_get_ns)\n");
  return clock_ns(QEMU_CLOCK_VIRTUAL);
}

ssize_t sendmsg (int fd, const struct msghdr *message, int flags) {
  if (!is_console(fd)) return next_sendmsg()(fd, message, flags);
  if (message->msg_iovlen >= PARTS_MAX) give_up("moonboot: a console message in too many parts\n");
  int64_t now_ns = virtual_now();
  struct iovec parts[PARTS_MAX];
  memcpy(parts, message->msg_iov, message->msg_iovlen * sizeof parts[0]);
  parts[message->msg_iovlen] = (struct iovec){&now_ns, sizeof now_ns};
  struct msghdr stamped = *message;
  stamped.msg_iov = parts;
  stamped.msg_iovlen++;
  ssize_t sent = next_sendmsg()(fd, &stamped, flags);
  return sent < 0 ? sent : sent - (ssize_t)sizeof now_ns;
}
