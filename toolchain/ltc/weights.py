"""The float weights of a trained network, and ``model.npz`` (docs/SPEC.md, section 7)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from toolchain.errors import ModelError
from toolchain.files import read_npz, replacing
from toolchain.ltc.modelspec import ModelSpec, require_ltc
from toolchain.ltc.prepare import CHANNELS

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class LayerWeights:
    """One layer of width n over m inputs.

    ``w`` (m + n, n), ``b`` (n): the drive's weights, rows of the input first. ``v`` (m, n), ``c`` (n): the
    pre-time-constant's weights.
    """

    w: Floats
    b: Floats
    v: Floats
    c: Floats


@dataclass(frozen=True)
class Weights:
    """All layers, first to last, and the head ``u`` (units of the last layer, outputs), ``d`` (outputs)."""

    layers: tuple[LayerWeights, ...]
    u: Floats
    d: Floats

    @property
    def units(self) -> list[int]:
        """Width of each layer."""
        return [len(layer.b) for layer in self.layers]

    @property
    def inputs(self) -> int:
        """Width of x."""
        return len(self.layers[0].v)

    @property
    def parameters(self) -> int:
        """Number of trained values."""
        return sum(value.size for value in self.to_arrays().values())

    def to_arrays(self) -> dict[str, Floats]:
        """Return the arrays under the keys of docs/SPEC.md, section 7."""
        arrays: dict[str, Floats] = {}
        for index, layer in enumerate(self.layers):
            arrays |= {f"w{index}": layer.w, f"b{index}": layer.b, f"v{index}": layer.v, f"c{index}": layer.c}
        return arrays | {"u": self.u, "d": self.d}


def shapes(units: list[int], outputs: int, inputs: int = CHANNELS) -> dict[str, tuple[int, ...]]:
    """Return the shape of every array of a network, keys in the order of :meth:`Weights.to_arrays`."""
    result: dict[str, tuple[int, ...]] = {}
    for index, width in enumerate(units):
        result |= {
            f"w{index}": (inputs + width, width),
            f"b{index}": (width,),
            f"v{index}": (inputs, width),
            f"c{index}": (width,),
        }
        inputs = width
    return result | {"u": (inputs, outputs), "d": (outputs,)}


def from_arrays(arrays: dict[str, Floats], units: list[int], outputs: int, inputs: int = CHANNELS) -> Weights:
    """Build Weights from arrays under the keys of docs/SPEC.md; raises ModelError for a wrong or missing one."""
    for key, shape in shapes(units, outputs, inputs).items():
        if key not in arrays:
            raise ModelError(f"The weights lack the array '{key}'.", "Train again: `tinyltc train`.")
        if arrays[key].shape != shape or not np.isfinite(arrays[key]).all():
            raise ModelError(
                f"The weights '{key}' have shape {arrays[key].shape}, expected {shape} of finite values.",
                "Train again: `tinyltc train`.",
            )
    cast = {key: np.ascontiguousarray(arrays[key], np.float32) for key in shapes(units, outputs, inputs)}
    layers = [LayerWeights(*(cast[f"{name}{index}"] for name in "wbvc")) for index in range(len(units))]
    return Weights(tuple(layers), cast["u"], cast["d"])


def save_weights(path: Path, weights: Weights) -> None:
    """Write ``model.npz`` whole or not at all."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **weights.to_arrays())  # type: ignore[arg-type]


def load_weights(path: Path, spec: ModelSpec) -> Weights:
    """Read ``model.npz`` and check it against its ``model.json``; raises ModelError, also for a cell that is no LTC."""
    require_ltc(spec)
    arrays = read_npz(path, ModelError, "Train first: `tinyltc train`.")
    return from_arrays(arrays, spec.units, len(spec.classes), spec.inputs)
