#include "support.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "clock.h"
#include "process.h"

static struct mb_process *spawn (struct mb_process_options options, const char *const *argv) {
  options.argv = (char *const *)argv;
  struct mb_error err = {0};
  struct mb_process *p = mb_process_spawn(&options, &err);
  assert_string_equal(err.text, "");
  assert_non_null(p);
  return p;
}

static struct mb_process *spawn_shell (const char *script) {
  const char *argv[] = {"sh", "-c", script, NULL};
  return spawn((struct mb_process_options){0}, argv);
}

/* As an event loop would: sleeps on the descriptor, polls when it is readable. */
static struct mb_process_result await (struct mb_process *p) {
  struct mb_process_result result = {0};
  while (!mb_process_poll(p, &result)) await_readable(mb_process_fd(p));
  return result;
}

static void assert_tail (struct mb_process *p, int fd, const char *expected) {
  char text[MB_PROCESS_TAIL_BYTES + 1];
  text[mb_process_tail(p, fd, text)] = '\0';
  assert_string_equal(text, expected);
}

static void await_output (struct mb_process *p, int fd, const char *expected) {
  char text[MB_PROCESS_TAIL_BYTES + 1] = "";
  struct mb_process_result result;
  while (strstr(text, expected) == NULL) {
    await_readable(mb_process_fd(p));
    assert_int_equal(mb_process_poll(p, &result), 0);
    text[mb_process_tail(p, fd, text)] = '\0';
  }
}

/* A zombie has ended too. */
static bool has_ended (pid_t pid) {
  char path[64];
  char state = 'Z';
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  FILE *stat = fopen(path, "re");
  if (stat == NULL) return true;
  int found = fscanf(stat, "%*d (%*[^)]) %c", &state);
  fclose(stat);
  return found != 1 || state == 'Z' || state == 'X';
}

/* Waits for the end of a process that need not be ours. */
static void await_end (pid_t pid) {
  for (int i = 0; !has_ended(pid); i++) {
    assert_true(i < PATIENCE_MS);
    usleep(1000);
  }
}

static void a_normal_end (void **state) {
  (void)state;
  int64_t before_ns = mb_clock_now();
  struct mb_process *p = spawn_shell("echo out; echo err >&2");
  assert_true(mb_process_pid(p) > 0);
  struct mb_process_result result = await(p);
  assert_int_equal(result.code, 0);
  assert_int_equal(result.signal, 0);
  assert_in_range(result.ended_ns, before_ns, mb_clock_now());
  assert_tail(p, 1, "out\n");
  assert_tail(p, 2, "err\n");
  await_readable(mb_process_fd(p)); /* it stays readable, and the result the same */
  struct mb_process_result again = await(p);
  assert_memory_equal(&again, &result, sizeof result);
  mb_process_close(p);
}

static void an_exit_status (void **state) {
  (void)state;
  struct mb_process *p = spawn_shell("exit 42");
  assert_int_equal(await(p).code, 42);
  mb_process_close(p);
}

static void a_death_by_signal (void **state) {
  (void)state;
  struct mb_process *p = spawn_shell("kill -SEGV $$");
  struct mb_process_result result = await(p);
  assert_int_equal(result.code, -1);
  assert_int_equal(result.signal, SIGSEGV);
  mb_process_close(p);
}

static void usage_is_of_this_child_alone (void **state) {
  (void)state;
  struct mb_process *busy = spawn_shell("i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done");
  struct mb_process_result used = await(busy);
  struct mb_process *idle = spawn_shell("exit 0");
  struct mb_process_result unused = await(idle);
  assert_true(used.user_ns > 0);
  assert_true(used.max_rss_bytes > 100 * 1024);
  assert_true(unused.user_ns + unused.system_ns < used.user_ns + used.system_ns);
  mb_process_close(busy);
  mb_process_close(idle);
}

static void assert_refused (struct mb_process_options options, const char *program, int code,
                            const char *text) {
  char *argv[] = {(char *)program, NULL};
  struct mb_error err = {0};
  int fds = count_fds();
  options.argv = argv;
  assert_null(mb_process_spawn(&options, &err));
  assert_string_equal(err.text, text);
  assert_int_equal(err.code, code);
  assert_int_equal(count_fds(), fds);
  assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left, not even a zombie */
  assert_int_equal(errno, ECHILD);
}

static void what_cannot_be_started_is_told (void **state) {
  (void)state;
  const int no_cpu[] = {CPU_SETSIZE};
  const int no_fd[] = {9999};
  const int many[MB_PROCESS_FDS_MAX + 1] = {0};
  assert_refused((struct mb_process_options){0}, "qemu-system-none", ENOENT,
                 "qemu-system-none: not found in PATH");
  assert_refused((struct mb_process_options){0}, "/no/such/file", ENOENT,
                 "/no/such/file: cannot be executed: No such file or directory");
  assert_refused((struct mb_process_options){0}, "/etc/passwd", EACCES,
                 "/etc/passwd: cannot be executed: Permission denied");
  assert_refused((struct mb_process_options){.cwd = "/no/such/place"}, "true", ENOENT,
                 "true: working directory /no/such/place: No such file or directory");
  assert_refused((struct mb_process_options){.cpus = no_cpu, .cpu_count = 1}, "true", EINVAL,
                 "true: cannot be bound to the CPUs asked for: Invalid argument");
  assert_refused((struct mb_process_options){.fds = no_fd, .fd_count = 1}, "true", EBADF,
                 "true: cannot be started: Bad file descriptor");
  assert_refused((struct mb_process_options){.fds = many, .fd_count = MB_PROCESS_FDS_MAX + 1},
                 "true", EINVAL, "true: more than 64 descriptors to pass on");
}

static void a_child_that_ignores_sigterm_is_killed_by_close (void **state) {
  (void)state;
  struct mb_error err = {0};
  struct mb_process_result result;
  struct mb_process *p = spawn_shell("trap '' TERM; echo ready; while :; do sleep 1; done");
  await_output(p, 1, "ready\n");
  assert_int_equal(mb_process_signal(p, SIGTERM, &err), 0);
  usleep(50000);
  /* The group gets it, so a sleep in it may die; the shell goes on. */
  assert_int_equal(mb_process_poll(p, &result), 0);
  pid_t pid = mb_process_pid(p);
  mb_process_close(p);
  assert_int_equal(kill(pid, 0), -1); /* reaped, too */
}

static void signals_reach_the_child (void **state) {
  (void)state;
  struct mb_error err = {0};
  struct mb_process *p = spawn_shell("echo ready; exec sleep 1000");
  await_output(p, 1, "ready\n");
  assert_int_equal(mb_process_signal(p, SIGTERM, &err), 0);
  assert_int_equal(await(p).signal, SIGTERM);
  assert_int_equal(mb_process_signal(p, SIGTERM, &err), -1);
  assert_int_equal(err.code, ESRCH);
  mb_process_close(p);
}

/* A child that has started another and ends when `leash` is closed. */
static struct mb_process *spawn_family (pid_t *grandchild, int *leash) {
  int ends[2];
  assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
  const char *argv[] = {"sh", "-c", "sleep 1000 3<&- & echo $!.; read line <&3", NULL};
  struct mb_process *p = spawn((struct mb_process_options){.fds = ends, .fd_count = 1}, argv);
  close(ends[0]);
  *leash = ends[1];
  await_output(p, 1, ".\n");
  char text[MB_PROCESS_TAIL_BYTES + 1];
  text[mb_process_tail(p, 1, text)] = '\0';
  *grandchild = atoi(text);
  assert_false(has_ended(*grandchild));
  return p;
}

static void close_kills_the_whole_group (void **state) {
  (void)state;
  pid_t grandchild;
  int leash;
  mb_process_close(spawn_family(&grandchild, &leash));
  await_end(grandchild);
  close(leash);
}

static void what_the_child_leaves_behind_ends_with_it (void **state) {
  (void)state;
  pid_t grandchild;
  int leash;
  struct mb_process *p = spawn_family(&grandchild, &leash);
  close(leash);
  assert_int_equal(await(p).signal, 0);
  await_end(grandchild);
  mb_process_close(p);
}

static void the_child_dies_with_its_parent (void **state) {
  (void)state;
  int ends[2];
  prctl(PR_SET_CHILD_SUBREAPER, 1); /* so that the orphan is ours to wait for */
  assert_int_equal(pipe(ends), 0);
  pid_t parent = fork();
  if (parent == 0) {
    const char *argv[] = {"sleep", "1000", NULL};
    struct mb_process_options options = {.argv = (char *const *)argv};
    struct mb_process *p = mb_process_spawn(&options, NULL);
    pid_t pid = p != NULL ? mb_process_pid(p) : -1;
    if (write(ends[1], &pid, sizeof pid) < 0) _exit(1);
    for (;;) pause();
  }
  pid_t child;
  assert_int_equal(read(ends[0], &child, sizeof child), sizeof child);
  assert_true(child > 0);
  assert_false(has_ended(child));
  assert_int_equal(kill(parent, SIGKILL), 0);
  assert_int_equal(waitpid(parent, NULL, 0), parent);
  await_end(child);
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFSIGNALED(status));
  assert_int_equal(WTERMSIG(status), SIGKILL);
  prctl(PR_SET_CHILD_SUBREAPER, 0);
  close(ends[0]);
  close(ends[1]);
}

