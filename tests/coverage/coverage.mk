# Line coverage of engine (gcov) and library (a hook), reported by lcov: what the tests run, programs they start included.
COVERAGE_PACKAGES = lcov
COVERAGE = $(BUILD)/coverage
COVERAGE_TESTS ?= tests/stdlib tests/system

.PHONY: coverage coverage-run

coverage: packages-test
	@$(call need,$(COVERAGE_PACKAGES))
	@$(MAKE) --no-print-directory -s BUILD=$(COVERAGE) CFLAGS="-O0 -g" SANITIZE="--coverage -fprofile-update=atomic" coverage-run

# Here BUILD is that of the coverage.
coverage-run: all $(ENGINE_TESTS) $(BUILD)/hook.so
	@rm -rf $(BUILD)/lines && mkdir $(BUILD)/lines && find $(BUILD) -name '*.gcda' -delete
	@for t in $(ENGINE_TESTS); do $$t || exit 1; done
	COVERAGE_DIR=$(abspath $(BUILD)/lines) LD_PRELOAD=$(abspath $(BUILD)/hook.so) \
	  $(BUILD)/moonboot tests/busted.lua $(COVERAGE_TESTS) || echo "(some tests fail under the hook)"
	@lcov -q --capture --directory $(BUILD)/obj --output-file $(BUILD)/all.info --ignore-errors source,gcov
	@lcov -q --extract $(BUILD)/all.info '$(CURDIR)/engine/*' --output-file $(BUILD)/engine.info
	@$(BUILD)/moonboot tests/coverage/lcov.lua $(abspath $(BUILD)/lines) stdlib > $(BUILD)/stdlib.info
	@for part in engine stdlib; do echo "$$part:"; lcov --summary $(BUILD)/$$part.info 2>&1 | grep lines; done

$(BUILD)/hook.so: tests/coverage/hook.c
	@mkdir -p $(@D)
	$(CC) $(WARNINGS) -O2 -D_GNU_SOURCE -fPIC $(LUA_CFLAGS) -shared -o $@ $< -ldl
