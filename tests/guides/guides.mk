# What the guides say, executed.
CHECKS += check-guides

.PHONY: check-guides

check-guides: all
	$(BUILD)/moonboot tests/busted.lua tests/guides
