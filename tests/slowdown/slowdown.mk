# A slowdown that is there is found, and none where there is none. It measures, so it has the machine to itself.
CHECKS_ALONE += check-slowdown

.PHONY: check-slowdown

check-slowdown: all
	$(BUILD)/moonboot tests/busted.lua tests/slowdown
