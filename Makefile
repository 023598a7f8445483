# The commands of README.md. Each sets up what it needs first, and says so.

CARGO ?= cargo
SAMPLE := sample-logs/outage-2026-05
TIMELINE := timeline $(SAMPLE) --tz America/Los_Angeles --notes $(SAMPLE)/notes.toml
SCRIPTS := .ci/setup .ci/run sample-logs/make-samples docs/deploy/ebbline-daily

.DEFAULT_GOAL := help
.PHONY: help demo test lint docs samples derived bench fuzz

FUZZ_SECONDS ?= 60
FUZZ_TARGETS := journal export json text rules
# Memory in MB, then seconds for one input, then its length in bytes.
FUZZ_LIMITS := -rss_limit_mb=256 -timeout=10 -max_len=65536

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
	@echo "lint: clippy for the fuzz targets"
	@cd fuzz && $(CARGO) fmt --check && $(CARGO) clippy --locked --quiet --all-targets -- -D warnings
	@echo "lint: documentation"
	@RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --quiet --workspace --no-deps
	@echo "lint: shell"
	@shellcheck $(SCRIPTS)

docs: ## Draw the README's pictures again
	@.ci/setup demo
	@mkdir -p docs/images
	@echo "docs: docs/images/outage-2026-05.svg"
	@$(CARGO) run --locked --quiet $$(.ci/setup features) -- $(TIMELINE) -o csv \
	    --chart docs/images/outage-2026-05.svg >/dev/null
	@echo "docs: docs/images/outage-2026-05-06.svg"
	@$(CARGO) run --locked --quiet $$(.ci/setup features) -- $(TIMELINE) -o csv \
	    --since 2026-05-05 --by hour --chart docs/images/outage-2026-05-06.svg >/dev/null

samples: ## Make the sample outage's files again
	@.ci/setup test
	@echo "samples: $(SAMPLE)"
	@sample-logs/make-samples

derived: ## Derive again what the built-in rules' expressions say, for a quick start
	@echo "derived: src/rules/builtin/derived.json"
	@EBBLINE_WRITE_DERIVED=1 $(CARGO) test --locked --quiet --lib rules::beforehand >/dev/null || true
	@$(CARGO) test --locked --quiet --lib rules::beforehand

bench: ## Compare with cat, rg, journalctl and others, and score the incidents (BENCH_ENTRIES=200000)
	@.ci/setup test
	@echo "bench: building ebbline (the first time takes some minutes)"
	@$(CARGO) bench --locked --quiet --bench compare $$(.ci/setup features)
	@$(CARGO) bench --locked --quiet --bench incidents $$(.ci/setup features)

fuzz: ## Feed the readers and the rule files with hostile bytes, a minute each (FUZZ_SECONDS=60)
	@.ci/setup fuzz
	@echo "fuzz: what the targets begin with"
	@cd fuzz && $(CARGO) run --locked --quiet --example seeds -- target/seeds
	@for target in $(FUZZ_TARGETS); do \
	    echo "fuzz: $$target, $(FUZZ_SECONDS) s (the first time it takes minutes to build)"; \
	    mkdir -p fuzz/target/corpus/$$target fuzz/target/artifacts/$$target; \
	    (cd fuzz && $(CARGO) fuzz run --fuzz-dir . --sanitizer none $$target \
	        target/corpus/$$target target/seeds/$$target -- $(FUZZ_LIMITS) \
	        -max_total_time=$(FUZZ_SECONDS) -verbosity=0 -print_final_stats=1 \
	        -artifact_prefix=target/artifacts/$$target/) || exit 1; \
	done
