"""The numpy reference: against TFLM over random right-hand sides, and against docs/SPEC.md written out plainly."""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np
import pytest

from toolchain.errors import ModelError
from toolchain.int8.flatbuffer_writer import write_tflite
from toolchain.int8.network import read_network
from toolchain.int8.reference import Int8Reference, Int8RightHandSide, int8_spec
from toolchain.int8.tflm import TflmRightHandSide, smallest_arena
from toolchain.ltc.decision import Decision
from toolchain.recordings.recording import Recording


@pytest.fixture(scope="module")
def reference(make_model, make_spec, complete):
    model = make_model(np.random.default_rng(8), [5, 7, 3], 4)
    spec = complete(make_spec([5, 7, 3], 4), read_network(model))
    return Int8Reference(spec, write_tflite(model))


def _signal(rng: np.random.Generator, streams: int, samples: int):
    codes = rng.integers(-32768, 32768, (streams, samples, 6)).astype(np.int16) // rng.integers(1, 64, (1, 1, 6))
    steps = rng.choice([1, 4000, 4808, 5500, 90_000, 150_000], (streams, samples), p=[0.02, 0.3, 0.3, 0.3, 0.06, 0.02])
    return codes.astype(np.int16), np.cumsum(steps, axis=1).astype(np.int64)


@pytest.mark.parametrize(
    ("units", "outputs", "steps"),
    [
        ([64, 64], 5, 8000),
        ([1], 2, 4000),
        ([33], 11, 4000),
        ([7, 64, 5], 3, 4000),
        ([3, 1, 2, 4, 5, 6, 7, 8], 32, 1000),
    ],
)
def test_every_output_equals_tflm(make_model, shuffled, units, outputs, steps):
    rng = np.random.default_rng(sum(units))
    model = shuffled(rng, make_model(rng, units, outputs))
    network = read_network(model)
    tflm = TflmRightHandSide(write_tflite(model), network)
    # Spreads from small signals to all of int8, so that neither the middle of a table nor its ends stay untried.
    spread = rng.choice([8, 40, 128], (steps, 1))
    x = rng.integers(-spread, spread, (steps, 6)).astype(np.int8)
    h = rng.integers(-spread, spread, (steps, sum(units))).astype(np.int8)
    f, z, y = Int8RightHandSide(network)(x, h)
    mismatches = sum(
        int((ours != theirs).sum())
        for row in range(steps)
        for ours, theirs in zip((f[row], z[row], y[row]), tflm.rhs(x[row], h[row]), strict=True)
    )
    assert mismatches == 0
    assert len(np.unique(f)) > 100
    assert len(np.unique(z)) > 100


def test_wide_rows_stay_exact(make_model):
    """A row whose sums leave float32's integers must be computed in float64."""
    model = make_model(np.random.default_rng(1), [1100])
    full = [replace(t, data=np.full_like(t.data, 127)) if t.name == "drive1/w" else t for t in model.tensors]
    rhs = Int8RightHandSide(read_network(replace(model, tensors=tuple(full))))
    assert rhs._matrix.dtype == np.float64


def inverses(d: list[np.float32]) -> list[np.float32]:
    """Those of at most eight units, with one division."""
    d0, d1, d2, d3, d4, d5, d6, d7 = (*d, *[np.float32(1)] * (8 - len(d)))
    a, b, c, e = d0 * d1, d2 * d3, d4 * d5, d6 * d7
    u, v = a * b, c * e
    w = np.float32(1) / (u * v)
    up, vp = w * v, w * u
    ap, bp, cp, ep = up * b, up * a, vp * e, vp * c
    return [ap * d1, ap * d0, bp * d3, bp * d2, cp * d5, cp * d4, ep * d7, ep * d6]


def test_run_is_the_specification(reference):
    """docs/SPEC.md, section 2, one stream and one sample at a time, in plain scalars where that is possible."""
    codes, stamps = _signal(np.random.default_rng(2), 1, 300)
    codes, stamps = codes[0], stamps[0]
    spec, network = reference.spec, reference.network
    trace = reference.run(codes, stamps, keep_state=True)
    h = np.zeros(network.states, np.float32)
    layer_of = np.repeat(np.arange(3), network.units)
    exact = [
        1.0 / (np.logaddexp(0, (np.arange(256) - 128 - zero) * scale) + spec.tau_epsilon)
        for scale, zero in zip(spec.int8.z_scale, spec.int8.z_zero_point, strict=True)
    ]
    unit = 2.0**-40
    while np.max(exact) > 65536 * unit:
        unit *= 2
    tables = np.clip(np.rint(np.array(exact) / unit), 1, 65536).astype(int)
    inv_scale = np.float32(1.0 / spec.int8.state_scale)
    resets = 0
    for t, code in enumerate(codes):
        delta = int(stamps[t] - stamps[t - 1]) if t else 0
        reset = t == 0 or delta > spec.dt_max_us
        if reset:
            h[:] = 0
            delta = spec.period_us
            resets += 1
        dt = np.float32(delta) * np.float32(spec.time_scale * 1e-6)
        x = [
            max(-127, min(127, (int(c) * m + 32768) >> 16))
            for c, m in zip(code, spec.int8.prepare_multiplier, strict=True)
        ]
        h_q = np.array([max(-127, min(127, round(float(v * inv_scale)))) for v in h], np.int8)
        f, z, y = reference.rhs(np.array([x], np.int8), h_q[None])
        decays = []
        for layer, width in enumerate(network.units):
            time = int(dt * np.float32(unit * 2.0**38))
            counts = [int(tables[layer][int(q) + 128]) for q in z[0, layer_of == layer]]
            whole = [(1 << 22) + (time * 32769 >> 16) + (time * (n - 32769) >> 16) for n in counts]
            decays += inverses([np.float32(d) * np.float32(2.0**-22) for d in whole])[:width]
        for i in range(len(h)):
            h[i] = decays[i] * (h[i] + dt * (np.float32(f[0, i]) * np.float32(0.0078125)))
        assert (trace.delta_us[t], bool(trace.reset[t])) == (delta, reset)
        assert trace.x_q[t].tolist() == x
        np.testing.assert_array_equal(trace.y[t], y[0])
        assert trace.state[t].tobytes() == h.tobytes()
        assert trace.state_crc[t] == zlib.crc32(h.astype("<f4").tobytes())
    assert resets > 2
    made = Decision(spec.decision, 4).run(trace.y, stamps, trace.delta_us, trace.reset)
    np.testing.assert_array_equal(trace.winner, made.winner)
    np.testing.assert_array_equal(trace.margin, made.margin)
    np.testing.assert_array_equal(trace.fired, made.fired)


