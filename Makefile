# Two commands need nothing but Python 3.11 or newer, make and a package index: `make demo` and `make test`. So does
# `make run`, with which you set up a studio of your own in a browser, and live in it.

PYTHON ?= python3
BIN := .venv/bin

# Programs that are started again and again, as the tests do, are compiled but once.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo run test guards check bench pictures words lock
.DEFAULT_GOAL := demo

.venv/.installed: requirements-dev.txt
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "Boxroom needs Python 3.11 or newer"'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	touch $@

demo: .venv/.installed ## several studios on this machine, federating; Ctrl-C ends them
	$(BIN)/python -m boxroom demo

run: .venv/.installed ## a studio of your own, in the folder data; the first time it prints a link to set it up
	$(BIN)/python -m boxroom serve

test: .venv/.installed ## everything that runs here; PostgreSQL and Chromium too, where they are found
	$(BIN)/python -m pytest -n 2 --dist loadgroup

guards: .venv/.installed ## whether a test notices when one of the guards against others is gone
	$(BIN)/python -m tests.guards

check: .venv/.installed ## format, lint, types, import rules, sizes, requirements without a test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy activitypub federation coop web boxroom tests benchmarks
	$(BIN)/lint-imports
	$(BIN)/python -m tests.budget
	$(BIN)/python -m tests.conformance

bench: .venv/.installed ## speed and memory, as ratios in one run
	$(BIN)/python -m benchmarks

pictures: .venv/.installed ## those of the README, made anew from the demo in Chromium
	$(BIN)/python -m tests.pictures

words: .venv/.installed ## the catalogues of all languages, with what pages say now: what is new waits there for translation
	$(BIN)/python -m tests.words

lock: ## the exact versions and hashes of everything we depend on
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		pyproject.toml --output-file requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		pyproject.toml --group dev --constraint requirements.txt --output-file requirements-dev.txt
