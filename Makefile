# alertsim: `make run` plays the founding case, `make test` runs the suite. Both install into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help run test check bench docs site wheel clean

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(STAMP): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "alertsim needs Python 3.11 or newer: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $(STAMP)

run: $(STAMP)  ## play 3 November 2022 on the embedded broker with 300 subscribers
	$(BIN)/alertsim run tohoku-2022-11-03 --speed 600 --subscribers 300 --seed 7 --out runs/

test: $(STAMP)  ## run the whole suite, four tests at a time: most of them wait
	$(BIN)/python -m pytest --numprocesses 4 --dist worksteal $(PYTEST_ARGS)

check: $(STAMP)  ## linters, types, layers, generated files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check
	$(BIN)/python docs/validation.py --check

bench: $(STAMP)  ## measure the figures of docs/benchmarks.md
	$(BIN)/python benchmarks/all.py

docs: $(STAMP)  ## regenerate the reference pages and the editor schema
	$(BIN)/python docs/generate.py
	$(BIN)/python docs/validation.py

site: $(STAMP)  ## build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

wheel: $(STAMP)  ## build dist/*.whl
	$(BIN)/python -m build --wheel --outdir dist .

clean:  ## remove what was built or installed here
	rm -rf $(VENV) dist build site .pytest_cache .mypy_cache .ruff_cache .hypothesis
