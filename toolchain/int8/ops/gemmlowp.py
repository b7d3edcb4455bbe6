"""Functions of fixed-point numbers in int32, as gemmlowp's `fixedpoint/fixedpoint.h` defines them.

Qm.n has m integer bits, n = 31 - m fractional bits and a sign.
"""

from __future__ import annotations

import math

import numpy as np

from toolchain.int8.ops.fixed_point import INT32_MAX, INT32_MIN, Ints, doubling_high_mul, rounding_divide_by_pot


def tanh(raw: Ints, integer_bits: int) -> Ints:
    """Tanh of a fixed-point number as Q0.31: (1 - e^-2|a|) / (1 + e^-2|a|) with the sign of a."""
    # Doubling is a change of format, not of bits.
    exponential = exp_on_negative_values(-np.abs(raw), integer_bits + 1)
    magnitude = _saturating_left_shift(_two_over_one_plus(exponential) - (1 << 29), 2)
    return np.where(raw == 0, 0, np.where(raw < 0, -magnitude, magnitude))


def logistic(raw: Ints, integer_bits: int) -> Ints:
    """Logistic function of a fixed-point number as Q0.31."""
    positive = one_over_one_plus(exp_on_negative_values(-np.abs(raw), integer_bits))
    return np.where(raw == 0, 1 << 30, np.where(raw > 0, positive, INT32_MAX - positive))


def one_over_one_plus(a: Ints) -> Ints:
    """1 / (1 + a) for a in [0, 1], Q0.31."""
    return _saturating_left_shift(_two_over_one_plus(a), 1)


def exp_on_negative_values(a: Ints, integer_bits: int) -> Ints:
    """e^a for a <= 0, as Q0.31: a polynomial on [-1/4, 0) times a product of e^-(2^k); ``integer_bits`` up to 5."""
    fractional_bits = 31 - integer_bits
    quarter = np.int64(1 << (fractional_bits - 2))
    within = (a & (quarter - 1)) - quarter
    result = _exp_near_zero(_saturating_left_shift(within, integer_bits))
    remainder = within - a
    for exponent in range(-2, integer_bits):
        factor = math.floor(math.exp(-(2.0**exponent)) * 2**31 + 0.5)
        bit = np.int64(1) << (fractional_bits + exponent)
        result = np.where(remainder & bit, doubling_high_mul(result, factor), result)
    return np.where(a == 0, INT32_MAX, result)


def _saturating_left_shift(x: Ints, exponent: int) -> Ints:
    return np.clip(x << exponent, INT32_MIN, INT32_MAX)


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


def _two_over_one_plus(a: Ints) -> Ints:
    """2 / (1 + a) for a in [0, 1], Q2.29: three Newton steps for the reciprocal of half the denominator."""
    half_denominator = (a + INT32_MAX + 1) // 2
    one = np.int64(1 << 29)
    x = math.floor(48 / 17 * 2**29 + 0.5) + doubling_high_mul(half_denominator, math.floor(-32 / 17 * 2**29 + 0.5))
    for _ in range(3):
        rest = one - doubling_high_mul(half_denominator, x)
        x = x + _saturating_left_shift(doubling_high_mul(x, rest), 2)
    return x
