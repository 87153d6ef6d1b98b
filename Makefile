# SPDX-License-Identifier: Apache-2.0
# Two commands do all set-up: `make run` and `make test`. Both need only Python >= 3.11 with venv, make and git.
PYTHON ?= python3
BIN := .venv/bin
# Without --no-compile pip compiles all of pycrate, half a minute for modules of which a few are ever imported. Python
# keeps the bytecode of those that are.
PIP := -m pip install --quiet --disable-pip-version-check --no-compile
# Nothing is installed but wheels whose hash is in a lock.
LOCKED := $(PIP) --only-binary :all: --require-hashes
# An environment may forbid bytecode files: then each program that is started would compile everything again.
export PYTHONDONTWRITEBYTECODE :=
# Tests of one file share their servers. The files go in the order of tests/conftest.py: long ones first, units fill
# the gaps.
PARALLEL := -n auto --dist loadfile --no-loadscope-reorder
TOOLS := .venv-tools/bin
COUNT = cat $(1) | grep '==' | grep -vc win32

.PHONY: help run test check bench performance lint pages man troubleshooting docs site screenshots venv fuzz chaos lock sbom audit image release clean
.DEFAULT_GOAL := help

help: ## what there is to make
	@sed -n 's/^\([a-z][a-z-]*\):.*## /make \1	/p' Makefile | expand -t 16

run: .venv/.run ## the daemon with simulated neighbours, on 127.0.0.1 (PORTS=free: on free ports; ARGS="--database FILE")
	@$(BIN)/submgr run --standalone $(if $(filter free,$(PORTS)),--free-ports) $(ARGS)

test: venv ## all tests
	$(BIN)/python -m pytest $(PARALLEL)

check: venv lint ## lint, and the tests with coverage
	$(BIN)/python -m pytest $(PARALLEL) --cov --cov-report=term:skip-covered

bench: .venv/.run ## everything worth knowing of the speed in five minutes; all rows in build/bench.json
	@$(BIN)/python -m tools.bench

performance: .venv/.run ## the figures, tables and plots of docs/performance.md, in ten quiet minutes (PARTS="…": some only)
	@$(BIN)/python -m tools.performance measure $(PARTS)
	@$(BIN)/python -m tools.performance write

lint: venv ## ruff, mypy (strict), the import contracts
	$(BIN)/ruff check submgr mec tests tools
	$(BIN)/ruff format --check submgr mec tests tools
	$(BIN)/mypy
	$(BIN)/lint-imports setup.cfg

pages: venv ## the pages of docs/ that are made from the source
	$(BIN)/python -m tools.procedures_page
	$(BIN)/python -m tools.configuration_page
	$(BIN)/python -m tools.licences
	$(BIN)/python -m tools.xapps_page

man: venv ## a man page of each command, in build/man
	$(BIN)/python -m tools.man_pages build/man

troubleshooting: venv ## provokes nine failures and writes docs/troubleshooting.md (needs redis-server, chromium)
	$(BIN)/python -m tools.troubleshooting

docs: pages site ## the pages that are made from the source, and the site

site: .venv-docs/.installed ## the site of docs/ in build/site
	@NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --quiet
	@echo "build/site/index.html"

venv: .venv/.installed ## .venv with what tests need, too

