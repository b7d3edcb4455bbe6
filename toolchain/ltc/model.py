"""The network as a Keras model that runs on the fast scan."""

from __future__ import annotations

import numpy as np

from toolchain.ltc.prepare import CHANNELS
from toolchain.ltc.scan import Tensor, scan_layer, shifted
from toolchain.ltc.solvers import Solver
from toolchain.ltc.tf import keras, tf
from toolchain.ltc.weights import Weights, from_arrays, shapes

TAU_BIAS = (-1.0, 3.0)
"""Range of the uniform start of c: tau from 0.3 to 3 model time units, so that slow and fast units both exist."""


class Ltc(keras.Model):
    """Layers of liquid time-constant units and a linear head, over whole chunks of streams.

    Called with ``x`` (B, T, inputs), ``dt`` (B, T) in model time and the state (a list of (B, units) per layer), it
    returns the logits (B, T, outputs) and the state after the last sample. Each layer reads the state of the one below,
    and the head that of the last layer, from before the step (docs/SPEC.md, 2.4). T is static, any length.
    """

    def __init__(
        self,
        units: list[int],
        outputs: int,
        tau_epsilon: float,
        seed: int,
        inputs: int = CHANNELS,
        solver: Solver = "semi_implicit",
    ) -> None:
        super().__init__()
        self.solver: Solver = solver
        self.units = list(units)
        self.inputs = inputs
        self.outputs = outputs
        self.tau_epsilon = tau_epsilon
        random = np.random.default_rng(seed)
        self.arrays = {
            name: self.add_weight(
                name=name,
                shape=shape,
                initializer=keras.initializers.Constant(_start(name, shape, random)),
                dtype="float32",
            )
            for name, shape in shapes(self.units, outputs, inputs).items()
        }
        self.built = True

    def zero_state(self, batch: int) -> list[Tensor]:
        """Return the state at rest: (batch, units) per layer."""
        return [tf.zeros((batch, units)) for units in self.units]

    def call(self, x: Tensor, dt: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Run the chunk; shapes in the class's docstring."""
        logits, _, after = self.chunk(x, dt, state)
        return logits, after

    def chunk(self, x: Tensor, dt: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Like ``call``, with the states of every layer after each sample, (T, B, units), in the middle."""
        source = tf.transpose(x, (1, 0, 2))
        dt = tf.transpose(dt, (1, 0))
        states = []
        for index, h in enumerate(state):
            w, b, v, c = (self.arrays[f"{name}{index}"] for name in "wbvc")
            states.append(scan_layer(source, dt, h, w, b, v, c, self.tau_epsilon, self.solver))
            source = shifted(h, states[-1])
        logits = tf.tensordot(source, tf.convert_to_tensor(self.arrays["u"]), 1) + self.arrays["d"]
        return tf.transpose(logits, (1, 0, 2)), states, [layer[-1] for layer in states]

    def to_weights(self) -> Weights:
        """Copy the weights out, as numpy arrays."""
        arrays = {name: np.array(value) for name, value in self.arrays.items()}
        return from_arrays(arrays, self.units, self.outputs, self.inputs)

    def set_from(self, weights: Weights) -> None:
        """Take over the weights of a network of the same shape."""
        for name, value in weights.to_arrays().items():
            self.arrays[name].assign(value)


def _start(name: str, shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    """Return the first value of a weight: Glorot uniform with an orthogonal recurrent part; c spread over TAU_BIAS."""
    if name.startswith("c"):
        return random.uniform(*TAU_BIAS, shape).astype(np.float32)
    if len(shape) == 1:
        return np.zeros(shape, np.float32)
    limit = np.sqrt(6.0 / sum(shape))
    value = random.uniform(-limit, limit, shape)
    if name.startswith("w"):
        width = shape[1]
        value[-width:] = 0.5 * np.linalg.qr(random.standard_normal((width, width)))[0]
    return value.astype(np.float32)
