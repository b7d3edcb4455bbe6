"""The watch over the signal: stuck channels and impossible gravity are found, counted once, and taken back."""

from __future__ import annotations

import ctypes

import numpy as np
import numpy.typing as npt
import pytest
from firmware_host import Compile

PERIOD_US = 4808
LSB = 0.000244 * 9.80665
GYRO_LSB = float(np.radians(0.07))


class Axes(ctypes.Structure):
    """tl_axes."""

    _fields_ = (
        ("acc_unit", ctypes.c_float),
        ("gyro_unit", ctypes.c_float),
        ("sum", ctypes.c_int32 * 6),
        ("count", ctypes.c_uint32),
        ("block_us", ctypes.c_uint32),
        ("mean", ctypes.c_float * 6),
        ("mean_us", ctypes.c_uint32),
        ("along", ctypes.c_float),
        ("turned", ctypes.c_float),
        ("against", ctypes.c_uint32),
        ("odd", ctypes.c_bool),
        ("found", ctypes.c_uint32),
    )


class Plausible(ctypes.Structure):
    """tl_plausible."""

    _fields_ = (
        ("square_low", ctypes.c_uint32),
        ("square_high", ctypes.c_uint32),
        ("last", ctypes.c_int16 * 6),
        ("same_us", ctypes.c_uint32 * 6),
        ("last_us", ctypes.c_uint64),
        ("square_sum", ctypes.c_uint64),
        ("square_count", ctypes.c_uint32),
        ("block_us", ctypes.c_uint32),
        ("stuck_now", ctypes.c_uint32),
        ("gravity_odd", ctypes.c_bool),
        ("started", ctypes.c_bool),
        ("stuck", ctypes.c_uint32),
        ("odd_gravity", ctypes.c_uint32),
        ("time_back", ctypes.c_uint32),
        ("axes", Axes),
    )


@pytest.fixture(scope="module")
def library(compile_library: Compile) -> ctypes.CDLL:
    library = compile_library("core/plausible.c", "core/axes.c")
    library.tl_plausible_init.argtypes = [ctypes.c_void_p, ctypes.c_float, ctypes.c_float]
    library.tl_plausible_sample.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint64]
    return library


class Watched:
    """A watch and its clock."""

    def __init__(self, library: ctypes.CDLL, lsb: float = LSB) -> None:
        self.library, self.state, self.now = library, Plausible(), 0
        library.tl_plausible_init(ctypes.byref(self.state), lsb, GYRO_LSB)

    def see(self, codes: npt.NDArray[np.int16], period_us: int = PERIOD_US) -> tuple[int, int]:
        """Feed codes (T, 6) and return both counters."""
        for row in np.ascontiguousarray(codes, np.int16):
            self.now += period_us
            self.library.tl_plausible_sample(ctypes.byref(self.state), row.ctypes.data, self.now % 2**64)
        return self.state.stuck, self.state.odd_gravity


def worn(seconds: float, rate: float = 208.0) -> npt.NDArray[np.int16]:
    """A wrist at rest with the sensor's noise of about a code."""
    random = np.random.default_rng(1)
    level = np.array([0, 0, 4098, 0, 0, 0])
    return (level + np.rint(random.normal(0, 1.5, (round(seconds * rate), 6)))).astype(np.int16)


def test_a_worn_sensor_is_plausible(library: ctypes.CDLL) -> None:
    assert Watched(library).see(worn(30)) == (0, 0)


def test_a_stuck_channel_is_counted_once_and_recovers(library: ctypes.CDLL) -> None:
    watch, codes = Watched(library), worn(10)
    codes[:, 4] = 17
    assert watch.see(codes) == (1, 0)
    assert watch.state.stuck_now == 1 << 4
    assert watch.see(worn(3)) == (1, 0)
    assert watch.state.stuck_now == 0
    assert watch.see(codes) == (2, 0)


def test_a_pause_below_two_seconds_is_no_stuck_channel(library: ctypes.CDLL) -> None:
    codes = worn(10)
    codes[:390] = codes[0]
    assert Watched(library).see(codes) == (0, 0)


@pytest.mark.parametrize("what", ["swapped", "unplugged", "railed"])
def test_impossible_gravity_is_counted_once_and_recovers(library: ctypes.CDLL, what: str) -> None:
    codes = worn(10)
    if what == "swapped":
        codes = codes[:, [3, 4, 5, 0, 1, 2]]
    elif what == "unplugged":
        codes = np.zeros_like(codes)
    else:
        codes[:, :3] = 32767 - (np.arange(len(codes)) % 2)[:, None]
    watch = Watched(library)
    assert watch.see(codes)[1] == 1
    assert watch.see(worn(5))[1] == 1
    assert not watch.state.gravity_odd
    assert watch.see(codes)[1] == 2


