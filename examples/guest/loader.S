/* Boot sector. Assembled twice, for disks (SECTOR_BYTES 512) and for CDs by El Torito (2048).
** Loads the settings sector and the kernel image that follow it through int 13h, moves the
** image to 1 MB and enters it in protected mode. */

#include "layout.h"

#define COM1 0x3f8
#define CHUNK_SECTORS (16384 / SECTOR_BYTES)    /* a read must not cross a 64 KB border */

  .code16
  .text
  .global _start
_start:
  jmp 1f
  .org LOADER_LBA
lba:
  .long 0
length:
  .long 0
  .org LOADER_QUIET
quiet:
  .byte 0
  .org 64                       /* the boot information table ends here */
1:
  ljmp $0, $2f
2:
  cli
  xorw %ax, %ax
  movw %ax, %ds
  movw %ax, %es
  movw %ax, %ss
  movw $_start, %sp
  sti
  cld
  movb %dl, drive
  cmpb $0, quiet
  jne 3f
  movw $hand_over, %si
  call say
3:
  /* %ecx: sectors still to read */
  movl length, %eax
  addl $(SECTOR_BYTES - 1), %eax
  xorl %edx, %edx
  movl $SECTOR_BYTES, %ecx
  divl %ecx
  leal -SETTINGS_SECTOR(%eax), %ecx
  movl lba, %eax
  addl $SETTINGS_SECTOR, %eax
  movl %eax, packet_lba
next:
  movl $CHUNK_SECTORS, %eax
  cmpl %eax, %ecx
  jae 4f
  movl %ecx, %eax
4:
  movw %ax, packet_count
  pushal
  movb $0x42, %ah
  movb drive, %dl
  movw $packet, %si
  int $0x13
  popal
  jc failed
  addw $(CHUNK_SECTORS * SECTOR_BYTES / 16), packet_segment
  addl %eax, packet_lba
  subl %eax, %ecx
  jnz next

  cli
  inb $0x92, %al                /* A20 on; bit 0 would reset the machine */
  orb $2, %al
  andb $0xfe, %al
  outb %al, $0x92
  lgdt gdt_pointer
  movl %cr0, %eax
  orb $1, %al
  movl %eax, %cr0
  ljmp $CODE_SELECTOR, $protected

failed:
  movw $read_error, %si
  call say
5:
  hlt
  jmp 5b

/* Writes the string at %si on COM1. */
say:
  lodsb
  testb %al, %al
  jz 7f
  movb %al, %ah
  movw $(COM1 + 5), %dx
6:
  inb %dx, %al
  testb $0x20, %al
  jz 6b
  movw $COM1, %dx
  movb %ah, %al
  outb %al, %dx
  jmp say
7:
  ret

  .code32
protected:
  movw $DATA_SELECTOR, %ax
  movw %ax, %ds
  movw %ax, %es
  movw %ax, %ss
  movl $(LOADER_BUFFER + SECTOR_BYTES), %esi
  movl $KERNEL_BASE, %edi
  movl length, %ecx
  shrl $2, %ecx
  rep movsl
  movl $LOADER_MAGIC, %eax
  movl $LOADER_BUFFER, %ebx
  movzbl quiet, %ecx
  movl $KERNEL_BASE, %edx
  jmp *%edx

  .align 8
gdt:
  .quad 0
  .quad 0x00cf9a000000ffff
  .quad 0x00cf92000000ffff
gdt_end:
gdt_pointer:
  .word gdt_end - gdt - 1
  .long gdt

packet:
  .word 16
packet_count:
  .word 0
  .word 0
packet_segment:
  .word LOADER_BUFFER / 16
packet_lba:
  .quad 0
drive:
  .byte 0
hand_over:
  .asciz "demo: firmware hand-over\r\n"
read_error:
  .asciz "demo: boot sector: cannot read the boot medium\r\n"

  .org 446                      /* an empty partition table, then the signature */
  .org 510
  .word 0xaa55
  .org SECTOR_BYTES
