# Installs the demo guest many times, by serial line and by screen and keyboard, on an idle and on a busy host.
# `make soak ROUNDS=5` for a shorter one.

ROUNDS ?= 20

.PHONY: soak

soak: packages-run
	@$(MAKE) --no-print-directory -s all
	$(BUILD)/moonboot tests/soak/install.lua $(ROUNDS) 0
	$(BUILD)/moonboot tests/soak/install.lua $(ROUNDS) 3
