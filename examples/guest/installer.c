#include "installer.h"
#include "ata.h"
#include "console.h"
#include "dialogue.h"
#include "faults.h"
#include "interrupts.h"
#include "io.h"
#include "layout.h"
#include "options.h"
#include "phases.h"

#define ANSWER_BYTES 80
#define SECTORS_PER_MB 2048
#define SYSTEM_MB 8
#define FILES_SECTOR 1024 /* where the files begin, behind the kernel image */
#define FILES_BYTES 0x400000u
#define STEP_BYTES 65536u
#define BAR_CELLS 32

extern const unsigned char boot_sector[ATA_SECTOR_BYTES];
extern const char __image_words[]; /* its address is the number */

static const char *const keyboards[] = {
    "dvorak", "french", "german", "italian", "polish", "spanish", "uk", "us-std", "us-swap",
};

#define KEYBOARDS (sizeof(keyboards) / sizeof(keyboards[0]))

static void heading (unsigned step, const char *title) {
  print("\n --- Step %u: %s ", step, title);
  for (size_t i = strlen(title); i < 52; i++) print("-");
  print("\n\n");
}

static void welcome (void) {
  char answer[ANSWER_BYTES];
  print("\nWelcome to the demo installer, version " VERSION ".\n\n"
        "Note 1: Everything on the disk that you choose will be lost.\n"
        "Note 2: Default answers, like [y], can simply be chosen by hitting ENTER.\n"
        "Note 3: If you see a colon (:) then you should hit ENTER to continue.\n");
  console_ask(":", answer, sizeof(answer));
}

static void choose_keyboard (void) {
  char answer[ANSWER_BYTES];
  heading(1, "Select keyboard type");
  print("What type of keyboard do you have?  You can choose one of:\n\n   ");
  for (size_t i = 0; i < KEYBOARDS; i++) print(" %s", keyboards[i]);
  print("\n\n");
  for (;;) {
    console_ask("Keyboard type? [us-std] ", answer, sizeof(answer));
    if (answer[0] == '\0') return;
    for (size_t i = 0; i < KEYBOARDS; i++)
      if (string_equal(answer, keyboards[i])) return;
    dialogue_complain("invalid keyboard");
  }
}

static struct disk choose_disk (void) {
  struct disk disks[ATA_DISKS];
  char answer[ANSWER_BYTES];
  unsigned choice;
  heading(2, "Select a disk to install the demo system");
  print("Probing for disks...");
  unsigned found = ata_probe(disks);
  print(" Probing done.\n");
  if (found == 0) {
    print("\nNo disk found. The demo system needs an IDE disk of %u MB or more.\n\n", SYSTEM_MB);
    dialogue_shut_down();
  }
  print("The following disk%s found on your system:\n\n", found == 1 ? " was" : "s were");
  for (unsigned i = 0; i < found; i++)
    print("  Disk [%u]:  /dev/c0d%u, %u MB\n", i, disks[i].number,
          disks[i].sectors / SECTORS_PER_MB);
  print("\n");
  for (;;) {
    console_ask("Enter the disk number to use: [0] ", answer, sizeof(answer));
    if (answer[0] == '\0')
      choice = 0;
    else if (!string_number(answer, &choice)) {
      dialogue_complain("try again");
      continue;
    }
    if (choice >= found) {
      dialogue_complain("out of range");
      continue;
    }
    if (disks[choice].sectors >= SYSTEM_MB * SECTORS_PER_MB) return disks[choice];
    print("\nDisk /dev/c0d%u is too small: it has %u MB, the demo system needs %u MB.\n\n",
          disks[choice].number, disks[choice].sectors / SECTORS_PER_MB, SYSTEM_MB);
    if (found == 1) dialogue_shut_down();
  }
}

static bool confirm (const struct disk *disk) {
  char answer[ANSWER_BYTES];
  heading(3, "Confirm your choices");
  print("This is the point of no return.  You have selected to install the demo system\n"
        "on disk /dev/c0d%u.  Please confirm that you want to use this selection.\n\n",
        disk->number);
  for (;;) {
    console_ask("Are you sure you want to continue?  Please enter 'yes' or 'no': ", answer,
                sizeof(answer));
    if (string_equal(answer, "yes")) return true;
    if (string_equal(answer, "no")) return false;
    dialogue_complain("try again");
  }
}

static void ask_home (const struct disk *disk) {
  char answer[ANSWER_BYTES], prompt[ANSWER_BYTES];
  unsigned most = disk->sectors / SECTORS_PER_MB - SYSTEM_MB, size;
  heading(4, "Select the size of /home");
  print("The demo system will take up %u MB, without /home.\n", SYSTEM_MB);
  for (;;) {
    console_format(prompt, sizeof(prompt),
                   "How big do you want your /home to be in MB (0-%u) ? [%u] ", most, most / 5);
    console_ask(prompt, answer, sizeof(answer));
    if (answer[0] == '\0') return;
    if (!string_number(answer, &size))
      dialogue_complain("try again");
    else if (size > most)
      dialogue_complain("out of range");
    else
      return;
  }
}

