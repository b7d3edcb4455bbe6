"""The watch over the signal: stuck channels and impossible gravity are found, counted once, and taken back."""

from __future__ import annotations

import ctypes

import numpy as np
import numpy.typing as npt
import pytest
from firmware_host import Compile

PERIOD_US = 4808
LSB = 0.000244 * 9.80665


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
    )


@pytest.fixture(scope="module")
def library(compile_library: Compile) -> ctypes.CDLL:
    library = compile_library("core/plausible.c")
    library.tl_plausible_init.argtypes = [ctypes.c_void_p, ctypes.c_float]
    library.tl_plausible_sample.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint64]
    return library


class Watched:
    """A watch and its clock."""

    def __init__(self, library: ctypes.CDLL, lsb: float = LSB) -> None:
        self.library, self.state, self.now = library, Plausible(), 0
        library.tl_plausible_init(ctypes.byref(self.state), lsb)

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


def test_any_range_is_bounded(library: ctypes.CDLL) -> None:
    """At 2 g full scale four times gravity squared does not fit 32 bits: the bound ends there."""
    assert Watched(library, 9.80665 / 16384).state.square_high > 4_290_000_000
    assert Watched(library, 9.80665 / 65536).see(worn(5))[1] == 1
