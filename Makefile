# The short commands. Each sets up what it needs, so `make test` or `make demo` is the first thing
# to type on a fresh Debian 12 machine (after `apt-get install make`).
JOBS ?= $(shell nproc)
RELEASE := build/release
DEMO := build/release/tests/tidegate_demo

.PHONY: help setup configure build test demo check bench coverage clean

help:
	@echo "make demo      a real pool follows a traffic spike and a rollout on this machine (2 minutes, and the build)"
	@echo "make test      everything from setup to the last test"
	@echo "make build     the programs: $(RELEASE)/{scheduler/tidegate,sim/tidesim,traces/tidetrace}"
	@echo "make check     format, clang-tidy on what changed since main (ALL=1: on all), architecture"
	@echo "make bench     build and run the benchmarks"
	@echo "make coverage  line coverage of the tests, as build/coverage/coverage.html"
	@echo "make setup     install the Debian packages (root or sudo); nothing to do the second time"
	@echo "make clean     remove build/"

setup:
	@.ci/setup

configure: setup
	cmake --preset release

build: configure
	cmake --build --preset release -j $(JOBS) --target tidegate tidesim tidetrace

test: configure
	cmake --build --preset release -j $(JOBS)
	ctest --preset release -j $(JOBS)

# Builds what it runs and none of the tests: on a fresh machine that is what one waits for.
demo: configure
	cmake --build --preset release -j $(JOBS) --target tidegate_demo
	@exec $(DEMO)

check: setup
	.ci/check
	.ci/tidy $(if $(ALL),--all)
	cmake --preset release
	cmake --build --preset release -j $(JOBS) --target architecture_test
	$(RELEASE)/tests/architecture_test --gtest_brief=1

# The same build folder as `make build`, so that only the benchmarks themselves are new.
bench: setup
	cmake --preset bench
	cmake --build --preset bench -j $(JOBS)
	@set -e; for bench in $(RELEASE)/tests/*_bench; do \
	  if [ -x $$bench ]; then echo "== $$bench"; $$bench; fi; done

coverage: setup
	cmake --preset coverage
	cmake --build --preset coverage -j $(JOBS)
	ctest --preset coverage -j $(JOBS)
	gcovr --root . --object-directory build/coverage -j $(JOBS) --exclude tests/ --exclude build/ \
	  --html-details build/coverage/coverage.html --print-summary

clean:
	rm -rf build
