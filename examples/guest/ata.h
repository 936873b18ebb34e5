/* IDE disks by programmed input and output, 28-bit addresses. */

#ifndef ATA_H
#define ATA_H

#include <stdbool.h>
#include <stdint.h>

#define ATA_SECTOR_BYTES 512
#define ATA_DISKS 4

struct disk {
  unsigned number; /* 0 to 3: primary master, primary slave, secondary master, … */
  uint32_t sectors;
};

/* Fills in `disks` (room for ATA_DISKS), returns how many there are. */
unsigned ata_probe (struct disk *disks);

/* False if the disk reports an error or stops answering. */
bool ata_read (const struct disk *disk, uint32_t sector, void *to, uint32_t count);
bool ata_write (const struct disk *disk, uint32_t sector, const void *from, uint32_t count);
bool ata_flush (const struct disk *disk);

#endif
