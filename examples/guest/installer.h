#ifndef INSTALLER_H
#define INSTALLER_H

/* The dialogue from the notes page to the power switch. Needs interrupts_init(). */
_Noreturn void installer_run (void);

#endif
