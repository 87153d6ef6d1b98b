# SPDX-License-Identifier: Apache-2.0
# Two commands do all set-up: `make run` and `make test`. Both need only Python >= 3.11 with venv, make and git.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all:
# Tests of one file share their servers. The files go in the order of the tree: long ones first, units fill the gaps.
# They start a hundred programs: without bytecode files each of these would compile everything again.
export PYTHONDONTWRITEBYTECODE :=
PARALLEL := -n auto --dist loadfile --no-loadscope-reorder
LOCKS := requirements.txt requirements-nodeps.txt requirements-test.txt setup.cfg

.PHONY: run test check lint docs venv fuzz chaos clean

run: venv
	$(BIN)/submgr run --standalone

test: venv
	$(BIN)/python -m pytest $(PARALLEL)

check: venv lint
	$(BIN)/python -m pytest $(PARALLEL) --cov --cov-report=term:skip-covered

lint: venv
	$(BIN)/ruff check submgr mec tests tools
	$(BIN)/ruff format --check submgr mec tests tools
	$(BIN)/mypy
	$(BIN)/lint-imports setup.cfg

docs: venv
	$(BIN)/python -m tools.procedures_page

venv: .venv/.installed

.venv/.installed: $(LOCKS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 ..." >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(PIP) -r requirements.txt
	$(PIP) -r requirements-test.txt
	$(PIP) --no-deps -r requirements-nodeps.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

fuzz: venv
	$(BIN)/python -m pytest tests/fuzz tests/unit/core/test_model_based.py tests/integration/test_meo_openapi.py \
		--hypothesis-profile=fuzz --timeout=3600
	CONFORMANCE_TIMES=50 $(BIN)/python -m pytest tests/integration/test_conformance_load.py --timeout=3600

chaos: venv
	CHAOS_KILLS=$${CHAOS_KILLS:-100} $(BIN)/python -m pytest tests/chaos --timeout=1800

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage
