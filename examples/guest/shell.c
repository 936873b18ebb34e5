#include "shell.h"
#include "console.h"
#include "faults.h"
#include "io.h"
#include "options.h"
#include "panic.h"
#include "phases.h"
#include "power.h"
#include "smp.h"

#define LINE_BYTES 256
#define WORDS 32

#define NOT_FOUND 127

static unsigned status; /* of the last command: $? */

static unsigned do_cpus (char **words) {
  (void)words;
  print("%u\n", smp_up());
  return 0;
}

static unsigned do_dmesg (char **words) {
  (void)words;
  console_dmesg();
  return 0;
}

static unsigned do_echo (char **words) {
  for (unsigned i = 1; words[i] != NULL; i++) print(i > 1 ? " %s" : "%s", words[i]);
  print("\n");
  return 0;
}

static unsigned do_false (char **words) {
  (void)words;
  return 1;
}

static unsigned do_options (char **words) {
  (void)words;
  print("%s\n", options_line());
  return 0;
}

static unsigned do_panic (char **words) {
  (void)words;
  panic("demo: asked for at the shell");
}

static unsigned do_poweroff (char **words) {
  (void)words;
  print("demo: power off\n");
  power_off();
}

static unsigned do_reboot (char **words) {
  (void)words;
  print("demo: reboot\n");
  power_reset();
}

static unsigned do_true (char **words) {
  (void)words;
  return 0;
}

static unsigned do_uname (char **words) {
  if (words[1] == NULL)
    print("demo\n");
  else if (string_equal(words[1], "-a"))
    print("demo " VERSION " i386\n");
  else {
    print("uname: %s: unknown option\n", words[1]);
    return 1;
  }
  return 0;
}

static unsigned do_help (char **words);

static const struct shell_command commands[] = {
    {"cpus", "number of CPUs that are up", do_cpus},
    {"dmesg", "the kernel's messages again", do_dmesg},
    {"echo", "its arguments; $? is the last status", do_echo},
    {"exit", "back to the login prompt", NULL},
    {"false", "fails", do_false},
    {"help", "this list", do_help},
    {"options", "the command line that was booted with", do_options},
    {"panic", "stops with a panic", do_panic},
    {"poweroff", "switches the machine off", do_poweroff},
    {"reboot", "resets the machine", do_reboot},
    {"true", "does nothing", do_true},
    {"uname", "name of the system; -a: and version", do_uname},
    {NULL, NULL, NULL},
};

static unsigned do_help (char **words) {
  (void)words;
  for (const struct shell_command *c = commands; c->name != NULL; c++)
    print("%s: %s\n", c->name, c->summary);
  return 0;
}

static char *put_status (char *to) {
  if (status >= 100) *to++ = (char)('0' + status / 100);
  if (status >= 10) *to++ = (char)('0' + status / 10 % 10);
  *to++ = (char)('0' + status % 10);
  return to;
}

/* Splits the command at `at` into words, as a Unix shell would: quotes, backslash, $?.
** Returns what follows its `;`, or NULL at the end of the line. */
static const char *split (const char *at, char *buffer, char **words) {
  size_t count = 0;
  char quote = '\0';
  bool in_word = false;
  for (; *at != '\0' && (quote != '\0' || *at != ';'); at++) {
    if (quote == '\0' && *at == ' ') {
      if (in_word) *buffer++ = '\0';
      in_word = false;
      continue;
    }
    if (!in_word) {
      if (count == WORDS - 1) break;
      words[count++] = buffer;
      in_word = true;
    }
    if (*at == quote)
      quote = '\0';
    else if (quote == '\0' && (*at == '\'' || *at == '"'))
      quote = *at;
    else if (quote != '\'' && *at == '$' && at[1] == '?') {
      buffer = put_status(buffer);
      at++;
    } else {
      if (quote != '\'' && *at == '\\' && at[1] != '\0') at++;
      *buffer++ = *at;
    }
  }
  *buffer = '\0';
  words[count] = NULL;
  return *at == ';' ? at + 1 : NULL;
}

static const struct shell_command *find (const struct shell_command *c, const char *name) {
  for (; c != NULL && c->name != NULL; c++)
    if (string_equal(c->name, name)) return c;
  return NULL;
}

/* False at `exit`. */
static bool execute (char **words, const struct shell_command *extra) {
  const struct shell_command *c = find(extra, words[0]);
  if (c == NULL) c = find(commands, words[0]);
  if (c == NULL) {
    print("sh: %s: not found\n", words[0]);
    status = NOT_FOUND;
    return true;
  }
  if (c->run == NULL) return false;
  status = c->run(words);
  return true;
}

void shell_run (const char *prompt, const struct shell_command *extra) {
  char line[LINE_BYTES], buffer[LINE_BYTES * 2], *words[WORDS];
  status = 0;
  for (;;) {
    print("%s", prompt);
    line[0] = '\0';
    console_line(line, sizeof(line));
    for (const char *at = line; at != NULL;) {
      at = split(at, buffer, words);
      if (words[0] != NULL && !execute(words, extra)) return;
    }
  }
}

void shell_login (void) {
  char name[LINE_BYTES];
  for (;;) {
    console_prompt("login: ");
    faults_at("prompt");
    console_answer(name, sizeof(name));
    if (string_equal(name, "root"))
      shell_run("# ", NULL);
    else if (name[0] != '\0')
      print("Login incorrect\n");
  }
}
