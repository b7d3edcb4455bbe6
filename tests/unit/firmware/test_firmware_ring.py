"""The burst ring against a deque: order, loss, wrap-around of its counters."""

from __future__ import annotations

import ctypes
from collections import deque

import pytest
from firmware_host import Compile, Ring, Sample
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.fixture(scope="module")
def library(compile_library: Compile) -> ctypes.CDLL:
    library = compile_library("core/ring.c")
    library.tl_ring_push.restype = ctypes.c_bool
    for name in ("tl_ring_take", "tl_ring_waiting", "tl_ring_lost"):
        getattr(library, name).restype = ctypes.c_uint32
    return library


operations = st.lists(
    st.one_of(st.just("push"), st.just("lose"), st.integers(0, Ring.SAMPLES + 2)), min_size=1, max_size=200
)


@settings(max_examples=200, deadline=None)
@given(steps=operations, start=st.sampled_from([0, 2**32 - 1, 2**32 - 20]))
def test_behaves_as_a_queue_that_refuses_the_newest(library: ctypes.CDLL, steps: list[object], start: int) -> None:
    ring, expected, lost, made = Ring(), deque[int](), 0, 0
    library.tl_ring_init(ctypes.byref(ring))
    ring.written = ring.taken = start
    for step in steps:
        if step == "push":
            sample = Sample(
                t_us=2**40 + made, read_us=made, code=(ctypes.c_int16 * 6)(*range(made % 999, made % 999 + 6))
            )
            accepted = library.tl_ring_push(ctypes.byref(ring), ctypes.byref(sample))
            assert accepted == (len(expected) < Ring.SAMPLES)
            if accepted:
                expected.append(made)
            else:
                lost += 1
            made += 1
        elif step == "lose":
            library.tl_ring_count_lost(ctypes.byref(ring))
            lost += 1
        else:
            burst = (Sample * (Ring.SAMPLES + 2))()
            taken = library.tl_ring_take(ctypes.byref(ring), burst, ctypes.c_uint32(step))
            assert taken == min(step, len(expected))
            for sample in burst[:taken]:
                number = expected.popleft()
                assert (sample.t_us, sample.read_us) == (2**40 + number, number)
                assert list(sample.code) == list(range(number % 999, number % 999 + 6))
        assert library.tl_ring_waiting(ctypes.byref(ring)) == len(expected)
        assert library.tl_ring_lost(ctypes.byref(ring)) == lost


def test_it_holds_so_many_samples_and_refuses_one_more(library: ctypes.CDLL) -> None:
    ring, sample = Ring(), Sample()
    library.tl_ring_init(ctypes.byref(ring))
    accepted = [library.tl_ring_push(ctypes.byref(ring), ctypes.byref(sample)) for _ in range(Ring.SAMPLES + 1)]
    assert accepted == [True] * Ring.SAMPLES + [False]
    assert (library.tl_ring_waiting(ctypes.byref(ring)), library.tl_ring_lost(ctypes.byref(ring))) == (Ring.SAMPLES, 1)
