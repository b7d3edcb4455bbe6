"""The right-hand side of the network's ODE as a TensorFlow function, and its conversion to an int8 .tflite.

Imports TensorFlow when it is called, never before: everything else in this package works without it.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from toolchain.errors import ModelError
from toolchain.int8.flatbuffer import TfliteModel, read_tflite
from toolchain.int8.flatbuffer_writer import write_tflite
from toolchain.int8.network import canonical, input_names, read_network
from toolchain.int8.quiet import quiet_stderr
from toolchain.ltc.weights import Floats, Weights


def right_hand_side(weights: Weights) -> Any:
    """Return the concrete function of docs/SPEC.md, 2.4.

    Inputs ``x`` (1, inputs), ``h1`` (1, units), ...; outputs by name: per layer ``f1`` (the drive, after tanh), ``z1``
    (the pre-time-constant), ...; ``y`` (the logits). All read the states before the step; solver and softplus are not
    part of it.
    """
    from toolchain.ltc.tf import tf

    widths = [len(weights.layers[0].v), *weights.units]
    names = input_names(len(weights.layers))
    signature = [tf.TensorSpec([1, width], tf.float32, name) for width, name in zip(widths, names, strict=True)]

    @tf.function(input_signature=signature, autograph=False)
    def rhs(x: Any, *states: Any) -> dict[str, Any]:
        outputs = {}
        source = x
        for number, (layer, h) in enumerate(zip(weights.layers, states, strict=True), 1):
            outputs[f"f{number}"] = tf.tanh(tf.matmul(tf.concat([source, h], axis=1), layer.w) + layer.b)
            outputs[f"z{number}"] = tf.matmul(source, layer.v) + layer.c
            source = h
        outputs["y"] = tf.matmul(source, weights.u) + weights.d
        return outputs

    return rhs.get_concrete_function()


def converted(function: Any, samples: Mapping[str, Floats], *, per_channel: bool = False) -> bytes:
    """Quantize a concrete function to int8 with TensorFlow Lite's converter.

    ``samples``: per input name, representative values (N, width); row i of all inputs belongs together. They are handed
    over by name in the order that the converter's own float file has, which is neither Python's nor the alphabet's.
    """
    from toolchain.ltc.tf import tf

    def converter() -> Any:
        made = tf.lite.TFLiteConverter.from_concrete_functions([function])
        made.optimizations = [tf.lite.Optimize.DEFAULT]
        return made

    with _quiet():
        unquantized = tf.lite.TFLiteConverter.from_concrete_functions([function]).convert()
        order = [_plain(name) for name in read_tflite(bytes(unquantized)).input_names()]
        if sorted(order) != sorted(samples):
            raise ModelError(f"The converter's inputs are {order}, the representative data has {sorted(samples)}.")

        def representative() -> Iterator[list[Floats]]:
            for row in range(len(samples[order[0]])):
                yield [np.ascontiguousarray(samples[name][row : row + 1]) for name in order]

        quantizer = converter()
        quantizer.representative_dataset = representative
        quantizer.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        quantizer.inference_input_type = tf.int8
        quantizer.inference_output_type = tf.int8
        quantizer._experimental_disable_per_channel_quantization_for_dense_layers = not per_channel
        return bytes(quantizer.convert())


def int8_tflite(weights: Weights, samples: Mapping[str, Floats], scale: float) -> bytes:
    """Return the int8 .tflite of the right-hand side, checked, with the names and order of docs/SPEC.md.

    ``samples`` as in :func:`converted`, their range -128 * ``scale`` to 127 * ``scale``. Raises ModelError that names
    operator and tensor if any operator, type or scale is not what docs/SPEC.md says.
    """
    data = write_tflite(with_shared_rates(canonical(read_tflite(converted(right_hand_side(weights), samples)))))
    network = read_network(read_tflite(data))
    if network.state_scale != scale:
        raise ModelError(
            f"The converter gave x and the states the scale {network.state_scale:.9g}, expected {scale:.9g}.",
            "The representative data did not reach the inputs that they are named after.",
        )
    return data


def with_shared_rates(model: TfliteModel) -> TfliteModel:
    """Return a right-hand side (canonical) whose z all have one scale and zero point, so that they share a rate table.

    The range is that of all layers together. Only the outputs of the gates change, which nothing else in the graph
    reads: weights and biases stay as they are, since a bias has the scale of input times weight.
    """
    gates = [index for index, name in zip(model.outputs, model.output_names(), strict=True) if name.startswith("z")]
    ranges = [
        (scale * (-128 - zero_point), scale * (127 - zero_point))
        for tensor in (model.tensors[index] for index in gates)
        for scale, zero_point in [(tensor.scales[0], tensor.zero_points[0])]
    ]
    lowest, highest = min(low for low, _ in ranges), max(high for _, high in ranges)
    scale = float(np.float32((highest - lowest) / 255))
    zero_point = int(np.clip(round(-128 - lowest / scale), -128, 127))
    tensors = [
        replace(tensor, scales=(scale,), zero_points=(zero_point,)) if tensor.index in gates else tensor
        for tensor in model.tensors
    ]
    return replace(model, tensors=tuple(tensors))


def _plain(name: str) -> str:
    return name.removeprefix("serving_default_").removesuffix(":0")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hide the converter's chatter: a deprecated path that is pinned on purpose, and statistics it does not need."""
    from absl import logging as absl_logging

    before = absl_logging.get_verbosity()
    absl_logging.set_verbosity(absl_logging.FATAL)
    try:
        with warnings.catch_warnings(), quiet_stderr():
            warnings.simplefilter("ignore")
            yield
    finally:
        absl_logging.set_verbosity(before)
