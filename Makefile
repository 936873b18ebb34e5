# moonboot: `make demo` boots the demo guest and reports on it, `make check` runs every test.
# Both install the Debian packages they need (root or sudo).

BUILD ?= build
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LUADIR ?= $(PREFIX)/share/lua/5.4
LIBDIR ?= $(PREFIX)/lib/lua/5.4
MANDIR ?= $(PREFIX)/share/man
COMPLETIONDIR ?= $(PREFIX)/share/bash-completion/completions
EXAMPLEDIR ?= $(PREFIX)/share/doc/moonboot/examples
CFLAGS ?= -O2 -g
WARNINGS = -std=c11 -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes
SANITIZE ?=
RUN ?= # what runs the tests, e.g. valgrind
LUA_CFLAGS = $(shell pkg-config --cflags lua5.4)
LUA_LIBS = $(shell pkg-config --libs lua5.4)
# In place of malloc, from Debian's libmimalloc-dev: a report over 100,000 samples takes a fifth less time. Sanitizers and
# valgrind bring their own.
ALLOCATOR = $(if $(SANITIZE),,-Wl,--push-state,--no-as-needed -lmimalloc -Wl,--pop-state)
ALL_CFLAGS = $(WARNINGS) $(CFLAGS) $(SANITIZE) -D_GNU_SOURCE -fPIC -pthread -Iengine -I$(BUILD) $(LUA_CFLAGS) -MMD -MP

