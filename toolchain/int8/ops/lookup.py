"""Operators from int8 to int8 with one operand: TANH, LOGISTIC and QUANTIZE, each as a table of 256 results.

Sources: TFLM `micro/kernels/tanh.cc`, `logistic_common.cc`, `reference/integer_ops/tanh.h`, `logistic.h`,
`quantization_util.cc` (CalculateInputRadius).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from toolchain.errors import ModelError
from toolchain.int8.ops import gemmlowp
from toolchain.int8.ops.fixed_point import (
    Ints,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    rounding_divide_by_pot,
)
from toolchain.int8.ops.quantize import quantize, quantize_parameters
from toolchain.int8.ops.quantized import Quantized, require_types

Table = npt.NDArray[np.int8]
_INTEGER_BITS = 4
_INPUTS = np.arange(-128, 128, dtype=np.int64)


def tanh_table(scale: float, zero_point: int) -> Table:
    """Return TANH as int8 (256,), indexed by input + 128; output scale 1/128, zero point 0.

    ``scale`` and ``zero_point`` are the input's. Raises ModelError for a scale beyond TFLM's arithmetic.
    """
    return _table("TANH", scale, zero_point, lambda raw: rounding_divide_by_pot(gemmlowp.tanh(raw, 4), 31 - 7))


def logistic_table(scale: float, zero_point: int) -> Table:
    """Return LOGISTIC as int8 (256,), indexed by input + 128; output scale 1/256, zero point -128.

    ``scale`` and ``zero_point`` are the input's. Raises ModelError for a scale beyond TFLM's arithmetic.
    """
    return _table(
        "LOGISTIC", scale, zero_point, lambda raw: rounding_divide_by_pot(gemmlowp.logistic(raw, 4), 31 - 8) - 128
    )


def tanh_table_of(source: Quantized, output: Quantized) -> Table:
    """Return :func:`tanh_table` for two INT8 tensors; like TFLM it does not look at the output's quantization."""
    require_types("TANH", ("INT8",), source, output)
    return tanh_table(source.scale, source.zero_point)


def logistic_table_of(source: Quantized, output: Quantized) -> Table:
    """Return :func:`logistic_table` for two INT8 tensors; TFLM checks that the output's zero point is -128."""
    require_types("LOGISTIC", ("INT8",), source, output)
    if output.zero_point != -128:
        raise ModelError(f"LOGISTIC has the output zero point {output.zero_point}; TFLM takes -128 alone.")
    return logistic_table(source.scale, source.zero_point)


def quantize_table(source: Quantized, output: Quantized) -> Table:
    """Return QUANTIZE from INT8 to INT8 as int8 (256,), indexed by input + 128."""
    require_types("QUANTIZE", ("INT8",), source, output)
    return quantize(quantize_parameters(source, output), _INPUTS, np.int8).astype(np.int8)


def lookup(table: Table, x: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """Return the table's results for ``x``."""
    return table[x.astype(np.int64) + 128]


def _table(operator: str, scale: float, zero_point: int, function: Callable[[Ints], Ints]) -> Table:
    """Scale to Q4.27, apply ``function`` and saturate where the scaled input would leave Q4.27."""
    multiplier, shift = quantize_multiplier(float(np.float32(scale)) * 2 ** (31 - _INTEGER_BITS))
    if not 0 <= shift <= 62:
        raise ModelError(f"{operator} has the input scale {scale:.3g}; TFLM's arithmetic takes 2**-28 to 2**35.")
    radius = math.floor((2.0**_INTEGER_BITS - 1.0) * 2.0 ** (31 - _INTEGER_BITS) / 2.0**shift)
    centred = _INPUTS - zero_point
    # The lower end is asked for first, which counts where the radius is 0.
    below, above = centred <= -radius, centred >= radius
    raw = multiply_by_quantized_multiplier(np.where(below | above, 0, centred), multiplier, shift)
    return np.where(below, -128, np.where(above, 127, np.clip(function(raw), -128, 127))).astype(np.int8)
