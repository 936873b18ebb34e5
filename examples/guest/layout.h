/* Where things lie, in memory and on disk. For C and assembly. */

#ifndef LAYOUT_H
#define LAYOUT_H

#define CODE_SELECTOR 0x08
#define DATA_SELECTOR 0x10

#define VECTORS 0x42
#define MAX_CPUS 64
#define BSP_STACK_BYTES 16384
#define AP_STACK_BYTES 4096

/* Physical memory. The smallest machine supported has 16 MB. */
#define TRAMPOLINE 0x8000     /* real-mode start of the other CPUs; a SIPI names its page */
#define LOADER_BUFFER 0x10000 /* where the boot sector puts the settings sector and the image */
#define KERNEL_BASE 0x100000
#define WORK_AREA 0x200000  /* what the boot phases clear, fill and check */
#define IMAGE_COPY 0x800000 /* the kernel image as loaded */

/* A boot medium: sector 0 is loader.S, sector 1 begins with the options line, the image follows. */
#define SETTINGS_SECTOR 1
#define IMAGE_SECTOR 2
#define OPTIONS_BYTES 256

/* Fields that xorriso (-boot-info-table) or the installer fills in in sector 0. */
#define LOADER_LBA 12    /* of sector 0 itself */
#define LOADER_LENGTH 16 /* bytes, from sector 0 to the end of the image */
#define LOADER_QUIET 24  /* non-zero: the boot sector says nothing on COM1 */

#define LOADER_MAGIC 0x6f6d6564 /* "demo", in %eax, from our own boot sector */

#endif
