# Every target sets up what it needs in .venv; nothing has to be installed by hand but Python and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo test check format results bench bench-quick parity onnx notebook notebooks clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

demo: $(VENV)/.base  ## train on two bundled data sets, offline; results and pictures land in runs/
	$(BIN)/glassnet train digits
	$(BIN)/glassnet train diabetes

test: $(VENV)/.dev  ## run the tests
	$(BIN)/python -m pytest

check: $(VENV)/.dev  ## lint, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.dev  ## apply the formatter and the safe fixes
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

results: $(VENV)/.base  ## train the recipes whose results the README gives, over several seeds
	$(BIN)/python benchmarks/results.py

bench: $(VENV)/.bench  ## measure the speed beside JAX, PyTorch, scikit-learn and ONNX Runtime: 15 minutes, alone
	$(BIN)/python benchmarks/speed.py

bench-quick: $(VENV)/.bench  ## the same in three minutes, writing nothing
	$(BIN)/python benchmarks/speed.py --quick

parity: $(VENV)/.parity  ## ten training steps beside PyTorch, tensor by tensor
	$(BIN)/python benchmarks/parity.py

onnx: $(VENV)/.dev  ## 500 random networks, exported to ONNX Runtime, beside predict
	$(BIN)/python benchmarks/onnx_equality.py

notebook: $(VENV)/.notebook  ## open the notebooks
	$(BIN)/jupyter lab notebooks

notebooks: $(VENV)/.dev  ## write notebooks/*.ipynb anew from their text form, executed
	$(BIN)/python notebooks/build.py

clean:  ## remove the environment and the caches
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("glassnet needs Python 3.11 or newer, this is " + sys.version.split()[0] \
	  + ": run make PYTHON=/path/to/a/newer/python") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade "pip>=25.1"  # the first that reads [dependency-groups]

$(VENV)/.base: pyproject.toml | $(BIN)/python
	$(PIP) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	$(PIP) --group dev
	@touch $@

$(VENV)/.bench: $(VENV)/.base
	$(PIP) --group bench
	@touch $@

$(VENV)/.notebook: $(VENV)/.base
	$(PIP) --editable ".[notebook]"
	@touch $@

$(VENV)/.parity: $(VENV)/.base
	$(PIP) "torch==2.13.0"
	@touch $@
