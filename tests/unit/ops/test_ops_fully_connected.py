"""FULLY_CONNECTED in all its forms: interpreter and numpy give the same bits, and so do the C scalings."""

from __future__ import annotations

import math

import numpy as np
import pytest
from c_kernels import Case, Kernels
from single_op import f32, log_uniform, tflm

from toolchain.errors import ModelError
from toolchain.int8.flatbuffer import Tensor
from toolchain.int8.ops.fixed_point import multiply_by_quantized_multiplier, multiply_wide_by_quantized_multiplier
from toolchain.int8.ops.fully_connected import dense, dense_parameters
from toolchain.int8.ops.quantized import Quantized

FORMS = [
    ("INT8", "INT32", "FLOAT32"),
    ("INT8", None, "FLOAT32"),
    ("INT16", "INT64", "FLOAT32"),
    ("INT16", None, "FLOAT32"),
    ("INT16", "INT32", "FLOAT32"),
    ("INT16", None, "INT32"),
]


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize(("type_", "bias_type", "absent"), FORMS)
def test_fully_connected_equals_tflm(
    effort: int, type_: str, bias_type: str | None, absent: str, per_channel: bool
) -> None:
    rng = np.random.default_rng([effort, len(type_), FORMS.index((type_, bias_type, absent)), per_channel])
    limits = np.iinfo(type_.lower())
    for k in range(12 * effort):
        rows, depth, batch = int(rng.integers(2, 131)), int(rng.integers(1, 131)), int(rng.integers(1, 4))
        ends = [limits.min, limits.max, int(rng.integers(limits.min, limits.max))]
        zeros = [int(rng.choice(ends)) for _ in range(2)] if type_ == "INT8" or k % 4 == 3 else [0, 0]
        source = Quantized(type_, log_uniform(rng, 1e-6, 10), zeros[0])
        scales = [log_uniform(rng, 1e-3, 1) for _ in range(rows if per_channel else 1)]
        reach = source.scale * scales[0] * 74 * limits.max / math.sqrt(3) * math.sqrt(depth)
        # Outputs that fill their type, then ones that mostly saturate or vanish.
        factor = rng.uniform(1, 4) if k % 3 else log_uniform(rng, 1e-3, 1e3)
        output = Quantized(type_, f32(reach / limits.max * factor), zeros[1])
        weights = rng.integers(-127, 128, (rows, depth)).astype(np.int8)
        constants = [Tensor(0, "w", weights.shape, "INT8", tuple(scales), (0,) * len(scales), 0, weights)]
        bias = None
        if bias_type:
            bias = rng.integers(-(2**20), 2**20, rows).astype(bias_type.lower())
            bias_scales = tuple(f32(source.scale * scale) for scale in scales)
            constants.append(Tensor(0, "b", (rows,), bias_type, bias_scales, (0,) * len(scales), 0, bias))
        activation = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")[k % 4]
        given = None if bias_type is None else (bias_type, constants[1].scales[0])
        p = dense_parameters(source, scales, rows, output, given, activation, absent_bias_type=absent)
        assert p.wide == (type_ == "INT16" and "INT32" not in (bias_type, absent))
        x = rng.integers(limits.min, limits.max + 1, (batch, depth)).astype(type_.lower())
        options = {} if bias_type else {"bias_type": absent}
        told = tflm(
            "FULLY_CONNECTED", [(source, x)], output, (batch, rows), constants, activation=activation, **options
        )
        np.testing.assert_array_equal(dense(p, x, weights, bias), told, err_msg=f"{source} {output} {activation}")


@pytest.mark.parametrize("exponent", range(-12, 15))
def test_wide_accumulators_at_every_shift_equal_tflm(exponent: int) -> None:
    """One rounding and a multiplier of 15 bits, also where the multiplier is too large to round up."""
    rng = np.random.default_rng(exponent + 50)
    for mantissa in (f32(0.5), f32(0.99999), f32(rng.uniform(0.5, 1)), 1 - 2.0**-24):
        source, output = Quantized("INT16", f32(mantissa * 2.0**exponent)), Quantized("INT16", 1.0)
        weights = rng.integers(-2, 3, (4, 9)).astype(np.int8)
        x = (rng.integers(-32768, 32768, (50, 9)) >> max(exponent, 0)).astype(np.int16)
        constant = Tensor(0, "w", weights.shape, "INT8", (1.0,), (0,), 0, weights)
        p = dense_parameters(source, [1.0], 4, output, None)
        told = tflm("FULLY_CONNECTED", [(source, x)], output, (50, 4), [constant])
        np.testing.assert_array_equal(dense(p, x, weights, None), told)


def test_c_scalings_equal_numpy(kernels: Kernels) -> None:
    rng = np.random.default_rng(11)
    ends = np.array([-(2**31), -(2**31) + 1, -(2**30), -1, 0, 1, 2**30 - 1, 2**30, 2**31 - 1])
    cases = []
    for shift in range(-31, 31):
        for multiplier in (2**30, 2**31 - 1, int(rng.integers(2**30, 2**31))):
            x = np.concatenate([ends, rng.integers(-(2**31), 2**31, 200)]).astype(np.int32)
            expected = multiply_by_quantized_multiplier(x, multiplier, shift).astype(np.int32)
            cases.append(Case("scale", expected, (x,), np.array([multiplier, shift], np.int32)))
            if shift > 14:
                continue
            x = np.concatenate([ends, [-(2**47), 2**47 - 1], rng.integers(-(2**47), 2**47, 200)])
            wide = multiply_wide_by_quantized_multiplier(x, multiplier, shift).astype(np.int32)
            cases.append(Case("scale_wide", wide, (x,), np.array([multiplier, shift], np.int32)))
    cases.append(Case("scale", np.zeros(9, np.int32), (ends.astype(np.int32),), np.zeros(2, np.int32)))
    kernels.check(cases)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"output": Quantized("INT16", 1.0)}, "type INT8, INT16"),
        ({"bias": ("INT64", 0.5)}, "bias of type INT64"),
        ({"bias": ("INT32", 0.6)}, "bias whose scale"),
        ({"weight_scales": [0.5, 0.5]}, "2 weight scales for 3"),
        ({"weight_zero_points": (1,)}, "zero point"),
        ({"weight_scales": [2.0**32]}, "scales by"),
        ({"activation": "TANH"}, "TANH cannot be fused"),
    ],
)
def test_fully_connected_refuses(change: dict[str, object], says: str) -> None:
    usual: dict[str, object] = {
        "source": Quantized("INT8", 1.0),
        "weight_scales": [0.5],
        "rows": 3,
        "output": Quantized("INT8", 1.0),
        "bias": None,
    }
    with pytest.raises(ModelError, match=says):
        dense_parameters(**{**usual, **change})  # type: ignore[arg-type]
