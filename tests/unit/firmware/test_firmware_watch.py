"""The sensor's watch: missing, mute, restarted, back; each counted, each told once."""

from __future__ import annotations

import ctypes

import pytest
from firmware_host import Compile

RUNNING, MISSING, MUTE = range(3)
NOTHING, WENT_MISSING, WENT_MUTE, CAME_BACK = range(4)
SETTLE, SILENCE, RETRY = 300_000, 250_000, 1_000_000


class Watch(ctypes.Structure):
    _fields_ = (
        ("status", ctypes.c_int),
        ("deadline_us", ctypes.c_uint64),
        ("faults", ctypes.c_uint32),
        ("restarts", ctypes.c_uint32),
        ("trouble_told", ctypes.c_bool),
    )


class Bench:
    """A watch over a fake sensor."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        self.watch = Watch()
        self.set(answers=False, configures=True)
        library.imu_watch_init(ctypes.byref(self.watch))

    def set(self, *, answers: bool, configures: bool = True) -> None:
        ctypes.c_bool.in_dll(self._library, "fake_answers").value = answers
        ctypes.c_bool.in_dll(self._library, "fake_configures").value = configures

    def poll(self, now_us: int) -> int:
        return int(self._library.imu_watch_poll(ctypes.byref(self.watch), None, ctypes.c_uint64(now_us)))

    def sample(self, now_us: int) -> int:
        return int(self._library.imu_watch_sample(ctypes.byref(self.watch), ctypes.c_uint64(now_us)))

    @property
    def counters(self) -> tuple[int, int]:
        return self.watch.faults, self.watch.restarts


@pytest.fixture
def bench(library: ctypes.CDLL) -> Bench:
    return Bench(library)


@pytest.fixture(scope="module")
def library(compile_library: Compile) -> ctypes.CDLL:
    return compile_library("sensors/watch.c", "fake_imu.c")


def test_a_good_start_tells_nothing(bench: Bench) -> None:
    bench.set(answers=True)
    assert bench.poll(19_999) == NOTHING
    assert bench.watch.status == MISSING
    assert bench.poll(20_000) == NOTHING
    assert (bench.watch.status, bench.watch.deadline_us) == (RUNNING, 20_000 + SETTLE)
    assert bench.sample(25_000) == NOTHING
    assert bench.watch.deadline_us == 25_000 + SILENCE
    assert bench.counters == (0, 0)


def test_a_missing_sensor_is_told_once_and_tried_every_second(bench: Bench) -> None:
    assert bench.poll(20_000) == WENT_MISSING
    assert bench.poll(20_000 + RETRY - 1) == NOTHING
    assert bench.counters == (1, 0)
    assert bench.poll(20_000 + RETRY) == NOTHING
    assert (bench.watch.status, bench.counters) == (MISSING, (2, 0))
    bench.set(answers=True)
    assert bench.poll(20_000 + 2 * RETRY) == NOTHING
    assert bench.sample(20_000 + 2 * RETRY + 9000) == CAME_BACK
    assert bench.sample(20_000 + 2 * RETRY + 13_800) == NOTHING
    assert bench.watch.status == RUNNING


def test_a_sensor_that_does_not_take_its_configuration_is_missing(bench: Bench) -> None:
    bench.set(answers=True, configures=False)
    assert bench.poll(20_000) == WENT_MISSING
    assert bench.watch.status == MISSING


def test_a_mute_sensor_is_restarted_until_it_gives_samples(bench: Bench) -> None:
    bench.set(answers=True)
    bench.poll(20_000)
    bench.sample(30_000)
    assert bench.poll(30_000 + SILENCE - 1) == NOTHING
    assert bench.poll(30_000 + SILENCE) == WENT_MUTE
    assert (bench.watch.status, bench.counters) == (MUTE, (1, 1))
    assert bench.watch.deadline_us == 30_000 + SILENCE + SETTLE
    assert bench.poll(30_000 + SILENCE + SETTLE) == NOTHING
    assert (bench.watch.status, bench.counters) == (MUTE, (2, 2))
    assert bench.sample(30_000 + SILENCE + SETTLE + 9_000) == CAME_BACK
    assert bench.watch.status == RUNNING


def test_a_mute_sensor_that_is_gone_altogether_is_told_as_missing(bench: Bench) -> None:
    bench.set(answers=True)
    bench.poll(20_000)
    bench.sample(30_000)
    bench.set(answers=False)
    assert bench.poll(30_000 + SILENCE) == WENT_MISSING
    assert (bench.watch.status, bench.counters) == (MISSING, (2, 1))
