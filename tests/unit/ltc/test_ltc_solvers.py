"""The solvers: their order, their stability bounds from both sides, and the exponential without libm."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from toolchain.errors import ModelError
from toolchain.ltc.solvers import (
    ONE_EVALUATION,
    SOLVERS,
    STABLE_UP_TO,
    TRAINED_THROUGH,
    one_minus_exp,
    require_stable,
    rk4,
)
from toolchain.ltc.step import FloatNetwork

EDGE = {"euler": 2.0, "rk4": 2.785293563405282}
"""Where the methods themselves stop being stable: |1 - t| = 1, and |1 - t + t^2/2 - t^3/6 + t^4/24| = 1."""
ORDER = {"semi_implicit": 1, "exponential": 1, "euler": 1, "rk4": 4}


def advance(solver, h, slopes, dt):
    if solver == "rk4":
        return rk4(h, slopes(h), slopes, dt)
    return ONE_EVALUATION[solver](h, *slopes(h), dt)


def two_layers(h):
    """A small network at a constant input: (g, r) of two layers, the second's rate follows the first's state."""
    w = np.array([[0.9, -1.7, 0.4, 0.0], [1.2, 0.3, 0.0, 0.5], [1.5, -0.8, 0.2, 1.1], [-0.7, 1.3, -1.0, 0.6]])
    g = np.tanh(w @ h + np.array([0.5, -0.2, 0.1, 0.3]))
    z = np.array([0.8, 0.2, 1.2 * h[0] - 0.5 * h[1], 0.4 + h[1]])
    return g, 1.0 / (np.log1p(np.exp(z)) + 0.3)


def integrate(solver, seconds, steps, dtype):
    h = np.array([0.6, -0.4, 0.2, 0.9], dtype)
    dt = np.array(seconds / steps, dtype)

    def slopes(state):
        g, r = two_layers(state.astype(np.float64))
        return g.astype(dtype), r.astype(dtype)

    for _ in range(steps):
        h = advance(solver, h, slopes, dt)
    assert h.dtype == dtype
    return h.astype(np.float64)


@pytest.mark.parametrize("solver", SOLVERS)
def test_halving_the_step_divides_the_error_as_the_order_says(solver):
    # The exponential works in float32 alone; its errors here are far above float32's.
    dtype = np.float32 if solver == "exponential" else np.float64
    exact = integrate("rk4", 4.0, 20_000, np.float64)
    errors = [np.abs(integrate(solver, 4.0, steps, dtype) - exact).max() for steps in (16, 32, 64, 128)]
    measured = np.log2(np.array(errors[:-1]) / errors[1:])
    assert measured[-1] == pytest.approx(ORDER[solver], abs=0.25), errors
    assert errors[-1] < (1e-6 if solver == "rk4" else 0.05)


def test_exponential_is_exact_for_a_frozen_drive_and_rate():
    t = np.geomspace(1e-6, 30.0, 500).astype(np.float32)
    h, g, r = np.float32(-1.3), np.float32(0.7), np.full_like(t, 2.0)
    got = ONE_EVALUATION["exponential"](np.full_like(t, h), np.full_like(t, g), r, t / r)
    exact = g / 2.0 + (h - g / 2.0) * np.exp(-t.astype(np.float64))
    assert np.abs(got - exact).max() < 2.5e-7


def test_one_minus_exp_is_good_to_a_float_everywhere():
    """docs/SPEC.md, 2.7: 9.54e-8 relative; every 37th float32 from 2^-40 to 64 stands for all of them."""
    bits = np.arange(np.float32(2.0**-40).view(np.int32), np.float32(64.0).view(np.int32), 37, dtype=np.int32)
    t = bits.view(np.float32)
    error = np.abs(one_minus_exp(t) / -np.expm1(-t.astype(np.float64)) - 1.0)
    assert 0.9e-7 < error.max() < 0.96e-7
    edges = np.array([0.0, 1e-45, 1.2e-38, np.inf], np.float32)
    assert one_minus_exp(edges).tolist() == [0.0, edges[1], edges[2], 1.0]


@pytest.mark.parametrize("solver", sorted(STABLE_UP_TO))
def test_the_bound_is_sharp(solver):
    def after(product, steps):
        h = np.ones(1, np.float32)
        rate = np.float32(3.0)
        zero = np.zeros(1, np.float32)
        for _ in range(steps):
            h = advance(solver, h, lambda state: (zero, rate), np.float32(product / 3.0))
        return abs(float(h[0]))

    assert after(STABLE_UP_TO[solver], 20_000) < 1e-3
    assert after(EDGE[solver] * 1.001, 20_000) > 1e3
    assert 0.9994 < STABLE_UP_TO[solver] / EDGE[solver] < 1.0


@pytest.mark.parametrize("solver", sorted(STABLE_UP_TO))
def test_a_bounded_drive_gives_a_bounded_state_up_to_the_bound(solver):
    """The worst drive for the largest rate: it always pushes the way the state swings."""
    h, dt, rate = np.zeros(1, np.float32), np.float32(STABLE_UP_TO[solver]), np.float32(1.0)
    largest = 0.0
    for step in range(30_000):
        g = np.float32([1.0 if step % 2 else -1.0])
        h = advance(solver, h, lambda state, g=g: (g, rate), dt)
        largest = max(largest, abs(float(h[0])))
    assert largest < 5e3


def test_rk4_does_not_grow_where_the_rate_changes_between_its_stages():
    """One step's factor is affine in each stage's dt*r, so its extremes lie at the corners of [t_min, t_max]^4."""
    one, zero = np.ones(1), np.zeros(1)
    factors = {}
    for corner in itertools.product((1e-3, STABLE_UP_TO["rk4"]), repeat=4):
        first, *others = corner
        rates = iter(others)
        factors[corner] = float(rk4(one, (zero, first), lambda stage, rates=rates: (zero, next(rates)), 1.0)[0])
    assert max(map(abs, factors.values())) < 1.0
    worst = max(factors, key=lambda corner: abs(factors[corner]))
    assert len(set(worst)) == 1, "no mixture is worse than a rate that stays"


def test_always_stable_solvers_stay_within_tau():
    random = np.random.default_rng(1)
    rate = random.uniform(0.05, 20.0, 2000).astype(np.float32)
    require_stable("exponential", 1e30, 1e6, 2**24 - 1, 1)
    for solver in ("semi_implicit", "exponential"):
        for dt in (1e-6, 0.1, 50.0, 1e6):
            h = np.zeros(2000, np.float32)
            for _ in range(50):
                g = random.choice(np.float32([-1, 1]), 2000)
                h = ONE_EVALUATION[solver](h, g, rate, np.float32(dt))
            assert (np.abs(h) <= (1 + 1e-5) / rate).all(), (solver, dt)


@pytest.mark.parametrize("solver", sorted(STABLE_UP_TO))
def test_the_refusal_names_a_bound_that_is_accepted(solver):
    with pytest.raises(ModelError, match=f"Solver '{solver}' is unstable") as caught:
        require_stable(solver, 20.0, 7.0, 100_000, 4808)
    bound_s = float(re.search(r"dt_max_s to at most ([0-9.]+)", caught.value.hint)[1])
    assert bound_s == pytest.approx(STABLE_UP_TO[solver] / 140.0, abs=1e-6)
    assert f"{bound_s * 1000:.3f} ms" in caught.value.what
    require_stable(solver, 20.0, 7.0, round(bound_s * 1e6), 4808)
    with pytest.raises(ModelError, match="unstable"):
        require_stable(solver, 20.0, 7.0, round(bound_s * 1e6) + 1, 4808)


def test_the_semi_implicit_solver_ends_where_its_integers_do():
    require_stable("semi_implicit", 20.0, 7.0, 3_640_000, 4808)
    with pytest.raises(
        ModelError, match="'semi_implicit' cannot count so far for this model: dt/tau reaches"
    ) as caught:
        require_stable("semi_implicit", 20.0, 7.0, 3_650_000, 4808)
    assert "dt_max_s to at most 3.64" in caught.value.hint
    assert caught.value.hint.endswith("or choose solver exponential.")


@pytest.mark.parametrize("solver", sorted(STABLE_UP_TO))
def test_where_one_sample_is_too_long_the_refusal_does_not_speak_of_dt_max(solver):
    with pytest.raises(ModelError, match="unstable") as caught:
        require_stable(solver, 20.0, 400.0, 1, 4808)
    assert "dt_max_s to at most" not in caught.value.hint
    slower = float(re.search(r"time_scale may be ([0-9.]+) at most", caught.value.hint)[1])
    require_stable(solver, 20.0, slower * 0.99, 4808, 4808)


def test_rk4_of_the_float_network_couples_the_layers(make_weights):
    """Layer 2 sees layer 1's stage states: with a fine step all solvers meet, RK4 already with a coarse one."""
    random = np.random.default_rng(5)
    weights = make_weights([5, 4], 3, 2)
    x = random.standard_normal((3, 1, 6)).astype(np.float32)
    start = [random.standard_normal((3, n)).astype(np.float32) for n in (5, 4)]

    def end(solver, steps):
        network = FloatNetwork(weights, 0.3, solver)
        dt = np.full((3, steps), 1.2 / steps, np.float32)
        _, state = network.run(np.repeat(x, steps, axis=1), dt, state=start)
        return np.concatenate(state, axis=1)

    exact = end("rk4", 60)
    assert np.abs(end("rk4", 12) - exact).max() < 2e-4
    for solver in ("semi_implicit", "exponential", "euler"):
        coarse, fine = (np.abs(end(solver, steps) - exact).max() for steps in (12, 1200))
        assert coarse > 10 * fine
        assert fine < 5e-3


def test_logits_come_from_the_state_before_the_step_whatever_the_solver(make_weights):
    weights = make_weights([5, 4], 3, 2)
    random = np.random.default_rng(6)
    x, dt = random.standard_normal((2, 6)).astype(np.float32), np.full(2, 0.05, np.float32)
    state = [random.standard_normal((2, n)).astype(np.float32) for n in (5, 4)]
    logits = [FloatNetwork(weights, 0.3, solver).step(x, state, dt)[1] for solver in SOLVERS]
    assert all(np.array_equal(logits[0], other) for other in logits[1:])


def test_what_is_trained_through_takes_one_evaluation():
    assert set(TRAINED_THROUGH) == set(SOLVERS)
    assert set(TRAINED_THROUGH.values()) <= set(ONE_EVALUATION)
