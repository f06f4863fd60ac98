# Every target sets up what it needs in .venv; nothing has to be installed by hand but Python and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
CLUSTER := .venv-cluster
LOWEST := .venv-lowest
NEWEST := .venv-newest
WINDOWS := .windows
ARM := .arm
EVERYTHING := --editable ".[notebook]" --group dev

.DEFAULT_GOAL := help
.PHONY: help demo test test-lowest test-newest test-windows test-arm test-cluster check types format results accuracy tables wheels wasm bench bench-quick fuzz parity onnx sanitize kills notebook notebooks docs docs-links clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

demo: $(VENV)/.base  ## train on two bundled data sets, offline; results and pictures land in runs/
	$(BIN)/glassnet train digits
	$(BIN)/glassnet train diabetes

test: $(VENV)/.dev  ## run the tests
	$(BIN)/python -m pytest

# Old versions warn of what they use themselves; the lowest Starlette tests with httpx, the newest with httpx2.
test-lowest:  ## the same with the lowest versions that pyproject.toml allows, under the lowest Python
	@$(MAKE) --no-print-directory VENV=$(LOWEST) $(LOWEST)/bin/python
	$(LOWEST)/bin/python tests/lowest.py > $(LOWEST)/lowest.txt || { rm -r $(LOWEST); exit 1; }
	$(LOWEST)/bin/python -m pip install --quiet --constraint $(LOWEST)/lowest.txt $(EVERYTHING) httpx
	$(LOWEST)/bin/python -m pytest -W ignore::DeprecationWarning

test-newest:  ## the same with the newest versions there are: make test-newest PYTHON=python3.13
	@$(MAKE) --no-print-directory VENV=$(NEWEST) $(NEWEST)/bin/python
	$(NEWEST)/bin/python -m pip install --quiet --upgrade --upgrade-strategy eager $(EVERYTHING)
	$(NEWEST)/bin/python -m pytest

