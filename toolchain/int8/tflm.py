"""The same right-hand side through the real TensorFlow Lite Micro interpreter (PyPI's `tflite_micro`)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from toolchain.errors import MissingToolError, ModelError
from toolchain.int8.network import Network
from toolchain.int8.quiet import quiet_stderr

ARENA_MARGIN = 1024
"""Bytes added to the smallest arena that runs: kernels of another build may keep a little more."""
_GENEROUS = 1024 * 1024
Int8s = npt.NDArray[np.int8]


def interpreter(tflite: bytes, arena_bytes: int = _GENEROUS) -> Any:
    """Return TFLM's interpreter for ``tflite``; raises ModelError when it refuses the model or the arena."""
    try:
        from tflite_micro import runtime
    except ImportError:
        raise MissingToolError("Package tflite_micro is not installed.", "pip install tflite-micro") from None
    try:
        return runtime.Interpreter.from_bytes(tflite, arena_size=arena_bytes)
    except (RuntimeError, ValueError) as reason:
        raise ModelError(f"TFLM refuses the model with an arena of {arena_bytes} bytes ({reason}).") from None


class TflmRightHandSide:
    """One interpreter. Tensors are found by name in ``network``, never by the file's order."""

    def __init__(self, tflite: bytes, network: Network, arena_bytes: int = _GENEROUS) -> None:
        """Raise ModelError when TFLM refuses the model or the arena is too small."""
        self._network = network
        self._interpreter = interpreter(tflite, arena_bytes)

    def rhs(self, x: Int8s, h: Int8s) -> tuple[Int8s, Int8s, Int8s]:
        """Return (f, z, y), int8 (states,), (states,), (outputs,), for x (inputs,) and h (states,), all layers."""
        network = self._network
        self._interpreter.set_input(x.reshape(1, -1), network.input_position["x"])
        start = 0
        for layer, units in enumerate(network.units, 1):
            part = np.ascontiguousarray(h[start : start + units]).reshape(1, -1)
            self._interpreter.set_input(part, network.input_position[f"h{layer}"])
            start += units
        self._interpreter.invoke()
        layers = range(1, len(network.units) + 1)
        f = np.concatenate([self._output(f"f{layer}") for layer in layers])
        z = np.concatenate([self._output(f"z{layer}") for layer in layers])
        return f, z, self._output("y")

    def _output(self, name: str) -> Int8s:
        values: Int8s = self._interpreter.get_output(self._network.output_position[name])
        return values.reshape(-1)


def smallest_arena(tflite: bytes, network: Network, step: int = 16) -> int:
    """Return the smallest arena in bytes, to ``step``, with which TFLM allocates and runs the model on this host.

    Found by running: the size that TFLM records leaves out what its set-up needs for a moment (tflite-micro #2738).
    Add ARENA_MARGIN for the device; pointers there are 4 bytes instead of 8, so the device needs less.
    """
    zeros = np.zeros(network.inputs, np.int8), np.zeros(network.states, np.int8)

    def runs(size: int) -> bool:
        try:
            TflmRightHandSide(tflite, network, size).rhs(*zeros)
        except (ModelError, RuntimeError):
            return False
        return True

    low, high = 0, _GENEROUS // step
    if not runs(high * step):
        raise ModelError(f"TFLM does not run the model with an arena of {_GENEROUS} bytes.")
    with quiet_stderr():
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if runs(middle * step) else (middle, high)
    return high * step
