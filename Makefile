# `make demo` and `make test` need Python 3.11 or newer and nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test studies bench check format calibration charts lock clean help

help:  ## Show the targets.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(VENV)/.installed: requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements-dev.txt
	@touch $@

demo: $(VENV)/.installed  ## Run the main job and print the path of its first page.
	$(BIN)/outcomes run --out build/demo --force

test: $(VENV)/.installed-dev  ## Run the tests.
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not long"

studies: $(VENV)/.installed-dev  ## Run the long tests: many cohorts, refits, whole runs.
	$(BIN)/python -m pytest -n 2 --dist loadfile -m long

bench: $(VENV)/.installed-dev  ## Time this package and its peers side by side (minutes; R where installed).
	$(BIN)/python -m benchmarks --out build/bench

check: $(VENV)/.installed-dev  ## Check formatting, lint, types and layers.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed-dev  ## Format the code and mend what lint can mend.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

calibration: $(VENV)/.installed  ## Solve the calibration that ships with the package anew (minutes).
	$(BIN)/outcomes calibrate --out synthetic/data/calibration.json \
	  --draws 200 --cohorts 1000 --seed 1 --jobs -1

charts: $(VENV)/.installed  ## Fetch the smaller chart library that a wheel carries (needs npm).
	$(BIN)/python scripts/fetch_plotly_basic.py

lock:  ## Pin the requirements anew, with hashes (needs uv).
	uv pip compile pyproject.toml requirements-build.in --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --quiet --output-file requirements.txt
	uv pip compile pyproject.toml requirements-build.in --extra test --extra check --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --quiet --output-file requirements-dev.txt

clean:  ## Remove what was built.
	rm -rf build dist $(VENV) *.egg-info
