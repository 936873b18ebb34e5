#include "keyboard.h"
#include "io.h"

#define DATA 0x60
#define COMMAND 0x64

#define OUTPUT_FULL 0x01
#define INPUT_FULL 0x02
#define FROM_MOUSE 0x20

#define LEFT_SHIFT 0x2a
#define RIGHT_SHIFT 0x36
#define CONTROL 0x1d
#define CAPS_LOCK 0x3a
#define RELEASED 0x80

/* Scan code set 1, as the controller translates it. */
static const char plain[] =
    "\0\0331234567890-=\b\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[] =
    "\0\033!@#$%^&*()_+\b\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";

static bool shift, control, caps;

static void controller_write (uint16_t port, uint8_t value) {
  for (unsigned i = 0; i < 100000 && (inb(COMMAND) & INPUT_FULL); i++) cpu_pause();
  outb(port, value);
}

void keyboard_init (void) {
  shift = control = caps = false;
  controller_write(COMMAND, 0xae); /* keyboard on */
  controller_write(COMMAND, 0x60);
  controller_write(DATA, 0x65); /* translate, mouse off, interrupt 1 */
}

int keyboard_get (void) {
  for (;;) {
    uint8_t status = inb(COMMAND);
    if (status == 0xff || !(status & OUTPUT_FULL)) return -1;
    uint8_t code = inb(DATA);
    if (status & FROM_MOUSE) continue;
    bool pressed = !(code & RELEASED);
    code &= (uint8_t)~RELEASED;
    if (code == LEFT_SHIFT || code == RIGHT_SHIFT)
      shift = pressed;
    else if (code == CONTROL)
      control = pressed;
    else if (code == CAPS_LOCK && pressed)
      caps = !caps;
    else if (pressed && code < sizeof(plain) - 1 && plain[code] != '\0') {
      char c = plain[code];
      bool letter = c >= 'a' && c <= 'z';
      if (control && letter) return c & 0x1f;
      return (unsigned char)((letter ? shift != caps : shift) ? shifted[code] : c);
    }
  }
}