# What a run needs. `make test` and its like add the rest.
.venv/.run: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 ..." >&2; exit 1; }
	@echo "[1/3] making .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv
	@echo "[2/3] installing $$($(call COUNT,requirements.txt)) packages into .venv"
	@$(BIN)/python $(LOCKED) -r requirements.txt
	@echo "[3/3] installing submgr and mec into .venv, from this directory"
	@$(BIN)/python $(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

# The programs that tests start import the modules of pycrate: they are compiled once, before.
.venv/.installed: .venv/.run requirements-test.txt requirements-nodeps.txt
	@echo "[1/2] installing $$($(call COUNT,requirements-test.txt requirements-nodeps.txt)) packages for tests into .venv"
	@$(BIN)/python $(LOCKED) -r requirements-test.txt
	@$(BIN)/python $(LOCKED) --no-deps -r requirements-nodeps.txt
	@echo "[2/2] compiling what programs import"
	@$(BIN)/python -c 'import pycrate_asn1dir.E2AP, mec.controller.protocol.s1ap_ies, mec.controller.recordings.nas_messages'
	@touch $@

.venv-tools/.installed: requirements-tools.txt
	$(PYTHON) -m venv .venv-tools
	$(TOOLS)/python $(LOCKED) -r requirements-tools.txt
	@touch $@

.venv-docs/.installed: requirements-docs.txt
	$(PYTHON) -m venv .venv-docs
	.venv-docs/bin/python $(LOCKED) -r requirements-docs.txt
	@touch $@

screenshots: venv ## the pictures of docs/console.md; needs chromium and chromedriver
	$(BIN)/python -m tools.screenshots

# The locks, from the names in pyproject.toml. Versions stay; UPGRADE=--upgrade takes the newest, and
# UPGRADE="--upgrade-package NAME" those of one package. Hashes are of all files of a version: every platform and Python.
COMPILE := UV_CUSTOM_COMPILE_COMMAND="make lock" $(TOOLS)/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-annotate --no-strip-extras --only-binary :all: $(UPGRADE)

lock: .venv-tools/.installed ## the locks, from the names in pyproject.toml
	$(COMPILE) pyproject.toml --group build -o requirements.txt
	$(COMPILE) pyproject.toml --extra otel -c requirements.txt -o requirements-otel.txt
	$(COMPILE) --group nodeps --no-deps -o requirements-nodeps.txt
	$(COMPILE) --group test -c requirements.txt -c requirements-otel.txt -o requirements-test.txt
	$(COMPILE) --group docs -o requirements-docs.txt
	$(COMPILE) --group tools -o requirements-tools.txt

# What the daemon is made of, as the image has it: build/sbom.cdx.json (CycloneDX).
sbom: .venv-tools/.installed ## a bill of materials of the daemon (CycloneDX)
	$(TOOLS)/python -m tools.sbom build/sbom.cdx.json

release: venv .venv-tools/.installed ## dist/: wheel, sdist, the client's wheel, bill of materials, checksums
	@$(BIN)/python -m tools.release dist
	@$(TOOLS)/python -m tools.sbom dist/ric-submgr-$(VERSION).cdx.json
	@cd dist && sha256sum * > SHA256SUMS && cat SHA256SUMS

# PLATFORMS: for other machines than this one. An image of several platforms is a file in build/, or is pushed (PUSH=1)
# to where IMAGE says.
IMAGE ?= ric-submgr
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
comma := ,
IMAGE_GOES_TO = $(if $(PUSH),--push,$(if $(findstring $(comma),$(PLATFORMS)),--output type=oci$(comma)dest=build/ric-submgr.oci.tar,--load))

image: ## the container image (PLATFORMS=linux/amd64,linux/arm64, IMAGE=registry/name, PUSH=1)
	@mkdir -p build
	docker buildx build $(if $(PLATFORMS),--platform $(PLATFORMS)) $(IMAGE_GOES_TO) --build-arg VERSION=$(VERSION) \
		--build-arg REVISION=$$(git rev-parse HEAD) -t $(IMAGE):$(VERSION) .

# Known vulnerabilities of what is locked. Without a way to where they are listed it says so, and fails nothing.
audit: .venv-tools/.installed ## known vulnerabilities of what is locked
	$(TOOLS)/python -m tools.audit requirements.txt requirements-otel.txt requirements-nodeps.txt requirements-test.txt requirements-docs.txt requirements-tools.txt

fuzz: venv ## the long runs of the fuzzers
	$(BIN)/python -m pytest tests/fuzz tests/unit/core/test_model_based.py tests/integration/test_openapi.py \
		tests/integration/test_meo_openapi.py \
		--hypothesis-profile=fuzz --timeout=3600
	CONFORMANCE_TIMES=50 $(BIN)/python -m pytest tests/integration/test_conformance_load.py --timeout=3600

# CHAOS_SECONDS at each of four kinds of place; a failure prints how to have it again.
chaos: venv ## faults drawn at random (CHAOS_SECONDS, CHAOS_KILLS, CHAOS_SEED)
	CHAOS_KILLS=$${CHAOS_KILLS:-100} CHAOS_SECONDS=$${CHAOS_SECONDS:-1800} CHAOS_SEED=$${CHAOS_SEED:-$$(date +%s)} \
		$(BIN)/python -m pytest -s tests/chaos --timeout=0

clean: ## everything that git ignores, a database in data/ among it
	rm -rf .venv .venv-docs .venv-tools build dist data *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage .coverage.*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