static void only_the_end_of_much_output_is_kept (void **state) {
  (void)state;
  enum { LINES = 131072 };
  struct mb_process *p =
      spawn_shell("i=1000000; while [ $i -lt 1131072 ]; do echo $i; i=$((i+1)); done >&2");
  assert_int_equal(await(p).code, 0);
  char text[MB_PROCESS_TAIL_BYTES];
  assert_int_equal(mb_process_tail(p, 1, text), 0);
  assert_int_equal(mb_process_tail(p, 2, text), MB_PROCESS_TAIL_BYTES);
  char expected[16];
  for (int i = 0; i < MB_PROCESS_TAIL_BYTES / 8; i++) {
    snprintf(expected, sizeof expected, "%d\n", 1131072 - MB_PROCESS_TAIL_BYTES / 8 + i);
    assert_memory_equal(text + (size_t)i * 8, expected, 8);
  }
  mb_process_close(p);
}

/* What each of the descriptors 3, 4, … holds: the name of its file. */
static void descriptors_are_renumbered_whatever_their_numbers_were (void **state) {
  (void)state;
  char *directory = make_directory();
  int fds[4];
  for (int i = 0; i < 4; i++) {
    char name[2] = {(char)('a' + i), '\0'};
    char *path = path_in(directory, name);
    fds[i] = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fds[i] >= 0);
    free(path);
  }
  /* Reversed, repeated, and where the child's own pipes will be looked for. */
  const int order[] = {fds[3], fds[2], fds[1], fds[0], fds[3], 0};
  const char *argv[] = {"sh", "-c",
                        "for i in 3 4 5 6 7; do basename $(readlink /proc/$$/fd/$i); done; "
                        "ls /proc/$$/fd | sort -n | tr '\\n' ' '; readlink /proc/$$/fd/0",
                        NULL};
  struct mb_process *p = spawn((struct mb_process_options){.fds = order, .fd_count = 5}, argv);
  assert_int_equal(await(p).code, 0);
  char text[MB_PROCESS_TAIL_BYTES + 1];
  text[mb_process_tail(p, 1, text)] = '\0';
  /* sh itself may hold one more, for the script it reads. */
  assert_memory_equal(text, "d\nc\nb\na\nd\n0 1 2 3 4 5 6 7 ", 26);
  assert_non_null(strstr(text, "/dev/null\n"));
  mb_process_close(p);
  for (int i = 0; i < 4; i++) close(fds[i]);
  remove_directory(directory);
}

/* A parent without standard descriptors gets its pipes at 0, 1, 2: the child's targets. */
static void a_parent_without_standard_descriptors (void **state) {
  (void)state;
  pid_t helper = fork();
  if (helper == 0) {
    close(0);
    close(1);
    close(2);
    char *argv[] = {"sh", "-c", "echo out; echo err >&2; read x; readlink /proc/$$/fd/0", NULL};
    struct mb_process_options options = {.argv = argv};
    struct mb_process *p = mb_process_spawn(&options, NULL);
    if (p == NULL) _exit(10);
    struct mb_process_result result;
    struct pollfd event = {.fd = mb_process_fd(p), .events = POLLIN};
    while (!mb_process_poll(p, &result))
      if (poll(&event, 1, PATIENCE_MS) != 1) _exit(11);
    char text[MB_PROCESS_TAIL_BYTES + 1];
    text[mb_process_tail(p, 1, text)] = '\0';
    if (strcmp(text, "out\n/dev/null\n") != 0) _exit(12);
    text[mb_process_tail(p, 2, text)] = '\0';
    if (strcmp(text, "err\n") != 0) _exit(13);
    mb_process_close(p);
    _exit(0);
  }
  int status;
  assert_int_equal(waitpid(helper, &status, 0), helper);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
}

