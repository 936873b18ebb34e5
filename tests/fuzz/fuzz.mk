# Fuzzing: FUZZ_SECONDS for each target. Targets of the engine are libFuzzer's (clang); those of the library are fed by
# a seeded generator. `make check` only replays the corpus, and runs the generator for a moment.
TEST_PACKAGES += clang libclang-rt-14-dev
CHECKS += check-fuzz
FUZZ_SECONDS ?= 60
FUZZ_SEED ?= 1

FUZZ = $(BUILD)/fuzz
FUZZ_TARGETS = $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_FLAGS = $(WARNINGS) -O1 -g -D_GNU_SOURCE -pthread -Iengine -fno-sanitize-recover=all

.PHONY: fuzz fuzz-lua check-fuzz
.SECONDARY:

fuzz: $(FUZZ_TARGETS:%=fuzz-%) fuzz-lua

# New finds go to $(BUILD)/fuzz, the kept corpus is only read.
$(FUZZ_TARGETS:%=fuzz-%): fuzz-%: $(FUZZ)/fuzz_%
	@mkdir -p $(FUZZ)/corpus/$*
	$< -max_total_time=$(FUZZ_SECONDS) -max_len=65536 -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
	  -artifact_prefix=$(FUZZ)/$*- $(FUZZ)/corpus/$* tests/fuzz/corpus/$*

fuzz-lua: all
	$(BUILD)/moonboot tests/fuzz/generate.lua $(FUZZ_SECONDS) $(FUZZ_SEED)

check-fuzz: $(FUZZ_TARGETS:%=$(FUZZ)/fuzz_%) all
	@set -e; for t in $(FUZZ_TARGETS); do $(FUZZ)/fuzz_$$t -runs=0 tests/fuzz/corpus/$$t 2>&1 | tail -1; done
	$(BUILD)/moonboot tests/fuzz/generate.lua 1 $(FUZZ_SEED)

$(FUZZ)/fuzz_%: tests/fuzz/fuzz_%.c tests/fuzz/memory_file.h $(wildcard engine/*.[ch])
	@mkdir -p $(@D)
	clang $(FUZZ_FLAGS) -fsanitize=fuzzer,address,undefined -o $@ $< $(filter-out engine/main.c,$(wildcard engine/*.c)) -lm
