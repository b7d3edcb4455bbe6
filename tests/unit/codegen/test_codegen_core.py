"""The parts of firmware/core against independent implementations: hashlib, zlib, numpy, the Python decision."""

from __future__ import annotations

import ctypes
import hashlib
import zlib

import numpy as np
import pytest
from codegen_runs import Made
from hypothesis import given, settings
from hypothesis import strategies as st

from toolchain.ltc.decision import Decision
from toolchain.ltc.modelspec import DecisionSpec
from toolchain.ltc.step import RATE_STEPS, RATE_ZERO, drive, solver

OUTPUTS = 3


class Parameters(ctypes.Structure):
    """tl_decision_parameters."""

    _fields_ = (
        ("background", ctypes.c_int32),
        ("smoothing_us", ctypes.c_uint32),
        ("confirm_us", ctypes.c_uint32),
        ("holdoff_us", ctypes.c_uint32),
        ("warmup_us", ctypes.c_uint32),
        ("threshold", ctypes.c_int32 * OUTPUTS),
    )


class State(ctypes.Structure):
    """tl_decision of a network with OUTPUTS outputs."""

    _fields_ = (
        ("smoothed", ctypes.c_int32 * OUTPUTS),
        ("latched", ctypes.c_int32),
        ("candidate", ctypes.c_int32),
        ("held_us", ctypes.c_uint32),
        ("seen_us", ctypes.c_uint32),
        ("last_us", ctypes.c_uint64),
        ("fired_once", ctypes.c_bool),
    )


class Result(ctypes.Structure):
    """tl_decision_result."""

    _fields_ = (("winner", ctypes.c_uint8), ("margin", ctypes.c_int32), ("fired", ctypes.c_bool))


@pytest.fixture(scope="module")
def core(small: Made) -> ctypes.CDLL:
    library = small.library()
    library.tl_decision_step.restype = Result
    library.tl_decision_step.argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_uint64, ctypes.c_uint32]
    return library


@given(parts=st.lists(st.binary(max_size=200), max_size=6))
@settings(max_examples=200, deadline=None)
def test_sha256_equals_hashlib(core: ctypes.CDLL, parts: list[bytes]) -> None:
    sha, digest = ctypes.create_string_buffer(128), ctypes.create_string_buffer(32)
    core.tl_sha256_init(sha)
    for part in parts:
        core.tl_sha256_update(sha, part, len(part))
    core.tl_sha256_final(sha, digest)
    assert digest.raw == hashlib.sha256(b"".join(parts)).digest()


@pytest.mark.parametrize("size", [0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 128, 1_000_000])
def test_sha256_at_the_edges_of_its_padding(core: ctypes.CDLL, size: int) -> None:
    data = bytes(np.random.default_rng(size).integers(0, 256, size, np.uint8))
    sha, digest = ctypes.create_string_buffer(128), ctypes.create_string_buffer(32)
    core.tl_sha256_init(sha)
    core.tl_sha256_update(sha, data, size)
    core.tl_sha256_final(sha, digest)
    assert digest.raw == hashlib.sha256(data).digest()


