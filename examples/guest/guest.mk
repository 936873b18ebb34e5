# The demo guest: demo.elf for QEMU's -kernel, demo.iso for a CD drive, and minix-like.iso, which only
# plays another system's installer; and calibrate.img, the boot sector of `moonboot calibrate`. Needs gcc, binutils and xorriso.

# The same for every kind of build of the engine.
GUEST = build/guest
GUEST_SOURCE = examples/guest
GUEST_CC ?= gcc
GUEST_EPOCH = 1735689600
GUEST_CFLAGS = -m32 -march=i686 -std=c11 -O2 -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
  -ffreestanding -fno-pic -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none \
  -mgeneral-regs-only --param min-pagesize=0 -I$(GUEST_SOURCE)
GUEST_OBJECTS = $(GUEST)/boot.o \
  $(patsubst $(GUEST_SOURCE)/%.c,$(GUEST)/%.o,$(sort $(wildcard $(GUEST_SOURCE)/*.c)))

.PHONY: guest

guest: $(GUEST)/demo.elf $(GUEST)/demo.iso $(GUEST)/minix-like.iso $(GUEST)/calibrate.img

$(GUEST)/demo.elf: $(GUEST_OBJECTS) $(GUEST_SOURCE)/link.ld
	ld -m elf_i386 --build-id=none --no-warn-rwx-segments -T $(GUEST_SOURCE)/link.ld -o $@ $(GUEST_OBJECTS)

# A CD's boot file: boot sector, options line in a sector of its own, kernel image.
# No time stamps and no random ids, so that the same sources always give the same ISO.
$(GUEST)/demo.iso: GUEST_OPTIONS = menu
$(GUEST)/minix-like.iso: GUEST_OPTIONS = dialogue=minix,menu
$(GUEST)/%.iso: $(GUEST)/demo.elf $(GUEST)/loader-cd.bin $(GUEST_SOURCE)/guest.mk
	rm -rf $(@:.iso=.cd) && mkdir -p $(@:.iso=.cd)
	objcopy -O binary $< $(@:.iso=.bin)
	printf '%s' '$(GUEST_OPTIONS)' > $(@:.iso=.options) && truncate -s 2048 $(@:.iso=.options)
	cat $(GUEST)/loader-cd.bin $(@:.iso=.options) $(@:.iso=.bin) > $(@:.iso=.cd)/boot.bin
	touch -d @$(GUEST_EPOCH) $(@:.iso=.cd)/boot.bin $(@:.iso=.cd)
	TZ=UTC SOURCE_DATE_EPOCH=$(GUEST_EPOCH) xorriso -report_about WARNING -as mkisofs -quiet -V DEMO \
	  -uid 0 -gid 0 -file-mode 0444 -dir-mode 0555 -b boot.bin -c boot.cat -no-emul-boot \
	  -boot-load-size 4 -boot-info-table -o $@ $(@:.iso=.cd)

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

$(GUEST)/calibrate.img: $(GUEST_SOURCE)/calibrate.S
	@mkdir -p $(@D)
	$(GUEST_CC) $(GUEST_CFLAGS) -c -o $(@:.img=.o) $<
	ld -m elf_i386 --build-id=none --oformat binary -Ttext 0x7c00 -o $@ $(@:.img=.o)

-include $(wildcard $(GUEST)/*.d)