static void the_child_starts_with_clean_signals (void **state) {
  (void)state;
  sigset_t some, before;
  sigemptyset(&some);
  sigaddset(&some, SIGUSR1);
  sigprocmask(SIG_BLOCK, &some, &before);
  signal(SIGPIPE, SIG_IGN);
  const char *argv[] = {"grep", "-E", "Sig(Blk|Ign)", "/proc/self/status", NULL};
  struct mb_process *p = spawn((struct mb_process_options){0}, argv);
  sigset_t during;
  sigprocmask(SIG_SETMASK, &before, &during);
  signal(SIGPIPE, SIG_DFL);
  assert_true(sigismember(&during, SIGUSR1)); /* ours are as they were */
  assert_false(sigismember(&during, SIGINT));
  await(p);
  char text[MB_PROCESS_TAIL_BYTES + 1];
  text[mb_process_tail(p, 1, text)] = '\0';
  unsigned long long blocked;
  unsigned long long ignored;
  assert_int_equal(sscanf(text, "SigBlk: %llx SigIgn: %llx", &blocked, &ignored), 2);
  /* 32 and 33 are glibc's own, which it lets nobody touch. */
  assert_int_equal(blocked, 0);
  assert_int_equal(ignored & ~(3ULL << 31), 0);
  mb_process_close(p);
}

static void where_and_how_it_runs (void **state) {
  (void)state;
  const int cpus[] = {0};
  const char *argv[] = {"sh", "-c",
                        "pwd; nice; grep Cpus_allowed_list /proc/self/status; "
                        "[ $(cut -d' ' -f5 /proc/$$/stat) -eq $$ ] && echo leader",
                        NULL};
  struct mb_process *p =
      spawn((struct mb_process_options){.cwd = "/", .nice = 3, .cpus = cpus, .cpu_count = 1}, argv);
  assert_int_equal(await(p).code, 0);
  assert_tail(p, 1, "/\n3\nCpus_allowed_list:\t0\nleader\n");
  mb_process_close(p);
}

static void as_another_user (void **state) {
  (void)state;
  if (geteuid() != 0) skip();
  const char *argv[] = {"sh", "-c", "id -u; id -g; id -G", NULL};
  struct mb_process *p =
      spawn((struct mb_process_options){.change_user = true, .uid = 65534, .gid = 65533}, argv);
  assert_int_equal(await(p).code, 0);
  assert_tail(p, 1, "65534\n65533\n65533\n");
  mb_process_close(p);
}

static void the_affinity_of_a_thread (void **state) {
  (void)state;
  const int cpus[] = {0};
  const int none[] = {-1};
  struct mb_error err = {0};
  struct mb_process *p = spawn_shell("read x; exec sleep 1000");
  assert_int_equal(mb_process_set_affinity(mb_process_pid(p), cpus, 1, &err), 0);
  cpu_set_t set;
  assert_int_equal(sched_getaffinity(mb_process_pid(p), sizeof set, &set), 0);
  assert_int_equal(CPU_COUNT(&set), 1);
  assert_true(CPU_ISSET(0, &set));
  assert_int_equal(mb_process_set_affinity(mb_process_pid(p), none, 1, &err), -1);
  assert_int_equal(err.code, EINVAL);
  mb_process_close(p);
}

static void a_hundred_children_leave_nothing_open (void **state) {
  (void)state;
  int fds = count_fds();
  for (int i = 0; i < 100; i++) {
    const char *argv[] = {i % 2 == 0 ? "true" : "sleep", i % 2 == 0 ? NULL : "1000", NULL};
    struct mb_process *p = spawn((struct mb_process_options){0}, argv);
    if (i % 4 == 0) await(p);
    mb_process_close(p);
  }
  mb_process_close(NULL);
  assert_int_equal(count_fds(), fds);
  assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
  assert_int_equal(errno, ECHILD);
}

int main (void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_normal_end),
      cmocka_unit_test(an_exit_status),
      cmocka_unit_test(a_death_by_signal),
      cmocka_unit_test(usage_is_of_this_child_alone),
      cmocka_unit_test(what_cannot_be_started_is_told),
      cmocka_unit_test(a_child_that_ignores_sigterm_is_killed_by_close),
      cmocka_unit_test(signals_reach_the_child),
      cmocka_unit_test(close_kills_the_whole_group),
      cmocka_unit_test(what_the_child_leaves_behind_ends_with_it),
      cmocka_unit_test(the_child_dies_with_its_parent),
      cmocka_unit_test(only_the_end_of_much_output_is_kept),
      cmocka_unit_test(descriptors_are_renumbered_whatever_their_numbers_were),
      cmocka_unit_test(a_parent_without_standard_descriptors),
      cmocka_unit_test(the_child_starts_with_clean_signals),
      cmocka_unit_test(where_and_how_it_runs),
      cmocka_unit_test(as_another_user),
      cmocka_unit_test(the_affinity_of_a_thread),
      cmocka_unit_test(a_hundred_children_leave_nothing_open),
  };
  return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
