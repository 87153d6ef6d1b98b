# SPDX-License-Identifier: Apache-2.0
# Two commands do all set-up: `make run` and `make test`. Both need only Python >= 3.11 with venv, make and git.
PYTHON ?= python3
BIN := .venv/bin
PIP := -m pip install --quiet --disable-pip-version-check
# Nothing is installed but wheels whose hash is in a lock.
LOCKED := $(PIP) --only-binary :all: --require-hashes
# Tests of one file share their servers. The files go in the order of the tree: long ones first, units fill the gaps.
# They start a hundred programs: without bytecode files each of these would compile everything again.
export PYTHONDONTWRITEBYTECODE :=
PARALLEL := -n auto --dist loadfile --no-loadscope-reorder
LOCKS := requirements.txt requirements-nodeps.txt requirements-test.txt
TOOLS := .venv-tools/bin

.PHONY: run test check lint docs venv fuzz chaos lock sbom audit clean

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
	$(BIN)/python -m tools.licences

venv: .venv/.installed

.venv/.installed: $(LOCKS) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 ..." >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python $(LOCKED) -r requirements.txt -r requirements-test.txt
	$(BIN)/python $(LOCKED) --no-deps -r requirements-nodeps.txt
	$(BIN)/python $(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv-tools/.installed: requirements-tools.txt
	$(PYTHON) -m venv .venv-tools
	$(TOOLS)/python $(LOCKED) -r requirements-tools.txt
	@touch $@

# The locks, from the names in pyproject.toml. Versions stay; UPGRADE=--upgrade takes the newest, and
# UPGRADE="--upgrade-package NAME" those of one package. Hashes are of all files of a version: every platform and Python.
COMPILE := UV_CUSTOM_COMPILE_COMMAND="make lock" $(TOOLS)/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-annotate --no-strip-extras --only-binary :all: $(UPGRADE)

lock: .venv-tools/.installed
	$(COMPILE) pyproject.toml --group build -o requirements.txt
	$(COMPILE) --group nodeps --no-deps -o requirements-nodeps.txt
	$(COMPILE) --group test -c requirements.txt -o requirements-test.txt
	$(COMPILE) --group tools -o requirements-tools.txt

# What the daemon is made of, as the image has it: build/sbom.cdx.json (CycloneDX).
sbom: .venv-tools/.installed
	$(TOOLS)/python -m tools.sbom build/sbom.cdx.json

# Known vulnerabilities of what is locked. Without a way to where they are listed it says so, and fails nothing.
audit: .venv-tools/.installed
	$(TOOLS)/python -m tools.audit requirements.txt requirements-nodeps.txt requirements-test.txt requirements-tools.txt

fuzz: venv
	$(BIN)/python -m pytest tests/fuzz tests/unit/core/test_model_based.py tests/integration/test_openapi.py \
		tests/integration/test_meo_openapi.py \
		--hypothesis-profile=fuzz --timeout=3600
	CONFORMANCE_TIMES=50 $(BIN)/python -m pytest tests/integration/test_conformance_load.py --timeout=3600

# CHAOS_SECONDS at each of four kinds of place; a failure prints how to have it again.
chaos: venv
	CHAOS_KILLS=$${CHAOS_KILLS:-100} CHAOS_SECONDS=$${CHAOS_SECONDS:-1800} CHAOS_SEED=$${CHAOS_SEED:-$$(date +%s)} \
		$(BIN)/python -m pytest -s tests/chaos --timeout=0

clean:
	rm -rf .venv .venv-tools build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage
