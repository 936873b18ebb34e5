# The demo guest: demo.elf for QEMU's -kernel, demo.iso for a CD drive. Needs gcc, binutils, xorriso.

GUEST = $(BUILD)/guest
GUEST_SOURCE = examples/guest
GUEST_CC ?= gcc
GUEST_CFLAGS = -m32 -march=i686 -std=c11 -O2 -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
  -ffreestanding -fno-pic -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none \
  -mgeneral-regs-only --param min-pagesize=0 -I$(GUEST_SOURCE)
GUEST_OBJECTS = $(GUEST)/boot.o \
  $(patsubst $(GUEST_SOURCE)/%.c,$(GUEST)/%.o,$(sort $(wildcard $(GUEST_SOURCE)/*.c)))

.PHONY: guest

guest: $(GUEST)/demo.elf

$(GUEST)/demo.elf: $(GUEST_OBJECTS) $(GUEST_SOURCE)/link.ld
	ld -m elf_i386 --build-id=none --no-warn-rwx-segments -T $(GUEST_SOURCE)/link.ld -o $@ $(GUEST_OBJECTS)

$(GUEST)/%.o: $(GUEST_SOURCE)/%.c
	@mkdir -p $(@D)
	$(GUEST_CC) $(GUEST_CFLAGS) -MMD -MP -c -o $@ $<

$(GUEST)/boot.o: $(GUEST_SOURCE)/boot.S $(GUEST)/trampoline.bin $(GUEST)/loader-disk.bin
	$(GUEST_CC) $(GUEST_CFLAGS) -MMD -MP -Wa,-I$(GUEST) -c -o $@ $<

$(GUEST)/trampoline.bin: GUEST_BASE = 0x8000
$(GUEST)/loader-disk.bin: GUEST_BASE = 0x7c00
$(GUEST)/loader-disk.bin: GUEST_DEFINES = -DSECTOR_BYTES=512
$(GUEST)/loader-cd.bin: GUEST_BASE = 0x7c00
$(GUEST)/loader-cd.bin: GUEST_DEFINES = -DSECTOR_BYTES=2048

$(GUEST)/trampoline.bin: $(GUEST_SOURCE)/trampoline.S $(GUEST_SOURCE)/layout.h
$(GUEST)/loader-disk.bin $(GUEST)/loader-cd.bin: $(GUEST_SOURCE)/loader.S $(GUEST_SOURCE)/layout.h
$(GUEST)/trampoline.bin $(GUEST)/loader-disk.bin $(GUEST)/loader-cd.bin:
	@mkdir -p $(@D)
	$(GUEST_CC) $(GUEST_CFLAGS) $(GUEST_DEFINES) -c -o $(@:.bin=.o) $<
	ld -m elf_i386 --build-id=none --oformat binary -Ttext $(GUEST_BASE) -o $@ $(@:.bin=.o)

-include $(wildcard $(GUEST)/*.d)
