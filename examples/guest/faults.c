#include "faults.h"
#include "console.h"
#include "interrupts.h"
#include "io.h"
#include "options.h"
#include "panic.h"
#include "power.h"

#define LOUD_INTERVAL_MS 100

/* Invalid UTF-8, NUL, C0 and C1 controls, a window title, a cleared screen, colours, cursor
** movement, another character set. */
static const char garbage[] = "\xff\xfe\xc3(\xe2\x82\0\x80\x9b\x01\x02\x0e\x7f\0"
                              "\033]0;owned by the guest\a\033[2J\033[H\033[31;1m\033[10;20H\033(0"
                              "garbage\033[?25l\033[6n\033P1$r\033\\\r\n";

static void hang (const char *phase) {
  (void)phase;
  if (!option_given("loud") && !option_is("hang", "loud")) halt();
  interrupts_init(); /* the phase may be before the one that does it */
  for (;;) {
    console_raw(".", 1);
    sleep_ms(LOUD_INTERVAL_MS);
  }
}

static void fail (const char *phase) {
  panic("demo: asked for at phase %s", phase);
}

static void fault (const char *phase) {
  (void)phase;
  triple_fault();
}

static void reset (const char *phase) {
  (void)phase;
  power_reset();
}

static void leave (const char *phase) {
  (void)phase;
  power_off();
}

static void flood (const char *phase) {
  for (unsigned line = 1;; line++) say("flood: line %u of phase %s", line, phase);
}

static void long_line (const char *phase) {
  (void)phase;
  console_raw("demo: long line: ", 17);
  for (;;) console_raw("0123456789abcdef", 16);
}

static const struct {
  const char *option;
  const char *phase; /* where it strikes unless the option says `option=phase` */
  void (*strike)(const char *phase);
} faults[] = {
    {"hang", "services", hang},         {"panic", "services", fail}, {"triple", "drivers", fault},
    {"resetloop", "drivers", reset},    {"reset", "drivers", reset}, {"flood", "drivers", flood},
    {"longline", "drivers", long_line}, {"exit", "entry", leave},    {"poweroff", "prompt", leave},
};

void faults_garbage (void) {
  if (option_given("garbage")) console_raw(garbage, sizeof(garbage) - 1);
}

void faults_at (const char *phase) {
  for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
    bool by_default = option_is(faults[i].option, "") || option_is(faults[i].option, "loud");
    if (option_is(faults[i].option, phase) || (by_default && string_equal(phase, faults[i].phase)))
      faults[i].strike(phase);
  }
}
