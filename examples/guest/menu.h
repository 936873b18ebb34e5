#ifndef MENU_H
#define MENU_H

/* The CD's boot menu, on COM1 and on the screen at once. Changes the options by what is chosen;
** returns the devices (enum console_device) to go on with. Needs interrupts_init(). */
unsigned menu_run (void);

#endif
