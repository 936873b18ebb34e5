# The page of a report, as a browser sees it; its pictures are in $(BUILD)/html.
RUN_PACKAGES += libjs-chart.js
TEST_PACKAGES += asciinema chromium-headless-shell netpbm
CHECKS += check-html

.PHONY: check-html

check-html: all
	$(BUILD)/moonboot tests/busted.lua tests/html