def test_shaking_is_plausible(library: ctypes.CDLL) -> None:
    codes = worn(10).astype(int)
    codes[:, 0] += (2.5 * 4098 * np.sin(np.arange(len(codes)) * 0.3)).astype(int)
    assert Watched(library).see(codes.astype(np.int16)) == (0, 0)


def test_gaps_and_time_running_back_start_anew(library: ctypes.CDLL) -> None:
    watch, codes = Watched(library), worn(1.5)
    codes[:] = codes[0]
    for jump in (5_000_000, -10_000_000, 3_000_000):
        assert watch.see(codes) == (0, 0)
        watch.now += jump
    assert watch.state.time_back == 1


def test_any_range_is_bounded(library: ctypes.CDLL) -> None:
    """At 2 g full scale four times gravity squared does not fit 32 bits: the bound ends there."""
    assert Watched(library, 9.80665 / 16384).state.square_high > 4_290_000_000
    assert Watched(library, 9.80665 / 65536).see(worn(5))[1] == 1


def turning(seconds: float, seed: int = 3, rate: float = 208.0) -> npt.NDArray[np.int16]:
    """A forearm that turns this way and that, calmly: gravity as the gyroscope says, integrated in small steps."""
    random = np.random.default_rng(seed)
    count = round(seconds * rate)
    slow = np.array(
        [
            np.interp(np.arange(count) / rate, np.arange(0, seconds + 1, 0.5), knots)
            for knots in random.normal(0, 1.3, (3, len(np.arange(0, seconds + 1, 0.5))))
        ]
    ).T
    down, samples = np.array([0.1, 0.3, 0.9]), np.empty((count, 6))
    for row, rates in enumerate(slow):
        down = down - np.cross(rates, down) / rate
        down /= np.linalg.norm(down)
        samples[row] = [*(down * 9.80665 / LSB), *(rates / GYRO_LSB)]
    return np.rint(samples + random.normal(0, 1.5, samples.shape)).astype(np.int16)


MIRRORED = {
    "x and y of both": lambda c: c[:, [1, 0, 2, 4, 3, 5]],
    "z of both reversed": lambda c: c * np.array([1, 1, -1, 1, 1, -1], np.int16),
    "gyroscope reversed": lambda c: c * np.array([1, 1, 1, -1, -1, -1], np.int16),
}
SOUND = {
    "as it is": lambda c: c,
    "worn the other way round": lambda c: c * np.array([-1, -1, 1, -1, -1, 1], np.int16),
    "worn on another side": lambda c: c[:, [1, 2, 0, 4, 5, 3]],
    "at rest": lambda c: np.concatenate([c[:, :3] * 0 + c[:1, :3], c[:, 3:] // 50], axis=1),
}


@pytest.mark.parametrize("how", MIRRORED)
def test_a_mirrored_frame_is_counted_once_and_recovers(library: ctypes.CDLL, how: str) -> None:
    watch, codes = Watched(library), turning(40)
    assert watch.see(codes) == (0, 0)
    assert watch.state.axes.found == 0
    watch.see(MIRRORED[how](codes))
    assert (watch.state.axes.found, watch.state.axes.odd) == (1, True)
    watch.see(codes)
    assert (watch.state.axes.found, watch.state.axes.odd) == (1, False)


@pytest.mark.parametrize("how", SOUND)
def test_however_it_is_worn_the_axes_are_sound(library: ctypes.CDLL, how: str) -> None:
    watch = Watched(library)
    watch.see(SOUND[how](turning(40)))
    assert watch.state.axes.found == 0
    assert not watch.state.axes.odd


def test_a_swinging_arm_is_no_mirror(library: ctypes.CDLL) -> None:
    """On a pendulum gravity seems to rest while the gyroscope turns."""
    codes = turning(40)
    codes[:, :3] = worn(40)[:, :3]
    watch = Watched(library)
    watch.see(codes)
    assert watch.state.axes.found == 0


def test_axes_are_not_judged_across_gaps(library: ctypes.CDLL) -> None:
    watch, codes = Watched(library), MIRRORED["x and y of both"](turning(40))
    for start in range(0, len(codes), 16):
        watch.see(codes[start : start + 16])
        watch.now += 2_000_000
    assert watch.state.axes.found == 0
