"""The conversion by TensorFlow Lite: operators, scales, size, determinism, and what must be refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import toolchain.int8
from toolchain.errors import ModelError
from toolchain.int8.calibration import with_full_range
from toolchain.int8.flatbuffer import read_tflite
from toolchain.int8.graph import converted, int8_tflite, right_hand_side
from toolchain.int8.network import canonical, input_names, output_names, read_network
from toolchain.int8.reference import Int8RightHandSide
from toolchain.int8.tflm import TflmRightHandSide

SCALE = 3.0 / 128
MAX_BYTES = 24 * 1024
"""What a .tflite of the default network (2 x 64) may take."""


def _samples(rng: np.random.Generator, units: list[int], rows: int = 100) -> dict[str, np.ndarray]:
    widths = [6, *units]
    names = input_names(len(units))
    return {n: rng.normal(0, 1, (rows, w)).astype(np.float32) for n, w in zip(names, widths, strict=True)}


@pytest.fixture(scope="module")
def default(make_weights):
    """The default network: weights, calibration, .tflite."""
    rng = np.random.default_rng(11)
    weights = make_weights(rng, [64, 64])
    samples = with_full_range(weights, _samples(rng, [64, 64]), SCALE)
    return weights, samples, int8_tflite(weights, samples, SCALE)


def test_default_network_is_small_and_what_the_design_says(default):
    _, _, tflite = default
    model = read_tflite(tflite)
    assert len(tflite) <= MAX_BYTES
    assert sorted(op.name for op in model.operators) == ["CONCATENATION"] * 2 + ["FULLY_CONNECTED"] * 5 + ["TANH"] * 2
    assert (model.input_names(), model.output_names()) == (input_names(2), output_names(2))
    network = read_network(model)
    assert network.state_scale == SCALE
    assert {t.type for t in model.tensors if t.data is None} == {"INT8"}


def test_quantized_function_follows_the_float_one(default):
    weights, samples, tflite = default
    network = read_network(read_tflite(tflite))
    rhs = Int8RightHandSide(network)
    x = np.rint(samples["x"] / SCALE).clip(-127, 127).astype(np.int8)
    h = np.rint(np.concatenate([samples["h1"], samples["h2"]], axis=1) / SCALE).clip(-127, 127).astype(np.int8)
    f, z, y = rhs(x, h)
    h1, h2 = h[:, :64] * SCALE, h[:, 64:] * SCALE
    first, second = weights.layers
    drive = np.tanh(np.concatenate([x * SCALE, h1], axis=1) @ first.w + first.b)
    assert np.abs(f[:, :64] / 128 - drive).max() < 0.06
    gate = network.layers[1].gate
    assert (
        np.abs((z[:, 64:] - float(gate.output_zero_point)) * gate.output_scale - (h1 @ second.v + second.c)).max() < 0.1
    )
    logits = (y - float(network.head.output_zero_point)) * network.head.output_scale
    assert np.abs(logits - (h2 @ weights.u + weights.d)).max() < 0.1


def test_conversion_is_deterministic(default):
    weights, samples, tflite = default
    assert int8_tflite(weights, samples, SCALE) == tflite


@pytest.mark.parametrize("units", [[1], [9, 17, 5], [12, 3]])
def test_any_depth_and_width_equals_tflm(make_weights, units):
    rng = np.random.default_rng(len(units))
    weights = make_weights(rng, units, 3)
    tflite = int8_tflite(weights, with_full_range(weights, _samples(rng, units), SCALE), SCALE)
    network = read_network(read_tflite(tflite))
    assert network.units == units
    tflm = TflmRightHandSide(tflite, network)
    x = rng.integers(-127, 128, (200, 6)).astype(np.int8)
    h = rng.integers(-127, 128, (200, sum(units))).astype(np.int8)
    ours = Int8RightHandSide(network)(x, h)
    for row in range(len(x)):
        for mine, theirs in zip(ours, tflm.rhs(x[row], h[row]), strict=True):
            np.testing.assert_array_equal(mine[row], theirs)


def test_raw_converter_output_order_is_not_trusted(default):
    """The converter's own file has neither our names nor our order; canonical finds everything by data flow."""
    weights, samples, tflite = default
    raw = read_tflite(converted(right_hand_side(weights), samples))
    assert raw.output_names() != output_names(2)
    was, now = read_network(raw), read_network(read_tflite(tflite))
    assert canonical(raw).output_names() == output_names(2)
    np.testing.assert_array_equal(was.head.weights, now.head.weights)


def test_per_channel_is_refused(default):
    weights, samples, _ = default
    with pytest.raises(ModelError, match=r"FULLY_CONNECTED.*64 scales, expected one"):
        read_network(read_tflite(converted(right_hand_side(weights), samples, per_channel=True)))


def test_float_is_refused(default):
    from toolchain.ltc.tf import tf

    weights, _, _ = default
    converter = tf.lite.TFLiteConverter.from_concrete_functions([right_hand_side(weights)])
    with pytest.raises(ModelError, match="is FLOAT32, expected INT"):
        read_network(read_tflite(bytes(converter.convert())))


@pytest.mark.parametrize("name", ["x", "h1", "h2"])
def test_another_scale_is_refused(default, name):
    """Representative data that leaves the common range in any input changes the scale of some or all."""
    weights, samples, _ = default
    with pytest.raises(ModelError, match=f"QUANTIZE|expected {SCALE:.9g}"):
        int8_tflite(weights, samples | {name: samples[name] * 2}, SCALE)


def test_representative_data_needs_every_name(default):
    weights, samples, _ = default
    with pytest.raises(ModelError, match="h1"):
        converted(right_hand_side(weights), {"x": samples["x"], "h2": samples["h2"]})


def test_everything_but_the_conversion_works_without_tensorflow():
    modules = sorted(path.stem for path in Path(toolchain.int8.__file__).parent.glob("[a-z]*.py"))
    assert "reference" in modules
    lines = "; ".join(f"import toolchain.int8.{name}" for name in modules)
    check = f"import sys; {lines}; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
