# make demo   three arms x four virtual patients, and a report
# make test   lint, types, import rules and tests
# make verify slow statistical verification
# make bench  speeds as ratios

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: demo test verify bench clean
.DELETE_ON_ERROR:

$(STAMP): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "setuptools>=77"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	touch $@

demo: $(STAMP)
	$(BIN)/oncolattice batch demo --out demo
	$(BIN)/oncolattice report demo --ode-only 100

test: $(STAMP)
	mkdir -p .typecheck && ln -sfn .. .typecheck/oncolattice
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy -p oncolattice.abm -p oncolattice.ode_coupling -p oncolattice.analysis -p oncolattice.scenarios
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -m "not slow" -n 2

verify: $(STAMP)
	$(BIN)/python -m pytest -m slow -n 2

bench: $(STAMP)
	$(BIN)/python benchmarks/run_all.py

clean:
	rm -rf .venv .typecheck build *.egg-info
