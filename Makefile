# Two commands matter: `make demo` shows what xde does, `make test` proves it. They need Python 3.11 or newer and a package index.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
DEMO   := examples/flights
XDE    := $(BIN)/xde --project $(DEMO)

# Python that keeps nothing of what it compiles, as some images have it set, compiles all of it anew for each command.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test lint check bench bench-peers lock clean format

help:
	@echo "make demo    load, build and check a year of New York flights, and look at the result"
	@echo "make test    run the tests"
	@echo "make check   what CI runs: formatting, lints, types, walls, tests"
	@echo "make bench   hold the budgets against bare DuckDB"
	@echo "make bench-peers   the same 200 models in xde, dbt-duckdb and SQLMesh; installs those two into ~/.cache/xde-peers"
	@echo "make format  put the code in its form"
	@echo "make lock    bring requirements.lock up to date"
	@echo "make clean   take away everything that was made"

$(STAMP): requirements.lock pyproject.toml .ci/install
	@sh .ci/venv "$(PYTHON)" "$(VENV)"
	@echo "installing the locked dependencies into $(VENV)"
	@sh .ci/install "$(BIN)/python"
	@touch $@

demo: $(STAMP)
	@rm -rf $(DEMO)/.xde
	$(XDE) run
	$(XDE) show marts.carrier_delay --where "month = '2013-07-01'" --limit 20
	$(XDE) letters list
	@echo
	@echo "Look further:  $(XDE) lineage marts.carrier_delay.mean_delay"
	@echo "               $(XDE) show marts.delay_by_weather --limit 30"
	@echo "               $(XDE) plan"

test: $(STAMP)
	@$(BIN)/python -m pytest -n 2 --dist worksteal -q

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP)
	$(BIN)/python bench/run.py

bench-peers: $(STAMP)
	$(BIN)/python bench/peers.py

# Every dependency, those of development and of building too, with its exact version; made in a virtual environment of its own.
lock:
	@rm -rf .lock && sh .ci/venv "$(PYTHON)" .lock
	@.lock/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	@.lock/bin/python -m pip install --quiet "hatchling>=1.27" editables --group dev ".[all]"
	@.lock/bin/python -m pip check
	@{ echo "# Made by \`make lock\`. Do not edit."; .lock/bin/python -m pip freeze --all --exclude xde --exclude pip; } > requirements.lock
	@rm -rf .lock
	@echo "requirements.lock names $$(grep -c == requirements.lock) packages"

clean:
	rm -rf $(VENV) .lock .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist examples/*/.xde
	find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +
