# Every verb needs Python 3.11 or newer and pip, nothing else.
#   make run ARGS="--port 7861"      flags of app.py
#   make run TORCH_INDEX=https://download.pytorch.org/whl/cpu      the small CPU build of torch (Linux without a GPU)
PYTHON ?= python3
TORCH_INDEX ?=
ARGS ?=
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
OFFLINE := HF_HUB_OFFLINE=1 HF_HUB_DISABLE_TELEMETRY=1 GRADIO_ANALYTICS_ENABLED=False

.PHONY: run test faults lint format bench train eval clean
.DELETE_ON_ERROR:

run: .venv/.core
	@$(BIN)/python app.py $(ARGS)

test: .venv/.test
	$(OFFLINE) $(BIN)/python -m pytest $(ARGS)

faults: .venv/.test
	$(OFFLINE) $(BIN)/python -m tests.faults $(ARGS)

lint: .venv/.test .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/.test
	$(OFFLINE) $(BIN)/python -m tests.bench $(ARGS)

train: .venv/.train
	$(BIN)/python -m pipelines.training $(ARGS)

eval: .venv/.train
	$(OFFLINE) $(BIN)/python -m pipelines.training.evaluation.evaluate $(ARGS)

# Installing is done once: the stamps are older than pyproject.toml only when it changed.
.venv/.core: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing Triptych into .venv (once; a few minutes)"
	@$(PIP) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) "$$(sed -n 's/.*"\(torch~=[^"]*\)".*/\1/p' pyproject.toml)"
	@$(PIP) --editable .
	@touch $@

.venv/.test .venv/.dev .venv/.train: .venv/.%: .venv/.core
	@$(PIP) --editable ".[$*]"
	@touch $@

clean:
	rm -rf .venv .bench .pytest_cache .ruff_cache .mypy_cache .hypothesis *.egg-info
