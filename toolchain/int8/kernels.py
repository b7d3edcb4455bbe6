"""The integer arithmetic of TensorFlow Lite Micro's int8 reference kernels, exact, on arrays.

Sources: TFLM `kernels/internal/common.cc` (MultiplyByQuantizedMultiplier), `quantization_util.cc`
(QuantizeMultiplier, CalculateInputRadius), `kernel_util.cc` (PopulateConvolutionQuantizationParams), `reference/
integer_ops/tanh.h`; gemmlowp `fixedpoint/fixedpoint.h` (tanh of a fixed-point number). Written from their
definitions and proven equal to the interpreter by tests/unit/int8.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
_INT32_MAX = 2**31 - 1
_INT32_MIN = -(2**31)
_TANH_INTEGER_BITS = 4


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


def dense_multiplier(input_scale: float, weight_scale: float, output_scale: float) -> tuple[int, int]:
    """Return (multiplier, shift) of a FULLY_CONNECTED from its float32 scales; the arithmetic is in float64."""
    scales = [float(np.float32(scale)) for scale in (input_scale, weight_scale, output_scale)]
    return quantize_multiplier(scales[0] * scales[1] / scales[2])


def doubling_high_mul(a: npt.ArrayLike, b: npt.ArrayLike) -> Ints:
    """Return round(a * b / 2**31), ties away from zero towards +inf as gemmlowp does; int32 in and out."""
    product = np.asarray(a, np.int64) * np.asarray(b, np.int64)
    nudged = product + np.where(product >= 0, 2**30, 1 - 2**30)
    # C++ divides towards zero; the shift rounds towards minus infinity.
    quotient = np.where(nudged >= 0, nudged >> 31, -((-nudged) >> 31))
    return np.minimum(quotient, _INT32_MAX)


def rounding_divide_by_pot(x: npt.ArrayLike, exponent: npt.ArrayLike) -> Ints:
    """Return x / 2**exponent rounded to nearest, ties away from zero; ``exponent`` in 0..31."""
    value = np.asarray(x, np.int64)
    mask = (np.int64(1) << np.asarray(exponent, np.int64)) - 1
    threshold = (mask >> 1) + (value < 0)
    return (value >> np.asarray(exponent, np.int64)) + ((value & mask) > threshold)


def multiply_by_quantized_multiplier(x: npt.ArrayLike, multiplier: npt.ArrayLike, shift: npt.ArrayLike) -> Ints:
    """Scale int32 ``x`` by multiplier / 2**31 * 2**shift with gemmlowp's two roundings (arrays broadcast)."""
    shifts = np.asarray(shift, np.int64)
    shifted = np.asarray(x, np.int64) << np.maximum(shifts, 0)
    return rounding_divide_by_pot(doubling_high_mul(shifted, multiplier), np.maximum(-shifts, 0))


def tanh_table(scale: float, zero_point: int) -> npt.NDArray[np.int8]:
    """Return TFLM's int8 TANH as int8 (256,), indexed by input + 128; output scale 1/128, zero point 0."""
    multiplier, shift = _tanh_multiplier(scale)
    centred = np.arange(-128, 128, dtype=np.int64) - zero_point
    radius = math.floor((2.0**_TANH_INTEGER_BITS - 1.0) * 2.0 ** (31 - _TANH_INTEGER_BITS) / 2.0**shift)
    inside = np.abs(centred) < radius
    raw = multiply_by_quantized_multiplier(np.where(inside, centred, 0), multiplier, shift)
    value = np.minimum(rounding_divide_by_pot(_tanh_fixed_point(raw), 31 - 7), 127)
    saturated = np.where(centred < 0, -128, 127)
    return np.where(inside, value, saturated).astype(np.int8)


def _tanh_multiplier(scale: float) -> tuple[int, int]:
    fraction, shift = math.frexp(float(np.float32(scale)) * 2 ** (31 - _TANH_INTEGER_BITS))
    return math.floor(fraction * 2**31 + 0.5), shift


def _saturating_left_shift(x: Ints, exponent: int) -> Ints:
    return np.clip(x << exponent, _INT32_MIN, _INT32_MAX)


def _tanh_fixed_point(raw: Ints) -> Ints:
    """Tanh of a Q4.27 number as Q0.31: (1 - e^-2|a|) / (1 + e^-2|a|) with the sign of a."""
    # Doubling is a change of format (Q5.26), not of bits.
    magnitude = _one_minus_over_one_plus(_exp_on_negative_values(-np.abs(raw)))
    return np.where(raw == 0, 0, np.where(raw < 0, -magnitude, magnitude))


def _exp_on_negative_values(a: Ints) -> Ints:
    """e^a for a <= 0 in Q5.26, as Q0.31: a polynomial on [-1/4, 0) times a product of e^-(2^k)."""
    fractional_bits = 26
    quarter = np.int64(1 << (fractional_bits - 2))
    within = (a & (quarter - 1)) - quarter
    result = _exp_near_zero(_saturating_left_shift(within, 5))
    remainder = within - a
    for exponent in range(-2, 5):
        factor = math.floor(math.exp(-(2.0**exponent)) * 2**31 + 0.5)
        bit = np.int64(1) << (fractional_bits + exponent)
        result = np.where(remainder & bit, doubling_high_mul(result, factor), result)
    return np.where(a == 0, _INT32_MAX, result)


def _exp_near_zero(a: Ints) -> Ints:
    """e^a for a in [-1/4, 0), Q0.31: fourth-order Taylor series about -1/8."""
    constant = math.floor(math.exp(-0.125) * 2**31 + 0.5)
    third = math.floor(2**31 / 3 + 0.5)
    x = a + (1 << 28)
    x2 = doubling_high_mul(x, x)
    x3 = doubling_high_mul(x2, x)
    x4 = doubling_high_mul(x2, x2)
    cubic = doubling_high_mul(rounding_divide_by_pot(x4, 2) + x3, third)
    tail = rounding_divide_by_pot(cubic + x2, 1)
    return constant + doubling_high_mul(np.int64(constant), x + tail)


def _one_minus_over_one_plus(a: Ints) -> Ints:
    """(1 - a) / (1 + a) for a in [0, 1], Q0.31: three Newton steps for the reciprocal, in Q2.29."""
    half_denominator = (a + _INT32_MAX + 1) // 2
    one = np.int64(1 << 29)
    x = math.floor(48 / 17 * 2**29 + 0.5) + doubling_high_mul(half_denominator, math.floor(-32 / 17 * 2**29 + 0.5))
    for _ in range(3):
        rest = one - doubling_high_mul(half_denominator, x)
        x = x + _saturating_left_shift(doubling_high_mul(x, rest), 2)
    return _saturating_left_shift(x - one, 2)