/* A bar that is drawn over itself with backspaces; `done` of `total`, 0 at first. */
static void progress (const char *title, uint32_t done, uint32_t total) {
  unsigned filled = done * BAR_CELLS / total, percent = done * 100 / total;
  if (done == 0)
    print("%s [", title);
  else
    for (unsigned i = 0; i < BAR_CELLS + 6; i++) print("\b");
  for (unsigned i = 0; i < BAR_CELLS; i++) print(i < filled ? "=" : "-");
  print("] %s%u%%", percent < 10 ? "  " : percent < 100 ? " " : "", percent);
  if (done == total) print("\n");
}

static void fail (const struct disk *disk, const char *what, uint32_t sector) {
  print("\n\nDisk /dev/c0d%u: cannot %s sector %u.  The installation has failed.\n\n", disk->number,
        what, sector);
  dialogue_shut_down();
}

static void write (const struct disk *disk, uint32_t sector, const void *from, uint32_t count) {
  if (!ata_write(disk, sector, from, count)) fail(disk, "write", sector);
}

/* The files: a pattern that no two sectors share. */
static void make_files (uint32_t *words) {
  for (uint32_t i = 0, x = 1; i < FILES_BYTES / 4; i++) words[i] = x = x * 1664525 + 1013904223;
}

static void copy_files (const struct disk *disk, const unsigned char *files) {
  for (uint32_t at = 0; at < FILES_BYTES; at += STEP_BYTES) {
    progress("Copying files: ", at, FILES_BYTES);
    if (at == FILES_BYTES / 2) faults_at("install");
    write(disk, FILES_SECTOR + at / ATA_SECTOR_BYTES, files + at, STEP_BYTES / ATA_SECTOR_BYTES);
  }
  progress("Copying files: ", FILES_BYTES, FILES_BYTES);
}

static void verify_files (const struct disk *disk, const unsigned char *files) {
  static unsigned char buffer[STEP_BYTES];
  for (uint32_t at = 0; at < FILES_BYTES; at += STEP_BYTES) {
    uint32_t sector = FILES_SECTOR + at / ATA_SECTOR_BYTES;
    progress("Verifying:     ", at, FILES_BYTES);
    if (!ata_read(disk, sector, buffer, STEP_BYTES / ATA_SECTOR_BYTES) ||
        memcmp(buffer, files + at, STEP_BYTES) != 0)
      fail(disk, "verify", sector);
  }
  progress("Verifying:     ", FILES_BYTES, FILES_BYTES);
}

static void write_kernel (const struct disk *disk, uint32_t image_sectors) {
  unsigned char settings[ATA_SECTOR_BYTES];
  memset(settings, 0, sizeof(settings));
  options_to_install((char *)settings, OPTIONS_BYTES);
  write(disk, SETTINGS_SECTOR, settings, 1);
  write(disk, IMAGE_SECTOR, (const void *)IMAGE_COPY, image_sectors);
}

static void write_boot_sector (const struct disk *disk, uint32_t image_sectors) {
  unsigned char sector[ATA_SECTOR_BYTES];
  uint32_t length = (IMAGE_SECTOR + image_sectors) * ATA_SECTOR_BYTES;
  memcpy(sector, boot_sector, sizeof(sector));
  memset(sector + LOADER_LBA, 0, sizeof(uint32_t));
  memcpy(sector + LOADER_LENGTH, &length, sizeof(length));
  sector[LOADER_QUIET] = option_given("silent") || option_is("console", "vga");
  write(disk, 0, sector, 1);
}

/* The boot sector goes first and comes back last: what is cut off in between does not boot. */
static void install (const struct disk *disk) {
  static const unsigned char nothing[ATA_SECTOR_BYTES];
  uint32_t image_bytes = (uint32_t)__image_words * 4;
  uint32_t image_sectors = (image_bytes + ATA_SECTOR_BYTES - 1) / ATA_SECTOR_BYTES;
  unsigned char *files = (unsigned char *)WORK_AREA;
  heading(5, "Wait for files to be copied");
  print("All files will now be copied to your hard disk.  This may take a while.\n\n");
  make_files((uint32_t *)files);
  write(disk, 0, nothing, 1);
  if (!ata_flush(disk)) fail(disk, "flush", 0);
  copy_files(disk, files);
  verify_files(disk, files);
  print("Writing the kernel... ");
  write_kernel(disk, image_sectors);
  if (!ata_flush(disk)) fail(disk, "flush", SETTINGS_SECTOR);
  print("done.\nWriting the boot sector... ");
  write_boot_sector(disk, image_sectors);
  if (!ata_flush(disk)) fail(disk, "flush", 0);
  print("done.\n\nThe demo system is installed on /dev/c0d%u.\n\n", disk->number);
}

void installer_run (void) {
  struct disk disk;
  welcome();
  choose_keyboard();
  do disk = choose_disk();
  while (!confirm(&disk));
  ask_home(&disk);
  install(&disk);
  dialogue_shut_down();
}
