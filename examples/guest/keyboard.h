/* PS/2 keyboard, US layout, polled. Its interrupt only wakes a halted CPU. */

#ifndef KEYBOARD_H
#define KEYBOARD_H

void keyboard_init (void);
int keyboard_get (void); /* a character, or -1 when no key has been pressed */

#endif
