/* The guest of `moonboot calibrate`: a boot sector that writes to COM1, 64 bytes as fast as it can and
   then 64 with a pause before each, in turn, and ends QEMU when it has written as many as it was told.
   The bytes are the upper halves of a linear congruential sequence of period 65,536, so that any few of
   them tell where in it they belong. */

#define COM1 0x3f8
#define EXIT_PORT 0xf4 /* isa-debug-exit: QEMU's status is twice the value plus one */
#define EXIT_VALUE 0x10
#define BURST 64
#define PAUSE 8000 /* dependent steps: some 50 us under TCG */

.code16
.globl _start
_start:
        cli
        cld
        jmp     1f
.org 4
bytes:  .long   10000           /* how many to write; whoever boots this may put another number here */
1:      ljmp    $0, $2f         /* firmware may have come here as 0x7c0:0 */
2:      xorw    %ax, %ax
        movw    %ax, %ds
        movl    bytes, %esi
        movw    $COM1, %dx
        xorl    %edi, %edi      /* written so far */
        xorw    %bx, %bx
next:   cmpl    %esi, %edi
        jae     done
        testw   $BURST, %di     /* every other 64 bytes come singly */
        jz      write
        movw    $PAUSE, %cx
pause:  addw    %cx, %ax
        rolw    $1, %ax
        loop    pause
write:  imulw   $25173, %bx, %bx
        addw    $13849, %bx
        movb    %bh, %al
        outb    %al, %dx
        incl    %edi
        jmp     next
done:   movb    $EXIT_VALUE, %al
        outb    %al, $EXIT_PORT
stop:   hlt
        jmp     stop

.org 510
        .word   0xaa55
