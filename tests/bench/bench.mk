# `make bench` measures moonboot beside its peers and writes build/bench/bench.json and bench.md.
# BENCH="stamps boot" runs some of the benchmarks, QUICK=1 runs them with few rounds.

BENCH ?=
QUICK ?=
BENCH_PACKAGES = $(RUN_PACKAGES) lua5.4 grabserial moreutils python3-pexpect socat

.PHONY: bench packages-bench

bench: packages-bench
	@$(MAKE) --no-print-directory -s all $(BUILD)/bench/writer
	$(BUILD)/moonboot tests/bench/main.lua --output $(BUILD)/bench $(if $(QUICK),--quick) $(BENCH)

packages-bench:
	@$(call need,$(BENCH_PACKAGES))

$(BUILD)/bench/writer: tests/bench/writer.c
	@mkdir -p $(@D)
	$(CC) $(WARNINGS) -O2 -D_GNU_SOURCE -o $@ $<
