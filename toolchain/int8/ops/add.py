"""ADD and SUB: both operands brought to one scale, then the sum to the output's.

Sources: TFLM `micro/kernels/add_common.cc`, `sub_common.cc`, `reference/integer_ops/add.h`, `reference/add.h`, `sub.h`.
The scales are multiplied in float64. TFLM's sources of summer 2026 do so for ADD and take float32 for SUB, but its
package on PyPI, which is what this is proven against, takes float64 for both; so does a FULLY_CONNECTED.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toolchain.int8.ops.fixed_point import Ints, multiplier_below_one, multiply_by_quantized_multiplier, wrap32
from toolchain.int8.ops.quantized import Quantized, activation_range, require_types

Elements = npt.NDArray[np.integer]
_LEFT_SHIFT = {"INT8": 20, "INT16": 15}


@dataclass(frozen=True)
class SumParameters:
    """What ADD and SUB compute with; offsets of inputs are negated zero points."""

    left_shift: int
    input1_offset: int
    input1_multiplier: int
    input1_shift: int
    input2_offset: int
    input2_multiplier: int
    input2_shift: int
    output_offset: int
    output_multiplier: int
    output_shift: int
    activation_min: int
    activation_max: int


def add_parameters(a: Quantized, b: Quantized, output: Quantized, activation: str = "NONE") -> SumParameters:
    """Return ADD's parameters; raises ModelError for what TFLM does not take."""
    return _parameters("ADD", a, b, output, activation)


def subtract_parameters(a: Quantized, b: Quantized, output: Quantized, activation: str = "NONE") -> SumParameters:
    """Return SUB's parameters; raises ModelError for what TFLM does not take."""
    return _parameters("SUB", a, b, output, activation)


def _parameters(operator: str, a: Quantized, b: Quantized, output: Quantized, activation: str) -> SumParameters:
    require_types(operator, ("INT8", "INT16"), a, b, output)
    twice_largest = 2 * max(a.scale, b.scale)
    divisor = float(1 << _LEFT_SHIFT[output.type]) * output.scale
    factors = (a.scale / twice_largest, b.scale / twice_largest, twice_largest / divisor)
    (m1, s1), (m2, s2), (m3, s3) = (multiplier_below_one(factor, operator) for factor in factors)
    low, high = activation_range(activation, output)
    return SumParameters(
        left_shift=_LEFT_SHIFT[output.type],
        input1_offset=-a.zero_point,
        input1_multiplier=m1,
        input1_shift=s1,
        input2_offset=-b.zero_point,
        input2_multiplier=m2,
        input2_shift=s2,
        output_offset=output.zero_point,
        output_multiplier=m3,
        output_shift=s3,
        activation_min=low,
        activation_max=high,
    )


def add(p: SumParameters, a: Elements, b: Elements) -> Elements:
    """Return a + b, of ``a``'s dtype; shapes combine as numpy's do."""
    first, second = _terms(p, a, b)
    return _finish(p, first + second).astype(a.dtype)


def subtract(p: SumParameters, a: Elements, b: Elements) -> Elements:
    """Return a - b, of ``a``'s dtype; shapes combine as numpy's do."""
    first, second = _terms(p, a, b)
    return _finish(p, first - second).astype(a.dtype)


def _terms(p: SumParameters, a: Elements, b: Elements) -> tuple[Ints, Ints]:
    first = (a.astype(np.int64) + p.input1_offset) << p.left_shift
    second = (b.astype(np.int64) + p.input2_offset) << p.left_shift
    return (
        multiply_by_quantized_multiplier(first, p.input1_multiplier, p.input1_shift),
        multiply_by_quantized_multiplier(second, p.input2_multiplier, p.input2_shift),
    )


def _finish(p: SumParameters, total: Ints) -> Ints:
    scaled = multiply_by_quantized_multiplier(total, p.output_multiplier, p.output_shift)
    return np.clip(wrap32(scaled + p.output_offset), p.activation_min, p.activation_max)
