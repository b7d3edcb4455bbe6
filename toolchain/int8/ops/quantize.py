"""QUANTIZE of integers, that is requantization to another scale, zero point or type.

Sources: TFLM `micro/kernels/quantize_common.cc`, `reference/requantize.h`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toolchain.errors import ModelError
from toolchain.int8.ops.fixed_point import checked_multiplier, multiply_by_quantized_multiplier, wrap32
from toolchain.int8.ops.quantized import Quantized

Elements = npt.NDArray[np.integer]
PAIRS = (
    ("INT8", "INT8"),
    ("INT8", "UINT8"),
    ("INT8", "INT16"),
    ("INT8", "INT32"),
    ("UINT8", "INT8"),
    ("INT16", "INT8"),
    ("INT16", "INT16"),
    ("INT16", "INT32"),
    ("INT32", "INT8"),
    ("INT32", "INT16"),
)
"""The integer (input, output) types that TFLM takes."""


@dataclass(frozen=True)
class QuantizeParameters:
    """What QUANTIZE computes with; ``input_offset`` is the negated zero point modulo 2**32."""

    input_offset: int
    multiplier: int
    shift: int
    output_offset: int
    minimum: int
    maximum: int


def quantize_parameters(source: Quantized, output: Quantized) -> QuantizeParameters:
    """Return QUANTIZE's parameters; raises ModelError for a pair of types or scales that TFLM does not take."""
    if (source.type, output.type) not in PAIRS:
        raise ModelError(f"QUANTIZE from {source.type} to {output.type} is not among what TFLM does with integers.")
    multiplier, shift = checked_multiplier(source.scale / output.scale, "QUANTIZE")
    return QuantizeParameters(
        int(wrap32(-source.zero_point)), multiplier, shift, output.zero_point, output.minimum, output.maximum
    )


def quantize(p: QuantizeParameters, x: Elements, dtype: npt.DTypeLike) -> Elements:
    """Return ``x`` in the output's quantization and ``dtype``."""
    centred = wrap32(x.astype(np.int64) + p.input_offset)
    scaled = multiply_by_quantized_multiplier(centred, p.multiplier, p.shift)
    result: Elements = np.clip(wrap32(scaled + p.output_offset), p.minimum, p.maximum).astype(dtype)
    return result
