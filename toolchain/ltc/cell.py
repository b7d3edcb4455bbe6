"""The same definition as a plain Keras cell, one sample after the other: for checking the fast scan, not for speed."""

from __future__ import annotations

from typing import Any

from toolchain.ltc.scan import Tensor, coefficients
from toolchain.ltc.solvers import Solver
from toolchain.ltc.tf import keras, tf
from toolchain.ltc.weights import Weights


class LtcCell(keras.layers.Layer):
    """One step of all layers and the head, for ``keras.layers.RNN``.

    Inputs are (B, 7): the six channels, then dt in model time. The output is the logits (B, outputs); there is one
    state (B, units) per layer.
    """

    def __init__(self, weights: Weights, tau_epsilon: float, solver: Solver = "semi_implicit", **options: Any) -> None:
        super().__init__(**options)
        self.solver: Solver = solver
        self.state_size = list(weights.units)
        self.output_size = len(weights.d)
        self.tau_epsilon = tau_epsilon
        self.arrays = {
            name: self.add_weight(name=name, shape=value.shape, initializer=keras.initializers.Constant(value))
            for name, value in weights.to_arrays().items()
        }
        self.built = True

    def call(self, inputs: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Everything reads the states before the step."""
        source, dt = inputs[:, :-1], inputs[:, -1:]
        after = []
        for index, h in enumerate(states):
            w, b, v, c = (self.arrays[f"{name}{index}"] for name in "wbvc")
            drive = tf.tanh(tf.concat([source, h], axis=1) @ w + b)
            tau = tf.math.softplus(source @ v + c) + self.tau_epsilon
            keep, gain = coefficients(self.solver, tau, dt)
            after.append(keep * h + gain * drive)
            source = h
        return source @ self.arrays["u"] + self.arrays["d"], after


def run_cell(cell: LtcCell, x: Tensor, dt: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
    """Unroll the cell with ``keras.layers.RNN``: ``x`` (B, T, inputs), ``dt`` (B, T) give logits and the last state."""
    layer = keras.layers.RNN(cell, return_sequences=True, return_state=True)
    logits, *after = layer(tf.concat([x, dt[:, :, None]], axis=2), initial_state=state)
    return logits, after
