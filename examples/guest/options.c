#include "options.h"
#include "io.h"
#include "layout.h"

static const char *const known[] = {
    "console", "com2",     "work",   "silent",    "noisy",    "garbage", "loud",
    "hang",    "panic",    "triple", "resetloop", "reset",    "flood",   "longline",
    "exit",    "poweroff", "menu",   "install",   "dialogue",
};

/* Not for the installed system. */
static const char *const installation_only[] = {"menu", "install", "dialogue"};

static char text[OPTIONS_BYTES];

/* Copies the next word; returns what follows it, or NULL at the end. */
static const char *next_word (const char *at, char *word) {
  size_t n = 0;
  while (*at == ' ') at++;
  if (*at == '\0') return NULL;
  while (*at != ' ' && *at != '\0') word[n++] = *at++;
  word[n] = '\0';
  return at;
}

/* The value of word if it is `name` ("") or `name=value`, else NULL. */
static const char *match (const char *word, const char *name) {
  while (*name != '\0')
    if (*word++ != *name++) return NULL;
  return *word == '\0' ? word : *word == '=' ? word + 1 : NULL;
}

static bool any (const char *word, const char *const *names, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (match(word, names[i]) != NULL) return true;
  return false;
}

#define ANY(word, names) any(word, names, sizeof(names) / sizeof((names)[0]))

void options_set (const char *line) {
  size_t n = strlen(line);
  if (n > sizeof(text) - 1) n = sizeof(text) - 1;
  memmove(text, line, n);
  text[n] = '\0';
}

const char *options_line (void) {
  return text;
}

/* The last one given counts. */
static const char *value (const char *name) {
  static char word[2][OPTIONS_BYTES];
  const char *result = NULL;
  unsigned i = 0;
  for (const char *at = text; (at = next_word(at, word[i])) != NULL;) {
    const char *v = match(word[i], name);
    if (v != NULL) {
      result = v;
      i ^= 1;
    }
  }
  return result;
}

bool option_given (const char *name) {
  return value(name) != NULL;
}

bool option_is (const char *name, const char *wanted) {
  const char *v = value(name);
  return v != NULL && string_equal(v, wanted);
}

bool option_has (const char *name, const char *item) {
  const char *v = value(name);
  size_t n = strlen(item);
  while (v != NULL && *v != '\0') {
    const char *end = v;
    while (*end != ',' && *end != '\0') end++;
    if ((size_t)(end - v) == n && memcmp(v, item, n) == 0) return true;
    v = *end == ',' ? end + 1 : end;
  }
  return false;
}

unsigned option_number (const char *name, unsigned otherwise) {
  const char *v = value(name);
  unsigned n;
  return v != NULL && string_number(v, &n) ? n : otherwise;
}

const char *options_unknown (void) {
  static char word[OPTIONS_BYTES];
  for (const char *at = text; (at = next_word(at, word)) != NULL;)
    if (!ANY(word, known)) return word;
  return NULL;
}

void options_to_install (char *line, size_t size) {
  char word[OPTIONS_BYTES];
  size_t used = 0;
  for (const char *at = text; (at = next_word(at, word)) != NULL;) {
    size_t n = strlen(word);
    if (ANY(word, installation_only) || used + n + 2 > size) continue;
    if (used > 0) line[used++] = ' ';
    memcpy(line + used, word, n);
    used += n;
  }
  line[used] = '\0';
}
