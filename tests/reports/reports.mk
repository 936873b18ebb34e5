# What a run leads to, once and in full: every layout of a real run, LaTeX compiled by Debian's texlive, results against
# their schema. Pictures of the LaTeX pages are in $(BUILD)/latex.
TEST_PACKAGES += texlive-latex-recommended texlive-pictures preview-latex-style poppler-utils python3-jsonschema
CHECKS += check-reports

.PHONY: check-reports check-latex

check-reports: all
	$(BUILD)/moonboot tests/busted.lua tests/reports

check-latex: all
	$(BUILD)/moonboot tests/busted.lua tests/reports/latex_spec.lua
