# Two commands do everything on a fresh machine with Python 3.11 or newer: `make run` and `make test`.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: run test check bench soak format lock clean

run: $(STAMP)  ## the main job: every study's quick preset, the ledger, the report
	$(BIN)/workings check --run --preset quick
	@echo "The report: $$($(BIN)/workings report --output report)"

test: $(STAMP)  ## the test suite
	$(BIN)/pytest -m "not soak"

check: $(STAMP)  ## format, lint, types, architecture
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(STAMP)  ## side-by-side ratios against what a user would run instead
	$(BIN)/python benchmarks/bench.py

soak: $(STAMP)  ## the long fault tests
	$(BIN)/pytest -m soak

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(STAMP)  ## resolve the dependencies anew, for every platform, with hashes
	$(BIN)/uv pip compile --universal --generate-hashes --python-version 3.11 --all-extras --no-annotate --no-emit-index-url \
		--custom-compile-command "make lock" --upgrade pyproject.toml -o requirements.lock

# uv is taken from where pip takes packages; it installs torch and the rest in a minute, from the hashes in the lock.
$(STAMP): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null  # an environment made without pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	touch $(STAMP)

clean:
	rm -rf .venv report
