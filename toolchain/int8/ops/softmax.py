"""SOFTMAX over the last axis: on int8 by fixed-point exponentials, on int16 by two interpolated tables.

Sources: TFLM `micro/kernels/softmax_common.cc`, `reference/softmax.h`, `internal/common.h` (GetReciprocal, LUTPopulate,
LUTLookup), `quantization_util.cc` (PreprocessSoftmaxScaling, CalculateInputRadius).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toolchain.errors import ModelError
from toolchain.int8.ops import gemmlowp
from toolchain.int8.ops.fixed_point import (
    Ints,
    checked_multiplier,
    doubling_high_mul,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    rounding_divide_by_pot,
    wrap32,
)
from toolchain.int8.ops.quantized import Quantized, require_types, round_half_away

_DIFFERENCE_BITS = 5
_SUM_BITS = 12
_STEPS = 512
DEPTH_MAX = {"INT8": 511, "INT16": 4095}
"""Longest row by output type: TFLM aborts where 512 equal inputs meet, and its sum of exponentials ends at 4096."""
DEPTH_MAX_16 = 65535


@dataclass(frozen=True, eq=False)
class Softmax8Parameters:
    """``exponentials``: int32 (256,), Q0.31, by largest input of the row minus input; 0 where TFLM leaves it out."""

    exponentials: npt.NDArray[np.int32]
    depth: int


@dataclass(frozen=True)
class Softmax16Parameters:
    """The multiplier brings differences of inputs to steps of 10/65535."""

    multiplier: int
    shift: int
    depth: int


def softmax8_parameters(source: Quantized, output: Quantized, depth: int, beta: float = 1.0) -> Softmax8Parameters:
    """Return SOFTMAX's parameters for rows of ``depth`` INT8 inputs; raises ModelError for what TFLM does not take.

    TFLM takes the output as INT8 with scale 1/256, zero point -128, or INT16 with scale 1/65536, zero point -32768.
    """
    if source.type != "INT8" or output.type not in DEPTH_MAX:
        raise ModelError(f"SOFTMAX from {source.type} to {output.type} is not among what TFLM does.")
    scale, zero_point, tolerance = (1 / 256, -128, 0.0) if output.type == "INT8" else (1 / 65536, -32768, 0.001 / 65536)
    _check_output(output, scale, zero_point, tolerance)
    _check_depth(depth, DEPTH_MAX[output.type])
    scaled = _factor(source, beta) * 2.0 ** (31 - _DIFFERENCE_BITS)
    if not scaled > 1:
        raise ModelError(f"SOFTMAX has the input scale {source.scale:.3g} times beta {beta:.3g}; TFLM ends at 2**-26.")
    multiplier, shift = quantize_multiplier(min(scaled, 2.0**31 - 1))
    reach = math.floor((2.0**_DIFFERENCE_BITS - 1) * 2.0 ** (31 - _DIFFERENCE_BITS) / 2.0**shift)
    below = np.arange(256, dtype=np.int64)
    raw = multiply_by_quantized_multiplier(-np.where(below <= reach, below, 0), multiplier, shift)
    exponentials = np.where(below <= reach, gemmlowp.exp_on_negative_values(raw, _DIFFERENCE_BITS), 0)
    return Softmax8Parameters(exponentials.astype(np.int32), depth)


def softmax8(p: Softmax8Parameters, x: npt.NDArray[np.int8], dtype: npt.DTypeLike) -> npt.NDArray[np.integer]:
    """Return SOFTMAX of int8 ``x`` over its last axis as ``dtype``, int8 or int16."""
    wide = x.astype(np.int64)
    exponentials = p.exponentials.astype(np.int64)[wide.max(axis=-1, keepdims=True) - wide]
    total = rounding_divide_by_pot(exponentials, _SUM_BITS).sum(axis=-1, keepdims=True)
    zeros = _leading_zeros(total)
    reciprocal = gemmlowp.one_over_one_plus((total << zeros) - 2**31)
    limits = np.iinfo(np.dtype(dtype))
    exponent = _SUM_BITS - zeros + 31 - limits.bits
    product = doubling_high_mul(reciprocal, exponentials)
    result: npt.NDArray[np.integer] = np.clip(
        rounding_divide_by_pot(product, exponent) + limits.min, limits.min, limits.max
    ).astype(dtype)
    return result


def softmax16_parameters(source: Quantized, output: Quantized, depth: int, beta: float = 1.0) -> Softmax16Parameters:
    """Return SOFTMAX's parameters for rows of ``depth`` INT16 inputs; raises ModelError for what TFLM does not take.

    TFLM takes zero points of 0 and an output scale of 1/32768.
    """
    require_types("SOFTMAX", ("INT16",), source, output)
    if source.zero_point:
        raise ModelError("SOFTMAX on INT16 has an input zero point other than 0, which TFLM refuses.")
    _check_output(output, 1 / 32768, 0, 0.001 / 32768)
    _check_depth(depth, DEPTH_MAX_16)
    multiplier, shift = checked_multiplier(_factor(source, beta) / (10.0 / 65535.0), "SOFTMAX")
    return Softmax16Parameters(multiplier, shift, depth)


def softmax16(p: Softmax16Parameters, x: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """Return SOFTMAX of int16 ``x`` over its last axis, in units of 2**-15."""
    wide = x.astype(np.int64)
    below = wide - wide.max(axis=-1, keepdims=True)
    scaled = wrap32(multiply_by_quantized_multiplier(below, p.multiplier, p.shift) + 32767)
    exponentials = _interpolated(EXP_TABLE, np.clip(scaled, -32768, 32767))
    total = exponentials.sum(axis=-1, keepdims=True)
    zeros = _leading_zeros(total)
    normal = ((total << (zeros - 1)) + (1 << 13)) >> 14
    reciprocal = _interpolated(RECIPROCAL_TABLE, np.clip(normal - (1 << 15) - (1 << 16), -32768, 32767))
    right = 31 - zeros
    result = (exponentials * reciprocal + (np.int64(1) << (right - 1))) >> right
    return np.clip(result, 0, 32767).astype(np.int16)


def _factor(source: Quantized, beta: float) -> float:
    factor = float(np.float32(beta)) * source.scale
    if not factor > 0 or not math.isfinite(factor):
        raise ModelError(f"SOFTMAX has beta {beta}, expected a positive number.")
    return factor


def _check_output(output: Quantized, scale: float, zero_point: int, tolerance: float) -> None:
    if output.zero_point != zero_point or abs(output.scale - scale) > tolerance:
        raise ModelError(
            f"SOFTMAX has the output scale {output.scale:.6g} and zero point {output.zero_point}; "
            f"TFLM takes {scale:.6g} and {zero_point} for {output.type}."
        )


def _check_depth(depth: int, largest: int) -> None:
    if not 1 <= depth <= largest:
        raise ModelError(f"SOFTMAX has rows of {depth} elements; TFLM's arithmetic takes 1 to {largest}.")


def _leading_zeros(x: Ints) -> Ints:
    """Leading zeros of positive int32 numbers."""
    return (32 - np.frexp(x.astype(np.float64))[1]).astype(np.int64)


def _table(lowest: np.float32, highest: np.float32, function: Callable[[np.float32], np.float32]) -> Ints:
    """513 values of ``function`` from ``lowest`` to ``highest`` in units of 2**-15, in float32 as TFLM makes them.

    Each but the last is moved by half the error that interpolation has in the middle of its step.
    """
    step = (highest - lowest) / np.float32(_STEPS)
    unit = np.float32(2.0 / 65535.0)
    units = np.float32(65536) / (unit * np.float32(32767) - unit * np.float32(-32768))

    def at(x: np.float32) -> np.float32:
        return np.float32(function(x) * units)

    values = []
    for i in range(_STEPS):
        x = lowest + np.float32(i) * step
        sample = np.float32(round_half_away(float(at(x))))
        following = at(lowest + np.float32(i + 1) * step)
        straight = round_half_away(float((following + sample) / np.float32(2)))
        middle = round_half_away(float(at(x + step / np.float32(2))))
        values.append(int(sample) - round_half_away((straight - middle) / 2))
    values.append(round_half_away(float(at(highest))))
    return np.clip(np.array(values, np.int64), -32768, 32767)


def _float_range(span: float, zero_point: int) -> tuple[np.float32, np.float32]:
    scale = np.float32(span) / np.float32(65535)
    return scale * np.float32(-32768 - zero_point), scale * np.float32(32767 - zero_point)


EXP_TABLE = _table(*_float_range(10.0, 32767), lambda x: np.float32(math.exp(x))).astype(np.int16)
"""int16 (513,): e^x for x in -10 ... 0."""
RECIPROCAL_TABLE = _table(*_float_range(1.0, -32768), lambda x: np.float32(1) / (np.float32(1) + x)).astype(np.int16)
"""int16 (513,): 1 / (1 + x) for x in 0 ... 1."""


def _interpolated(table: npt.NDArray[np.int16], x: Ints) -> Ints:
    index = 256 + (x >> 7)
    base, following = table[index].astype(np.int64), table[index + 1].astype(np.int64)
    return base + (((following - base) * (x & 0x7F) + 64) >> 7)
