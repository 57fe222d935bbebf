# make demo       the main job: a solver with and without the surrogate in its loop, timed and scored
# make test       unit, contract and integration tests (<= 15 min);  make test-full adds the long ones (<= 80 min)
# make build      everything the two need;  make lint  ruff, mypy, import-linter;  make clean  remove what was built
#
# TORCH_INDEX_URL=...  takes torch from another package index (for instance PyTorch's CPU or CUDA wheels)
# TORCH=torch==2.11.0  takes another version
PYTHON ?= python3
TORCH ?= torch==2.13.0
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check

# Open MPI as root and on fewer cores than ranks; harmless elsewhere.
export OMPI_ALLOW_RUN_AS_ROOT := 1
export OMPI_ALLOW_RUN_AS_ROOT_CONFIRM := 1
export OMPI_MCA_rmaps_base_oversubscribe := 1
export PATH := $(CURDIR)/$(BIN):$(PATH)

PACKAGE_SOURCES := pyproject.toml CMakeLists.txt README.md \
  $(shell find surrogate training/surrogate_training bindings/cmake bindings/core bindings/engines bindings/fortran \
    bindings/include bindings/mpi bindings/python bindings/recorder benchmarks/solvers -type f ! -name '*.pyc' 2>/dev/null)
ENGINE_SOURCES := $(shell find bindings/engines/torch bindings/engines/engine.h -type f 2>/dev/null)

.PHONY: build demo test test-full native lint clean FORCE

build: $(STAMPS)/engine

demo: build
	$(BIN)/surrogate demo --out demo

# What runs in one process each goes two at a time; what starts ranks of MPI, compilers or solvers has the machine to itself.
SINGLE := tests/python tests/training

test: build native
	$(BIN)/pytest -q -m "not full" -n 2 --dist loadfile $(SINGLE)
	$(BIN)/pytest -q -m "not full" tests $(SINGLE:%=--ignore=%)

test-full: build native
	$(BIN)/pytest -q tests

native: $(STAMPS)/package
	@test -f build/build.ninja || $(BIN)/cmake --preset default >build/configure.log || { cat build/configure.log; exit 1; }
	@$(BIN)/cmake --build build

lint: $(STAMPS)/package
	$(PIP) mypy ruff
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

clean:
	rm -rf build demo $(VENV)

# Holds the torch that was asked for: asking for another one installs it.
$(STAMPS)/torch: FORCE
	@mkdir -p $(STAMPS)
	@echo "$(TORCH) $(TORCH_INDEX_URL)" | cmp -s - $@ || echo "$(TORCH) $(TORCH_INDEX_URL)" > $@

$(STAMPS)/venv: pyproject.toml .ci/system-packages $(STAMPS)/torch
	@PYTHON=$(PYTHON) .ci/system-packages
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) $(if $(TORCH_INDEX_URL),--force-reinstall --index-url $(TORCH_INDEX_URL)) "$(TORCH)"
	$(PIP) cmake ninja $$($(BIN)/python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['build-system']['requires'])")
	@touch $@

$(STAMPS)/package: $(STAMPS)/venv $(PACKAGE_SOURCES)
	$(PIP) --no-build-isolation ".[training,mpi,test]"
	@touch $@

$(STAMPS)/engine: $(STAMPS)/package $(ENGINE_SOURCES)
	$(BIN)/surrogate engine build torch
	@touch $@
