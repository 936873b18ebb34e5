#include "minix.h"
#include "ata.h"
#include "console.h"
#include "dialogue.h"
#include "interrupts.h"
#include "io.h"
#include "options.h"
#include "power.h"
#include "shell.h"

#define LINE_BYTES 256
#define SYSTEM_MB 240
#define USUAL_DISK_MB 2048 /* when there is no disk to ask */
#define SECTORS_PER_MB 2048

#define PAUSE '\001' /* in a text: a moment of work */
#define PAUSE_MS 100

static unsigned disk_mb, home_most_mb, home_default_mb, home_mb;
static bool reinstall;

static void show (const char *text) {
  for (; *text != '\0'; text++)
    if (*text == PAUSE)
      sleep_ms(PAUSE_MS);
    else
      print("%c", *text);
}

/* When a question is asked. */
static bool variant (const char *name) {
  return option_has("dialogue", name);
}

static bool several_regions (void) {
  return variant("regions");
}

static bool one_region (void) {
  return !several_regions();
}

static bool old_home (void) {
  return variant("home");
}

static bool full (void) {
  return !reinstall;
}

static bool odd (void) {
  return variant("odd") || variant("minix-odd");
}

static bool old_mbr (void) {
  return variant("mbr");
}

static bool network (void) {
  return !variant("nonet");
}

static bool no_network (void) {
  return variant("nonet");
}

/* What is an answer: each may say what is wrong, and returns whether to go on. */
static bool anything (const char *answer) {
  (void)answer;
  return true;
}

static bool keyboard (const char *answer) {
  static const char *const names[] = {
      "",         "abnt2",         "dvorak",  "french",     "german",       "italian",
      "japanese", "latin-america", "polish",  "portuguese", "scandinavian", "spanish",
      "uk",       "us-std",        "us-swap",
  };
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
    if (string_equal(answer, names[i])) return true;
  dialogue_complain("invalid keyboard");
  return false;
}

static bool empty (const char *answer) {
  if (answer[0] == '\0') return true;
  dialogue_complain("try again");
  return false;
}

static bool number_below (const char *answer, unsigned limit) {
  unsigned n;
  if (!string_number(answer, &n))
    dialogue_complain("try again");
  else if (n >= limit)
    dialogue_complain("out of range");
  else
    return true;
  return false;
}

static bool only_one (const char *answer) {
  return answer[0] == '\0' || number_below(answer, 1);
}

static bool one_of_two (const char *answer) {
  return number_below(answer, 2);
}

static bool yes_in_full (const char *answer) {
  return string_equal(answer, "yes");
}

static bool full_or_reinstall (const char *answer) {
  char c = answer[0];
  reinstall = c == '\0' || c == 'R' || c == 'r';
  return reinstall || c == 'F' || c == 'f';
}

static bool home_size (const char *answer) {
  home_mb = home_default_mb;
  if (answer[0] != '\0' && !string_number(answer, &home_mb)) home_mb = 0;
  if (home_mb <= home_most_mb) return true;
  print("That won't fit!\n\n");
  return false;
}

static bool block_size (const char *answer) {
  unsigned n;
  if (answer[0] == '\0' || (string_number(answer, &n) && n >= 1 && n <= 64)) return true;
  dialogue_complain("At least 1 kB and at most 64 kB please.");
  return false;
}

