#include "serial.h"
#include "io.h"

enum { DATA, INTERRUPT_ENABLE, FIFO_CONTROL, LINE_CONTROL, MODEM_CONTROL, LINE_STATUS };

#define DLAB 0x80
#define DATA_READY 0x01
#define TRANSMITTER_EMPTY 0x20

void serial_init (uint16_t port) {
  outb(port + INTERRUPT_ENABLE, 0);
  outb(port + LINE_CONTROL, DLAB);
  outb(port + DATA, 1); /* 115200 baud */
  outb(port + INTERRUPT_ENABLE, 0);
  outb(port + LINE_CONTROL, 0x03); /* 8N1, DLAB off */
  outb(port + FIFO_CONTROL, 0x01);
  outb(port + MODEM_CONTROL, 0x0b); /* DTR, RTS, and OUT2, which lets interrupts through */
  outb(port + INTERRUPT_ENABLE, DATA_READY);
}

/* A missing UART reads as 0xff and looks ready: its bytes go nowhere. */
void serial_put (uint16_t port, char c) {
  while (!(inb(port + LINE_STATUS) & TRANSMITTER_EMPTY)) cpu_pause();
  outb(port + DATA, (uint8_t)c);
}

int serial_get (uint16_t port) {
  uint8_t status = inb(port + LINE_STATUS);
  if (status == 0xff || !(status & DATA_READY)) return -1;
  return inb(port + DATA);
}
