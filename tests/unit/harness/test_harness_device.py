"""The run stage refuses what it cannot run, in one sentence, and leaves no file."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import pytest
from harness_fakes import SPEC, FakeDevice, SmallReference
from rich.console import Console

from toolchain.board import load_board
from toolchain.errors import BuildError, EmulatorError, ModelError, ParityError
from toolchain.files import write_json
from toolchain.harness import device
from toolchain.harness.device import _check_hello, run_device
from toolchain.harness.emulated import Emulated
from toolchain.harness.feed import Feed
from toolchain.harness.paced import PtyResult
from toolchain.harness.record import Recorder
from toolchain.project import project_for_data
from toolchain.recordings.recording import DataSet
from toolchain.runs import Run
from toolchain.wire.capture import Counters
from toolchain.wire.messages import Health, Hello, Message

HEALTH = Health(0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 1000, 1)
CLEAN = Counters(**{field.name: 0 for field in fields(Counters)})


class NoBoard:
    """In place of the virtual board: the messages come from a FakeDevice."""

    name, hook, seconds = "virtual", "c", 5.0

    def __init__(self, *_: object) -> None:
        pass

    def functions(self) -> list[tuple[str, int]]:
        return [("rhs", 10)]


@pytest.fixture
def run(tmp_path: Path, feed, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run whose device is a FakeDevice; ``flaw`` below changes what it says."""
    run = Run(tmp_path)
    run.save_project(project_for_data("wrist"))
    for path in (run.firmware / "firmware.elf", run.tflite):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    test = feed.recordings
    train, validation = ([replace(test[0], person=name), replace(test[1], person=name)] for name in ("a", "b"))
    data = DataSet("set", ("none", "left", "right"), 0, tuple(train), tuple(validation), test)
    for name, value in {
        "load_spec": lambda _: SPEC,
        "Int8Reference": lambda *_: SmallReference(),
        "load_set": lambda *_: data,
        "Emulated": NoBoard,
        "_check_built": lambda *_: {},
        "_prove_the_port": lambda *_: PtyResult(CLEAN, 1, 1.0, 3.0, 3.0),
    }.items():
        monkeypatch.setattr(device, name, value)
    return run


def _says(monkeypatch: pytest.MonkeyPatch, flaw: dict[str, object], index: int = 400) -> None:
    def run_fast(_: object, fed: Feed, recorder: Recorder, step: Callable[[float], None]) -> tuple[Counters, float]:
        fake = FakeDevice(fed).run()
        fake.steps[index] = replace(fake.steps[index], **flaw)
        recorder.add([Message(0, 0, _hello(0, bytes(32))), *fake.messages(), Message(0, 0, HEALTH)])
        step(1.0)
        return CLEAN, 1.0

    monkeypatch.setattr(device, "_run_fast", run_fast)


def test_agreement_is_written(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    _says(monkeypatch, {})
    run_device(run, load_board("nrf52840"), Console(quiet=True))
    values = json.loads(run.device_json.read_text())
    assert values["parity"]["samples"] == values["parity"]["samples_fed"] == 870
    assert values["errors"] == []
    assert run.device_npz.exists()


def test_disagreement_is_written_and_then_raised(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    _says(monkeypatch, {"state_crc": 1})
    with pytest.raises(ParityError, match=r"1 samples have another state .* sample 400"):
        run_device(run, load_board("nrf52840"), Console(quiet=True))
    values = json.loads(run.device_json.read_text())
    assert values["parity"]["state_mismatches"] == 1
    assert len(values["errors"]) == 1
    assert run.device_npz.exists()


def _hello(model_status: int, sha256: bytes) -> Hello:
    return Hello(1, model_status, 0, 0, "b", "f", sha256, 1, 2, 3, 4, 5, 6)


def test_without_an_image(tmp_path: Path) -> None:
    run = Run(tmp_path / "demo")
    with pytest.raises(BuildError, match=r"firmware\.elf does not exist") as caught:
        run_device(run, load_board("nrf52840"), Console(quiet=True))
    assert "tinyltc build --run demo" in caught.value.hint
    assert not run.path.exists()


def test_without_a_model(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.firmware.mkdir()
    (run.firmware / "firmware.elf").write_bytes(b"")
    with pytest.raises(ModelError, match=r"model\.json does not exist"):
        run_device(run, load_board("nrf52840"), Console(quiet=True))


def test_another_image_than_the_runs(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.image.write_bytes(bytes(100) + b"\x07" * 32)
    _check_hello(_hello(0, b"\x07" * 32), run)
    _check_hello(None, run)
    with pytest.raises(ModelError, match="another model image"):
        _check_hello(_hello(0, b"\x08" * 32), run)
    with pytest.raises(ModelError, match=r"refuses its model image \(status 5"):
        _check_hello(_hello(5, bytes(32)), run)


def test_a_board_without_the_virtual_emulator(tmp_path: Path, feed) -> None:
    board = load_board("nrf52840").model_copy(update={"emulators": []})
    with pytest.raises(EmulatorError, match="does not list the emulator 'virtual'"):
        Emulated(Run(tmp_path), board, feed)


def test_firmware_built_for_another_board(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    write_json(run.firmware / "build.json", {"board": "other", "engine": "compiled"})
    monkeypatch.setattr(device, "load_spec", lambda _: SPEC)
    with pytest.raises(BuildError, match=r"built for board 'other', not 'nrf52840'.*--board nrf52840"):
        run_device(run, load_board("nrf52840"), Console(quiet=True))
