"""The numpy step: bits of the solver, rates, time and the float network."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolchain.ltc.modelspec import Int8Spec
from toolchain.ltc.solvers import semi_implicit
from toolchain.ltc.step import (
    FloatNetwork,
    drive,
    dt_per_us,
    float_input,
    model_dt,
    rate_table,
    rate_tables,
    rate_unit,
    solver,
    timing,
)


def single(value: float) -> float:
    """Round a double to float32. One such rounding after one operation on floats is the float operation itself."""
    return struct.unpack("<f", struct.pack("<f", value))[0]


def scalar_divisor(n: int, dt: float, unit: float) -> float:
    """2**22 * (1 + dt * n units) in whole numbers, then one rounding to float32."""
    time = int(single(dt * single(unit * 2.0**38)))
    return single(float((1 << 22) + (time * 32769 >> 16) + (time * (n - 32769) >> 16))) / 2**22


def scalar_inverses(d: list[float]) -> list[float]:
    if len(d) == 1:
        return [single(1.0 / d[0])]
    pairs = [single(a * b) for a, b in zip(d[::2], d[1::2], strict=True)]
    return [single(w * x) for w, *pair in zip(scalar_inverses(pairs), d[1::2], d[::2], strict=True) for x in pair]


UNIT = 2.0**-11


@given(
    st.lists(
        st.tuples(st.floats(-50, 50, width=32), st.integers(-128, 127), st.integers(1, 65536)), min_size=1, max_size=40
    ),
    st.floats(2.0**-12, 15.0, width=32),
)
def test_the_solver_has_the_bits_of_single_operations(cases, dt):
    """docs/SPEC.md, 2.5: eight units of a layer share a division, the last ones with ones."""
    h, f, n = (np.array(column) for column in zip(*cases, strict=True))
    rate = (n * UNIT).astype(np.float32)
    got = solver(h.astype(np.float32), drive(f.astype(np.int8)), rate, np.float32(dt), UNIT)
    assert got.dtype == np.float32
    divisors = [scalar_divisor(int(count), dt, UNIT) for count in n]
    divisors += [1.0] * (-len(divisors) % 8)
    decays = [a for start in range(0, len(divisors), 8) for a in scalar_inverses(divisors[start : start + 8])]
    sums = [single(state + single(dt * single(q * 0.0078125))) for state, q in zip(h, f, strict=True)]
    assert got.tolist() == [single(a * s) for a, s in zip(decays, sums, strict=False)]
    # And it is the semi-implicit step.
    exact = semi_implicit(h, f / 128, n * UNIT, np.float64(dt))
    assert np.abs(got - exact).max() <= 2e-6 * (1 + np.abs(sums).max())


def test_the_solver_broadcasts_one_dt_over_all_states():
    random = np.random.default_rng(0)
    h = random.standard_normal((3, 9)).astype(np.float32)
    g = random.uniform(-1, 1, (3, 9)).astype(np.float32)
    rate = (random.integers(1, 65537, (3, 9)) * UNIT).astype(np.float32)
    each = np.stack([solver(h[i], g[i], rate[i], np.float32(0.19), UNIT) for i in range(3)])
    assert np.array_equal(solver(h, g, rate, np.full((3, 1), 0.19, np.float32), UNIT), each)


def test_a_step_of_no_time_changes_nothing():
    h, zero = np.linspace(-3, 3, 11).astype(np.float32), np.zeros(11, np.float32)
    assert np.array_equal(solver(h, zero + 1, zero + np.float32(UNIT), np.float32(0), UNIT), h)


def test_the_rate_table_is_the_double_formula():
    table = rate_table(0.031, -17, 0.05)
    assert table.shape == (256,)
    for z in (-128, -17, 0, 127):
        assert table[z + 128] == pytest.approx(1 / (math.log1p(math.exp((z + 17) * 0.031)) + 0.05), rel=1e-14)
    assert (np.diff(table) < 0).all(), "a larger z is a longer time constant"
    assert np.isfinite(rate_table(5.0, 127, 0.05)).all()


def test_rate_tables_follow_the_layers(spec):
    int8 = Int8Spec(
        state_scale=0.03,
        z_scale=[0.02, 0.04],
        z_zero_point=[3, -9],
        y_scale=0.1,
        y_zero_point=0,
        prepare_multiplier=[9] * 6,
    )
    tables = rate_tables(spec.model_copy(update={"int8": int8}))
    assert tables.dtype == np.float32
    exact = np.stack([rate_table(0.02, 3, 0.05), rate_table(0.04, -9, 0.05)])
    unit = rate_unit(spec.model_copy(update={"int8": int8}))
    assert exact.max() / 65536 <= unit < exact.max() / 32768
    assert np.log2(unit) == round(np.log2(unit))
    assert np.abs(tables - exact).max() <= unit / 2
    assert np.array_equal(tables, np.rint(tables / unit) * unit)
    with pytest.raises(ValueError, match="int8"):
        rate_tables(spec)


def test_a_gap_a_repeat_and_a_step_back_reset_and_only_they_are_counted(spec):
    stamps = np.array([7, 5007, 105_007, 205_008, 205_008, 200_000, 204_000])
    when = timing(stamps, spec)
    assert when.reset.tolist() == [True, False, False, True, True, True, False]
    assert when.delta_us.tolist() == [4808, 5000, 100_000, 4808, 4808, 4808, 4000]
    assert when.gap_resets == 3
    later = timing(stamps[1:], spec, last_us=7)
    assert later.reset.tolist() == when.reset[1:].tolist()
    assert later.gap_resets == 3
    assert timing(stamps[:0], spec).gap_resets == 0


def test_timing_works_near_the_end_of_uint64(spec):
    top = 2**64 - 1
    when = timing(np.array([top - 5000, top], np.uint64), spec)
    assert when.delta_us.tolist() == [4808, 5000]


def test_dt_is_one_float32_product(spec):
    delta = np.array([4808, 4807, 99_999], np.uint32)
    expected = [single(float(d) * single(40e-6)) for d in delta.tolist()]
    assert model_dt(delta, spec).tolist() == expected
    assert dt_per_us(spec) == np.float32(40e-6)


def test_inputs_are_scaled_and_clipped(spec):
    codes = np.array([[4000, -32768, 0, 1, 32767, -3]], np.int16)
    got = float_input(codes, spec)
    assert got.dtype == np.float32
    assert got[0].tolist() == pytest.approx([1.0, -4.0, 0.0, 2.7e-4, 4.0, -8.1e-4])


def test_one_step_is_the_articles_equation(make_weights):
    weights = make_weights([3, 2], 2, 1)
    network = FloatNetwork(weights, 0.05)
    random = np.random.default_rng(2)
    x, dt = random.standard_normal((1, 6)).astype(np.float32), np.array([0.3], np.float32)
    state = [random.standard_normal((1, n)).astype(np.float32) for n in (3, 2)]
    after, y = network.step(x, state, dt)
    for source, h, layer, got in zip((x, state[0]), state, weights.layers, after, strict=True):
        for unit in range(h.shape[1]):
            drive = math.tanh(float(np.concatenate([source[0], h[0]]) @ layer.w[:, unit]) + float(layer.b[unit]))
            tau = math.log1p(math.exp(float(source[0] @ layer.v[:, unit] + layer.c[unit]))) + 0.05
            assert got[0, unit] == pytest.approx((h[0, unit] + 0.3 * drive) / (1 + 0.3 / tau), abs=1e-6)
    assert y == pytest.approx(state[1] @ weights.u + weights.d, abs=1e-6)


def test_streams_do_not_mix_and_padding_in_front_changes_nothing(make_weights):
    network = FloatNetwork(make_weights([5, 4], 3, 3), 0.05)
    random = np.random.default_rng(4)
    x = random.standard_normal((3, 30, 6)).astype(np.float32)
    dt = random.uniform(0.05, 0.4, (3, 30)).astype(np.float32)
    dt[1, :10] = 0.0
    reset = np.zeros((3, 30), bool)
    reset[2, 12] = True
    together, _ = network.run(x, dt, reset)
    alone, _ = network.run(x[:1], dt[:1])
    unpadded, _ = network.run(x[1:2, 10:], dt[1:2, 10:])
    restarted, _ = network.run(x[2:, 12:], dt[2:, 12:])
    assert together[0] == pytest.approx(alone[0], abs=1e-6)
    assert together[1, 10:] == pytest.approx(unpadded[0], abs=1e-6)
    assert together[2, 12:] == pytest.approx(restarted[0], abs=1e-6)


def test_states_stay_below_the_largest_time_constant_for_any_dt(make_weights):
    network = FloatNetwork(make_weights([16], 2, 5), 0.05)
    random = np.random.default_rng(6)
    x = random.uniform(-4, 4, (1, 200, 6)).astype(np.float32)
    layer = network.weights.layers[0]
    largest = np.logaddexp(0, x[0] @ layer.v + layer.c).max(axis=0) + 0.05
    for dt in (0.01, 1.0, 100.0):
        _, state = network.run(x, np.full((1, 200), dt, np.float32))
        assert (np.abs(state[0][0]) <= largest * (1 + 1e-5)).all()


def test_a_recording_is_run_from_its_codes_and_stamps(make_weights, spec):
    network = FloatNetwork(make_weights([5, 4], 3, 7), spec.tau_epsilon)
    codes = np.random.default_rng(8).integers(-9000, 9000, (40, 6)).astype(np.int16)
    t_us = np.cumsum(np.where(np.arange(40) == 20, 300_000, 4808))
    logits, when = network.run_codes(codes, t_us, spec)
    assert when.gap_resets == 1
    fresh, _ = network.run_codes(codes[20:], t_us[20:], spec)
    assert logits.shape == (40, 3)
    assert logits[20:] == pytest.approx(fresh, abs=1e-6)
