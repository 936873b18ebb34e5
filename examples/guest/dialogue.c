#include "dialogue.h"
#include "console.h"
#include "io.h"
#include "power.h"
#include "shell.h"

#define ANSWER_BYTES 80

void dialogue_complain (const char *what) {
  for (unsigned i = 0; i < 23; i++) print("\b");
  print(" ! %s\n", what);
}

bool dialogue_yes (const char *answer) {
  return answer[0] == '\0' || string_equal(answer, "y") || string_equal(answer, "Y") ||
         string_equal(answer, "yes");
}

bool dialogue_no (const char *answer) {
  return string_equal(answer, "n") || string_equal(answer, "N") || string_equal(answer, "no");
}

void dialogue_shut_down (void) {
  char answer[ANSWER_BYTES];
  for (;;) {
    console_ask("Shut down now? [Y] ", answer, sizeof(answer));
    if (dialogue_yes(answer)) {
      print("demo: power off\n");
      power_off();
    }
    if (dialogue_no(answer))
      shell_run("# ", NULL);
    else
      dialogue_complain("try again");
  }
}
