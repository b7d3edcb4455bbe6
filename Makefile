# TinyLTC. `make demo` and `make test` do all the set-up they need; `make help` lists the rest.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
RUN    ?= demo
BOARD  ?= nrf52840
ENGINE ?= compiled
STUDY  ?= --folds 1

export TF_CPP_MIN_LOG_LEVEL ?= 2
export PLATFORMIO_SETTING_ENABLE_TELEMETRY := No
export PLATFORMIO_DISABLE_UPGRADE_CHECK := true

.NOTPARALLEL:
.PHONY: help demo test proof cbmc evaluate bench-train ablation contest lint types firmware setup system clean

help:
	@echo "make demo                  train, convert, build, run on the virtual board, report (runs/demo/report.html)"
	@echo "make test                  ruff, mypy, every test"
	@echo "make proof                 the long proofs and soaks (docs/proofs.md)"
	@echo "make evaluate              every accuracy figure, into runs/evaluate/figures.json (hours; can be stopped)"
	@echo "make bench-train           time of a training step beside ncps (runs/bench/train.json)"
	@echo "make ablation              what each part of the training recipe buys, on one fold (STUDY='--folds 1 2 3': all)"
	@echo "make contest               the LTC beside other cells and networks, on one fold (runs/study/contest.json)"
	@echo "make firmware RUN=demo BOARD=nrf52840 ENGINE=compiled    build the image of a trained run"
	@echo "make clean                 remove what was built, runs excepted"

demo: setup
	$(BIN)/tinyltc all --data wrist --run demo --seconds 600

test: setup lint types cbmc
	$(BIN)/python -m pytest tests -m "not slow" -n 2 --dist loadfile

proof: setup cbmc
	$(BIN)/python -m pytest tests -m slow

bench-train: runs/bench/train.json

# Measured once: delete the file to measure again.
runs/bench/train.json: | setup
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	$(BIN)/python -m toolchain.ltc.speed

# One fold and one seed unless STUDY says otherwise; trials that are in the result already are not made again.
ablation contest: setup
	$(BIN)/python -m toolchain.study.$@ $(STUDY)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	find firmware toolchain -path '*/.pio' -prune -o \( -name '*.[ch]' -o -name '*.cc' \) -print | xargs $(BIN)/clang-format --dry-run -Werror

types: setup
	$(BIN)/mypy

# Every figure of the accuracy table: trains what is missing (hours), scores it; Ctrl-C keeps what is done. Then
# `tinyltc figures --write README.md --copy docs/figures.json` puts them into the README.
evaluate: setup
	-@test -f runs/bench/train.json || $(MAKE) --no-print-directory runs/bench/train.json
	$(BIN)/tinyltc evaluate-all

firmware: setup
	$(BIN)/tinyltc generate --run $(RUN) --board $(BOARD) --engine $(ENGINE)
	$(BIN)/tinyltc build --run $(RUN) --board $(BOARD) --engine $(ENGINE)

setup: system $(READY)

# Debian packages: installed when root, otherwise the one line to run is printed.
system:
	@sh .ci/system-packages

# The model checker for tests/proof, unpacked under build/; without it these tests are skipped.
cbmc:
	@sh .ci/cbmc

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("TinyLTC needs Python 3.11 or newer, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@echo "setting up $(VENV): Python packages, TensorFlow among them; this takes a few minutes once"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[emulator,dev]'
	@touch $@

clean:
	rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis firmware/.pio