def test_many_streams_at_once_give_the_same_bits(reference):
    codes, stamps = _signal(np.random.default_rng(3), 5, 200)
    together = reference.run(codes, stamps, keep_state=True)
    for row in range(5):
        alone = reference.run(codes[row], stamps[row], keep_state=True)
        for name, value in vars(alone).items():
            np.testing.assert_array_equal(getattr(together, name)[row], value, err_msg=name)


def test_padding_in_front_changes_nothing(reference, board):
    rng = np.random.default_rng(4)
    recordings = []
    for samples in (50, 200, 121):
        t_us = (np.arange(samples) * 4808).astype(np.int64)
        signal = rng.normal(0, 5, (samples, 6)).astype(np.float32)
        recordings.append(Recording(signal, t_us, np.zeros(samples, np.int16), "p"))
    together = reference.logits(board.imu)(recordings)
    for recording, logits in zip(recordings, together, strict=True):
        alone = reference.logits(board.imu)([recording])[0]
        assert logits.shape == (len(recording.t_us), 4)
        np.testing.assert_array_equal(logits, alone)


def test_prepare_rounds_and_clamps(reference):
    multiplier = reference.spec.int8.prepare_multiplier[0]
    codes = np.zeros((5, 6), np.int16)
    codes[:, 0] = [32767, -32768, 0, 1, -1]
    prepared = reference.prepare(codes, np.full(5, 5000), np.zeros(5, bool))[:, 0].tolist()
    assert prepared == [127, -127, 0, (multiplier + 32768) >> 16, (-multiplier + 32768) >> 16]


def test_state_ties_go_to_even(reference):
    inverse = 1.0 / reference._inv_scale
    h = np.array([0.5, 1.5, 2.5, -0.5, -1.5, 500, -500], np.float32) * inverse
    np.testing.assert_array_equal(h * reference._inv_scale, [0.5, 1.5, 2.5, -0.5, -1.5, 500, -500])
    assert reference.quantize_state(h).tolist() == [0, 2, 2, 0, -2, 127, -127]


def test_state_is_bounded_by_the_time_constant(reference):
    codes = np.full((1, 3000, 6), 32767, np.int16)
    trace = reference.run(codes, np.arange(3000) * 4808, keep_state=True)
    assert np.abs(trace.state).max() <= 1.0 / reference._rates.min()


def test_a_spec_of_another_network_is_refused(reference, make_model, make_spec):
    tflite = write_tflite(make_model(np.random.default_rng(1), [4]))
    with pytest.raises(ModelError, match="units"):
        Int8Reference(reference.spec, tflite)
    bare = make_spec([4], 5)
    with pytest.raises(ModelError, match="no int8 parameters"):
        Int8Reference(bare, tflite)
    network = read_network(make_model(np.random.default_rng(2), [4]))
    with pytest.raises(ModelError, match=r"scales in model\.json"):
        Int8Reference(bare.model_copy(update={"int8": int8_spec(bare, network)}), tflite)


def test_running_without_a_decision_is_refused(reference):
    undecided = reference.spec.model_copy(update={"decision": None})
    tail = Int8Reference.__new__(Int8Reference)
    tail.__dict__.update(reference.__dict__ | {"spec": undecided})
    with pytest.raises(ModelError, match="decision"):
        tail.run(np.zeros((2, 6), np.int16), np.array([0, 4808]))


def test_an_input_gain_beyond_the_integers_is_refused(make_spec, make_model):
    spec = make_spec([4], 5)
    network = read_network(make_model(np.random.default_rng(1), [4]))
    with pytest.raises(ModelError, match="input 0"):
        int8_spec(spec.model_copy(update={"input_gain": [1.0] * 6}), network)


def test_smallest_arena_runs_and_less_does_not(make_model):
    model = make_model(np.random.default_rng(1), [64, 64])
    tflite, network = write_tflite(model), read_network(model)
    size = smallest_arena(tflite, network)
    zeros = np.zeros(6, np.int8), np.zeros(128, np.int8)
    TflmRightHandSide(tflite, network, size).rhs(*zeros)
    with pytest.raises(ModelError, match=f"arena of {size - 64} bytes"):
        TflmRightHandSide(tflite, network, size - 64)
