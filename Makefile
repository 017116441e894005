# Everything runs in .venv, which the first target makes. Without make: the commands are in README.md.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: install dev demo test check lint types imports migrations messages templates pictures chaos bench-packages bench-import bench-allocation bench-up bench-web bench-clock clean

install: $(VENV)/installed
dev: $(VENV)/installed-dev

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml requirements.lock | $(VENV)/bin/python
	$(PIP) -r requirements.lock
	$(PIP) --no-deps -e .
	touch $@

$(VENV)/installed-dev: pyproject.toml requirements-dev.lock | $(VENV)/bin/python
	$(PIP) -r requirements-dev.lock
	$(PIP) --no-deps -e .
	touch $@ $(VENV)/installed

demo: install
	GUANJIA_HOME=$${GUANJIA_HOME:-$(CURDIR)/.guanjia} $(BIN)/guanjia demo

test: dev
	$(BIN)/python -m pytest -n 2

check: dev lint types imports migrations messages templates
	$(BIN)/python -m pytest -n 2

lint: dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/python tests/sizes.py
	$(BIN)/deptry src

types: dev
	$(BIN)/mypy

imports: dev
	$(BIN)/lint-imports

migrations: dev
	$(BIN)/python -m pytest -q tests/test_migrations.py

messages: dev
	$(BIN)/python -m pytest -q src/guanjia/base/tests/test_messages.py

templates: dev
	$(BIN)/djlint --lint --quiet src/guanjia

pictures: dev
	$(BIN)/python -m pytest -q tests/browser/test_guide.py
	for one in artefacts/screens/guide-*.png; do cp $$one docs/images/guide/$${one##*/guide-}; done

chaos: dev
	$(BIN)/python -m guanjia.demo.chaos --packages 500

bench-packages: dev
	$(BIN)/python bench/bench_packages.py

bench-allocation: dev
	$(BIN)/python bench/bench_allocation.py

bench-import: dev
	$(BIN)/python bench/bench_import.py

bench-web: dev
	$(BIN)/python bench/bench_web.py --big --json artefacts/bench-web.json

bench-clock: dev
	$(BIN)/python -m bench.bench_clock

bench-up: dev
	$(BIN)/python bench/bench_up.py

clean:
	rm -rf $(VENV) .guanjia artefacts
