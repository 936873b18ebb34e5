#include "acpi.h"
#include "io.h"

#define BIOS_DATA_EBDA ((volatile const uint16_t *)0x40e)
#define EBDA_BYTES 1024
#define BIOS_AREA 0xe0000u
#define BIOS_AREA_BYTES 0x20000u

struct root_pointer {
  char signature[8];
  uint8_t checksum;
  char oem[6];
  uint8_t revision;
  uint32_t rsdt;
};

struct table {
  char signature[4];
  uint32_t length;
  char rest[28];
  uint32_t entries[]; /* RSDT: addresses of tables */
};

struct madt {
  struct table header;
  uint32_t lapic, flags;
  uint8_t entries[];
};

#define MADT_LOCAL_APIC 0
#define MADT_ENABLED 1

static const struct root_pointer *find (uint32_t from, uint32_t bytes) {
  for (uint32_t at = from; at < from + bytes; at += 16) {
    const uint8_t *p = (const uint8_t *)at;
    uint8_t sum = 0;
    if (memcmp(p, "RSD PTR ", 8) != 0) continue;
    for (unsigned i = 0; i < sizeof(struct root_pointer); i++) sum = (uint8_t)(sum + p[i]);
    if (sum == 0) return (const struct root_pointer *)at;
  }
  return NULL;
}

static const struct madt *find_madt (void) {
  const struct root_pointer *root = find(BIOS_AREA, BIOS_AREA_BYTES);
  if (root == NULL) root = find((uint32_t)*BIOS_DATA_EBDA << 4, EBDA_BYTES);
  if (root == NULL) return NULL;
  const struct table *rsdt = (const struct table *)root->rsdt;
  unsigned count = (rsdt->length - sizeof(struct table)) / sizeof(uint32_t);
  for (unsigned i = 0; i < count; i++) {
    const struct table *table = (const struct table *)rsdt->entries[i];
    if (memcmp(table->signature, "APIC", 4) == 0) return (const struct madt *)table;
  }
  return NULL;
}

unsigned acpi_cpus (uint8_t *ids, unsigned limit) {
  const struct madt *madt = find_madt();
  unsigned count = 0;
  if (madt == NULL) return 0;
  const uint8_t *end = (const uint8_t *)madt + madt->header.length;
  for (const uint8_t *e = madt->entries; e + 2 <= end && e[1] >= 2; e += e[1])
    if (e[0] == MADT_LOCAL_APIC && (e[4] & MADT_ENABLED) && count < limit) ids[count++] = e[3];
  return count;
}
