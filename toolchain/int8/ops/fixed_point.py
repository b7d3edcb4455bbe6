"""Scaling of integers by a real number kept as a 31-bit multiplier and a shift.

Sources: TFLM `kernels/internal/common.cc` (both MultiplyByQuantizedMultiplier), `quantization_util.cc`
(QuantizeMultiplier, QuantizeMultiplierSmallerThanOneExp); gemmlowp `fixedpoint/fixedpoint.h` (the two roundings).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from toolchain.errors import ModelError

Ints = npt.NDArray[np.int64]
INT32_MAX = 2**31 - 1
INT32_MIN = -(2**31)
SHIFT_MAX = 30
"""Larger left shifts are undefined in TFLM's C++."""
WIDE_SHIFT_MAX = 14
"""The same for an accumulator of 64 bits; TFLM's debug builds assert 7 already."""


def wrap32(x: npt.ArrayLike) -> Ints:
    """Return ``x`` modulo 2**32 in the range of int32."""
    return ((np.asarray(x, np.int64) + 2**31) & 0xFFFFFFFF) - 2**31


def quantize_multiplier(value: float) -> tuple[int, int]:
    """Return (m, s) with value = m / 2**31 * 2**s and m in [2**30, 2**31): TFLM's QuantizeMultiplier.

    ``value`` must be positive. Below 2**-32 the result is (0, 0), as in TFLM.
    """
    fraction, shift = math.frexp(value)
    multiplier = math.floor(fraction * 2**31 + 0.5)
    if multiplier == 2**31:
        multiplier //= 2
        shift += 1
    return (0, 0) if shift < -31 else (multiplier, shift)


def checked_multiplier(value: float, what: str, shift_max: int = SHIFT_MAX) -> tuple[int, int]:
    """Return :func:`quantize_multiplier` of ``value``; raises ModelError where ``value`` is 2**shift_max or more.

    ``what`` names the operator in the message.
    """
    multiplier, shift = quantize_multiplier(value)
    if shift > shift_max:
        raise ModelError(
            f"{what} scales by {value:.3g}; TFLM's arithmetic ends at {2.0**shift_max:.3g}.",
            "Look at the scales of its inputs and of its output.",
        )
    return multiplier, shift


def multiplier_below_one(value: float, what: str) -> tuple[int, int]:
    """Return :func:`quantize_multiplier` of a value that TFLM takes only between 0 and 1; else raises ModelError."""
    multiplier, shift = quantize_multiplier(value) if value > 0 else (0, 1)
    if not value < 1 or shift > 0:
        raise ModelError(
            f"{what} scales by {value:.3g}; TFLM aborts unless that is above 0 and below 1.",
            "The output's scale is too small beside those of the inputs.",
        )
    return multiplier, shift


def doubling_high_mul(a: npt.ArrayLike, b: npt.ArrayLike) -> Ints:
    """Return round(a * b / 2**31), halves upwards, saturated; int32 in and out.

    gemmlowp's nudge and its division towards zero come to the same.
    """
    product = np.asarray(a, np.int64) * np.asarray(b, np.int64)
    return np.minimum((product + 2**30) >> 31, INT32_MAX)


def rounding_divide_by_pot(x: npt.ArrayLike, exponent: npt.ArrayLike) -> Ints:
    """Return x / 2**exponent rounded to nearest, halves away from zero; ``exponent`` in 0..31."""
    value = np.asarray(x, np.int64)
    mask = (np.int64(1) << np.asarray(exponent, np.int64)) - 1
    threshold = (mask >> 1) + (value < 0)
    return (value >> np.asarray(exponent, np.int64)) + ((value & mask) > threshold)


def multiply_by_quantized_multiplier(x: npt.ArrayLike, multiplier: npt.ArrayLike, shift: npt.ArrayLike) -> Ints:
    """Scale int32 ``x`` by multiplier / 2**31 * 2**shift with gemmlowp's two roundings (arrays broadcast)."""
    shifts = np.asarray(shift, np.int64)
    shifted = np.asarray(x, np.int64)
    if (shifts > 0).any():
        shifted = wrap32(shifted << np.maximum(shifts, 0))
    return rounding_divide_by_pot(doubling_high_mul(shifted, multiplier), np.maximum(-shifts, 0))


def multiply_wide_by_quantized_multiplier(x: npt.ArrayLike, multiplier: npt.ArrayLike, shift: npt.ArrayLike) -> Ints:
    """Scale int64 ``x``, below 2**47 in size, by a 15-bit form of the multiplier with one rounding, halves upwards.

    This is TFLM's form for accumulators of 64 bits (16x8 layers); the result wraps to int32.
    """
    full = np.asarray(multiplier, np.int64)
    reduced = np.where(full < 0x7FFF0000, (full + (1 << 15)) >> 16, 0x7FFF)
    total = 15 - np.asarray(shift, np.int64)
    return wrap32((np.asarray(x, np.int64) * reduced + (np.int64(1) << (total - 1))) >> total)
