# The tests under valgrind, in a build of its own: engine, library, and every moonboot that the system tests start; QEMU
# and other programs run as they are. It takes half an hour, so it is no step of `make check`.
CHECKED = $(abspath $(BUILD))/valgrind
VALGRIND = /usr/bin/valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect \
  --errors-for-leak-kinds=definite,indirect --track-fds=yes --fair-sched=yes --keep-debuginfo=yes \
  --child-silent-after-fork=yes --log-file=$(CHECKED)/logs/%p

.PHONY: valgrind

# What it finds is in its logs, whatever became of the process and of the test.
valgrind: packages-test $(CHECKED)/program
	@rm -rf $(CHECKED)/logs && mkdir $(CHECKED)/logs
	@MOONBOOT_PROGRAM=$(CHECKED)/program \
	  $(MAKE) --no-print-directory -k -j2 --output-sync=target BUILD=$(CHECKED) CFLAGS="-O1 -g" ALLOCATOR= RUN="$(VALGRIND)" test || failed=1; \
	$(CHECKED)/moonboot tests/valgrind/findings.lua $(CHECKED)/logs && [ -z "$$failed" ]

# One word for the tests that start the program: by itself, in the command line of a shell, on a terminal. A test that
# makes it end at once says so, because no descriptor is closed then.
$(CHECKED)/program: tests/valgrind/valgrind.mk
	@mkdir -p $(@D)
	@printf '#!/bin/sh\nexec %s --track-fds=$${VALGRIND_TRACK_FDS:-yes} %s "$$@"\n' '$(VALGRIND)' $(CHECKED)/moonboot > $@
	@chmod +x $@
