"""The LTC with a random sparse wiring: weights that are masked to zero in training and stay zero.

The mask is that of Lechner et al., "Neural circuit policies" (Nature Machine Intelligence 2020) in the simplest form:
each unit is wired to a fixed, random share of the layer below and of its own layer. A masked network is an ordinary
one with zeros, so the engine runs it; its zeros save nothing there.
"""

from __future__ import annotations

import numpy as np

from toolchain.ltc.model import Ltc
from toolchain.ltc.scan import Tensor
from toolchain.ltc.solvers import Solver
from toolchain.ltc.tf import tf
from toolchain.ltc.weights import Weights, from_arrays


class SparseLtc(Ltc):
    """``density``: the share of weights that is kept in each matrix of drives; the head and the gates stay dense."""

    def __init__(
        self,
        units: list[int],
        outputs: int,
        tau_epsilon: float,
        seed: int,
        inputs: int,
        density: float,
        solver: Solver = "semi_implicit",
    ) -> None:
        super().__init__(units, outputs, tau_epsilon, seed, inputs, solver)
        random = np.random.default_rng(seed)
        self._masks = {
            name: tf.constant((random.random(value.shape) < density).astype(np.float32))
            for name, value in self.arrays.items()
            if name.startswith("w")
        }

    def chunk(self, x: Tensor, dt: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """As :meth:`Ltc.chunk`, over the masked weights."""
        dense = self.arrays
        self.arrays = {
            name: value * self._masks[name] if name in self._masks else value for name, value in dense.items()
        }
        try:
            return super().chunk(x, dt, state)
        finally:
            self.arrays = dense

    def to_weights(self) -> Weights:
        """Copy the masked weights out."""
        arrays = {
            name: np.array(value) * (self._masks[name].numpy() if name in self._masks else np.float32(1))
            for name, value in self.arrays.items()
        }
        return from_arrays(arrays, self.units, self.outputs, self.inputs)
