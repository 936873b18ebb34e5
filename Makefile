# moonboot: `make demo` boots the demo guest and reports on it, `make check` runs every test.
# Both install the Debian packages they need (root or sudo).

BUILD ?= build
PREFIX ?= /usr/local
CFLAGS ?= -O2 -g
WARNINGS = -std=c11 -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes
SANITIZE ?=
RUN ?= # what runs the tests, e.g. valgrind
LUA_CFLAGS = $(shell pkg-config --cflags lua5.4)
LUA_LIBS = $(shell pkg-config --libs lua5.4)
ALL_CFLAGS = $(WARNINGS) $(CFLAGS) $(SANITIZE) -D_GNU_SOURCE -fPIC -pthread -Iengine $(LUA_CFLAGS) -MMD -MP

CORE = $(patsubst engine/%.c,$(BUILD)/obj/%.o,$(filter-out engine/main.c,$(wildcard engine/*.c)))
BINDING = $(patsubst engine/%.c,$(BUILD)/obj/%.o,$(wildcard engine/lua/*.c))
C_FILES = $(wildcard engine/*.[ch] engine/lua/*.[ch] tests/engine/*.[ch] examples/guest/*.[ch])
ENGINE_TESTS = $(patsubst tests/engine/%.c,$(BUILD)/tests/%,$(wildcard tests/engine/test_*.c))

RUN_PACKAGES = gcc libc6-dev pkg-config liblua5.4-dev libreadline-dev lua-lpeg lua-cjson lua-luv lua-argparse \
  qemu-system-x86 qemu-utils xorriso
TEST_PACKAGES = $(RUN_PACKAGES) libcmocka-dev lua5.4 lua-busted lua-check clang-format clang-tidy valgrind \
  busybox-static cpio jq bsdextrautils

.PHONY: all demo check test test-engine test-stdlib test-system asan tsan valgrind lint lint-c lint-lua format clean \
  packages-run packages-test

all: $(BUILD)/moonboot $(BUILD)/lib/moonboot/engine.so guest

$(BUILD)/moonboot: $(BUILD)/obj/main.o $(CORE) $(BINDING)
	$(CC) $(SANITIZE) -rdynamic -pthread -o $@ $^ $(LUA_LIBS) -lm

$(BUILD)/lib/moonboot/engine.so: $(CORE) $(BINDING)
	@mkdir -p $(@D)
	$(CC) $(SANITIZE) -shared -pthread -o $@ $^ -lm

$(BUILD)/obj/%.o: engine/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/tests/%: tests/engine/%.c $(CORE)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $< $(CORE) -lcmocka -lm

-include $(wildcard $(BUILD)/obj/*.d $(BUILD)/obj/lua/*.d $(BUILD)/tests/*.d)
include examples/guest/guest.mk $(wildcard tests/*/*.mk)

# A make of its own for each step: the first one may install what the next ones look for when they start.
demo: packages-run
	@$(MAKE) --no-print-directory -s all
	$(BUILD)/moonboot run scripts/experiments/demo.lua

check: packages-test
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory test
	@$(MAKE) --no-print-directory asan
	@$(MAKE) --no-print-directory tsan

test: test-engine test-stdlib test-system

test-engine: $(ENGINE_TESTS)
	@set -e; for t in $(ENGINE_TESTS); do $(RUN) $$t; done

test-stdlib: all
	$(RUN) $(BUILD)/moonboot tests/busted.lua tests/stdlib

test-system: all
	$(RUN) $(BUILD)/moonboot tests/busted.lua tests/system

# The same tests under the sanitizers and valgrind, each in a build of its own.
SANITIZED = CFLAGS="-O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all"

asan:
	$(MAKE) BUILD=$(BUILD)/asan $(SANITIZED) SANITIZE="-fsanitize=address,undefined" test

tsan:
	$(MAKE) BUILD=$(BUILD)/tsan $(SANITIZED) SANITIZE="-fsanitize=thread" test

valgrind:
	$(MAKE) BUILD=$(BUILD)/valgrind CFLAGS="-O1 -g" test \
	  RUN="valgrind -q --error-exitcode=99 --leak-check=full --fair-sched=yes"

lint: lint-c lint-lua

lint-c:
	clang-format --dry-run -Werror $(C_FILES)
	clang-tidy --quiet $(wildcard engine/*.c engine/lua/*.c) -- $(WARNINGS) -D_GNU_SOURCE -Iengine $(LUA_CFLAGS)
	clang-tidy --quiet $(wildcard examples/guest/*.c) -- $(WARNINGS) -m32 -march=i686 -ffreestanding -Iexamples/guest

lint-lua:
	luacheck -q stdlib scripts examples tests

format:
	clang-format -i $(C_FILES)

clean:
	rm -rf $(BUILD)

# Called with a list of packages; asks apt only for what dpkg does not know as installed.
define need
missing=$$(for p in $(1); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
if [ -n "$$missing" ]; then \
  if [ "$$(id -u)" = 0 ]; then sudo=; else sudo=sudo; fi; \
  echo "installing:" $$missing; \
  $$sudo apt-get update -q && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -q \
    -o DPkg::Lock::Timeout=300 --no-install-recommends $$missing; \
fi
endef

packages-run:
	@$(call need,$(RUN_PACKAGES))

packages-test:
	@$(call need,$(TEST_PACKAGES))
