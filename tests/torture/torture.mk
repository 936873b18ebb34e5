# A fault campaign of MINUTES minutes, SEED repeats one; and a long run that is interrupted again and again.
MINUTES ?= 5
SEED ?=

.PHONY: torture torture-resume

torture: all $(BUILD)/tests/clock_steps
	$(BUILD)/moonboot tests/torture/torture.lua $(MINUTES) $(SEED)

torture-resume: all
	$(BUILD)/moonboot tests/torture/resume.lua $(SEED)

$(BUILD)/tests/clock_steps: tests/torture/clock_steps.c $(CORE)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $< $(CORE) -lm
