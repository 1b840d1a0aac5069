# Two commands: `make demo` and `make test`. Both install into .venv first, once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= demo-out

.PHONY: help install demo test lint clean

help:  ## What can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

# The stamp is newer than what it was made from, or the install runs again.
$(VENV)/.installed: pyproject.toml constraints.txt
	@echo "== Installing logscan into $(VENV) (several minutes the first time)"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --editable '.[dev]'
	@touch $@

install: $(VENV)/.installed  ## Install into .venv

demo: install  ## Train, score and report on the shipped samples
	@echo "== Running the demo; the reports go to $(OUT)"
	$(BIN)/logscan demo $(OUT)

lint: install  ## Style, types, import contracts
	@echo "== ruff, mypy, import contracts"
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint  ## The whole gate
	@echo "== pytest"
	OMP_NUM_THREADS=1 $(BIN)/pytest -n auto --dist worksteal

clean:  ## Remove what was made
	rm -rf $(VENV) $(OUT) .mypy_cache .ruff_cache .pytest_cache .hypothesis
