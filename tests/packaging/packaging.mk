# Everything that can be installed, and works from where it was put.
TEST_PACKAGES += build-essential debhelper lintian luarocks
CHECKS += check-packaging

.PHONY: check-packaging

check-packaging: all
	$(BUILD)/moonboot tests/busted.lua tests/packaging
