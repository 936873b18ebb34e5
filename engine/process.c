#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

#define CLOCK_TICK_NS (5 * MB_NS_PER_MS)

/* The last MB_PROCESS_TAIL_BYTES of what came through a pipe. */
struct tail {
  int fd; /* the read end, -1 once it is closed */
  size_t total;
  char *bytes; /* byte i of the stream is at i % MB_PROCESS_TAIL_BYTES */
};

struct mb_process {
  pid_t pid;
  int pidfd;
  int epoll;
  int leash; /* the write end of a pipe; see wear_leash() */
  bool ended;
  struct tail out, err;
  struct mb_process_result result;
};

/* -- the child, between fork() and exec(): only async-signal-safe calls from here -- */

enum stage { STAGE_SETUP, STAGE_AFFINITY, STAGE_NICE, STAGE_USER, STAGE_CWD, STAGE_EXEC };

struct report { /* what the child tells when it could not become the program */
  enum stage stage;
  int code;
};

struct child {
  const struct mb_process_options *options;
  pid_t parent;
  int in, out, err, report, leash;
};

static _Noreturn void give_up (int report_fd, enum stage stage) {
  struct report report = {stage, errno};
  ssize_t written = write(report_fd, &report, sizeof report);
  (void)written; /* the parent reads an unexplained end as a failure too */
  _exit(127);
}

static void reset_signals (void) {
  struct sigaction standard = {.sa_handler = SIG_DFL};
  for (int i = 1; i < NSIG; i++) sigaction(i, &standard, NULL); /* some refuse: fine */
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Sources and targets may overlap, so all sources first move above the targets. */
static int arrange_fds (const struct child *child, int *report, int *leash) {
  size_t count = child->options->fd_count;
  int above = (int)count + 3;
  int sources[MB_PROCESS_FDS_MAX + 3] = {child->in, child->out, child->err};
  for (size_t i = 0; i < count; i++) sources[i + 3] = child->options->fds[i];
  *report = fcntl(child->report, F_DUPFD_CLOEXEC, above);
  *leash = fcntl(child->leash, F_DUPFD_CLOEXEC, above);
  if (*report < 0 || *leash < 0) return -1;
  for (int i = 0; i < above; i++) {
    sources[i] = fcntl(sources[i], F_DUPFD_CLOEXEC, above);
    if (sources[i] < 0) return -1;
  }
  for (int i = 0; i < above; i++)
    if (dup2(sources[i], i) < 0) return -1;
  /* Close-on-exec instead of closing: the report's pipe must live until exec. */
  return close_range((unsigned)above, ~0U, CLOSE_RANGE_CLOEXEC);
}

/* Besides the parent-death signal, which a program loses when it changes its user by itself (QEMU's -runas): the end of
** a pipe whose other end only the owner has. The kernel sends SIGKILL when that one is closed, by whatever end. */
static int wear_leash (int fd) {
  if (fcntl(fd, F_SETFD, 0) < 0 || fcntl(fd, F_SETOWN, getpid()) < 0) return -1;
  if (fcntl(fd, F_SETSIG, SIGKILL) < 0) return -1;
  return fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK);
}

static int change_user (const struct mb_process_options *options) {
  /* The system calls themselves: glibc's wrappers would signal threads that this child lacks. */
  if (syscall(SYS_setgroups, 0, NULL) < 0) return -1;
  if (syscall(SYS_setresgid, options->gid, options->gid, options->gid) < 0) return -1;
  return (int)syscall(SYS_setresuid, options->uid, options->uid, options->uid);
}

static int bind_cpus (pid_t thread, const int *cpus, size_t count) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (size_t i = 0; i < count; i++) {
    if (cpus[i] < 0 || cpus[i] >= CPU_SETSIZE) {
      errno = EINVAL;
      return -1;
    }
    CPU_SET(cpus[i], &set);
  }
  return sched_setaffinity(thread, sizeof set, &set);
}

static _Noreturn void become (const struct child *child) {
  const struct mb_process_options *options = child->options;
  int report = child->report;
  int leash = -1;
  reset_signals();
  setpgid(0, 0);
  umask(S_IRWXG | S_IRWXO); /* what tools write, disks and screenshots, is the user's alone */
  if (arrange_fds(child, &report, &leash) < 0) give_up(report, STAGE_SETUP);
  if (options->cpus != NULL && bind_cpus(0, options->cpus, options->cpu_count) < 0)
    give_up(report, STAGE_AFFINITY);
  errno = 0;
  if (options->nice != 0 && nice(options->nice) == -1 && errno != 0) give_up(report, STAGE_NICE);
  if (options->change_user && change_user(options) < 0) give_up(report, STAGE_USER);
  /* After the change of user, which would clear it. The parent may have died before it took
  ** effect: then nobody would send the signal. */
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || wear_leash(leash) < 0) give_up(report, STAGE_SETUP);
  if (getppid() != child->parent) _exit(127);
  if (options->cwd != NULL && chdir(options->cwd) < 0) give_up(report, STAGE_CWD);
  execvp(options->argv[0], options->argv);
  give_up(report, STAGE_EXEC);
}

