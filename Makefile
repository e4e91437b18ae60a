# Everything that a checkout needs. Paths are relative, so that any folder name will do.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

VENV := .venv
PYTHON := $(VENV)/bin/python
PIP := $(PYTHON) -m pip --disable-pip-version-check --quiet
SIYU := $(VENV)/bin/siyu
DONE := $(VENV)/done
WORKERS ?= 2
PYTEST ?=
FULL ?=
DEMO ?=

# An environment remembers its folder in its scripts: one that was moved is made anew.
ifneq ($(shell cat $(DONE)/location 2>/dev/null),$(CURDIR))
.PHONY: $(DONE)/location
endif

.PHONY: help
help: ## Show this list
	@echo "Siyu: make <target>"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' Makefile | while IFS='|' read -r name text; do \
		printf '  %-10s %s\n' "$$name" "$$text"; done

.PHONY: setup
setup: $(DONE)/installed ## Make .venv, install the locked packages, build the front-end assets
	@$(PYTHON) frontend/build.py

.PHONY: up
up: setup ## Start everything on this machine (DEMO=1 fills a tea shop); Ctrl-C stops it
	@exec $(SIYU) up $(if $(filter-out 0 no false,$(DEMO)),--demo)

.PHONY: demo
demo: setup ## Play a whole day with a throw-away Siyu and verify every step
	@exec $(SIYU) demo

.PHONY: test
test: setup $(DONE)/dev ## Run all tests (PYTEST="tests/flows -k survey" runs some)
	@echo "Running the tests ..."
	@exec $(PYTHON) -m pytest -n $(WORKERS) --dist worksteal $(PYTEST)

.PHONY: check
check: lint types imports test ## Lint, types, import contracts, then all tests

.PHONY: lint
lint: setup $(DONE)/dev ## Look for mistakes and for code that is not formatted
	@echo "Linting ..."
	@$(PYTHON) -m ruff check --quiet .
	@$(PYTHON) -m ruff format --quiet --check .

.PHONY: types
types: setup $(DONE)/dev ## Check all types strictly
	@echo "Checking types ..."
	@$(PYTHON) -m mypy

.PHONY: imports
imports: setup $(DONE)/dev ## Check who imports whom
	@echo "Checking the import contracts ..."
	@$(VENV)/bin/lint-imports

.PHONY: format
format: setup $(DONE)/dev ## Format the code and mend what can be mended safely
	@$(PYTHON) -m ruff check --fix --quiet . ; $(PYTHON) -m ruff format .

.PHONY: bench
bench: setup $(DONE)/dev ## Measure against bare references (FULL=1: a million members); writes bench.json
	@exec $(PYTHON) -m benchmarks $(if $(filter-out 0 no false,$(FULL)),--full)

.PHONY: chaos
chaos: setup $(DONE)/dev ## Break everything on purpose (30 minutes); prints a table, writes chaos.json
	@exec $(PYTHON) -m tests.chaos

.PHONY: mutants
mutants: setup $(DONE)/dev ## Put faults into the ledger, see that its tests notice (an hour); writes mutants.json
	@exec $(PYTHON) -m tests.mutants

.PHONY: assets
assets: $(DONE)/packages ## Build the front-end assets alone
	@$(PYTHON) frontend/build.py

.PHONY: lock
lock: $(DONE)/location ## Write the lock files anew from pyproject.toml (UPGRADE=1 takes newer versions)
	@echo "Locking the packages (some minutes) ..."
	@tools=$$(mktemp -d) && trap 'rm -rf "$$tools"' EXIT && \
	$(PYTHON) -m venv "$$tools" && "$$tools/bin/python" -m pip --quiet install pip-tools && \
	compile() { CUSTOM_COMPILE_COMMAND='make lock' "$$tools/bin/pip-compile" --quiet --no-header \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --generate-hashes \
		--strip-extras --allow-unsafe $(if $(UPGRADE),--upgrade) "$$@" pyproject.toml; } && \
	compile --output-file=requirements.lock && \
	compile --extra=build --constraint=requirements.lock --output-file=requirements-build.lock && \
	compile --extra=dev --extra=build --constraint=requirements-build.lock --output-file=requirements-dev.lock

.PHONY: sbom
sbom: ## Write dist/sbom.json: everything that Siyu is made of (CycloneDX), from the lock files
	@mkdir -p dist && python3 .ci/sbom.py > dist/sbom.json && echo "Wrote dist/sbom.json"

.PHONY: clean
clean: ## Remove what make has built (.venv, assets, caches); the data in .siyu stays
	@rm -rf $(VENV) admin_api/assets templates/fonts frontend/node_modules dist build \
		.pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "Clean. Your data in .siyu was left alone."

$(DONE)/location:
	@[ ! -e $@ ] || { echo "This folder was moved: making its environment anew ..."; rm -rf $(VENV); }
	@echo "Creating the virtual environment ..."
	@for name in python3.11 python3 python3.12 python3.13 python3.14; do \
		if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			"$$name" -m venv $(VENV) && mkdir -p $(DONE) && pwd -P > $@ && exit 0; \
			echo "$$name cannot make a virtual environment: install its venv and ensurepip (on Debian and Ubuntu: apt-get install $$name-venv)." >&2; \
			exit 1; \
		fi; \
	done; echo "Siyu needs Python 3.11 or newer: install it, so that python3.11 or python3 is found." >&2; exit 1

$(DONE)/packages: requirements.lock requirements-build.lock $(DONE)/location
	@echo "Installing the packages (a few minutes at the first time) ..."
	@$(PIP) install --require-hashes -r requirements.lock && \
	$(PIP) install --require-hashes -r requirements-build.lock || \
	{ echo "The packages could not be installed; pip says why above. Mostly the network or the disk is at fault: mend it and run make again." >&2; exit 1; }
	@touch $@

$(DONE)/installed: pyproject.toml $(wildcard hatch_build.py) $(DONE)/packages
	@echo "Building the front-end assets ..."
	@$(PYTHON) frontend/build.py
	@echo "Installing Siyu itself ..."
	@$(PIP) install --no-build-isolation --no-deps --no-index -e . || \
	{ echo "Siyu itself could not be installed; pip says why above." >&2; exit 1; }
	@touch $@

$(DONE)/dev: requirements-dev.lock $(DONE)/packages
	@echo "Installing what the tests need ..."
	@$(PIP) install --require-hashes -r requirements-dev.lock || \
	{ echo "The test packages could not be installed; pip says why above." >&2; exit 1; }
	@touch $@
