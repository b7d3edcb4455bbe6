"""TANH and LOGISTIC on int16: one table of the logistic function, interpolated.

Sources: TFLM `micro/kernels/tanh.cc`, `logistic_common.cc`, `reference/integer_ops/tanh.h`, `logistic.h`, `common.h`
(the table), `quantization_util.cc` (CheckedLog2).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toolchain.errors import ModelError
from toolchain.int8.ops.fixed_point import wrap32
from toolchain.int8.ops.quantized import Quantized, require_types, round_half_away

Int16s = npt.NDArray[np.int16]
_MULTIPLIER_MAX = 2**31 - 1


def _sigmoid_table() -> npt.NDArray[np.uint16]:
    left, middle, right = (65536 / (1 + np.exp(-(np.arange(256) + shift) / 24)) for shift in (0, 0.5, 1))
    # Half of what a straight line misses in the middle of its step is added at its beginning.
    table = np.floor(left + (middle - (left + right) / 2) / 2 + 0.5)
    table[-1] = 65535
    return table.astype(np.uint16)


SIGMOID_TABLE = _sigmoid_table()
"""uint16 (256,): the logistic function at i / 24 in units of 2**-16, laid for linear interpolation."""


@dataclass(frozen=True)
class Sigmoid16Parameters:
    """The input in steps of 1/(3 * 4096) is (x * multiplier + half) >> shift, modulo 2**32."""

    multiplier: int
    shift: int


def tanh16_parameters(source: Quantized, output: Quantized) -> Sigmoid16Parameters:
    """Return TANH's parameters; raises ModelError for what TFLM does not take (zero points 0, output scale 2**-15)."""
    return _parameters("TANH", source, output, (0, 1))


def logistic16_parameters(source: Quantized, output: Quantized) -> Sigmoid16Parameters:
    """Return LOGISTIC's parameters; raises ModelError as :func:`tanh16_parameters` does."""
    return _parameters("LOGISTIC", source, output, (0,))


def _parameters(
    operator: str, source: Quantized, output: Quantized, exact_shifts: tuple[int, ...]
) -> Sigmoid16Parameters:
    require_types(operator, ("INT16",), source, output)
    if source.zero_point or output.zero_point:
        raise ModelError(f"{operator} on INT16 has a zero point other than 0, which TFLM refuses.")
    if _checked_log2(output.scale) != -15:
        raise ModelError(f"{operator} on INT16 has the output scale {output.scale:.6g}; TFLM takes 2**-15 alone.")
    exponent = _checked_log2(source.scale)
    if exponent is not None and 12 + exponent in exact_shifts:
        return Sigmoid16Parameters(3 << (12 + exponent), 0)
    factor, shift = source.scale * 4096.0 * 3.0, 0
    while factor <= 32767.0 / 2.0 and shift <= 30:
        factor, shift = factor * 2.0, shift + 1
    multiplier = int(factor)
    if not 0 < multiplier <= _MULTIPLIER_MAX:
        raise ModelError(
            f"{operator} on INT16 has the input scale {source.scale:.3g}; TFLM's arithmetic takes 4e-14 to 1.7e5.",
            "No input of such a scale is resolved by the function: look at how the model was calibrated.",
        )
    return Sigmoid16Parameters(multiplier, shift)


def _checked_log2(scale: float) -> int | None:
    """The exponent where ``scale`` is a power of two to 0.07 %, computed in float32; None elsewhere."""
    natural = np.float32(math.log(scale))
    log2 = float(natural * (np.float32(1) / np.float32(math.log(2))))
    nearest = round_half_away(log2)
    return nearest if abs(np.float32(log2 - nearest)) < np.float32(1e-3) else None


def tanh16(p: Sigmoid16Parameters, x: Int16s) -> Int16s:
    """Return TANH of ``x``, in units of 2**-15."""
    magnitude, negative = _scaled(p, x)
    high = magnitude >> 8
    result = np.where(high >= 255, 0xFFFF << 8, _interpolated(high, magnitude & 0xFF, 8))
    result = np.where(negative, -result + (1 << 23) + (1 << 7) - 1, result - (1 << 23) + (1 << 7))
    return (result >> 8).astype(np.int16)


def logistic16(p: Sigmoid16Parameters, x: Int16s) -> Int16s:
    """Return LOGISTIC of ``x``, in units of 2**-15."""
    magnitude, negative = _scaled(p, x)
    high = magnitude >> 9
    result = np.where(high >= 255, 0x7FFF << 10, _interpolated(high, magnitude & 0x1FF, 9))
    result = np.where(negative, (1 << 25) - result + (1 << 9) - 1, result + (1 << 9))
    return (result >> 10).astype(np.int16)


def _scaled(p: Sigmoid16Parameters, x: Int16s) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Size and sign of the input in steps of 1/(3 * 4096)."""
    half = 1 << (p.shift - 1) if p.shift else 0
    scaled = wrap32(x.astype(np.int64) * p.multiplier + half) >> p.shift
    return np.abs(scaled), scaled < 0


def _interpolated(high: npt.NDArray[np.int64], fraction: npt.NDArray[np.int64], bits: int) -> npt.NDArray[np.int64]:
    index = np.minimum(high, 254)
    left, right = SIGMOID_TABLE[index].astype(np.int64), SIGMOID_TABLE[index + 1].astype(np.int64)
    return (left << bits) + fraction * (right - left)
