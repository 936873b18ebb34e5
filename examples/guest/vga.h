/* The VGA text screen: 80x25 cells of a longer memory, scrolled by moving the visible page. */

#ifndef VGA_H
#define VGA_H

void vga_init (void);
void vga_put (char c);

#endif