/* -- the parent -- */

static int explain (const struct mb_process_options *options, struct report report,
                    struct mb_error *err) {
  const char *program = options->argv[0];
  switch (report.stage) {
  case STAGE_AFFINITY:
    return mb_error_set(err, report.code, "%s: cannot be bound to the CPUs asked for: ", program);
  case STAGE_NICE:
    return mb_error_set(err, report.code, "%s: nice %d: ", program, options->nice);
  case STAGE_USER:
    return mb_error_set(err, report.code, "%s: cannot run as user %u, group %u: ", program,
                        (unsigned)options->uid, (unsigned)options->gid);
  case STAGE_CWD:
    return mb_error_set(err, report.code, "%s: working directory %s: ", program, options->cwd);
  case STAGE_EXEC:
    if (report.code == ENOENT && strchr(program, '/') == NULL)
      return mb_error_set(err, ENOENT, "%s: not found in PATH", program);
    return mb_error_set(err, report.code, "%s: cannot be executed: ", program);
  case STAGE_SETUP:
    break;
  }
  return mb_error_set(err, report.code, "%s: cannot be started: ", program);
}

static void close_fd (int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

static int watch (int epoll, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void tail_close (struct tail *tail) {
  close_fd(&tail->fd); /* which also takes it out of the epoll set */
}

/* Takes what is there, within reason: the epoll descriptor stays readable if more is. */
static void tail_pump (struct tail *tail) {
  for (int rounds = 0; tail->fd >= 0 && rounds < 64; rounds++) {
    size_t at = tail->total % MB_PROCESS_TAIL_BYTES;
    ssize_t n = read(tail->fd, tail->bytes + at, MB_PROCESS_TAIL_BYTES - at);
    if (n > 0)
      tail->total += (size_t)n;
    else if (n == 0 || (errno != EINTR && errno != EAGAIN))
      tail_close(tail);
    else if (errno == EAGAIN)
      return;
  }
}

static size_t tail_copy (const struct tail *tail, char *buffer) {
  if (tail->total <= MB_PROCESS_TAIL_BYTES) {
    memcpy(buffer, tail->bytes, tail->total);
    return tail->total;
  }
  size_t oldest = tail->total % MB_PROCESS_TAIL_BYTES;
  memcpy(buffer, tail->bytes + oldest, MB_PROCESS_TAIL_BYTES - oldest);
  memcpy(buffer + MB_PROCESS_TAIL_BYTES - oldest, tail->bytes, oldest);
  return MB_PROCESS_TAIL_BYTES;
}

static void release (struct mb_process *p) {
  close_fd(&p->pidfd);
  close_fd(&p->epoll);
  close_fd(&p->leash);
  tail_close(&p->out);
  tail_close(&p->err);
  free(p->out.bytes);
  free(p->err.bytes);
  free(p);
}

static struct mb_process *allocate (void) {
  struct mb_process *p = malloc(sizeof *p);
  if (p == NULL) return NULL;
  *p = (struct mb_process){
      .pid = -1, .pidfd = -1, .epoll = -1, .leash = -1, .out.fd = -1, .err.fd = -1};
  p->out.bytes = malloc(MB_PROCESS_TAIL_BYTES);
  p->err.bytes = malloc(MB_PROCESS_TAIL_BYTES);
  if (p->out.bytes != NULL && p->err.bytes != NULL) return p;
  release(p);
  return NULL;
}

/* The read ends stay here, non-blocking; the write ends go to the child. */
static int open_pipes (struct mb_process *p, struct child *child, int *report_fd) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return -1;
  p->out.fd = ends[0];
  child->out = ends[1];
  if (pipe2(ends, O_CLOEXEC) < 0) return -1;
  p->err.fd = ends[0];
  child->err = ends[1];
  if (pipe2(ends, O_CLOEXEC) < 0) return -1;
  *report_fd = ends[0];
  child->report = ends[1];
  if (pipe2(ends, O_CLOEXEC) < 0) return -1;
  child->leash = ends[0];
  p->leash = ends[1];
  child->in = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (child->in < 0) return -1;
  if (fcntl(p->out.fd, F_SETFL, O_NONBLOCK) < 0) return -1;
  return fcntl(p->err.fd, F_SETFL, O_NONBLOCK);
}

/* No handler of ours may run in the child, where it would act on what the two still share. */
static pid_t fork_quietly (const struct child *child) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t pid = fork();
  if (pid == 0) become(child);
  int saved = errno;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  errno = saved;
  return pid;
}

static bool read_report (int fd, struct report *report) {
  ssize_t n;
  do n = read(fd, report, sizeof *report);
  while (n < 0 && errno == EINTR);
  return n == (ssize_t)sizeof *report;
}

/* Readable when the child has ended. Where there are no pidfds (valgrind), a clock that says every
** few milliseconds that it may have. */
static int open_pidfd (pid_t pid) {
  int fd = (int)syscall(SYS_pidfd_open, pid, 0);
  if (fd >= 0 || errno != ENOSYS) return fd;
  struct itimerspec often = {{0, CLOCK_TICK_NS}, {0, CLOCK_TICK_NS}};
  fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (fd >= 0) timerfd_settime(fd, 0, &often, NULL);
  return fd;
}

