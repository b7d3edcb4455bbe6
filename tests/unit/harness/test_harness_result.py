"""device.json: what is said about a good run and about every kind of bad one."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from toolchain.board import load_board
from toolchain.errors import EmulatorError
from toolchain.harness import verdict
from toolchain.harness.compare import compare
from toolchain.harness.paced import PtyResult
from toolchain.harness.record import Recorder
from toolchain.harness.result import Pass, assemble, write_arrays
from toolchain.recordings.recording import DataSet
from toolchain.wire.capture import Counters
from toolchain.wire.messages import Health, Hello, Log, Message

LEAD_OUT = 200
HELLO = Hello(1, 0, 0, 0, "nrf52840", "0.1.0", bytes(range(32)), 64_000_000, 200_000, 6, 3, 4, 900)
HEALTH = Health(0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 1000, 1)
CLEAN = Counters(**{field.name: 0 for field in fields(Counters)})


@pytest.fixture
def data(feed) -> DataSet:
    kept = feed.recordings
    train, validation = ([replace(kept[0], person=name), replace(kept[1], person=name)] for name in ("a", "b"))
    return DataSet("set", ("none", "left", "right"), 0, tuple(train), tuple(validation), tuple(kept))


@pytest.fixture
def heard(device):
    """The record of a device that also said hello and how it is."""
    recorder = Recorder(3)
    recorder.add([Message(0, 0, HELLO), *device.messages(), Message(0, 0, HEALTH)])
    return recorder.record()


def _assemble(heard, data, feed, reference, counters: Counters = CLEAN):
    outcome = Pass(
        heard, counters, 6.0, 1.5, [("rhs", 300), ("idle", 100)], {}, "virtual", "c", "emulated (cycle estimate)"
    )
    comparison = compare(heard, feed, reference)
    pty = PtyResult(CLEAN, 400, 9.5, 3.1, 3.0).to_dict()
    return assemble(load_board("nrf52840"), reference.spec, data, feed, outcome, comparison, pty)


def test_a_good_run(heard, data, feed, reference) -> None:
    values = _assemble(heard, data, feed, reference).values
    assert values["errors"] == []
    assert values["parity"]["samples"] == values["parity"]["samples_fed"] == 870
    assert values["windows"] == 3
    assert values["stream"]["events"] == 2
    assert values["device"]["engine"] == "compiled"
    assert values["speed"]["ratio"] == 4.0
    assert values["functions"][0] == {"name": "rhs", "cycles": 300, "share": 0.75}
    assert values["step_cycles"]["median"] == 2400
    assert values["latency_us"]["pipeline_delay"] == 10_000
    assert values["latency_us"]["p50"] == 450
    assert values["stack_used_bytes"] == load_board("nrf52840").memory.stack_bytes - 1000
    assert len(values["timelines"]) == 2
    json.dumps(values, allow_nan=False)


def test_the_report_can_read_it(heard, data, feed, reference) -> None:
    stages = pytest.importorskip("toolchain.report.stages")
    values = _assemble(heard, data, feed, reference).values
    values["device"]["tflite_sha256"] = "0" * 64  # run_device knows the file
    stages.Device.model_validate(values)


def test_the_arrays_stand_in_the_file(heard, data, feed, reference, tmp_path: Path) -> None:
    write_arrays(tmp_path / "device.npz", _assemble(heard, data, feed, reference).arrays)
    with np.load(tmp_path / "device.npz", allow_pickle=False) as file:
        assert file["sample_code"].shape == (len(heard.samples), 6)
        assert file["stages_us"].shape == (len(heard.timings), len(file["stages"]))
        assert len(file["latency_us"]) == len(heard.decisions)
        assert (file["sample_fed"] == np.arange(len(feed.t_us))).all()
    assert [path.name for path in tmp_path.iterdir()] == ["device.npz"]


@pytest.mark.parametrize("kind", ["HELLO", "HEALTH", "TIMING"])
def test_a_device_that_does_not_say_enough(heard, data, feed, reference, kind: str) -> None:
    lack = {"HELLO": {"hello": None}, "HEALTH": {"health": None}, "TIMING": {"timings": heard.timings[:0]}}
    with pytest.raises(EmulatorError, match=kind):
        _assemble(replace(heard, **lack[kind]), data, feed, reference)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"overruns": 3}, "3 samples waited"),
        ({"lost_samples": 2}, "2 samples were lost"),
        ({"dropped_commands": 1}, "1 command frames were dropped"),
        ({"dropped_others": 9}, "9 frames were dropped"),
        ({"received_bad": 4}, "4 requests"),
        ({"engine_errors": 1}, "1 samples failed"),
        ({"gap_resets": 6}, "6 gaps reset the state, 5 were fed"),
        ({"imu_faults": 6}, "found faulty 6 times"),
        ({"dwt_moves": 0}, "cycle counter did not move"),
    ],
)
def test_every_ailment_is_a_sentence(heard, change, words: str) -> None:
    assert verdict.ailments(heard, 5) == []
    (sentence,) = verdict.ailments(replace(heard, health=replace(HEALTH, **change)), 5)
    assert words in sentence


def test_logged_errors_are_ailments(heard) -> None:
    logs = (Log(0, "fine"), Log(1, "careful"), Log(2, "bus stuck"))
    (sentence,) = verdict.ailments(replace(heard, logs=logs), 5)
    assert "bus stuck" in sentence


def test_one_restart_of_the_sensor_is_an_ailment(heard) -> None:
    restarted = replace(heard, health=replace(HEALTH, imu_faults=1, imu_restarts=1), logs=(Log(2, "mute"),))
    assert len(verdict.ailments(restarted, 5)) == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lost": 2, "pending": 1}, "3 frames were lost"),
        ({"bad_crc": 1, "bad_cobs": 1, "too_short": 1, "too_long": 1}, "4 frames were damaged"),
        ({"unknown": 1}, "unknown kind"),
        ({"bad_body": 1}, "does not fit"),
        ({"repeated": 1}, "came twice"),
        ({"restarts": 1}, "resets of the device"),
    ],
)
def test_every_loss_on_the_line_is_a_sentence(heard, data, feed, reference, change, words: str) -> None:
    errors = _assemble(heard, data, feed, reference, replace(CLEAN, **change)).values["errors"]
    assert len(errors) == 1
    assert words in errors[0]


def test_fewer_samples_than_fed_is_an_error(heard, data, feed, reference) -> None:
    fewer = replace(heard, samples=heard.samples[: -LEAD_OUT - 10])
    values = _assemble(fewer, data, feed, reference).values
    assert values["parity"]["samples"] == 860
    assert any("Only 860 of 870" in error for error in values["errors"])
    assert any("10 samples fed were not reported" in error for error in values["errors"])
    assert any("1 windows were not scored" in error for error in values["errors"])


def test_a_mismatch_is_an_error_in_the_file(heard, data, feed, reference) -> None:
    heard.steps["state_crc"][500] ^= 1
    values = _assemble(heard, data, feed, reference).values
    assert values["parity"]["state_mismatches"] == 1
    assert values["errors"] == [f"1 samples have another state than the reference (the first at sample {500 + 7})."]
