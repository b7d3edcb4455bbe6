"""MUL. Sources: TFLM `micro/kernels/mul_common.cc`, `reference/integer_ops/mul.h`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toolchain.errors import ModelError
from toolchain.int8.ops.fixed_point import checked_multiplier, multiply_by_quantized_multiplier, wrap32
from toolchain.int8.ops.quantized import Quantized, activation_range, require_types

Elements = npt.NDArray[np.integer]


@dataclass(frozen=True)
class MultiplyParameters:
    """What MUL computes with; offsets of inputs are negated zero points."""

    input1_offset: int
    input2_offset: int
    output_offset: int
    output_multiplier: int
    output_shift: int
    activation_min: int
    activation_max: int


def multiply_parameters(a: Quantized, b: Quantized, output: Quantized, activation: str = "NONE") -> MultiplyParameters:
    """Return MUL's parameters; raises ModelError for what TFLM does not take (INT16 has zero points 0)."""
    require_types("MUL", ("INT8", "INT16"), a, b, output)
    if output.type == "INT16" and (a.zero_point or b.zero_point or output.zero_point):
        raise ModelError("MUL of INT16 tensors has a zero point other than 0, which TFLM refuses.")
    multiplier, shift = checked_multiplier(a.scale * b.scale / output.scale, "MUL")
    low, high = activation_range(activation, output)
    return MultiplyParameters(
        input1_offset=-a.zero_point,
        input2_offset=-b.zero_point,
        output_offset=output.zero_point,
        output_multiplier=multiplier,
        output_shift=shift,
        activation_min=low,
        activation_max=high,
    )


def multiply(p: MultiplyParameters, a: Elements, b: Elements) -> Elements:
    """Return a * b, of ``a``'s dtype; shapes combine as numpy's do."""
    product = (a.astype(np.int64) + p.input1_offset) * (b.astype(np.int64) + p.input2_offset)
    scaled = multiply_by_quantized_multiplier(product, p.output_multiplier, p.output_shift)
    return np.clip(wrap32(scaled + p.output_offset), p.activation_min, p.activation_max).astype(a.dtype)
