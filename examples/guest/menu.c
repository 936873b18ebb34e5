#include "menu.h"
#include "console.h"
#include "dialogue.h"
#include "io.h"
#include "layout.h"
#include "options.h"
#include "phases.h"

#define COUNTDOWN_SECONDS 2

static bool is_choice (int c) {
  return (c >= '1' && c <= '3') || c == 'v' || c == 'e';
}

/* The key that ended the countdown, '1' if none did, 0 if it is to be asked for. */
static char count_down (void) {
  print("Option 1 will be chosen in %u seconds. ", COUNTDOWN_SECONDS);
  for (unsigned left = COUNTDOWN_SECONDS; left > 0; left--) {
    int c = console_key(1000);
    if (c >= 0) {
      print("\n");
      if (c == '\r' || c == '\n') return '1';
      return is_choice(c) ? (char)c : '\0';
    }
    for (unsigned i = 0; i < strlen("2 seconds. "); i++) print("\b");
    print("%u seconds. ", left - 1);
  }
  print("    \n");
  return '1';
}

static char ask (void) {
  char answer[8];
  for (;;) {
    console_ask("Option: [1] ", answer, sizeof(answer));
    if (answer[0] == '\0') return '1';
    if (is_choice(answer[0]) && answer[1] == '\0') return answer[0];
    dialogue_complain("try again");
  }
}

unsigned menu_run (void) {
  char line[OPTIONS_BYTES] = "install";
  print("\nWelcome to the demo installation CD, version " VERSION "\n"
        "================================================\n\n"
        "     1. Install over the serial line (COM1)\n"
        "     2. Install on this screen (v does it, too)\n"
        "     3. Edit the options line (e does it, too)\n\n"
        "Choose an option; RETURN for default; SPACE to stop countdown.\n");
  char choice = count_down();
  if (choice == '\0') choice = ask();
  if (choice == '3' || choice == 'e') {
    print("> ");
    console_line(line, sizeof(line));
  }
  options_set(line);
  bool screen = choice == '2' || choice == 'v' || option_is("console", "vga");
  return screen ? CONSOLE_SCREEN : CONSOLE_COM1;
}