static const struct question {
  bool (*when)(void); /* NULL: always */
  const char *text;   /* before the prompt, once; up to two numbers of `with` */
  const char *prompt;
  bool (*accept)(const char *answer);
  const unsigned *with[2];
} questions[] = {
    {NULL,
     "\nWelcome to the MINIX 3 setup script.  This script will guide you in setting up\n"
     "MINIX on your machine.  Please consult the manual for detailed instructions.\n\n"
     "Note 4: If you see a colon (:) then you should hit ENTER to continue.\n",
     ":",
     anything,
     {0}},
    {NULL,
     "\n --- Step 1: Select keyboard type --------------------------------------\n\n"
     "    dvorak          italian         scandinavian\n"
     "    french          latin-america   uk\n"
     "    german          polish          us-std\n\n",
     "Keyboard type? [us-std] ",
     keyboard,
     {0}},
    {NULL,
     "\n --- Step 2: Selecting full distribution -------------------------------\n\n"
     "\n --- Step 3: Create or select a partition for MINIX 3 -------------------\n\n",
     "Press ENTER for automatic mode, or type 'expert': ",
     empty,
     {0}},
    {NULL,
     "\n --- Substep 3.1: Select a disk to install MINIX 3 ---------------------\n\n"
     "Probing for disks. This may take a short while.\001.\001.\001.\001.\001.\001. Probing done.\n"
     "The following disk was found on your system:\n\n"
     "  Disk [0]:  /dev/c0d0, %u MB\n\n",
     "Enter the disk number to use: [0] ",
     only_one,
     {&disk_mb}},
    {one_region,
     "\n --- Substep 3.2: Select a disk region ---------------------------------\n\n"
     "   [0]  Free space            (%u MB)\n\n",
     "Enter the region number to use or type 'delete':  [0] ",
     only_one,
     {&disk_mb}},
    {several_regions,
     "\n --- Substep 3.2: Select a disk region ---------------------------------\n\n"
     "\033[32m   [0]  In use by MINIX       (1000 MB)\033[37m\n"
     "   [1]  Free space            (%u MB)\n\n",
     "Enter the region number to use or type 'delete': ",
     one_of_two,
     {&disk_mb}},
    {NULL,
     "\n --- Substep 3.3: Confirm your choices ---------------------------------\n\n"
     "This is the point of no return.\n\n",
     "Are you sure you want to continue?  Please enter 'yes' or 'no': ",
     yes_in_full,
     {0}},
    {old_home,
     "\n --- Step 4: Reinstall choice ------------------------------------------\n\n"
     "You have selected an existing MINIX 3 partition.\n\n",
     "(F)ull or (R)einstall? [R] ",
     full_or_reinstall,
     {0}},
    {full,
     "\nrmdir: /mnt: Function not implemented\n"
     "\n --- Step 5: Select the size of /home ----------------------------------\n\n"
     "MINIX will take up 240 MB, without /home.\n",
     "How big do you want your /home to be in MB (0-%u) ? [%u] ",
     home_size,
     {&home_most_mb, &home_default_mb}},
    {full, "\n", "%u MB Ok? [Y] ", anything, {&home_mb}},
    {odd, "\n", "In which time zone do you live? ", anything, {0}},
    {full,
     "\n\n --- Step 6: Select a block size ---------------------------------------\n\n"
     "The default file system block size is 4 kB.\n\n",
     "Block size in kilobytes? [4] ",
     block_size,
     {0}},
    {old_mbr,
     "\nWarning: you have MBR which doesn't support multiple MINIX 3 partitions!\n"
     "You will be able to boot from the first one only!\n",
     "Do you want to install new MBR into /dev/c0d0? [Y] ",
     anything,
     {0}},
};

static const struct question network_questions[] = {
    {network,
     "\n 1. em0      \n\n 2. Manually configure an ethernet driver\n 3. Quit\n\n",
     "Interface choice? [1] ",
     anything,
     {0}},
    {no_network,
     "\n 1. Manually configure an ethernet driver\n 2. Quit\n\n",
     "Interface choice? [2] ",
     anything,
     {0}},
    {network,
     "\nConfigure interface em0 using DHCP or manually?\n\n"
     " 1. Automatically using DHCP (IPv4 + IPv6)\n 2. Automatically using DHCP (IPv4 only)\n"
     " 3. Manually (IPv4 only)\n\n 4. Go back to interface selection\n 5. Quit\n\n",
     "Configuration choice? [1] ",
     anything,
     {0}},
    {network,
     "\nInterface em0 configured for DHCP (IPv4 + IPv6).\n\n"
     " 1. Go back to interface selection\n 2. Quit\n\n",
     "Menu choice? [2] ",
     anything,
     {0}},
};

static void ask (const struct question *first, size_t count) {
  char text[LINE_BYTES * 4], prompt[LINE_BYTES], answer[LINE_BYTES];
  for (const struct question *q = first; q < first + count; q++) {
    if (q->when != NULL && !q->when()) continue;
    unsigned a = q->with[0] != NULL ? *q->with[0] : 0, b = q->with[1] != NULL ? *q->with[1] : 0;
    console_format(text, sizeof(text), q->text, a, b);
    console_format(prompt, sizeof(prompt), q->prompt, a, b);
    show(text);
    do console_ask(prompt, answer, sizeof(answer));
    while (!q->accept(answer));
  }
}

#define ASK(list) ask(list, sizeof(list) / sizeof((list)[0]))

static void move (char direction, unsigned times) {
  while (times-- > 0) print("\033[%c", direction);
}