@given(first=st.binary(max_size=300), second=st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_crc32_equals_zlib_and_goes_on(core: ctypes.CDLL, first: bytes, second: bytes) -> None:
    assert core.tl_crc32(0, first, len(first)) == zlib.crc32(first)
    assert core.tl_crc32(zlib.crc32(first), second, len(second)) == zlib.crc32(first + second)


def _parameters(spec: DecisionSpec) -> Parameters:
    times = (spec.smoothing_us, spec.confirm_us, spec.holdoff_us, spec.warmup_us)
    return Parameters(spec.background, *times, (ctypes.c_int32 * OUTPUTS)(*spec.thresholds(OUTPUTS)))


specs = st.builds(
    DecisionSpec,
    background=st.integers(-1, OUTPUTS - 1),
    smoothing_us=st.one_of(st.integers(0, 50_000), st.integers(0, 2**20 - 1)),
    confirm_us=st.one_of(st.integers(0, 40_000), st.integers(0, 2**30 - 1)),
    holdoff_us=st.one_of(st.integers(0, 50_000), st.integers(0, 2**32 - 1)),
    warmup_us=st.integers(0, 60_000),
    threshold=st.one_of(st.integers(0, 3000), st.integers(0, 2**24 - 1)),
    threshold_of=st.dictionaries(st.integers(0, OUTPUTS - 1), st.integers(0, 3000), max_size=2),
)
# Long steady stretches, or nothing would ever win by a margin.
stretches = st.lists(
    st.tuples(
        st.lists(st.integers(-128, 127), min_size=OUTPUTS, max_size=OUTPUTS),
        st.integers(1, 15),
        st.booleans(),
        st.sampled_from([1, 4808, 20_000, 2**20, 2**24 - 1]),
    ),
    min_size=1,
    max_size=8,
)


@given(spec=specs, stretches=stretches, start=st.sampled_from([0, 10**9, 2**32 - 30_000, 2**62]))
@settings(max_examples=400, deadline=None)
def test_decision_equals_python(core: ctypes.CDLL, spec: DecisionSpec, stretches: list, start: int) -> None:
    y = np.array([logits for logits, count, _, _ in stretches for _ in range(count)], np.int8)
    reset = np.array([first and i == 0 for _, count, first, _ in stretches for i in range(count)])
    delta_us = np.array([delta for _, count, _, delta in stretches for _ in range(count)], np.uint32)
    t_us = start + np.cumsum(delta_us, dtype=np.uint64)
    expected = Decision(spec, OUTPUTS).run(y, t_us, delta_us, reset)

    parameters = _parameters(spec)
    state = State()
    core.tl_decision_init(ctypes.byref(state), ctypes.byref(parameters))
    for row in range(len(y)):
        if reset[row]:
            core.tl_decision_reset(ctypes.byref(state), ctypes.byref(parameters))
        logits = (ctypes.c_int8 * OUTPUTS)(*y[row].tolist())
        result = core.tl_decision_step(
            ctypes.byref(state), ctypes.byref(parameters), logits, int(t_us[row]), int(delta_us[row])
        )
        got = (result.winner, result.margin, result.fired)
        assert got == (expected.winner[row], expected.margin[row], expected.fired[row])


def test_decision_fires_holds_off_and_latches(core: ctypes.CDLL) -> None:
    """The stage by hand: one command per gesture, none within the hold-off, none before the warm-up."""
    spec = DecisionSpec(background=0, smoothing_us=0, confirm_us=0, holdoff_us=1000, warmup_us=2, threshold=256)
    parameters = _parameters(spec)
    state = State()
    core.tl_decision_init(ctypes.byref(state), ctypes.byref(parameters))

    def step(y: tuple[int, int, int], t_us: int) -> bool:
        logits = (ctypes.c_int8 * OUTPUTS)(*y)
        return core.tl_decision_step(ctypes.byref(state), ctypes.byref(parameters), logits, t_us, 1).fired

    one, two, none = (0, 5, 0), (0, 0, 5), (5, 0, 0)
    assert [step(one, t) for t in (0, 1, 2, 3)] == [False, False, True, False]
    assert not step(two, 1001)
    assert step(two, 1002)
    assert not step(two, 5000)
    assert not step(none, 5001)
    assert step(two, 5002)
    assert not step((0, 0, 0), 9000)


def rint_clamped(h: np.ndarray, inv_scale: np.float32) -> np.ndarray:
    return np.clip(np.rint(h * inv_scale), -127, 127).astype(np.int8)


def quantized(core: ctypes.CDLL, h: np.ndarray, inv_scale: np.float32, states: int) -> np.ndarray:
    padded = np.zeros(-(-len(h) // states) * states, np.float32)
    padded[: len(h)] = h
    q = np.zeros(len(padded), np.int8)
    for start in range(0, len(padded), states):
        part = padded[start : start + states]
        core.tl_prepare_state(part.ctypes.data, inv_scale, q[start : start + states].ctypes.data)
    return q[: len(h)]


def test_state_rounds_half_to_even_as_numpy(core: ctypes.CDLL, small: Made) -> None:
    halves = np.arange(-130, 130.5, 0.5, dtype=np.float32)
    below, above = np.nextafter(halves, np.float32(-np.inf)), np.nextafter(halves, np.float32(np.inf))
    extremes = np.array([0.0, -0.0, 1e-45, -1e-45, 4.2e6, -4.2e6, 8388607.5, -8388609, 3e38, -3e38], np.float32)
    values = np.concatenate([halves, below, above, extremes, [-1.2582912e7, -1.2582913e7, 1.2582912e7]]).astype(
        np.float32
    )
    one = np.float32(1.0)
    assert (quantized(core, values, one, small.spec.states) == rint_clamped(values, one)).all()


@given(bits=st.lists(st.integers(0, 2**32 - 1), min_size=29, max_size=29), scale=st.floats(0.5, 2000, width=32))
@settings(max_examples=300, deadline=None)
def test_any_state_quantizes_as_numpy(core: ctypes.CDLL, small: Made, bits: list[int], scale: float) -> None:
    h = np.array(bits, np.uint32).view(np.float32)
    h = np.where(np.isfinite(h), h, np.float32(1.0))
    with np.errstate(over="ignore"):
        assert (quantized(core, h, np.float32(scale), small.spec.states) == rint_clamped(h, np.float32(scale))).all()


@given(
    seed=st.integers(0, 2**32 - 1),
    unit=st.sampled_from([2.0**-63, 2.0**-20, 2.0**-12, 1.0]),
    reach=st.floats(2**-20, 510, width=32),
)
@settings(max_examples=200, deadline=None)
def test_solver_equals_numpy_bit_for_bit(core: ctypes.CDLL, small: Made, seed: int, unit: float, reach: float) -> None:
    """Whatever the entries of the table are, up to the longest step that an image may ask for."""
    rng = np.random.default_rng(seed)
    states = small.spec.states
    dt = np.float32(reach / (RATE_STEPS * unit))
    h = (rng.normal(0, 1, states) * 10.0 ** rng.integers(-20, 6, states)).astype(np.float32)
    f, z = (rng.integers(-128, 128, states).astype(np.int8) for _ in range(2))
    table = rng.integers(-32768, 32768, 256, dtype=np.int16)
    table[rng.integers(0, 256, 20)] = rng.choice([-32768, 32767], 20)
    rate = (table[z.astype(int) + 128].astype(np.float32) + np.float32(RATE_ZERO)) * np.float32(unit)
    ends = np.cumsum(small.spec.units)
    parts = [slice(end - width, end) for end, width in zip(ends, small.spec.units, strict=True)]
    assert any(width % 8 for width in small.spec.units[:-1]) or len(parts) > 1
    expected = np.concatenate([solver(h[part], drive(f[part]), rate[part], dt, unit) for part in parts])
    assert np.isfinite(expected).all()
    both, q = h.copy(), np.zeros(states, np.int8)
    core.tl_solver_step(h.ctypes.data, f.ctypes.data, z.ctypes.data, table.ctypes.data, unit, dt)
    assert h.tobytes() == expected.tobytes()
    places = (array.ctypes.data for array in (both, f, z, table))
    core.tl_solver_step_to_int8(*places, unit, dt, 127.0, q.ctypes.data)
    assert both.tobytes() == expected.tobytes()
    assert (q == rint_clamped(expected, np.float32(127.0))).all()
