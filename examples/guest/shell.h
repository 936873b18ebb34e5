#ifndef SHELL_H
#define SHELL_H

/* Asks who is there until `root` answers, serves a shell, and so on for ever. */
_Noreturn void shell_login (void);

/* The shell alone; returns at `exit`. */
void shell_run (const char *prompt);

#endif