/* A set of files as MINIX's progressbar draws pax's list: the bar above, names running below. */
static void extract (const char *set, unsigned files) {
  print("Extracting %s.tgz...\n\n\n\n\n\n\n\n", set);
  move('A', 7);
  print("\r\n");
  for (unsigned left = files; left-- > 0;) {
    unsigned filled = (files - left) * 50 / files;
    print("\033[M");
    move('B', 5);
    print("\r./%s/file%u\r", set, files - left);
    move('A', 6);
    print("\rRemaining: %u files.  [", left);
    for (unsigned i = 0; i < 51; i++) print(i < filled ? "=" : i == filled ? "|" : "-");
    print("]\033[K\n");
    if (left % 8 == 0) sleep_ms(10);
  }
  print("\033[M");
  move('B', 5);
  print(
      "\rpax: ustar vol 1, %u files, 4843520 bytes read, 0 bytes written in 1 secs (484\r\nDone.\033[K\n",
      files);
}

static unsigned do_setup (char **words) {
  (void)words;
  reinstall = false;
  ASK(questions);
  print("\nYou have selected to (re)install MINIX 3 in the partition /dev/c0d0p0.\n\n"
        "Creating /dev/c0d0p0s0 for / ..\nCreating /dev/c0d0p0s2 for /usr ..\n\n"
        " --- Step 7: Wait for files to be copied -------------------------------\n\n"
        "All files will now be copied to your hard disk. This may take a while.\n\n");
  extract("minix-base", 200);
  extract("minix-comp", 60);
  extract("minix-games", 20);
  extract("minix-kernel", 23);
  show("Creating device nodes...\001\001\001\n"
       "Saving random data..\n1+0 records in\n1+0 records out\n"
       "1024 bytes transferred in 0.016 secs (64000 bytes/sec)\n\n"
       " --- Step 8: Select your Ethernet chip ---------------------------------\n\n\n");
  ASK(network_questions);
  print("\nPackage dir not found, skipping pkgin installation...\n"
        "/dev/c0d0p0s0 unmounted from /mnt\nUnmounted c0d0p0s0\n\n"
        "Please type 'shutdown -r now' to exit MINIX 3 and reboot. To boot into\n"
        "your new system, you might have to remove the installation media.\n\n"
        "This ends the MINIX 3 setup script.  You may want to take care of post\n"
        "installation steps, such as local testing and configuration.\n\n"
        "Please consult the user manual for more information.\n\n\n");
  return 0;
}

static unsigned do_shutdown (char **words) {
  if (words[1] == NULL) {
    print("usage: shutdown [-pr] time\n");
    return 1;
  }
  show("Shutdown NOW!\nshutdown: [pid 3408]\n\001"
       "\a*** FINAL System shutdown message from root@minix ***\a\r\n"
       "System going down IMMEDIATELY\r\n\001\r\n"
       "MINIX will now be shut down ...\n\001");
  if (string_equal(words[1], "-p")) power_off();
  power_reset();
}

/* What a script does to the files of the installed system: believed to have worked. */
static unsigned do_nothing (char **words) {
  (void)words;
  return 0;
}

/* echo, unless into a file. */
static unsigned do_echo (char **words) {
  for (unsigned i = 1; words[i] != NULL; i++)
    if (words[i][0] == '>') return 0;
  for (unsigned i = 1; words[i] != NULL; i++) print(i > 1 ? " %s" : "%s", words[i]);
  print("\n");
  return 0;
}

static const struct shell_command commands[] = {
    {"setup", NULL, do_setup},
    {"shutdown", NULL, do_shutdown},
    {"echo", NULL, do_echo},
    {"cat", NULL, do_nothing},
    {"chroot", NULL, do_nothing},
    {"cp", NULL, do_nothing},
    {"ed", NULL, do_nothing},
    {"grep", NULL, do_nothing},
    {"mkdir", NULL, do_nothing},
    {"mount", NULL, do_nothing},
    {"mv", NULL, do_nothing},
    {"printf", NULL, do_nothing},
    {"rm", NULL, do_nothing},
    {"sed", NULL, do_nothing},
    {"stty", NULL, do_nothing},
    {"sync", NULL, do_nothing},
    {"test", NULL, do_nothing},
    {"umount", NULL, do_nothing},
    {"update_bootcfg", NULL, do_nothing},
    {NULL, NULL, NULL},
};

static bool contains (const char *text, const char *word) {
  size_t n = strlen(word);
  for (; strlen(text) >= n; text++)
    if (memcmp(text, word, n) == 0) return true;
  return false;
}

/* The key that ended the menu's countdown; 0 if it is to be asked for. */
static char count_down (void) {
  print("Option 1 will be chosen in 10 seconds. ");
  for (unsigned left = 10; left > 0; left--) {
    int c = console_key(1000);
    if (c >= '1' && c <= '4') return (char)c;
    if (c == '\r' || c == '\n') return '1';
    for (unsigned i = 0; i < (left == 10 ? 12 : 11); i++) print("\b");
    if (c >= 0) {
      print("0 seconds.     \n");
      return '\0';
    }
    print("%u seconds. ", left - 1);
  }
  print("    \n");
  return '1';
}

