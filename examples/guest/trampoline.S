/* First steps of every other CPU, in real mode at TRAMPOLINE, where smp.c copies this. */

#include "layout.h"

  .code16
  .text
  .global _start
_start:
  cli
  xorw %ax, %ax
  movw %ax, %ds
  lgdtl gdt_pointer
  movl %cr0, %eax
  andl $0x9fffffff, %eax        /* caches on: they are off after INIT */
  orb $1, %al
  movl %eax, %cr0
  ljmpl $CODE_SELECTOR, $protected

  .code32
protected:
  movl entry, %eax
  jmp *%eax

  .align 8
gdt:
  .quad 0
  .quad 0x00cf9a000000ffff
  .quad 0x00cf92000000ffff
gdt_end:
gdt_pointer:
  .word gdt_end - gdt - 1
  .long gdt

  .org 0x7c
entry:                          /* ap_entry's address: smp.c puts it into the last word */
  .long 0
