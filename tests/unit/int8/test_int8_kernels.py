"""The integer arithmetic against the interpreter, where it is hardest: ties, large sums, every input of tanh."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from toolchain.int8.flatbuffer import TfliteModel
from toolchain.int8.flatbuffer_writer import write_tflite
from toolchain.int8.network import read_network
from toolchain.int8.ops.fixed_point import multiply_by_quantized_multiplier, quantize_multiplier
from toolchain.int8.ops.fully_connected import dense_multiplier
from toolchain.int8.ops.lookup import tanh_table
from toolchain.int8.reference import Int8RightHandSide
from toolchain.int8.tflm import TflmRightHandSide


def _changed(model: TfliteModel, changes: dict[str, dict]) -> TfliteModel:
    return replace(model, tensors=tuple(replace(t, **changes.get(t.name, {})) for t in model.tensors))


def _scale(model: TfliteModel, name: str) -> float:
    return next(tensor.scale for tensor in model.tensors if tensor.name == name)


@pytest.mark.parametrize("zero_point", [0, -37, 128 - 1])
@pytest.mark.parametrize("scale", [0.002, 0.0101, 0.03125, 0.0487, 0.117, 0.9, 7.0])
def test_tanh_equals_tflm_for_all_inputs(make_model, scale, zero_point):
    model = make_model(np.random.default_rng(4), [1])
    unit = _scale(model, "x")
    # 127 / 127: the drive passes x[0] on unchanged, so that x reaches tanh with every value.
    weights = np.zeros((1, 7), np.int8)
    weights[0, 0] = 127
    weight_scale = float(np.float32(scale / 127 / unit))
    bias_scale = float(np.float32(np.float32(unit) * np.float32(weight_scale)))
    model = _changed(
        model,
        {
            "drive1/w": {"data": weights, "scales": (weight_scale,)},
            "drive1/b": {"data": np.array([-127 * zero_point], np.int32), "scales": (bias_scale,)},
            "drive1": {"scales": (float(np.float32(scale)),), "zero_points": (zero_point,)},
        },
    )
    tflm = TflmRightHandSide(write_tflite(model), read_network(model))
    told = []
    for q in range(-128, 128):
        x = np.array([q, 0, 0, 0, 0, 0], np.int8)
        told.append(int(tflm.rhs(x, np.zeros(1, np.int8))[0][0]))
    np.testing.assert_array_equal(tanh_table(scale, zero_point), told)


def test_tanh_is_close_to_tanh():
    inputs = (np.arange(-128, 128) - 5) * 0.03
    assert np.abs(tanh_table(0.03, 5) / 128 - np.tanh(inputs)).max() <= 1 / 128


def test_roundings_at_ties_equal_tflm(make_model):
    """Sums at rounding boundaries tell two roundings from one, and scales multiplied in float64 from float32."""
    rng = np.random.default_rng(5)
    one_rounding = other_product = 0
    for _ in range(40):
        model = make_model(rng, [64])
        factor = 2.0 ** -rng.integers(8, 23) * rng.uniform(0.5, 1)
        out_scale = float(np.float32(_scale(model, "x") * _scale(model, "drive1/w") / factor))
        gate_scale = float(np.float32(_scale(model, "x") * _scale(model, "z1/w") / factor))
        steps = rng.integers(-100, 100, 64) + 0.5
        bias = np.rint(steps / factor + rng.integers(-3, 4, 64)).astype(np.int32)
        model = _changed(
            model,
            {
                "drive1": {"scales": (out_scale,), "zero_points": (0,)},
                "z1": {"scales": (gate_scale,), "zero_points": (0,)},
                "z1/b": {"data": bias},
            },
        )
        network = read_network(model)
        tflm = TflmRightHandSide(write_tflite(model), network)
        gate = network.layers[0].gate
        zeros = np.zeros(6, np.int8), np.zeros(64, np.int8)
        ours = Int8RightHandSide(network)(zeros[0][None], zeros[1][None])[1][0]
        np.testing.assert_array_equal(ours, tflm.rhs(*zeros)[1])

        shift = 31 - gate.shift
        single = (bias.astype(np.int64) * gate.multiplier + (1 << (shift - 1))) >> shift
        one_rounding += int((np.clip(single, -128, 127) != ours).sum())
        product = float(np.float32(_scale(model, "x")) * np.float32(gate.weight_scale))
        other = multiply_by_quantized_multiplier(bias, *quantize_multiplier(product / gate.output_scale))
        other_product += int((np.clip(other, -128, 127) != ours).sum())
    assert one_rounding > 0
    assert other_product > 0


@pytest.mark.parametrize("value", [0.5, 0.75, 0.999999, 1e-4, 2.0**-20])
def test_multiplier_reproduces_its_value(value):
    multiplier, shift = quantize_multiplier(value)
    assert 2**30 <= multiplier < 2**31
    assert multiplier / 2**31 * 2.0**shift == pytest.approx(value, rel=1e-9)


def test_multiplier_that_rounds_up_to_one_moves_its_shift():
    assert quantize_multiplier(1.0 - 2.0**-33) == (2**30, 1)


def test_tiny_multiplier_is_zero():
    assert quantize_multiplier(2.0**-40) == (0, 0)


def test_dense_multiplier_takes_float32_scales():
    scales = [float(np.float32(value)) for value in (0.1, 0.3, 0.7)]
    assert dense_multiplier(0.1, 0.3, 0.7) == quantize_multiplier(scales[0] * scales[1] / scales[2])
