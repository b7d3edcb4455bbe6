"""The fast scan against the numpy step, the plain Keras cell and finite differences."""

from __future__ import annotations

import numpy as np
import pytest

from toolchain.ltc.cell import LtcCell, run_cell
from toolchain.ltc.model import Ltc
from toolchain.ltc.scan import recurrence
from toolchain.ltc.solvers import TRAINED_THROUGH
from toolchain.ltc.step import FloatNetwork
from toolchain.ltc.tf import tf

EPSILON = 0.05
TOPOLOGIES = [[7], [8, 8], [5, 9], [6, 3, 4, 5]]


class Case:
    """A network with random weights, irregular dt, paddings and a state that is not zero."""

    def __init__(self, units, make_weights, steps=23, rows=4, solver="semi_implicit"):
        random = np.random.default_rng(len(units))
        self.weights = make_weights(units, 3, 11)
        self.solver = solver
        self.model = Ltc(units, 3, EPSILON, seed=0, solver=solver)
        self.model.set_from(self.weights)
        self.x = random.standard_normal((rows, steps, 6)).astype(np.float32)
        longest = 1.9 * EPSILON if solver == "euler" else 1.5
        self.dt = random.uniform(0.01, longest, (rows, steps)).astype(np.float32)
        self.dt[0, :5] = 0.0
        self.state = [random.standard_normal((rows, n)).astype(np.float32) for n in units]
        self.pull = random.standard_normal((rows, steps, 3)).astype(np.float32)


CASES = [(units, "semi_implicit") for units in TOPOLOGIES] + [([5, 9], "exponential"), ([5, 9], "euler")]


@pytest.fixture(scope="module", params=CASES, ids=str)
def case(request, make_weights):
    units, solver = request.param
    return Case(units, make_weights, solver=solver)


def test_forward_equals_the_numpy_step_and_the_plain_cell(case):
    logits, after = case.model(case.x, case.dt, [tf.constant(h) for h in case.state])
    reference, reference_after = FloatNetwork(case.weights, EPSILON, case.solver).run(case.x, case.dt, state=case.state)
    plain, plain_after = run_cell(LtcCell(case.weights, EPSILON, case.solver), case.x, case.dt, case.state)
    np.testing.assert_allclose(logits, reference, atol=1e-5)
    np.testing.assert_allclose(logits, plain, atol=1e-5)
    for got, one, other in zip(after, reference_after, plain_after, strict=True):
        np.testing.assert_allclose(got, one, atol=1e-5)
        np.testing.assert_allclose(got, other, atol=1e-5)


def gradients(run, sources, pull, names):
    with tf.GradientTape() as tape:
        tape.watch(sources)
        logits, after = run()
        cost = tf.reduce_sum(logits * pull) + tf.add_n([tf.reduce_sum(tf.sin(h)) for h in after])
    return dict(zip(names, tape.gradient(cost, sources), strict=True))


def test_gradients_equal_those_of_the_plain_cell(case):
    names = [*case.model.arrays, "x", "dt", *(f"h{i}" for i in range(len(case.state)))]
    x, dt, *state = (tf.constant(value) for value in (case.x, case.dt, *case.state))
    cell = LtcCell(case.weights, EPSILON, case.solver)
    fast, plain = (
        gradients(run, [*(v.value for v in arrays.values()), x, dt, *state], case.pull, names)
        for run, arrays in (
            (lambda: case.model(x, dt, state), case.model.arrays),
            (lambda: run_cell(cell, x, dt, state), cell.arrays),
        )
    )
    for name in names:
        scale = float(np.abs(plain[name]).max())
        assert scale > 0, name
        np.testing.assert_allclose(fast[name], plain[name], atol=2e-5 * max(scale, 1.0), err_msg=name)


def test_the_backward_pass_equals_finite_differences():
    random = np.random.default_rng(3)
    shapes = [(6, 2, 3), (6, 2, 3), (6, 2, 3), (2, 3), (3, 3)]
    u, keep, gain, h, w = (random.standard_normal(shape) for shape in shapes)
    values = [u, 1 / (1 + np.exp(-keep)), np.abs(gain), h, w]
    pull = random.standard_normal((6, 2, 3))

    def cost(arrays):
        return tf.reduce_sum(recurrence(*(tf.constant(a) for a in arrays)) * pull)

    tensors = [tf.constant(value) for value in values]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        total = tf.reduce_sum(recurrence(*tensors) * pull)
    step = 1e-6
    for index, gradient in enumerate(tape.gradient(total, tensors)):
        for at in random.permutation(values[index].size)[:12]:
            moved = [value.copy() for value in values]
            moved[index].flat[at] += step
            above = cost(moved)
            moved[index].flat[at] -= 2 * step
            slope = float(above - cost(moved)) / (2 * step)
            assert float(gradient.numpy().flat[at]) == pytest.approx(slope, rel=1e-5, abs=1e-7)


def test_two_halves_that_carry_the_state_equal_the_whole(case):
    state = [tf.constant(h) for h in case.state]
    whole, after = case.model(case.x, case.dt, state)
    first, middle = case.model(case.x[:, :11], case.dt[:, :11], state)
    second, end = case.model(case.x[:, 11:], case.dt[:, 11:], middle)
    np.testing.assert_allclose(tf.concat([first, second], axis=1), whole, atol=1e-6)
    for got, expected in zip(end, after, strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-6)


def test_rk4_is_not_trained_through(make_weights):
    case = Case([3], make_weights, solver="rk4")
    with pytest.raises(ValueError, match="rk4"):
        case.model(case.x, case.dt, case.model.zero_state(4))
    assert set(TRAINED_THROUGH.values()) == {"semi_implicit", "exponential", "euler"}


def test_xla_computes_the_same(make_weights):
    case = Case([6, 4], make_weights)
    state = [tf.constant(h) for h in case.state]
    compiled = tf.function(lambda x, dt, *h: case.model(x, dt, list(h)), jit_compile=True)
    logits, _ = compiled(tf.constant(case.x), tf.constant(case.dt), *state)
    np.testing.assert_allclose(logits, case.model(case.x, case.dt, state)[0], atol=1e-5)


def test_layers_and_head_read_the_states_before_the_step(make_weights):
    case = Case([4, 4], make_weights, steps=6, rows=1)
    moved = case.x.copy()
    moved[0, 2] += 1.0
    rest = case.model.zero_state(1)
    dt = np.full((1, 6), 0.3, np.float32)
    change = np.abs(case.model(case.x, dt, rest)[0] - case.model(moved, dt, rest)[0]).max(axis=(0, 2))
    assert (change[:4] == 0).all(), "two layers are two samples deep"
    assert (change[4:] > 0).all()


def test_weights_go_out_as_they_came_in(make_weights):
    weights = make_weights([5, 9], 3, 1)
    model = Ltc([5, 9], 3, EPSILON, seed=0)
    model.set_from(weights)
    for name, value in model.to_weights().to_arrays().items():
        assert np.array_equal(value, weights.to_arrays()[name])


def test_the_start_follows_the_seed():
    one, same, other = (Ltc([5, 9], 3, EPSILON, seed).to_weights().to_arrays() for seed in (1, 1, 2))
    assert all(np.array_equal(one[name], same[name]) for name in one)
    assert not np.array_equal(one["w0"], other["w0"])
    tau = np.logaddexp(0, Ltc([64], 2, EPSILON, 1).to_weights().layers[0].c)
    assert tau.min() < 0.6
    assert tau.max() > 2.0
