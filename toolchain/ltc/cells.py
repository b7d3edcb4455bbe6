"""Other cells and networks, trained by the same loop on the same batches: for comparison only, none is deployed.

Each offers what :class:`toolchain.ltc.fit.Trainer` asks of a model. Time is the first axis inside. docs/cells.md has
their equations.

Sources: Hasani et al., "Liquid Time-constant Networks" (AAAI 2021), equation 3 and its fused solver; Hasani et al.,
"Closed-form continuous-time neural networks" (Nature Machine Intelligence 2022), the gated form; Cho et al. 2014 and
Keras' ``reset_after`` form of the GRU; Bai et al., "An Empirical Evaluation of Generic Convolutional and Recurrent
Networks for Sequence Modeling" (2018).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from toolchain.ltc.modelspec import Cell
from toolchain.ltc.scan import Tensor
from toolchain.ltc.tf import keras, tf
from toolchain.ltc.weights import Floats

Arrays = dict[str, Floats]


class Comparison(keras.Model):
    """A network that is trained and scored, and no more."""

    def __init__(self, outputs: int, seed: int) -> None:
        super().__init__()
        self.outputs = outputs
        keras.utils.set_random_seed(seed)

    def zero_state(self, batch: int) -> list[Tensor]:
        """Return the state at rest."""
        raise NotImplementedError

    def chunk(self, x: Tensor, dt: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Run ``x`` (B, T, inputs), ``dt`` (B, T); as :meth:`toolchain.ltc.model.Ltc.chunk`."""
        raise NotImplementedError

    def to_weights(self) -> Arrays:
        """Copy the weights out, by name."""
        return {value.name: np.array(value) for value in self.trainable_variables}

    def set_from(self, weights: Arrays) -> None:
        """Take over weights of a network of the same shape."""
        for value in self.trainable_variables:
            value.assign(weights[value.name])


