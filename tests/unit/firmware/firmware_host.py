"""The portable firmware on this machine: how it is compiled, and its structures."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
FIRMWARE = HERE.parents[2] / "firmware"
FLAGS = [
    "-std=c11",
    "-O1",
    "-g",
    "-Wall",
    "-Wextra",
    "-Wconversion",
    "-Werror",
    "-ffp-contract=off",
    "-shared",
    "-fPIC",
]

Compile = Callable[..., ctypes.CDLL]
"""The fixture ``compile_library``."""


class Sample(ctypes.Structure):
    """tl_sample."""

    _fields_ = (("t_us", ctypes.c_uint64), ("read_us", ctypes.c_uint32), ("code", ctypes.c_int16 * 6))


class Ring(ctypes.Structure):
    """tl_ring."""

    SAMPLES = 16
    _fields_ = (
        ("slot", Sample * SAMPLES),
        ("written", ctypes.c_uint32),
        ("taken", ctypes.c_uint32),
        ("lost", ctypes.c_uint32),
    )
