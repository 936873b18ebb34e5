/* The command line: words, some with a value. */

#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

void options_set (const char *line); /* copies it */
const char *options_line (void);

bool option_given (const char *name);                 /* `name` or `name=…` */
bool option_is (const char *name, const char *value); /* `name=value` */
bool option_has (const char *name, const char *item); /* `name=…,item,…` */
unsigned option_number (const char *name, unsigned otherwise);

/* First word that is no option, or NULL. The answer is good until the next call. */
const char *options_unknown (void);

/* The line without what concerns an installation only: what the installed system gets. */
void options_to_install (char *line, size_t size);

#endif
