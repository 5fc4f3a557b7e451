# Everything starts from these targets. They need only Python 3.11 or newer (and git, make).
ifeq ($(OS),Windows_NT)
PY ?= python
VENV := .venv/Scripts/python.exe
else
PY ?= python3
VENV := .venv/bin/python
endif

.PHONY: run test env window-env lint types imports tests coverage kill-test simulate soak bench evaluate train screenshots lock migration clean

run: window-env            ## the desktop app on the practice Page (without a display: the same, printed)
	$(VENV) -m ui.start practice

test: env lint types imports tests   ## everything from environment to green

env:
	$(PY) tools/environment.py

window-env:
	$(PY) tools/environment.py --window

lint: env
	$(VENV) -m ruff check .
	$(VENV) -m ruff format --check .

types: env
	$(VENV) -m mypy

imports: env
	$(VENV) -c "import sys; from importlinter.cli import lint_imports_command; sys.argv[0] = 'lint-imports'; lint_imports_command()"

tests: env
	$(VENV) -m pytest -q -m "not slow"

coverage: env              ## the same tests with their coverage
	$(VENV) -m pytest -q -m "not slow" --cov --cov-report=term

kill-test: env             ## kill -9 at random instants, at least 200 times, and at every named step
	$(VENV) -m pytest -q -m slow tests/queue tests/journeys tests/contacts -k kill

simulate: env              ## many seeds of the deterministic simulation
	$(VENV) -m pytest -q -m slow tests/queue -k "simulation or crash"

soak: env                  ## 100,000 messages at full pace beside an open window; about seven minutes
	$(VENV) -m pytest -q -s -m slow tests/ui/test_soak.py

bench: env                 ## a million people, beside DuckDB, polars and plain loops; takes a while
	$(VENV) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.lock
	$(VENV) -m benchmarks.contacts_million
	QT_QPA_PLATFORM=offscreen $(VENV) -m benchmarks.window_scroll
	$(VENV) -m benchmarks.policy_million
	$(VENV) -m benchmarks.webhooks_inbox 20000
	$(VENV) -m benchmarks.webhooks_inbox 20000 postgres
	$(VENV) -m benchmarks.webhooks_receiver 10000 1 32
	$(VENV) -m benchmarks.queue_sending 9000 300
	$(VENV) -m benchmarks.queue_sending 600 40
	$(VENV) -m benchmarks.queue_receipts 6000
	$(VENV) -m benchmarks.queue_launch 1000000
	$(VENV) -m benchmarks.queue_recovery 200000 5
	$(VENV) -m benchmarks.queue_side_by_side 3000 1200

evaluate: env              ## promotional findings measured on the labelled set
	$(VENV) -m benchmarks.evaluate_promotional

train: env                 ## learn the weights of the wording anew from the building part of that set; about ten minutes
	$(VENV) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.lock
	$(VENV) -m tools.train_wording

screenshots: env           ## every page, light and dark, 1280×800 and 1920×1080
	$(VENV) -m ui.screenshots screenshots

migration: env             ## WHAT="what changes": a migration from the tables' difference
	$(VENV) -m broadcaster.store.migrations.new "$(WHAT)"

lock:                      ## refresh both lock files (needs uv)
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-header --no-annotate -o requirements.lock
	uv pip compile pyproject.toml --extra dev --extra bench --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-header --no-annotate -o requirements-bench.lock