static int start (struct mb_process *p, struct child *child, int *report_fd, struct mb_error *err) {
  const struct mb_process_options *options = child->options;
  if (open_pipes(p, child, report_fd) < 0)
    return mb_error_set(err, errno, "%s: cannot be started: ", options->argv[0]);
  child->parent = getpid();
  p->pid = fork_quietly(child);
  if (p->pid < 0) return mb_error_set(err, errno, "%s: cannot fork: ", options->argv[0]);
  setpgid(p->pid, p->pid); /* as the child does: whoever comes first */
  close_fd(&child->report);
  struct report report;
  if (read_report(*report_fd, &report)) return explain(options, report, err);
  p->pidfd = open_pidfd(p->pid);
  p->epoll = epoll_create1(EPOLL_CLOEXEC);
  if (p->pidfd < 0 || p->epoll < 0 || watch(p->epoll, p->pidfd) < 0 ||
      watch(p->epoll, p->out.fd) < 0 || watch(p->epoll, p->err.fd) < 0)
    return mb_error_set(err, errno, "%s: cannot be watched: ", options->argv[0]);
  return 0;
}

struct mb_process *mb_process_spawn (const struct mb_process_options *options,
                                     struct mb_error *err) {
  if (options->fd_count > MB_PROCESS_FDS_MAX) {
    mb_error_set(err, EINVAL, "%s: more than %d descriptors to pass on", options->argv[0],
                 MB_PROCESS_FDS_MAX);
    return NULL;
  }
  struct mb_process *p = allocate();
  if (p == NULL) {
    mb_error_set(err, ENOMEM, "%s: cannot be started: ", options->argv[0]);
    return NULL;
  }
  struct child child = {
      .options = options, .in = -1, .out = -1, .err = -1, .report = -1, .leash = -1};
  int report_fd = -1;
  int status = start(p, &child, &report_fd, err);
  close_fd(&child.in);
  close_fd(&child.out);
  close_fd(&child.err);
  close_fd(&child.report);
  close_fd(&child.leash);
  close_fd(&report_fd);
  if (status == 0) return p;
  mb_process_close(p);
  return NULL;
}

static int64_t timeval_ns (struct timeval t) {
  return (int64_t)t.tv_sec * MB_NS_PER_S + (int64_t)t.tv_usec * MB_NS_PER_US;
}

/* Its pid stays taken until it is reaped, so before that, and only then, the group is surely its
** own: what is left of it goes now. */
static void reap (struct mb_process *p) {
  struct rusage usage = {0};
  int status = 0;
  pid_t reaped;
  kill(-p->pid, SIGKILL);
  do reaped = wait4(p->pid, &status, 0, &usage);
  while (reaped < 0 && errno == EINTR);
  p->ended = true;
  p->result = (struct mb_process_result){
      .code = reaped > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1,
      .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
      .user_ns = timeval_ns(usage.ru_utime),
      .system_ns = timeval_ns(usage.ru_stime),
      .max_rss_bytes = (int64_t)usage.ru_maxrss * 1024,
      .ended_ns = mb_clock_now(),
  };
}

void mb_process_close (struct mb_process *p) {
  if (p == NULL) return;
  if (p->pid > 0 && !p->ended) {
    kill(p->pid, SIGKILL); /* should it not have reached its group yet */
    reap(p);
  }
  release(p);
}

pid_t mb_process_pid (const struct mb_process *p) {
  return p->pid;
}

int mb_process_fd (const struct mb_process *p) {
  return p->epoll;
}

int mb_process_poll (struct mb_process *p, struct mb_process_result *result) {
  if (!p->ended) {
    siginfo_t info = {0};
    int status = waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOHANG | WNOWAIT);
    if (status < 0 || info.si_pid == p->pid) reap(p);
    uint64_t ticks; /* quiets the clock; a pidfd cannot be read */
    ssize_t quieted = p->ended ? 0 : read(p->pidfd, &ticks, sizeof ticks);
    (void)quieted;
  }
  tail_pump(&p->out); /* after the look at its state: its last words are in the pipe by now */
  tail_pump(&p->err);
  if (!p->ended) return 0;
  *result = p->result;
  return 1;
}

size_t mb_process_tail (const struct mb_process *p, int fd, char *buffer) {
  return tail_copy(fd == STDOUT_FILENO ? &p->out : &p->err, buffer);
}

int mb_process_signal (struct mb_process *p, int signal, struct mb_error *err) {
  if (p->ended) return mb_error_set(err, ESRCH, "process %d has ended", (int)p->pid);
  if (kill(-p->pid, signal) == 0) return 0;
  return mb_error_set(err, errno, "signal %d to process %d: ", signal, (int)p->pid);
}

int mb_process_set_affinity (pid_t thread, const int *cpus, size_t count, struct mb_error *err) {
  if (bind_cpus(thread, cpus, count) == 0) return 0;
  return mb_error_set(err, errno, "thread %d cannot be bound to the CPUs asked for: ", (int)thread);
}