static void spin (unsigned turns) {
  while (turns-- > 0) print("|\b/\b-\b\\\b");
}

/* The CD's loader, on the screen and, as with `graphics=off`, on COM1. A kernel line with console=tty00
** goes on on COM1, any other on the screen. */
static void boot_menu (void) {
  char line[LINE_BYTES] = "multiboot /boot/minix_default/kernel bootcd=1 cdproberoot=1";
  char answer[LINE_BYTES];
  print("\033[2J\033[01;01HWelcome to the MINIX 3 installation CD\n"
        "===============================================================================\n\n\n"
        "     1. Regular MINIX 3\n     2. Regular MINIX 3 (with AHCI)\n"
        "     3. Edit menu option\n     4. Drop to boot prompt\n\n"
        "Choose an option; RETURN for default; SPACE to stop countdown.\n");
  char choice = count_down();
  if (choice == '\0') {
    print("\n");
    console_ask("Option: [1]:", answer, sizeof(answer));
    choice = answer[0] == '\0' ? '1' : answer[0];
  }
  if (choice == '3') {
    print("\n");
    console_ask("Option (edit): [1]:", answer, sizeof(answer));
    print("> ");
    console_line(line, sizeof(line));
  }
  if (choice == '4') {
    print("type \"?\" or \"help\" for help, or \"menu\" to return to the menu.\n");
    do {
      console_ask("> ", line, 80); /* the boot prompt's own limit */
      if (string_equal(line, "consdev com0")) console_use(CONSOLE_COM1, CONSOLE_COM1);
    } while (memcmp(line, "multiboot", 9) != 0);
  }
  spin(60);
  print("=0xcd4bc\n");
  unsigned devices = contains(line, "console=tty00") ? CONSOLE_COM1 : CONSOLE_SCREEN;
  for (unsigned module = 1; module <= 12; module++) {
    spin(20);
    print("Loading /boot/minix_default/mod%s%u ", module < 10 ? "0" : "", module);
    spin(10);
    print(" \n");
  }
  console_use(devices, devices);
}

static void start (void) {
  struct disk disks[ATA_DISKS];
  disk_mb = ata_probe(disks) > 0 ? disks[0].sectors / SECTORS_PER_MB : USUAL_DISK_MB;
  home_most_mb = disk_mb > SYSTEM_MB + 2 ? disk_mb - SYSTEM_MB - 2 : 0;
  home_default_mb = home_most_mb / 5;
  show("\nMINIX 3.4.0. Copyright 2016, Vrije Universiteit, Amsterdam, The Netherlands\n"
       "MINIX is open source software, see http://www.minix3.org\n"
       "Started VFS: 9 worker thread(s)\n\n"
       "Looking for boot CD. This may take a minute.\nPlease ignore any error messages.\n\n\001"
       "Root device name is /dev/c0d2\nMultiuser startup in progress ...\n"
       "Starting services:\001 random\001 e1000 pty lwip uds ipc log printer.\n"
       "Starting daemons: update cron.\n\n"
       "Type \"root\" at the login prompt, and hit enter.\n"
       "Then type \"setup\" and hit enter to start the installation process.\n"
       "Starting network.\nStarting syslogd.\nStarting inetd.\n\r\n"
       "Minix/i386 (minix) (console)\r\n\r\n");
}

unsigned minix_devices (void) {
  bool screen = option_is("console", "vga");
  return variant("menu") ? CONSOLE_COM1 | CONSOLE_SCREEN : screen ? CONSOLE_SCREEN : CONSOLE_COM1;
}

void minix_run (void) {
  char name[LINE_BYTES];
  unsigned device = option_is("console", "vga") ? CONSOLE_SCREEN : CONSOLE_COM1;
  console_use(device, device);
  if (variant("menu")) {
    console_use(CONSOLE_COM1 | CONSOLE_SCREEN, CONSOLE_COM1 | CONSOLE_SCREEN);
    boot_menu();
  }
  start();
  for (;;) {
    console_ask("login: ", name, sizeof(name));
    if (string_equal(name, "root")) {
      print("Copyright (c) 1996-2015 The NetBSD Foundation, Inc.  All rights reserved.\n\n");
      shell_run(variant("sh") ? "# " : "minix# ", commands);
    } else if (name[0] != '\0')
      print("Login incorrect\n");
  }
}