# What the kernels give on Linux is written down, and the same calls are made by the wheel's, at all levels that this
# processor can run.
test-windows: export WINEDEBUG := -all
test-windows: export WINEPREFIX := $(abspath $(WINDOWS))/wine
test-windows: $(VENV)/.wheels  ## test the kernels of the wheel for Windows, by wine: minutes
	@command -v wine > /dev/null || { echo "make test-windows needs wine: apt-get install wine wine64"; exit 1; }
	rm -rf $(WINDOWS)
	WHEEL_FOR=win_amd64 ZIG_GLOBAL_CACHE_DIR=$(abspath $(VENV))/zig $(BIN)/python -m hatchling build -d $(WINDOWS) -t wheel
	$(BIN)/python -m zipfile -e $(WINDOWS)/*.whl $(WINDOWS)
	$(BIN)/python tests/windows/record.py $(WINDOWS)/float32.calls $(WINDOWS)/float64.calls
	$(BIN)/python -m ziglang cc -target x86_64-windows-gnu -O2 tests/windows/replay.c -o $(WINDOWS)/replay.exe
	cd $(WINDOWS)/glassnet/fast/built && levels=$$(wine ../../../replay.exe probe.dll | tr -d '\r') && test -n "$$levels" && \
	  for level in $$levels; do for real in float32 float64; do echo "$$level $$real:"; \
	    wine ../../../replay.exe $$level-$$real.dll ../../../$$real.calls || exit 1; done; done

# The kernels are those of the wheel for ARM. Python and NumPy are ARM's own.
test-arm: $(VENV)/.wheels  ## test the kernels and the gradients on Linux aarch64, by qemu: half an hour; on Debian, as root
	sh tests/arm/prepare.sh $(ARM) $(BIN)/python
	rm -rf $(ARM)/dist
	WHEEL_FOR=manylinux_2_17_aarch64.manylinux2014_aarch64 ZIG_GLOBAL_CACHE_DIR=$(abspath $(VENV))/zig \
	  $(BIN)/python -m hatchling build --directory $(ARM)/dist --target wheel
	$(PIP) --target $(ARM)/site --upgrade --no-deps --platform manylinux2014_aarch64 $(ARM)/dist/*.whl
	GLASSNET_KERNELS=wheel CC=$(abspath $(ARM))/cc XDG_CACHE_HOME=$(abspath $(ARM))/cache \
	  $(ARM)/python -m pytest -p no:cacheprovider tests/test_fast.py tests/test_gradients.py

# PostgreSQL and Java are the system's: apt-get install postgresql default-jre-headless
test-cluster:  ## test on Dask, Ray, Spark and MPI on this machine, and searches in PostgreSQL: minutes
	@$(MAKE) --no-print-directory VENV=$(CLUSTER) $(CLUSTER)/.cluster
	$(CLUSTER)/bin/python -m pytest tests/cluster -rs

check: $(VENV)/.dev  ## lint, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

types: $(VENV)/.types  ## measure how much of the public interface has a declared type: at least 97% must
	$(BIN)/pyright --verifytypes glassnet --ignoreexternal > $(VENV)/types.txt || true  # 1 for anything below 100%
	awk '/completeness score/ { print; enough = $$4 + 0 >= 97 } END { exit !enough }' $(VENV)/types.txt

format: $(VENV)/.dev  ## apply the formatter and the safe fixes
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

results: $(VENV)/.base  ## train the recipes whose results docs/accuracy.md gives, over several seeds
	$(BIN)/python benchmarks/results.py

accuracy: $(VENV)/.base  ## train what docs/accuracy.md reports, as far as runs/accuracy hasn't got it: hours
	$(BIN)/python benchmarks/accuracy.py

tables: $(VENV)/.tables  ## fit the table default and six other libraries' to 23 tables, as far as there are no results: hours
	$(BIN)/python benchmarks/suite.py run --look "$(LOOK)"
	$(BIN)/python benchmarks/suite.py report

bench: $(VENV)/.bench  ## measure the speed beside JAX, PyTorch, scikit-learn and ONNX Runtime: 15 minutes, alone
	$(BIN)/python benchmarks/speed.py

bench-quick: $(VENV)/.bench  ## the same in three minutes, writing nothing
	$(BIN)/python benchmarks/speed.py --quick

fuzz: $(VENV)/.dev  ## feed every loader 10,000 files that are wrong: minutes
	$(BIN)/python benchmarks/fuzz.py

parity: $(VENV)/.parity  ## ten training steps beside PyTorch, tensor by tensor
	$(BIN)/python benchmarks/parity.py

onnx: $(VENV)/.dev  ## 500 random networks, exported to ONNX Runtime, beside predict
	$(BIN)/python benchmarks/onnx_equality.py

# The libraries that the sanitizers need come first, and memory is the system's, which they watch.
sanitize: $(VENV)/.dev  ## the kernels' tests and 3,000 mutated models under AddressSanitizer and UBSan: ten minutes
	CC="gcc -fsanitize=address,undefined -fno-sanitize-recover=all -g" PYTHONMALLOC=malloc \
	  ASAN_OPTIONS=detect_leaks=0 LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libstdc++.so)" \
	  sh -ec '$(BIN)/python -m pytest tests/test_fast.py -k "not compil"; $(BIN)/python -W error tests/mutated_files.py 3000'

kills: $(VENV)/.dev  ## kill every command at every operation on a file, and type it again: minutes; Linux
	$(BIN)/python tests/kill_everywhere.py

# zig's cache lies in the environment. Hatchling gives every file of a wheel the time of SOURCE_DATE_EPOCH, or a fixed one.
wheels: $(VENV)/.wheels  ## build the sdist, the wheel without kernels and six with them, into dist/: five minutes
	$(BIN)/python -m hatchling build --directory dist
	for platform in $$($(BIN)/python -c "import hatch_build; print(*hatch_build.PLATFORMS)"); do \
	  WHEEL_FOR=$$platform ZIG_GLOBAL_CACHE_DIR=$(abspath $(VENV))/zig \
	    $(BIN)/python -m hatchling build --directory dist --target wheel || exit 1; done

wasm: $(VENV)/.wheels  ## compile the kernels of the playground's page to src/glassnet/explore/kernels.wasm
	ZIG_GLOBAL_CACHE_DIR=$(abspath $(VENV))/zig $(BIN)/python -m glassnet.explore.engine

notebook: $(VENV)/.notebook  ## open the notebooks
	$(BIN)/jupyter lab notebooks

notebooks: $(VENV)/.dev  ## write notebooks/*.ipynb anew from their text form, executed
	$(BIN)/python notebooks/build.py

docs: $(VENV)/.docs  ## build the documentation, running its pages: open docs/_build/html/index.html
	$(BIN)/sphinx-build -b html --fresh-env --fail-on-warning --keep-going --quiet docs docs/_build/html

docs-links: $(VENV)/.docs  ## look up every external link of the documentation; needs the network
	$(BIN)/sphinx-build -b linkcheck -D nb_execution_mode=off --keep-going --quiet docs docs/_build/links

clean:  ## remove the environments, the caches and the built documentation
	rm -rf $(VENV) $(CLUSTER) $(LOWEST) $(NEWEST) $(WINDOWS) .mypy_cache .pytest_cache .ruff_cache .hypothesis docs/_build docs/notebooks

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("glassnet needs Python 3.11 or newer, this is " + sys.version.split()[0] \
	  + ": run make PYTHON=/path/to/a/newer/python") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade "pip>=25.1"  # the first that reads [dependency-groups]

$(VENV)/.base: pyproject.toml | $(BIN)/python
	$(PIP) --editable ".[all]"
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	$(PIP) --group dev
	@touch $@

$(VENV)/.cluster: $(VENV)/.base
	$(PIP) --group cluster
	@touch $@

$(VENV)/.bench: $(VENV)/.base
	$(PIP) --group bench
	@touch $@

$(VENV)/.tables: $(VENV)/.base
	$(PIP) --group tables
	@touch $@

$(VENV)/.notebook: $(VENV)/.base
	$(PIP) --editable ".[notebook]"
	@touch $@

$(VENV)/.docs: $(VENV)/.base
	$(PIP) --group docs
	@touch $@

$(VENV)/.types: $(VENV)/.base
	$(PIP) --group types
	@touch $@

$(VENV)/.wheels: $(VENV)/.base
	$(PIP) --group wheels
	@touch $@

$(VENV)/.parity: $(VENV)/.base
	$(PIP) "torch==2.13.0"
	@touch $@