CORE = $(patsubst engine/%.c,$(BUILD)/obj/%.o,$(filter-out engine/main.c,$(wildcard engine/*.c)))
BINDING = $(patsubst engine/%.c,$(BUILD)/obj/%.o,$(filter-out engine/lua/readline.c,$(wildcard engine/lua/*.c)))
C_FILES = $(wildcard engine/*.[ch] engine/lua/*.[ch] engine/qemu/*.[ch] tests/engine/*.[ch] examples/guest/*.[ch])
ENGINE_TESTS = $(patsubst tests/engine/%.c,$(BUILD)/tests/%,$(wildcard tests/engine/test_*.c))

RUN_PACKAGES = gcc libc6-dev pkg-config liblua5.4-dev libreadline-dev libmimalloc-dev lua-lpeg lua-cjson lua-luv lua-argparse \
  qemu-system-x86 qemu-utils xorriso
TEST_PACKAGES = $(RUN_PACKAGES) libcmocka-dev lua5.4 lua-busted lua-check clang-format clang-tidy valgrind \
  busybox-static cpio jq bsdextrautils lua-ldoc lua-discount

# The steps of `make check`, and those that come after them, one by one; tests/*/*.mk add theirs, and their packages.
CHECKS = lint doc test asan tsan
CHECKS_ALONE =

.PHONY: all always demo check test test-engine test-stdlib test-system asan tsan lint lint-c lint-lua format \
  clean doc install uninstall deb packages-run packages-test

MODULES = $(BUILD)/lib/moonboot/engine.so $(BUILD)/lib/moonboot/readline.so $(BUILD)/lib/moonboot/virtualtime.so

all: $(BUILD)/moonboot $(MODULES) guest

$(BUILD)/moonboot: $(BUILD)/obj/main.o $(CORE) $(BINDING)
	$(CC) $(LDFLAGS) $(SANITIZE) -rdynamic -pthread -o $@ $^ $(ALLOCATOR) $(LUA_LIBS) -lm

$(BUILD)/lib/moonboot/engine.so: $(CORE) $(BINDING)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) $(SANITIZE) -shared -pthread -o $@ $^ -lm

# Written anew only when it changes, so that only then what includes it is built anew.
COMMIT ?= $(shell git describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)

$(BUILD)/commit.h: always
	@mkdir -p $(@D)
	@echo '#define MB_COMMIT "$(COMMIT)"' | cmp -s - $@ || echo '#define MB_COMMIT "$(COMMIT)"' > $@

$(BUILD)/obj/lua/engine.o: $(BUILD)/commit.h
$(BUILD)/obj/main.o: ALL_CFLAGS += -DMB_LIBDIR='"$(LIBDIR:$(PREFIX)/%=%)"'

# readline has no way to free what it holds, so it stays loaded: then it is no leak.
$(BUILD)/lib/moonboot/readline.so: $(BUILD)/obj/lua/readline.o
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) $(SANITIZE) -shared -Wl,-z,nodelete -o $@ $^ -lreadline

# Loaded into QEMU, which no sanitizer was built into.
$(BUILD)/lib/moonboot/virtualtime.so: engine/qemu/virtualtime.c
	@mkdir -p $(@D)
	$(CC) $(WARNINGS) $(CFLAGS) $(LDFLAGS) -D_GNU_SOURCE -fPIC -shared -o $@ $<

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

# Two steps at a time: tests wait for guests more than they compute. What several steps need is built before.
check: packages-test
	@$(MAKE) --no-print-directory -s all
	@$(MAKE) --no-print-directory -j2 --output-sync=target $(CHECKS)
	@$(MAKE) --no-print-directory -j1 $(CHECKS_ALONE)

test: test-engine test-stdlib test-system

test-engine: $(ENGINE_TESTS)
	@set -e; for t in $(ENGINE_TESTS); do $(RUN) $$t; done

test-stdlib: all
	$(RUN) $(BUILD)/moonboot tests/busted.lua tests/stdlib

test-system: all
	$(RUN) $(BUILD)/moonboot tests/busted.lua tests/system

# The same tests under the sanitizers, each in a build of its own.
SANITIZED = CFLAGS="-O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all"

asan:
	$(MAKE) BUILD=$(BUILD)/asan $(SANITIZED) SANITIZE="-fsanitize=address,undefined" test

tsan:
	$(MAKE) BUILD=$(BUILD)/tsan $(SANITIZED) SANITIZE="-fsanitize=thread" test

lint: lint-c lint-lua

lint-c: $(BUILD)/commit.h
	clang-format --dry-run -Werror $(C_FILES)
	clang-tidy --quiet $(wildcard engine/*.c engine/lua/*.c engine/qemu/*.c) -- $(WARNINGS) -D_GNU_SOURCE -Iengine -I$(BUILD) $(LUA_CFLAGS)
	clang-tidy --quiet $(wildcard examples/guest/*.c) -- $(WARNINGS) -m32 -march=i686 -ffreestanding -Iexamples/guest

lint-lua:
	luacheck -q stdlib scripts examples tests

# The reference of the library: build/doc/index.html.
doc:
	@$(call need,lua-ldoc lua-discount)
	ldoc --fatalwarnings -c .ldoc -d $(BUILD)/doc stdlib/moonboot

format:
	clang-format -i $(C_FILES)

clean:
	rm -rf $(BUILD)

# The scripts and the demo guest go where the library is, so that one finds the other wherever all of it is moved to.
install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBDIR)/moonboot $(DESTDIR)$(LUADIR)/moonboot/guest
	install -m 755 $(BUILD)/moonboot $(DESTDIR)$(BINDIR)/moonboot
	install -m 644 $(MODULES) $(DESTDIR)$(LIBDIR)/moonboot
	cd stdlib && find moonboot -type f -exec install -D -m 644 '{}' '$(abspath $(DESTDIR)$(LUADIR))/{}' ';'
	find scripts -type f -exec install -D -m 644 '{}' '$(DESTDIR)$(LUADIR)/moonboot/{}' ';'
	install -m 644 $(GUEST)/demo.elf $(GUEST)/demo.iso $(GUEST)/calibrate.img $(DESTDIR)$(LUADIR)/moonboot/guest
	install -D -m 644 engine/moonboot.1 $(DESTDIR)$(MANDIR)/man1/moonboot.1
	install -D -m 644 engine/completion.bash $(DESTDIR)$(COMPLETIONDIR)/moonboot
	cd examples && find . -name '*.lua' -exec install -D -m 644 '{}' '$(abspath $(DESTDIR)$(EXAMPLEDIR))/{}' ';'

uninstall:
	rm -f $(DESTDIR)$(BINDIR)/moonboot $(DESTDIR)$(MANDIR)/man1/moonboot.1 $(DESTDIR)$(COMPLETIONDIR)/moonboot
	rm -rf $(DESTDIR)$(LIBDIR)/moonboot $(DESTDIR)$(LUADIR)/moonboot $(DESTDIR)$(EXAMPLEDIR)

# Built from a copy, because Debian's tools want a folder of this name at the top.
deb:
	@$(call need,$(RUN_PACKAGES) build-essential debhelper lintian)
	rm -rf $(BUILD)/deb && mkdir -p $(BUILD)/deb/moonboot
	cp -r engine stdlib scripts examples Makefile LICENSE $(BUILD)/deb/moonboot
	cp -r .debian $(BUILD)/deb/moonboot/debian
	cd $(BUILD)/deb/moonboot && env -u MAKEFLAGS BUILD=build COMMIT=$(COMMIT) \
	  dpkg-buildpackage --no-sign --build=binary
	cd $(BUILD)/deb && lintian --fail-on error,warning --allow-root *.deb

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
