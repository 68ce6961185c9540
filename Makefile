# Two commands matter: `make demo` tells the whole story, `make test` proves the code.
# Everything installs into .venv from the hash-locked requirements, once.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DIR ?= build/demo
WORKERS ?= 2
LOCKED := requirements/dev.txt requirements/uv.txt requirements/build.txt
ACTIONLINT := actionlint is not installed: go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
export OMP_NUM_THREADS ?= 1
export UV_LINK_MODE ?= copy
# Some machines forbid bytecode: there every process would compile every library again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-all lint lint-actions format lock clean bench-% python-%

help:  ## show these targets
	@grep -hE '^[a-z%-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(READY)  ## the four loops on the flights of 2013, from nothing (DIR=build/demo)
	@$(BIN)/ml-gitops demo $(DIR)

test: $(READY)  ## unit, contract and end-to-end tests (under 5 minutes on 2 cores)
	$(BIN)/pytest -m "not slow" -n $(WORKERS)

test-all: $(READY)  ## the slow tests too
	$(BIN)/pytest -n $(WORKERS)

python-%: $(READY)  ## the unit tests on another Python (python-3.14), which uv finds or fetches
	@$(BIN)/uv venv --quiet --clear --python $* build/$@
	@$(BIN)/uv pip sync --quiet --python build/$@ --require-hashes $(LOCKED)
	@$(BIN)/uv pip install --quiet --python build/$@ --no-deps --no-build-isolation --editable .
	build/$@/bin/pytest tests/unit -n $(WORKERS)

lint: $(READY)  ## ruff and mypy, both strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

lint-actions: $(READY)  ## GitHub's schemas, zizmor and actionlint, on workflows and actions
	@test -x build/tools/lint/bin/zizmor || $(BIN)/uv venv --quiet --clear build/tools/lint
	@$(BIN)/uv pip sync --quiet --python build/tools/lint --require-hashes requirements/lint.txt
	@rm -rf build/tools/callers && mkdir -p build/tools/callers/.github/workflows
	@for file in actions/callers/*.yml; do \
	  sed "s|OWNER|acme|; s|@COMMIT|@$$(printf '1%.0s' {1..40}) # v0.1.0|" "$$file" \
	    > "build/tools/callers/.github/workflows/$${file##*/}"; done
	build/tools/lint/bin/zizmor --quiet --offline --persona auditor --strict-collection --collect=all \
	  .github actions build/tools/callers
	build/tools/lint/bin/check-jsonschema --builtin-schema vendor.github-workflows \
	  .github/workflows/*.yml build/tools/callers/.github/workflows/*.yml
	build/tools/lint/bin/check-jsonschema --builtin-schema vendor.github-actions actions/*/action.yml
	@if command -v actionlint >/dev/null; then set -x; \
	  actionlint -shellcheck= -pyflakes= -ignore 'specifying action "\$$/' \
	    .github/workflows/*.yml build/tools/callers/.github/workflows/*.yml; \
	elif [[ $${CI:-} == true ]]; then echo "$(ACTIONLINT)" >&2; exit 2; \
	else echo "$(ACTIONLINT)"; fi

format: $(READY)  ## rewrite the code in the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench-%: $(READY)  ## print figures beside their limits (bench-loops, bench-forge, bench-onnx)
	$(BIN)/python -m benchmarks.$*

lock: $(READY)  ## resolve requirements/*.txt again from pyproject.toml
	requirements/lock $(BIN)/uv

clean:  ## remove everything that was built or installed
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Asked for pip, because a make that was interrupted leaves a Python without it.
$(READY): pyproject.toml $(LOCKED)
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) || { \
	  rm -rf $(VENV); \
	  echo "python3 cannot make a virtual environment; on Debian: apt-get install python3-venv" >&2; \
	  exit 2; }
	@echo "Installing into $(VENV), once"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes $(LOCKED)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@
