/* A process is a child in a process group of its own, with both its outputs kept (the last 64 KiB
** of each) and a umask of 077. Nothing of it outlives its owner: the kernel kills the child when the
** *thread* that spawned it ends (PR_SET_PDEATHSIG), so spawn only on a thread that lives as long as
** the program, which here is the main one, and when the program ends even if the child has changed
** its user since; when the child ends, whatever is left of its group is killed.
**
** All calls are for the spawning thread. Times are CLOCK_MONOTONIC nanoseconds. */
#ifndef MB_PROCESS_H
#define MB_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.h"

enum { MB_PROCESS_TAIL_BYTES = 64 * 1024, MB_PROCESS_FDS_MAX = 64 };

struct mb_process_options {
  char *const *argv; /* looked up in PATH, no shell; ends with NULL */
  const int *fds;    /* become 3, 4, … in the child; remain the caller's */
  size_t fd_count;   /* at most MB_PROCESS_FDS_MAX */
  const char *cwd;   /* NULL: the caller's */
  const int *cpus;   /* the only CPUs it may run on; NULL: as the caller */
  size_t cpu_count;
  int nice;         /* added to the caller's */
  bool change_user; /* to uid and gid, without supplementary groups */
  uid_t uid;
  gid_t gid;
};

struct mb_process_result {
  int code;                                  /* exit status, or -1 when a signal ended it */
  int signal;                                /* or 0 */
  int64_t user_ns, system_ns, max_rss_bytes; /* of this child alone */
  int64_t ended_ns;                          /* when we saw it */
};

struct mb_process;

/* NULL and *err on failure, among them: argv[0] cannot be executed (ENOENT: "…: not found in
** PATH"). */
struct mb_process *mb_process_spawn (const struct mb_process_options *options,
                                     struct mb_error *err);

/* Kills the group (SIGKILL) if the child still runs, reaps it, closes everything. NULL is fine. */
void mb_process_close (struct mb_process *p);

pid_t mb_process_pid (const struct mb_process *p);

/* An epoll descriptor: readable when there is output to take or the child has ended. */
int mb_process_fd (const struct mb_process *p);

/* Takes what the child has written, then: 1 and *result when it has ended, 0 while it runs. */
int mb_process_poll (struct mb_process *p, struct mb_process_result *result);

/* The end of what was written to fd 1 or 2, as of the last poll: its length is returned, at most
** MB_PROCESS_TAIL_BYTES are copied to `buffer`. */
size_t mb_process_tail (const struct mb_process *p, int fd, char *buffer);

/* To the group. 0, or -1 and *err (ESRCH: it has ended). */
int mb_process_signal (struct mb_process *p, int signal, struct mb_error *err);

/* Restricts a thread of any process (0: the caller's) to these CPUs. 0, or -1 and *err. */
int mb_process_set_affinity (pid_t thread, const int *cpus, size_t count, struct mb_error *err);

#endif
