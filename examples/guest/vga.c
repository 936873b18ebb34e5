#include "vga.h"
#include "io.h"

#define CELLS ((volatile uint16_t *)0xb8000)
#define MEMORY_CELLS 16384
#define COLUMNS 80
#define ROWS 25
#define BLANK 0x0720 /* a grey on black space */

#define CRTC 0x3d4
#define CRTC_START 0x0c
#define CRTC_CURSOR 0x0e

static unsigned page; /* first visible cell */
static unsigned row, column;
static unsigned escape; /* 1 after ESC, 2 inside a CSI sequence */

static void crtc_write (uint8_t index, unsigned value) {
  outb(CRTC, index);
  outb(CRTC + 1, (uint8_t)(value >> 8));
  outb(CRTC, index + 1);
  outb(CRTC + 1, (uint8_t)value);
}

static void blank (unsigned from, unsigned count) {
  for (unsigned i = 0; i < count; i++) CELLS[from + i] = BLANK;
}

void vga_init (void) {
  page = row = column = escape = 0;
  blank(0, COLUMNS * ROWS);
  crtc_write(CRTC_START, 0);
  crtc_write(CRTC_CURSOR, 0);
}

static void scroll (void) {
  if (page + COLUMNS * (ROWS + 1) > MEMORY_CELLS) { /* end of the memory: go on at its start */
    for (unsigned i = 0; i < COLUMNS * (ROWS - 1); i++) CELLS[i] = CELLS[page + COLUMNS + i];
    page = 0;
  } else
    page += COLUMNS;
  blank(page + COLUMNS * (ROWS - 1), COLUMNS);
  crtc_write(CRTC_START, page);
}

void vga_put (char c) {
  if (escape == 1) {
    escape = c == '[' ? 2 : 0;
    return;
  }
  if (escape == 2) {
    if (c >= '@' && c <= '~') escape = 0;
    return;
  }
  if (c == '\033')
    escape = 1;
  else if (c == '\r')
    column = 0;
  else if (c == '\n')
    row++;
  else if (c == '\b') {
    if (column > 0) column--;
  } else if ((unsigned char)c >= ' ') {
    CELLS[page + row * COLUMNS + column] = (uint16_t)(BLANK & 0xff00) | (unsigned char)c;
    if (++column == COLUMNS) {
      column = 0;
      row++;
    }
  }
  if (row == ROWS) {
    row--;
    scroll();
  }
  crtc_write(CRTC_CURSOR, page + row * COLUMNS + column);
}
