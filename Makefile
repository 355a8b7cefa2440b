PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install -q -c constraints.txt
export HF_HUB_OFFLINE := 1
PHOTOS ?= ../shared/real/catsdogs

.DEFAULT_GOAL := help
.PHONY: help demo test quick lint docs bench notebook clean

help:  ## print this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: .venv/demo  ## a real photograph explained by a real network, offline, in about a minute
	$(BIN)/seewhy demo --out demo-out

test: .venv/dev  ## all tests
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder --durations=8

quick: .venv/dev  ## the tests that take under a minute
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not slow"

lint: .venv/dev  ## format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

docs: .venv/dev  ## write the generated pages of the reference
	$(BIN)/python docs/generate.py

bench: .venv/bench  ## where maps point, whether to trust them, and what they cost beside the peers
	$(BIN)/python benchmarks/localisation.py
	$(BIN)/python benchmarks/faithfulness.py
	$(BIN)/python benchmarks/sanity.py
	$(BIN)/python benchmarks/discrimination.py --count 10
	$(BIN)/python benchmarks/cost.py

notebook: .venv/dev  ## execute examples/debugging_a_classifier.ipynb anew, on cats and dogs in PHOTOS=folder
	$(BIN)/python examples/execute_notebook.py examples/debugging_a_classifier.ipynb $(PHOTOS)

clean:  ## remove the environment and what was made
	rm -rf .venv demo-out dist

.venv/made:
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q -U pip
	@touch $@

.venv/demo: .venv/made pyproject.toml constraints.txt
	$(INSTALL) -e '.[demo]'
	@touch $@

# torchvision's wheels want CUDA; the mend lets them import beside the CPU build, in this environment only.
.venv/dev: .venv/demo tests/support/torchvision_mend.py
	$(INSTALL) --group dev
	cp tests/support/torchvision_mend.py $$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/
	echo 'import torchvision_mend' > $$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/torchvision_mend.pth
	@touch $@

.venv/bench: .venv/dev
	$(INSTALL) --group bench
	@touch $@
