"""The health counters' watch: every kind of trouble is told once, and only what moved is sent."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest
from firmware_host import Compile

TROUBLES = {
    "overruns": (1, b"too slow"),
    "lost_samples": (2, b"Samples were lost"),
    "dropped_commands": (2, b"command frame was dropped"),
    "dropped_others": (1, b"Frames were dropped"),
    "gap_resets": (1, b"state was reset"),
    "received_bad": (1, b"received frame"),
    "engine_errors": (2, b"engine failed"),
    "stuck": (2, b"is stuck"),
    "odd_gravity": (2, b"Gravity is implausible"),
    "odd_axes": (2, b"turns the wrong way"),
    "time_back": (2, b"Time ran back"),
    "state_faults": (2, b"no number"),
}
NAMES = (
    *("samples", "overruns", "lost_samples", "imu_faults", "imu_restarts", "dropped_commands", "dropped_others"),
    *("gap_resets", "received_bad", "engine_errors", "stack_unused", "dwt_moves", "stuck", "odd_gravity"),
    *("odd_axes", "time_back", "state_faults"),
)


class Health(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_uint32) for name in NAMES)


class Watch(ctypes.Structure):
    _fields_ = (("last", Health), ("told", ctypes.c_uint32))


@pytest.fixture(scope="module")
def library(compile_library: Compile) -> ctypes.CDLL:
    library = compile_library("core/health.c")
    library.tl_health_trouble.restype = ctypes.c_char_p
    library.tl_health_moved.restype = ctypes.c_bool
    return library


def tell(library: ctypes.CDLL, watch: Watch, health: Health) -> list[tuple[int, bytes]]:
    told, severity = [], ctypes.c_int(0)
    while text := library.tl_health_trouble(ctypes.byref(watch), ctypes.byref(health), ctypes.byref(severity)):
        told.append((severity.value & 0xFF, text))
    return told


@pytest.mark.parametrize("name", TROUBLES)
def test_each_kind_is_told_once(library: ctypes.CDLL, name: str) -> None:
    watch, health = Watch(), Health()
    assert tell(library, watch, health) == []
    setattr(health, name, 3)
    ((severity, text),) = tell(library, watch, health)
    assert severity == TROUBLES[name][0]
    assert TROUBLES[name][1] in text
    setattr(health, name, 4)
    assert tell(library, watch, health) == []


def test_several_kinds_are_told_in_one_go(library: ctypes.CDLL) -> None:
    health = Health(**dict.fromkeys(TROUBLES, 1))
    assert len(tell(library, Watch(), health)) == len(TROUBLES)


@pytest.mark.parametrize("name", NAMES)
def test_everything_but_the_number_of_samples_counts_as_moved(library: ctypes.CDLL, name: str) -> None:
    watch, health = Watch(), Health()
    setattr(health, name, 7)
    moved = library.tl_health_moved(ctypes.byref(watch), ctypes.byref(health))
    assert moved == (name != "samples")
    assert not library.tl_health_moved(ctypes.byref(watch), ctypes.byref(health))


def test_a_state_that_is_no_number_is_found(library: ctypes.CDLL) -> None:
    library.tl_health_states_finite.restype = ctypes.c_bool
    states = np.array([0.0, -0.0, 1e-45, -3.4e38, 2.5], np.float32)
    assert library.tl_health_states_finite(states.ctypes.data_as(ctypes.c_void_p), len(states))
    for place in range(len(states)):
        for bad in (np.nan, np.inf, -np.inf):
            spoiled = states.copy()
            spoiled[place] = bad
            assert not library.tl_health_states_finite(spoiled.ctypes.data_as(ctypes.c_void_p), len(states))
