"""64-bit microseconds from a 32-bit counter, around its overflow and on both sides of the known time."""

from __future__ import annotations

import ctypes

import pytest
from firmware_host import Compile
from hypothesis import given, settings
from hypothesis import strategies as st

HALF = 2**31


@pytest.fixture(scope="module")
def library(compile_library: Compile) -> ctypes.CDLL:
    library = compile_library("stamp.c")
    library.extend.restype = ctypes.c_uint64
    return library


@settings(max_examples=500, deadline=None)
@given(
    near=st.one_of(st.integers(HALF, 2**60), st.integers(1, 2**20).map(lambda wraps: wraps * 2**32)),
    away=st.one_of(st.integers(-HALF, HALF - 1), st.sampled_from([-HALF, -1, 0, 1, HALF - 1])),
)
def test_gives_back_the_time_within_half_a_turn(library: ctypes.CDLL, near: int, away: int) -> None:
    counter = ctypes.c_uint32(near + away & 0xFFFFFFFF)
    assert library.extend(ctypes.c_uint64(near), counter) == near + away
