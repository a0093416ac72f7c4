# Everything that is built outside the checkout lives in one cache folder; an empty one works, only slower.
CACHE := $(or $(TAPCTL_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/tapctl)
TOOLS := $(CACHE)/tools/bin
DENY_VERSION := 0.20.2

CONFORMANCE_LOCK := tests/conformance/requirements.txt
CONFORMANCE_KEY := $(shell sha256sum $(CONFORMANCE_LOCK) 2>/dev/null | cut -c1-16)
CONFORMANCE_VENV := $(CACHE)/conformance-$(CONFORMANCE_KEY)
CONFORMANCE_PYTHON := $(CONFORMANCE_VENV)/bin/python
BENCH_LOCK := tests/benches/requirements.txt
BENCH_VENV := $(CACHE)/bench-$(shell sha256sum $(BENCH_LOCK) 2>/dev/null | cut -c1-16)
TARGET := $(or $(CARGO_TARGET_DIR),target)

export TAPCTL_BIN = $(abspath $(TARGET))/debug/tapctl
export TAPCTL_CONFORMANCE_PYTHON = $(CONFORMANCE_PYTHON)

# What `make test` runs side by side, the longest first; each prints its whole output when it is done.
SUITES := test-pulumi test-cli test-cockpit test-unit test-pulumi-judges test-conformance test-docs

.PHONY: help test $(SUITES) judge lint docs deny advisories bench dist documents faults fuzz soak demo clean

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

test: $(CONFORMANCE_VENV)/ready ## set up all that the tests need, and run them
	$(MAKE) -C pulumi venv cli >/dev/null
	cargo test --locked --no-run
	$(MAKE) --no-print-directory --keep-going --output-sync=target --jobs=4 $(SUITES)

test-unit: ## the library's own tests
	cargo test --locked --lib --bins

test-cli: ## the real binary, on terminals and in pipes, and its runs of Pulumi
	cargo test --locked --test cli

test-cockpit: ## the cockpit through its real loop on virtual time, the golden scripts, borders and documents
	cargo test --locked --test cockpit

test-docs: ## the examples in the documentation
	cargo test --locked --doc

# The key carries the content, so times do not count: a fresh checkout has new ones, and would wipe what a run beside it
# uses.
$(CONFORMANCE_VENV)/ready:
	tests/venv.sh python3 $(CONFORMANCE_VENV) -r $(CONFORMANCE_LOCK)

# The binary that the crate's own tests build: on its own it would be built anew, with all below it, for other features.
test-conformance: $(CONFORMANCE_VENV)/ready ## botocore and ministack judge the simulator
	cargo test --locked --no-run
	$(CONFORMANCE_PYTHON) -m pytest -q tests/conformance

test-pulumi: ## the Pulumi program, with mocks and with the real engine
	$(MAKE) -C pulumi test

test-pulumi-judges: ## the Pulumi program before AWS's models and CloudFormation's schemas
	$(MAKE) -C tests/pulumi_judges test

judge: ## every configuration of the Pulumi program before AWS's models, CloudFormation's schemas and moto
	$(MAKE) -C tests/pulumi_judges judge

lint: ## formatting, clippy, and the linters of the Pulumi program and its judges
	cargo fmt --all -- --check
	cargo clippy --locked --all-targets -- -D warnings
	$(MAKE) -C pulumi lint
	$(MAKE) -C tests/pulumi_judges lint

docs: ## the crate's documentation, with broken links denied
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items

$(TOOLS)/cargo-deny:
	cargo install cargo-deny --version $(DENY_VERSION) --locked --root $(CACHE)/tools

deny: $(TOOLS)/cargo-deny ## licences, bans and sources of every dependency
	$(TOOLS)/cargo-deny --locked check licenses bans sources

advisories: $(TOOLS)/cargo-deny ## known vulnerabilities; needs a network that reaches the advisory database
	$(TOOLS)/cargo-deny --locked check advisories

$(BENCH_VENV)/ready:
	tests/venv.sh python3 $(BENCH_VENV) -r $(BENCH_LOCK)

bench: $(BENCH_VENV)/ready ## measure, each number beside a peer in the same run
	cargo build --locked --release
	TAPCTL_BIN=$(abspath $(TARGET))/release/tapctl $(BENCH_VENV)/bin/python tests/benches/bench.py
	cargo bench --locked --bench fold --bench keys --bench up

# A binary to hand on: without symbols, and without the folders of whoever built it, which panics would print.
DIST := $(abspath $(TARGET))/dist
dist: ## the binary to hand on, in target/dist: stripped, paths of the build taken out, its size printed
	RUSTFLAGS="--remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)/registry/src=/cargo --remap-path-prefix=$(CURDIR)=/tapctl" \
	  cargo build --locked --release --target-dir $(DIST) --config 'profile.release.strip="symbols"'
	cp $(DIST)/release/tapctl $(DIST)/tapctl
	@! grep -aoF -m1 -e "$(HOME)" -e "$(CURDIR)" $(DIST)/tapctl || { echo "the binary names a folder of this machine" >&2; exit 1; }
	@stat -c '%n: %s bytes' $(DIST)/tapctl

documents: ## write the README's tables and the screenshots anew
	UPDATE_DOCUMENTS=1 cargo test --locked --test cockpit documents

faults: ## every fault at every moment of every change, and docs/faults.md anew; FAULTS_ONLY=TEXT plays some
	cargo test --locked --test cli -- --ignored --nocapture every_fault_at_every_moment

fuzz: ## feed whatever takes bytes from outside for FUZZ_SECONDS (3600) in all; FUZZ_ONLY=TARGET, FUZZ_SEED=N
	cargo test --locked --test cockpit -- --ignored --nocapture for_as_long_as_it_is_told

soak: ## SOAK_MINUTES (60) of the cockpit and the commands with faults, kills and jumps of the clock; SOAK_SEED=N
	cargo test --locked --test cli -- --ignored --nocapture a_long_time_with_faults

demo: ## the cockpit on the built-in simulator
	cargo run --locked --release -- demo

clean: ## what was built in the checkout; the cache stays
	cargo clean
