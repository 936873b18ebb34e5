/* Kernel entry. A multiboot loader (QEMU's -kernel) or our own boot sector (loader.S) gets here
** in 32-bit protected mode, interrupts off, without paging. Paging stays off.
** %eax: who loaded us, %ebx: its information, %ecx: our boot sector's "quiet" byte. */

#include "layout.h"

#define MULTIBOOT_MAGIC 0x1badb002
#define MULTIBOOT_FLAGS 0

  .section .start, "ax"
  .global _start
_start:                         /* first byte of the flat image: the boot sector jumps here */
  jmp entry

  .align 4
  .long MULTIBOOT_MAGIC, MULTIBOOT_FLAGS, -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)

entry:
  cli
  cld
  movl %eax, %ebp
  movl %ecx, %edx

  /* Put the image aside as long as it is untouched: the installer writes this copy to disk. */
  movl $__image_start, %esi
  movl $IMAGE_COPY, %edi
  movl $__image_words, %ecx
  rep movsl

  movl $__bss_start, %edi
  movl $__bss_words, %ecx
  xorl %eax, %eax
  rep stosl

  movl $stack_top, %esp
  lgdt gdt_pointer
  ljmp $CODE_SELECTOR, $1f
1:
  movw $DATA_SELECTOR, %ax
  movw %ax, %ds
  movw %ax, %es
  movw %ax, %fs
  movw %ax, %gs
  movw %ax, %ss
  pushl %edx
  pushl %ebx
  pushl %ebp
  call kernel_main
halt:
  hlt
  jmp halt

/* Where trampoline.S sends the other CPUs: each takes a number, and with it a stack. */
  .global ap_entry
ap_entry:
  movw $DATA_SELECTOR, %ax
  movw %ax, %ds
  movw %ax, %es
  movw %ax, %fs
  movw %ax, %gs
  movw %ax, %ss
  movl $1, %eax
  lock xaddl %eax, ap_started
  cmpl $(MAX_CPUS - 1), %eax
  jae halt
  incl %eax
  imull $AP_STACK_BYTES, %eax
  leal ap_stacks(%eax), %esp
  lidt idt_pointer
  call smp_cpu_main
  jmp halt

/* Interrupt entries: push the vector, and a zero where the CPU pushes no error code. */
  .text
  .align 16
  .global interrupt_entries
interrupt_entries:
  .set vector, 0
  .rept VECTORS
  .align 16
  .if vector != 8 && (vector < 10 || vector > 14) && vector != 17
  pushl $0
  .endif
  pushl $vector
  jmp interrupt_common
  .set vector, vector + 1
  .endr

interrupt_common:
  pushal
  movl %esp, %eax
  pushl %eax
  call interrupt
  addl $4, %esp
  popal
  addl $8, %esp
  iret

  .section .rodata
  .align 8
gdt:
  .quad 0
  .quad 0x00cf9a000000ffff      /* CODE_SELECTOR: flat 4 GB */
  .quad 0x00cf92000000ffff      /* DATA_SELECTOR */
gdt_end:

  .global gdt_pointer
gdt_pointer:
  .word gdt_end - gdt - 1
  .long gdt

/* What smp.c copies below 1 MB, and what installer.c writes as the disk's boot sector. */
  .global trampoline, trampoline_end, boot_sector
trampoline:
  .incbin "trampoline.bin"
trampoline_end:
  .align 4
boot_sector:
  .incbin "loader-disk.bin"

  .bss
  .align 16
  .skip BSP_STACK_BYTES
stack_top:
ap_stacks:
  .skip AP_STACK_BYTES * MAX_CPUS
  .global ap_started
ap_started:
  .long 0

  .section .note.GNU-stack, "", @progbits
