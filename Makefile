# Qorgan: the targets a person types. The work is in scripts/; nothing here needs to be read to use it.
.DEFAULT_GOAL := help
.PHONY: help run test bench fuzz web fmt lint doctor setup clean-state

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

run: ## install what is missing, build, start the hub with the demo site and print its address and log-ins
	@scripts/demo.sh

test: ## install what is missing and run every test: Rust, end-to-end, web, browser
	@scripts/test.sh

bench: ## run the benchmarks in release, one after another: a table and one JSON line each
	@scripts/bench.sh

fuzz: ## random bytes for every reader of the network, ten minutes: panics and slow inputs
	@scripts/fuzz.sh

web: ## build the web pages when their sources changed
	@scripts/web.sh

fmt: ## format the Rust code
	@cargo fmt --all

lint: ## what CI checks besides tests: format, clippy without warnings, a centre without cameras, the architecture's arrows
	@scripts/lint.sh

doctor: ## say what is missing on this machine and which command installs it
	@scripts/doctor.sh

setup: ## install what `make test` needs, and build nothing but the web pages
	@scripts/setup.sh test

clean-state: ## forget the demo's state: databases, passwords, certificates (not what was installed)
	@rm -rf var/demo
	@echo "var/demo removed: the next make run starts with an empty hub and new passwords"
