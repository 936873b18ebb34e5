#include "phases.h"
#include "console.h"
#include "faults.h"
#include "interrupts.h"
#include "io.h"
#include "layout.h"
#include "options.h"
#include "panic.h"
#include "smp.h"

/* The work of a phase is a number of passes of 4 kB over a 4 MB area; `work=N` makes it N percent.
** It does not depend on the number of CPUs, nor on the size of the memory. */
#define BLOCK_BYTES 4096
#define BLOCKS 1024

#define MEMORY_PASSES 5000   /* first CPU alone */
#define PROCESS_PASSES 20000 /* shared by all CPUs */
#define DRIVER_PASSES 3000   /* first CPU alone */
#define CHECK_PASSES 7000    /* shared by all CPUs */
#define SERVICE_PASSES 5500  /* shared by all CPUs */

#define CMOS_INDEX 0x70
#define CMOS_DATA 0x71

static uint32_t sums[BLOCKS]; /* CRC of each block, by the process table phase */

static uint32_t *block (uint32_t index) {
  return (uint32_t *)(WORK_AREA + index % BLOCKS * BLOCK_BYTES);
}

static uint32_t passes (uint32_t count) {
  return count * option_number("work", 100) / 100;
}

static void share (struct job *job, void (*part)(uint32_t index), uint32_t count) {
  job->part = part;
  job->total = passes(count);
  smp_run(job);
}

static unsigned cmos (uint8_t index) {
  outb(CMOS_INDEX, index);
  return inb(CMOS_DATA);
}

static unsigned memory_mb (void) {
  unsigned above_16mb = cmos(0x34) | cmos(0x35) << 8; /* in 64 kB */
  unsigned above_1mb = cmos(0x30) | cmos(0x31) << 8;  /* in kB, up to 64 MB */
  return above_16mb > 0 ? 16 + above_16mb / 16 : 1 + above_1mb / 1024;
}

static void clear_block (uint32_t index) {
  uint32_t *words = block(index), all = 0;
  memset(words, 0, BLOCK_BYTES);
  for (unsigned i = 0; i < BLOCK_BYTES / 4; i++) all |= words[i];
  if (all != 0) panic("memory at 0x%x does not clear", words);
}

static void fill_block (uint32_t index) {
  uint32_t *words = block(index), x = index % BLOCKS;
  for (unsigned i = 0; i < BLOCK_BYTES / 4; i++) {
    x = x * 1664525 + 1013904223; /* Numerical Recipes' generator */
    words[i] = x;
  }
  sums[index % BLOCKS] = words[BLOCK_BYTES / 4 - 1];
}

static void check_block (uint32_t index) {
  static const uint32_t residue = 0x2144df1c; /* CRC of anything followed by its CRC */
  const uint32_t *words = block(index);
  uint32_t crc = crc32(0, words, BLOCK_BYTES);
  if (crc32(crc, &crc, sizeof(crc)) != residue ||
      words[BLOCK_BYTES / 4 - 1] != sums[index % BLOCKS])
    panic("block %u is damaged", index % BLOCKS);
}

static void memory (void) {
  uint32_t count = passes(MEMORY_PASSES);
  for (uint32_t i = 0; i < count; i++) clear_block(i);
  say("memory: %u MB, work area clear", memory_mb());
}

static void interrupts (void) {
  interrupts_init();
  sleep_ms(1); /* a tick has to come */
  say("interrupts: timer at %u Hz", TICK_HZ);
}

static void cpus (void) {
  smp_start();
  say("CPUs: %u of %u up", smp_up(), smp_present());
}

static void process_table (void) {
  static struct job job;
  share(&job, fill_block, PROCESS_PASSES);
  say("process table: %u entries", BLOCKS);
}

static void drivers (void) {
  uint32_t count = passes(DRIVER_PASSES);
  for (uint32_t i = 0; i < count; i++) check_block(i);
  say("drivers: serial screen keyboard disk");
}

static void file_system (void) {
  static struct job job;
  share(&job, check_block, CHECK_PASSES);
  say("file system check: clean");
}

static void services (void) {
  static struct job job;
  share(&job, check_block, SERVICE_PASSES);
  say("services: syslogd cron inetd");
}

static const struct {
  const char *name;
  void (*run)(void);
  bool userland;
} phases[] = {
    {"memory", memory, false},    {"interrupts", interrupts, false},
    {"cpus", cpus, false},        {"processes", process_table, false},
    {"drivers", drivers, false},  {"fsck", file_system, true},
    {"services", services, true},
};

void phases_begin (bool announced) {
  faults_at("firmware");
  if (!announced) say("firmware hand-over");
  faults_at("entry");
  say("kernel entry (version " VERSION ")");
  const char *unknown = options_unknown();
  if (unknown != NULL) say("option '%s' is not known", unknown);
  faults_garbage();
}

void phases_run (void) {
  for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
    if (phases[i].userland && option_given("com2")) console_use(CONSOLE_COM2, CONSOLE_COM2);
    faults_at(phases[i].name);
    phases[i].run();
    faults_garbage();
  }
  faults_at("login");
}
