#ifndef PANIC_H
#define PANIC_H

/* Says "panic: " and the message on the kernel's console, then halts for good. */
_Noreturn void panic (const char *format, ...);

/* Stops this CPU for good. */
_Noreturn void halt (void);

#endif
