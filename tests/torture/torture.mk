# A fault campaign of MINUTES minutes, a long run that is interrupted again and again (SEED repeats either), and a flood
# of 1 GB. `make check` has a short one of each, and makes sure that the checker finds what it looks for.
MINUTES ?= 5
SEED ?=
CHECKS += check-torture

.PHONY: torture torture-resume torture-flood check-torture

torture: all $(BUILD)/tests/clock_steps
	$(BUILD)/moonboot tests/torture/torture.lua $(MINUTES) $(SEED)

torture-resume: all
	$(BUILD)/moonboot tests/torture/resume.lua $(SEED)

torture-flood: all
	$(BUILD)/moonboot tests/torture/flood.lua 1024

check-torture: all $(BUILD)/tests/clock_steps
	$(BUILD)/moonboot tests/busted.lua tests/torture
	$(BUILD)/moonboot tests/torture/torture.lua 0.3
	$(BUILD)/moonboot tests/torture/resume.lua 1 20 4
	$(BUILD)/moonboot tests/torture/flood.lua 64

$(BUILD)/tests/clock_steps: tests/torture/clock_steps.c $(CORE)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $< $(CORE) -lm
