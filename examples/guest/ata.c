#include "ata.h"
#include "interrupts.h"
#include "io.h"

#define PRIMARY 0x1f0
#define SECONDARY 0x170
#define CONTROL 0x206 /* from the channel's first port */
#define INTERRUPTS_OFF 0x02

enum { DATA, ERROR, COUNT, LBA_LOW, LBA_MIDDLE, LBA_HIGH, DRIVE, STATUS, COMMAND = STATUS };

#define BUSY 0x80
#define FAULT 0x20
#define READY_FOR_DATA 0x08
#define FAILED 0x01

#define LBA_MODE 0xe0
#define SLAVE 0x10

#define READ_SECTORS 0x20
#define WRITE_SECTORS 0x30
#define FLUSH_CACHE 0xe7
#define IDENTIFY 0xec

#define IDENTIFY_SECTORS 60 /* words 60 and 61 */
#define COMMAND_SECTORS 128 /* most sectors we ask for at a time */
#define LIMIT_MS 10000

static uint16_t channel (unsigned number) {
  return number < 2 ? PRIMARY : SECONDARY;
}

/* Waits for the disk to be done, or to have or want data. */
static bool ready (uint16_t port, uint8_t wanted) {
  unsigned start = time_ms();
  for (;;) {
    uint8_t status = inb(port + STATUS);
    if (!(status & BUSY)) {
      if (status & (FAILED | FAULT)) return false;
      if ((status & wanted) == wanted) return true;
    }
    if (time_ms() - start > LIMIT_MS) return false;
    cpu_pause();
  }
}

static bool command (unsigned number, uint8_t name, uint32_t sector, uint32_t count) {
  uint16_t port = channel(number);
  outb(port + DRIVE, (uint8_t)(LBA_MODE | (number & 1 ? SLAVE : 0) | (sector >> 24 & 0x0f)));
  for (unsigned i = 0; i < 4; i++) inb(port + CONTROL); /* 400 ns to select the drive */
  if (!ready(port, 0)) return false;
  outb(port + COUNT, (uint8_t)count);
  outb(port + LBA_LOW, (uint8_t)sector);
  outb(port + LBA_MIDDLE, (uint8_t)(sector >> 8));
  outb(port + LBA_HIGH, (uint8_t)(sector >> 16));
  outb(port + COMMAND, name);
  for (unsigned i = 0; i < 4; i++) inb(port + CONTROL);
  return true;
}

static bool identify (unsigned number, struct disk *disk) {
  uint16_t port = channel(number), words[ATA_SECTOR_BYTES / 2];
  outb(port + DRIVE, (uint8_t)(LBA_MODE | (number & 1 ? SLAVE : 0)));
  for (unsigned i = 0; i < 4; i++) inb(port + CONTROL);
  uint8_t status = inb(port + STATUS);
  if (status == 0 || status == 0xff) return false; /* nothing there */
  outb(port + CONTROL, INTERRUPTS_OFF);
  if (!command(number, IDENTIFY, 0, 0)) return false;
  if (inb(port + STATUS) == 0 || !ready(port, READY_FOR_DATA)) return false; /* or a CD drive */
  insw(port + DATA, words, ATA_SECTOR_BYTES / 2);
  disk->number = number;
  disk->sectors = words[IDENTIFY_SECTORS] | (uint32_t)words[IDENTIFY_SECTORS + 1] << 16;
  return disk->sectors > 0;
}

unsigned ata_probe (struct disk *disks) {
  unsigned found = 0;
  for (unsigned number = 0; number < ATA_DISKS; number++)
    if (identify(number, &disks[found])) found++;
  return found;
}

static bool transfer (const struct disk *disk, uint32_t sector, unsigned char *data, uint32_t count,
                      bool write) {
  uint16_t port = channel(disk->number);
  while (count > 0) {
    uint32_t n = count < COMMAND_SECTORS ? count : COMMAND_SECTORS;
    if (!command(disk->number, write ? WRITE_SECTORS : READ_SECTORS, sector, n)) return false;
    for (uint32_t i = 0; i < n; i++, data += ATA_SECTOR_BYTES) {
      if (!ready(port, READY_FOR_DATA)) return false;
      if (write)
        outsw(port + DATA, data, ATA_SECTOR_BYTES / 2);
      else
        insw(port + DATA, data, ATA_SECTOR_BYTES / 2);
    }
    if (!ready(port, 0)) return false;
    sector += n;
    count -= n;
  }
  return true;
}

bool ata_read (const struct disk *disk, uint32_t sector, void *to, uint32_t count) {
  return transfer(disk, sector, to, count, false);
}

bool ata_write (const struct disk *disk, uint32_t sector, const void *from, uint32_t count) {
  return transfer(disk, sector, (unsigned char *)from, count, true);
}

bool ata_flush (const struct disk *disk) {
  return command(disk->number, FLUSH_CACHE, 0, 0) && ready(channel(disk->number), 0);
}
