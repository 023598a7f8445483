# The commands of README.md. Each sets up what it needs first, and says so.

CARGO ?= cargo
SAMPLE := sample-logs/outage-2026-05
TIMELINE := timeline $(SAMPLE) --tz America/Los_Angeles --notes $(SAMPLE)/notes.toml
SCRIPTS := .ci/setup .ci/run sample-logs/make-samples docs/deploy/ebbline-daily

.DEFAULT_GOAL := help
.PHONY: help demo test lint samples bench

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1	\2/p' Makefile

demo: ## Print the sample outage's table, as Markdown and for the terminal
	@.ci/setup demo
	@echo "demo: building ebbline (the first time takes some minutes)"
	@$(CARGO) build --locked --quiet --release $$(.ci/setup features)
	@echo "demo: ebbline $(TIMELINE) -o markdown"; echo
	@$(CARGO) run --locked --quiet --release $$(.ci/setup features) -- $(TIMELINE) -o markdown
	@echo; echo "demo: ebbline $(TIMELINE)"; echo
	@$(CARGO) run --locked --quiet --release $$(.ci/setup features) -- $(TIMELINE)

test: ## Run all tests, and build without libsystemd too
	@.ci/setup test
	@echo "test: the workspace"
	@$(CARGO) test --locked --workspace
	@echo "test: without libsystemd"
	@$(CARGO) run --locked --quiet --no-default-features -- rules test

lint: ## Check formatting, clippy, the API's documentation and shell scripts; warnings are errors
	@.ci/setup lint
	@echo "lint: format"
	@$(CARGO) fmt --all --check
	@echo "lint: clippy"
	@$(CARGO) clippy --locked --quiet --workspace --all-targets -- -D warnings
	@echo "lint: clippy without libsystemd"
	@$(CARGO) clippy --locked --quiet --workspace --all-targets --no-default-features -- -D warnings
	@echo "lint: documentation"
	@RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --quiet --workspace --no-deps
	@echo "lint: shell"
	@shellcheck $(SCRIPTS)

samples: ## Make the sample outage's files again
	@.ci/setup test
	@echo "samples: $(SAMPLE)"
	@sample-logs/make-samples

bench: ## Compare with cat, rg, journalctl and others on a seeded corpus (BENCH_ENTRIES=200000)
	@.ci/setup test
	@echo "bench: building ebbline (the first time takes some minutes)"
	@$(CARGO) bench --locked --quiet --bench compare $$(.ci/setup features)