class Recurrent(Comparison):
    """Recurrent layers of ``units`` and a linear head; a subclass says what one step of a layer is."""

    def __init__(self, inputs: int, units: Sequence[int], outputs: int, seed: int) -> None:
        super().__init__(outputs, seed)
        self.units = list(units)
        self.layers_of = [
            self.weights_of(below, width, f"l{index}")
            for index, (below, width) in enumerate(zip([inputs, *units[:-1]], units, strict=True))
        ]
        self.head = self.matrix(units[-1], outputs, "head"), self.vector(outputs, 0.0, "head_bias")
        self.built = True

    def matrix(self, rows: int, columns: int, name: str) -> Any:
        """Return a weight matrix, Glorot uniform."""
        return self.add_weight(name=name, shape=(rows, columns), initializer="glorot_uniform")

    def vector(self, size: int, low: float, name: str, high: float | None = None) -> Any:
        """Return a bias, constant or uniform between two values."""
        start = keras.initializers.Constant(low) if high is None else keras.initializers.RandomUniform(low, high)
        return self.add_weight(name=name, shape=(size,), initializer=start)

    def weights_of(self, inputs: int, n: int, name: str) -> dict[str, Any]:
        """Return the weights of one layer of width ``n`` over ``inputs``."""
        raise NotImplementedError

    def step(self, w: dict[str, Any], x: Tensor, h: Tensor, dt: Tensor) -> Tensor:
        """Return the state after one sample: ``x`` (B, inputs), ``h`` (B, width), ``dt`` (B, 1) model time."""
        raise NotImplementedError

    def zero_state(self, batch: int) -> list[Tensor]:
        """Return the state at rest."""
        return [tf.zeros((batch, width)) for width in self.units]

    def chunk(self, x: Tensor, dt: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Run ``x`` (B, T, inputs), ``dt`` (B, T); as :meth:`toolchain.ltc.model.Ltc.chunk`."""
        source, time = tf.transpose(x, (1, 0, 2)), tf.transpose(dt)[:, :, None]
        length, states = source.shape[0], []
        for w, h in zip(self.layers_of, state, strict=True):
            written = tf.TensorArray(tf.float32, length, element_shape=h.shape)
            below = source

            def body(
                t: Tensor, h: Tensor, written: Any, w: dict[str, Any] = w, below: Tensor = below
            ) -> tuple[Tensor, Tensor, Any]:
                # A sample with dt 0 is padding.
                after = tf.where(time[t] > 0, self.step(w, below[t], h, time[t]), h)
                return t + 1, after, written.write(t, after)

            _, _, written = tf.while_loop(lambda t, *_: t < length, body, (0, h, written), maximum_iterations=length)
            source = written.stack()
            states.append(source)
        logits = tf.tensordot(source, tf.convert_to_tensor(self.head[0]), 1) + self.head[1]
        return tf.transpose(logits, (1, 0, 2)), states, [layer[-1] for layer in states]


class StateTau(Recurrent):
    """The article's LTC, its time constant from input and state."""

    def weights_of(self, inputs: int, n: int, name: str) -> dict[str, Any]:
        """Drive and gate both read [x, h]."""
        both = inputs + n
        return {
            "w": self.matrix(both, n, f"{name}_w"),
            "b": self.vector(n, 0.0, f"{name}_b"),
            "v": self.matrix(both, n, f"{name}_v"),
            "c": self.vector(n, -1.0, f"{name}_c", 3.0),
        }

    def step(self, w: dict[str, Any], x: Tensor, h: Tensor, dt: Tensor) -> Tensor:
        """Semi-implicit."""
        both = tf.concat([x, h], axis=1)
        tau = tf.math.softplus(both @ w["v"] + w["c"]) + 0.05
        return (h + dt * tf.tanh(both @ w["w"] + w["b"])) / (1.0 + dt / tau)


class Fused(Recurrent):
    """The LTC of Hasani et al. 2021: ``dh/dt = -(1/tau + f) h + f A``, with the fused solver."""

    def weights_of(self, inputs: int, n: int, name: str) -> dict[str, Any]:
        """The conductance reads [x, h]; tau and A are constants of each unit."""
        return {
            "w": self.matrix(inputs + n, n, f"{name}_w"),
            "b": self.vector(n, 0.0, f"{name}_b"),
            "tau": self.vector(n, -1.0, f"{name}_tau", 3.0),
            "a": self.vector(n, -1.0, f"{name}_a", 1.0),
        }

    def step(self, w: dict[str, Any], x: Tensor, h: Tensor, dt: Tensor) -> Tensor:
        """One fused step."""
        f = tf.sigmoid(tf.concat([x, h], axis=1) @ w["w"] + w["b"])
        rate = 1.0 / (tf.math.softplus(w["tau"]) + 0.05)
        return (h + dt * f * w["a"]) / (1.0 + dt * (rate + f))


class Cfc(Recurrent):
    """The closed-form continuous-time network, gated form: two candidates mixed by a sigmoid of time."""

    def weights_of(self, inputs: int, n: int, name: str) -> dict[str, Any]:
        """A backbone of the layer's width, then two candidates and the gate's two parts."""
        made = {
            "w": self.matrix(inputs + n, n, f"{name}_w"),
            "b": self.vector(n, 0.0, f"{name}_b"),
        }
        for part in ("f", "g", "p", "q"):
            made |= {part: self.matrix(n, n, f"{name}_{part}"), f"{part}b": self.vector(n, 0.0, f"{name}_{part}b")}
        return made

    def step(self, w: dict[str, Any], x: Tensor, h: Tensor, dt: Tensor) -> Tensor:
        """One step of length ``dt``."""
        z = 1.7159 * tf.tanh(0.666 * (tf.concat([x, h], axis=1) @ w["w"] + w["b"]))
        f, g, p, q = (z @ w[part] + w[f"{part}b"] for part in ("f", "g", "p", "q"))
        share = tf.sigmoid(-p * dt + q)
        return tf.tanh(f) * (1.0 - share) + share * tf.tanh(g)


class Gru(Recurrent):
    """A gated recurrent unit, with dt as one more input of each layer."""

    def weights_of(self, inputs: int, n: int, name: str) -> dict[str, Any]:
        """Update, reset and candidate side by side."""
        return {
            "w": self.matrix(inputs + 1, 3 * n, f"{name}_w"),
            "u": self.matrix(n, 3 * n, f"{name}_u"),
            "b": self.vector(3 * n, 0.0, f"{name}_b"),
            "r": self.vector(3 * n, 0.0, f"{name}_r"),
        }

    def step(self, w: dict[str, Any], x: Tensor, h: Tensor, dt: Tensor) -> Tensor:
        """One step."""
        ours = tf.split(tf.concat([x, dt], axis=1) @ w["w"] + w["b"], 3, axis=1)
        past = tf.split(h @ w["u"] + w["r"], 3, axis=1)
        update, reset = tf.sigmoid(ours[0] + past[0]), tf.sigmoid(ours[1] + past[1])
        return update * h + (1.0 - update) * tf.tanh(ours[2] + reset * past[2])


class Tcn(Comparison):
    """A causal convolutional network: a residual block for each of ``units``, of dilation 1, 2, 4, ...

    It counts samples and does not look at dt, so it is for evenly sampled inputs.

    Its state is the input of the samples that it still sees: it carries on along a stream like the others.
    """

    KERNEL = 3

    def __init__(self, inputs: int, units: Sequence[int], outputs: int, seed: int) -> None:
        super().__init__(outputs, seed)
        self.inputs = inputs
        self.dilations = [1 << index for index in range(len(units))]
        self.blocks = []
        source = inputs
        for index, width in enumerate(units):
            kernel = self.add_weight(name=f"k{index}", shape=(self.KERNEL, source, width), initializer="glorot_uniform")
            bias = self.add_weight(name=f"b{index}", shape=(width,), initializer="zeros")
            self.blocks.append((kernel, bias))
            source = width
        self.head_kernel = self.add_weight(name="u", shape=(units[-1], outputs), initializer="glorot_uniform")
        self.head_bias = self.add_weight(name="d", shape=(outputs,), initializer="zeros")
        self.built = True

    @property
    def reach(self) -> int:
        """Samples before the present one that an output depends on."""
        return (self.KERNEL - 1) * sum(self.dilations)

    def zero_state(self, batch: int) -> list[Tensor]:
        """Return the inputs before the first: none, as zeros."""
        return [tf.zeros((batch, self.reach * self.inputs))]

    def chunk(self, x: Tensor, dt: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Run ``x`` (B, T, inputs); ``dt`` is not looked at."""
        batch, length = x.shape[0], x.shape[1]
        known = tf.concat([tf.reshape(state[0], (batch, self.reach, self.inputs)), x], axis=1)
        signal = known
        for (kernel, bias), dilation in zip(self.blocks, self.dilations, strict=True):
            span = (self.KERNEL - 1) * dilation
            size = signal.shape[1] - span
            made = bias + sum(
                tf.tensordot(signal[:, k * dilation : k * dilation + size], kernel[k], 1) for k in range(self.KERNEL)
            )
            made = tf.nn.relu(made)
            signal = made + signal[:, span:] if signal.shape[2] == made.shape[2] else made
        logits = tf.tensordot(signal, tf.convert_to_tensor(self.head_kernel), 1) + self.head_bias
        after = tf.reshape(known[:, length:], (batch, self.reach * self.inputs))
        return logits, [tf.zeros((1, batch, 1))], [after]


KINDS: dict[Cell, Callable[[int, Sequence[int], int, int], Comparison]] = {
    "ltc_state_tau": StateTau,
    "ltc_2021": Fused,
    "cfc": Cfc,
    "gru": Gru,
    "tcn": Tcn,
}
"""Makes each cell's network from inputs, widths, outputs and a seed."""
