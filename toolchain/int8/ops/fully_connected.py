"""FULLY_CONNECTED: int8 and 16x8, per tensor and per channel.

Sources: TFLM `micro/kernels/fully_connected_common.cc`, `fully_connected.cc`, `kernels/kernel_util.cc`
(GetQuantizedConvolutionMultipler), `reference/integer_ops/fully_connected.h`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toolchain.errors import ModelError
from toolchain.int8.ops.fixed_point import (
    SHIFT_MAX,
    WIDE_SHIFT_MAX,
    checked_multiplier,
    multiply_by_quantized_multiplier,
    multiply_wide_by_quantized_multiplier,
    wrap32,
)
from toolchain.int8.ops.quantized import Quantized, activation_range, require_types

Elements = npt.NDArray[np.integer]
_BIAS_TOLERANCE = 0.02


@dataclass(frozen=True)
class DenseParameters:
    """``multipliers`` and ``shifts`` hold one entry per output, also where the weights have one scale.

    ``wide``: the accumulator has 64 bits and is scaled with one rounding; else 32 bits and two roundings.
    """

    input_offset: int
    output_offset: int
    multipliers: tuple[int, ...]
    shifts: tuple[int, ...]
    activation_min: int
    activation_max: int
    wide: bool


def dense_multiplier(input_scale: float, weight_scale: float, output_scale: float) -> tuple[int, int]:
    """Return (multiplier, shift) of a FULLY_CONNECTED from its float32 scales; the arithmetic is in float64."""
    return checked_multiplier(_ratio(input_scale, weight_scale, output_scale), "FULLY_CONNECTED")


def dense_parameters(
    source: Quantized,
    weight_scales: Sequence[float],
    rows: int,
    output: Quantized,
    bias: tuple[str, float] | None,
    activation: str = "NONE",
    weight_zero_points: Sequence[int] = (0,),
    absent_bias_type: str = "FLOAT32",
) -> DenseParameters:
    """Return FULLY_CONNECTED's parameters; raises ModelError for what TFLM does not take.

    ``weight_scales``: one, or one for each of ``rows`` outputs. ``bias``: its type (INT32, or INT64 for INT16 inputs)
    and first scale, None without one; then ``absent_bias_type``, an option of the operator, says what it would be.
    """
    require_types("FULLY_CONNECTED", ("INT8", "INT16"), source, output)
    bias_types = ("INT32",) if source.type == "INT8" else ("INT32", "INT64")
    if bias is not None and bias[0] not in bias_types:
        raise ModelError(f"FULLY_CONNECTED on {source.type} has a bias of type {bias[0]}.")
    if len(weight_scales) not in (1, rows):
        raise ModelError(f"FULLY_CONNECTED has {len(weight_scales)} weight scales for {rows} outputs.")
    if any(weight_zero_points):
        raise ModelError("FULLY_CONNECTED has weights with a zero point other than 0, which TFLM asserts against.")
    if bias is not None and len(weight_scales) == 1:
        difference = abs(source.scale * weight_scales[0] - bias[1])
        if difference / output.scale > _BIAS_TOLERANCE:
            raise ModelError("FULLY_CONNECTED has a bias whose scale is not input scale times weight scale.")
    wide = source.type == "INT16" and (absent_bias_type if bias is None else bias[0]) != "INT32"
    shift_max = WIDE_SHIFT_MAX if wide else SHIFT_MAX
    scaling = [
        checked_multiplier(_ratio(source.scale, scale, output.scale), "FULLY_CONNECTED", shift_max)
        for scale in weight_scales
    ]
    if len(scaling) == 1:
        scaling *= rows
    low, high = activation_range(activation, output)
    return DenseParameters(
        input_offset=-source.zero_point,
        output_offset=output.zero_point,
        multipliers=tuple(multiplier for multiplier, _ in scaling),
        shifts=tuple(shift for _, shift in scaling),
        activation_min=low,
        activation_max=high,
        wide=wide,
    )


def dense(p: DenseParameters, x: Elements, weights: npt.NDArray[np.int8], bias: Elements | None) -> Elements:
    """Return the outputs (..., rows), of ``x``'s dtype, for ``x`` (..., depth) and ``weights`` (rows, depth)."""
    accumulators = (x.astype(np.int64) + p.input_offset) @ weights.astype(np.int64).T
    if bias is not None:
        accumulators = accumulators + bias.astype(np.int64)
    if p.wide:
        scaled = multiply_wide_by_quantized_multiplier(accumulators, p.multipliers, p.shifts)
    else:
        scaled = multiply_by_quantized_multiplier(wrap32(accumulators), p.multipliers, p.shifts)
    return np.clip(wrap32(scaled + p.output_offset), p.activation_min, p.activation_max).astype(x.dtype)


def _ratio(input_scale: float, weight_scale: float, output_scale: float) -> float:
    scales = [float(np.float32(scale)) for scale in (input_scale, weight_scale, output_scale)]
    return scales[0] * scales[1] / scales[2]
