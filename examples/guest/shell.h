#ifndef SHELL_H
#define SHELL_H

/* Asks who is there until `root` answers, serves a shell, and so on for ever. */
_Noreturn void shell_login (void);

struct shell_command {
  const char *name, *summary;
  unsigned (*run)(char **words); /* words[0] is the name; ends with NULL. Returns the status. */
};

/* The shell alone; returns at `exit`. `extra`: more commands, ending with a NULL name, or NULL. */
void shell_run (const char *prompt, const struct shell_command *extra);

#endif
