/* Plays MINIX 3.4.0's installation CD from its menu to the end of `setup`: the prompts in the bytes
** and in the order that a real one was seen to use, none of the work. For those who write scripts
** that answer it. `dialogue=minix` and, with commas, what is to be different:
**   menu     begin at the CD's boot menu, not at the login prompt
**   sh       the prompt is "# ", not "minix# "
**   regions  the disk has several regions: no default region
**   home     there is an old /home: full installation or reinstallation?
**   mbr      there is a second MINIX partition: new master boot record?
**   nonet    there is no network card
**   odd      a question in the middle that no real one asks (or dialogue=minix-odd) */

#ifndef MINIX_H
#define MINIX_H

#include <stdbool.h>

/* Devices that the dialogue may use, to be made ready. */
unsigned minix_devices (void);

/* Needs interrupts_init(). */
_Noreturn void minix_run (void);

#endif
