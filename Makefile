# The one list of commands. `make` alone prints it.

ifeq ($(filter oneshell,$(.FEATURES)),)
$(error GNU make 3.82 or newer is needed; this is $(MAKE_VERSION))
endif

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# Steps share one cargo and say what they do in order; cargo itself uses all cores.
.NOTPARALLEL:

export CARGO_TARGET_DIR := $(abspath $(or $(CARGO_TARGET_DIR),target))
# Tools that setup.sh put into this checkout come first; a shell that knows nothing of rustup finds cargo all the same.
export PATH := $(CURDIR)/target/tools/bin:$(PATH):$(HOME)/.cargo/bin
# Set, it would make Leptos ask for another file name than the one that build-frontend.sh makes.
unexport LEPTOS_OUTPUT_NAME

STOKER := $(CARGO_TARGET_DIR)/release/stoker
SCRIPTS := infrastructure/scripts
IMAGE ?= stoker:$(shell sed -n 's/^version = "\(.*\)"$$/\1/p' Cargo.toml)
# More arguments for `stoker serve` or the benchmarks, as in: make run ARGS="--help", make bench ARGS="a c"
ARGS ?=

say = @printf '\n== %s\n' '$(1)'

.PHONY: help
help: ## Print this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z0-9-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: build ## Install what is missing, build, and start Stoker
	$(call say,starting)
	"$(STOKER)" serve $(ARGS)

.PHONY: build
build: site ## Build target/release/stoker: one file with the site inside
	$(call say,the server)
	cargo build --locked --release --package server --bin stoker

.PHONY: test
test: setup-test lint unit end2end ## Install what is missing and run every check and test
	$(call say,all checks and tests passed)

# `--all-targets` are those of plain `cargo test`; the tests against a cluster are not among them, but in `--test '*'`.
.PHONY: lint
lint: site ## Check formatting, shell scripts, dependencies, and clippy on everything
	$(call say,formatting)
	cargo fmt --all --check
	$(call say,shell scripts)
	find .ci/run infrastructure server/src end2end -name node_modules -prune -o \( -name '*.sh' -o -path .ci/run \) -print0 \
		| xargs --null shellcheck --external-sources
	$(call say,licences and sources of the dependencies)
	cargo deny --locked check --hide-inclusion-graph bans licenses sources
	$(call say,clippy)
	cargo clippy --locked --workspace --all-targets -- --deny warnings
	cargo clippy --locked --workspace --test '*' -- --deny warnings
	$(call say,clippy for the part of app that runs in the browser)
	cargo clippy --locked --package app --lib --no-default-features --features hydrate,log-islands,form-islands,flow-islands \
		-- --deny warnings

.PHONY: unit
unit: site ## Run the tests of the Rust code
	$(call say,tests of the Rust code)
	cargo test --locked --workspace --features app/ssr

.PHONY: end2end
end2end: build ## Run the tests in a browser, against the release build
	$(call say,tests in a browser)
	cd end2end && STOKER_BIN="$(STOKER)" CHROMIUM="$${CHROMIUM:-$$(command -v chromium)}" npx --no playwright test

.PHONY: test-cluster
test-cluster: $(if $(KUBECONFIG),site) ## Run the tests against the cluster that KUBECONFIG names, with the image STOKER_TEST_IMAGE
	$(call say,tests against a cluster)
	$(SCRIPTS)/test-cluster.sh $(ARGS)

.PHONY: image
image: build ## Build the image for Kubernetes as IMAGE, with docker, podman or buildah
	$(call say,the image $(IMAGE))
	infrastructure/image/build.sh "$(IMAGE)" "$(STOKER)" $(ARGS)

# Warnings (2) do not stop make; whoever wants the exit code itself calls the binary.
.PHONY: preflight check-containerd
preflight: build ## Look whether this machine, and the cluster if there is one, have what Stoker needs
	"$(STOKER)" preflight $(ARGS) || [ $$? -eq 2 ]
check-containerd: build ## Look at the container runtimes of the cluster's nodes alone
	"$(STOKER)" preflight --only containerd $(ARGS) || [ $$? -eq 2 ]

.PHONY: bench
bench: build ## Measure the times that matter
	STOKER_BIN="$(STOKER)" $(SCRIPTS)/bench.sh $(ARGS)

.PHONY: site
site: setup-build # the browser's part: the server embeds it, so it comes first
	$(call say,the part for the browser)
	$(SCRIPTS)/build-frontend.sh

.PHONY: setup-build setup-test
setup-build:
	$(call say,what building needs)
	$(SCRIPTS)/setup.sh build
setup-test:
	$(call say,what testing needs)
	$(SCRIPTS)/setup.sh test

.PHONY: clean
clean: ## Remove everything that was built or installed into this checkout
	cargo clean
	rm -rf target end2end/node_modules end2end/test-results end2end/playwright-report
