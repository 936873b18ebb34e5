/* Questions as installers ask them. */

#ifndef DIALOGUE_H
#define DIALOGUE_H

#include <stdbool.h>

/* What MINIX's setup says to a wrong answer: backspaces, " ! " and the words. */
void dialogue_complain (const char *what);

/* True for an answer that means yes, or is empty. */
bool dialogue_yes (const char *answer);
bool dialogue_no (const char *answer);

/* "Shut down now? [Y] ": powers off, or gives a shell first. */
_Noreturn void dialogue_shut_down (void);

#endif
