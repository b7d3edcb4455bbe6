"""What an operator's arithmetic knows of a tensor, and the range a fused activation leaves.

Source: TFLM `kernels/kernel_util.cc` (CalculateActivationRangeQuantized).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from toolchain.errors import ModelError
from toolchain.int8.flatbuffer import Tensor

Dtype = type[np.integer]
_DTYPES: dict[str, Dtype] = {"INT8": np.int8, "UINT8": np.uint8, "INT16": np.int16, "INT32": np.int32}
_LIMITS: dict[str, tuple[float | None, float | None]] = {
    "NONE": (None, None),
    "RELU": (0.0, None),
    "RELU6": (0.0, 6.0),
    "RELU_N1_TO_1": (-1.0, 1.0),
}
"""Lower and upper limit of the activations that TFLM fuses, in real values."""


@dataclass(frozen=True)
class Quantized:
    """Per-tensor quantization: real value = scale * (q - zero_point). ``scale`` is a float32 value above 0."""

    type: str
    scale: float
    zero_point: int = 0

    def __post_init__(self) -> None:
        """Raise ModelError for a type, scale or zero point that no integer kernel takes."""
        if self.type not in _DTYPES:
            raise ModelError(f"A tensor has type {self.type}; integer kernels take {', '.join(_DTYPES)}.")
        if not self.scale > 0 or not math.isfinite(self.scale):
            raise ModelError(f"A tensor has the scale {self.scale}, expected a positive number.")
        if not self.minimum <= self.zero_point <= self.maximum:
            raise ModelError(f"A tensor of type {self.type} has the zero point {self.zero_point}, outside its type.")

    @classmethod
    def of(cls, tensor: Tensor) -> Quantized:
        """Return what ``tensor`` declares; raises ModelError unless it is quantized per tensor to an integer type."""
        return cls(tensor.type, tensor.scale, tensor.zero_point)

    @property
    def dtype(self) -> Dtype:
        """The numpy type of its elements."""
        return _DTYPES[self.type]

    @property
    def minimum(self) -> int:
        """The smallest number of its type."""
        return int(np.iinfo(self.dtype).min)

    @property
    def maximum(self) -> int:
        """The largest number of its type."""
        return int(np.iinfo(self.dtype).max)


def activation_range(activation: str, output: Quantized) -> tuple[int, int]:
    """Return the (smallest, largest) output that a fused activation leaves: NONE, RELU, RELU6 or RELU_N1_TO_1.

    Raises ModelError for an activation that TFLM does not fuse, and where a limit does not fit int32 at this scale.
    """
    if activation not in _LIMITS:
        raise ModelError(f"Activation {activation} cannot be fused; TFLM fuses {', '.join(_LIMITS)}.")
    low, high = _LIMITS[activation]
    return (
        output.minimum if low is None else max(output.minimum, _quantize(low, output)),
        output.maximum if high is None else min(output.maximum, _quantize(high, output)),
    )


def _quantize(value: float, output: Quantized) -> int:
    with np.errstate(over="ignore"):
        steps = float(np.float32(value) / np.float32(output.scale))
    if not abs(steps) < 2**31:
        raise ModelError(f"The limit {value} of a fused activation does not fit int32 at the scale {output.scale}.")
    return output.zero_point + round_half_away(steps)


def round_half_away(value: float) -> int:
    """Return the nearest integer, halves away from zero (C's round)."""
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


def require_types(operator: str, allowed: tuple[str, ...], *tensors: Quantized) -> None:
    """Raise ModelError unless all tensors have the same type, one of ``allowed``."""
    types = {tensor.type for tensor in tensors}
    if len(types) > 1 or not types <= set(allowed):
        found = ", ".join(tensor.type for tensor in tensors)
        raise ModelError(f"{operator} has tensors of type {found}; expected one type of {', '.join(allowed)}.")
