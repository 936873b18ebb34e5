# A real installer, from Debian's package, as far as it goes without a network.
CHECKS += check-debian

.PHONY: check-debian

check-debian: all
	$(BUILD)/moonboot tests/busted.lua tests/debian
