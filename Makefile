# TinyLTC. `make demo` and `make test` do all the set-up they need; `make help` lists the rest.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
RUN    ?= demo
BOARD  ?= nrf52840
ENGINE ?= compiled
LABEL  ?= swipe_left
PERSON ?= p1
HOURS  ?= 24
EMULATOR ?= virtual
STUDY  ?= --folds 1

export TF_CPP_MIN_LOG_LEVEL ?= 2
export PLATFORMIO_SETTING_ENABLE_TELEMETRY := No
export PLATFORMIO_DISABLE_UPGRADE_CHECK := true

.NOTPARALLEL:
.PHONY: help demo test proof cbmc evaluate bench-train ablation contest lint types firmware flash flash-packages capture measure soak test-renode setup system peers clean

help:
	@echo "make demo                  train, convert, build, run on the virtual board, report (runs/demo/report.html)"
	@echo "make test                  ruff, mypy, every test"
	@echo "make proof                 the long proofs and soaks (docs/proofs.md)"
	@echo "make soak HOURS=24         hours of virtual time under load: no deadline missed (runs/demo/soak.json)"
	@echo "make test-renode           the firmware under Renode, where there is one"
	@echo "make evaluate              every accuracy figure, into runs/evaluate/figures.json (hours; can be stopped)"
	@echo "make bench-train           time of a training step beside ncps (runs/bench/train.json)"
	@echo "make ablation              what each part of the training recipe buys, on one fold (STUDY='--folds 1 2 3': all)"
	@echo "make contest               the LTC beside other cells and networks, on one fold (runs/study/contest.json)"
	@echo "make firmware RUN=demo BOARD=nrf52840 ENGINE=compiled    build the image of a trained run"
	@echo "make flash BOARD=nrf52840 RUN=demo [PORT=/dev/ttyACM0]     the same, onto the board, and prove that it runs there"
	@echo "make measure RUN=demo BOARD=nrf52840 [PORT=/dev/ttyACM0]   latency of every stage, and power"
	@echo "make capture BOARD=nrf52840 LABEL=swipe_left PERSON=p1    record gestures (without a board: from the virtual one)"
	@echo "make clean                 remove what was built, runs excepted"

demo: setup
	$(BIN)/tinyltc all --data wrist --run demo --seconds 600

test: setup lint types cbmc peers
	$(BIN)/python -m pytest tests -m "not slow" -n 2 --dist loadfile

# A day of virtual time (hours on this machine; Ctrl-C keeps what is done). HOURS=0.5 for less, EMULATOR=qemu for another.
soak: setup
	$(BIN)/tinyltc soak --run $(RUN) --board $(BOARD) --hours $(HOURS) --emulator $(EMULATOR)

# The firmware under Renode, when there is one: on PATH, or in RENODE.
test-renode: setup
	@sh .ci/renode-tests

proof: setup cbmc
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[search]'
	$(BIN)/python -m pytest tests -m slow

bench-train: runs/bench/train.json

# Measured once: delete the file to measure again.
runs/bench/train.json: | setup
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	$(BIN)/python -m toolchain.ltc.speed

# One fold and one seed unless STUDY says otherwise; trials that are in the result already are not made again.
ablation contest: setup
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[study]'
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

flash: setup flash-packages
	$(BIN)/tinyltc flash --run $(RUN) --board $(BOARD) $(if $(ENGINE),--engine $(ENGINE)) $(if $(PORT),--port $(PORT)) $(FLASH_OPTIONS)

# Only flashing needs pyOCD.
flash-packages: setup
	@$(BIN)/python -c 'import pyocd' 2>/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[flash]'

measure: setup
	$(BIN)/tinyltc measure --run $(RUN) --board $(BOARD) $(if $(PORT),--port $(PORT)) $(MEASURE_OPTIONS)

capture: setup
	@$(BIN)/tinyltc capture --board $(BOARD) --labels $(LABEL) --person $(PERSON) $(if $(PORT),--port $(PORT))

setup: system $(READY)

# Debian packages: installed when root, otherwise the one line to run is printed.
system:
	@sh .ci/system-packages

# What the tests talk to: a browser for the review page, a broker for MQTT, QEMU. Without them these tests are skipped.
peers:
	@sh .ci/system-packages chromium chromium-driver mosquitto qemu-system-arm || true

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
