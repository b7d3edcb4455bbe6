"""A hypothesis strategy for quantized graphs of all operators that the compiler takes, written as flatbuffers.

Shapes of 1 to 130 per dimension, up to four dimensions; values read by many; constants and broadcasting on either side;
int8 and int16 in one graph; scales from 2^-24 to 2^8 and any zero point; per tensor and per channel; every fused
activation; dead operators; outputs that other operators read.

Left out, because TensorFlow Lite Micro refuses or aborts there, or its C++ has no defined result:
* ADD and SUB whose output scale is below 2 * the larger input scale / 2^20 (int8), / 2^15 (int16): a check aborts.
* Scales that multiply by 2^30 or more (FULLY_CONNECTED with a 64-bit sum: 2^6), and a bias whose scale is not that of
  the products: refused, or a shift out of range.
* int16 with a zero point other than 0: refused by MUL, TANH, LOGISTIC, SOFTMAX and CONCATENATION.
* Outputs of TANH, LOGISTIC and SOFTMAX in another quantization than TFLite's specification gives: refused.
* SOFTMAX over more than 511 elements: 512 equal int8 inputs abort; nor of int8 inputs with scale * beta of
  2^-26 or less: a check aborts.
* int8 CONCATENATION of unlike scales, more than ten inputs: refused.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

from toolchain.int8.flatbuffer import Operator, Tensor, TfliteModel
from toolchain.int8.flatbuffer_writer import write_tflite

LIMITS = {"INT8": (-128, 127), "INT16": (-32768, 32767)}
DTYPES = {"INT8": np.int8, "INT16": np.int16, "INT32": np.int32, "INT64": np.int64}
ACTIVATIONS = ["NONE", "NONE", "RELU", "RELU6", "RELU_N1_TO_1"]
MOST_ELEMENTS = 1500
LONGEST_SOFTMAX = 511
SMALLEST_SOFTMAX = 2.0**-26
_LEFT_SHIFT = {"INT8": 20, "INT16": 15}

Quantization = tuple[str, float, int]
"""Type, scale, zero point."""


def f32(value: float) -> float:
    return float(np.float32(value))


class RandomGraph:
    """A model's bytes, and cases of one array for each input. No dataclass: Hypothesis would print every byte."""

    def __init__(self, tflite: bytes, cases: list[list[np.ndarray]], operators: list[Operator]) -> None:
        self.tflite = tflite
        self.cases = cases
        self._operators = operators

    def __repr__(self) -> str:
        """Say what is in it; Hypothesis prints a blob that makes it again."""
        return f"<{', '.join(operator.name for operator in self._operators)}>"


@dataclass
class Builder:
    """A graph while it grows. ``values``: tensors that an operator may read and that change with the inputs."""

    draw: Any
    rng: np.random.Generator
    palette: list[Quantization]
    tensors: list[Tensor] = field(default_factory=list)
    operators: list[Operator] = field(default_factory=list)
    values: list[Tensor] = field(default_factory=list)

    def choose(self, *options: Any) -> Any:
        return self.draw(st.sampled_from(options))

    def size(self, most: int = 130) -> int:
        """A size from 1 to ``most``; small ones and those beside a multiple of four are frequent."""
        return min(
            most, self.draw(st.one_of(st.integers(1, 9), st.integers(1, 130), st.sampled_from([63, 64, 65, 130])))
        )

    def tensor(self, shape, quantization, data=None, scales=None) -> Tensor:
        type_, scale, zero_point = quantization
        scales = (scale,) if scales is None else tuple(scales)
        points = (zero_point,) if len(scales) == 1 else (0,) * len(scales)
        made = Tensor(len(self.tensors), f"t{len(self.tensors)}", tuple(shape), type_, scales, points, 0, data)
        self.tensors.append(made)
        return made

    def constant(self, shape, quantization) -> Tensor:
        low, high = LIMITS[quantization[0]]
        numbers = self.rng.integers(low, high + 1, shape).astype(DTYPES[quantization[0]])
        return self.tensor(shape, quantization, numbers)

    def operator(self, name, inputs, shape, quantization, **options) -> None:
        output = self.tensor(shape, quantization)
        places = tuple(-1 if tensor is None else tensor.index for tensor in inputs)
        self.operators.append(Operator(len(self.operators), name, 1, places, (output.index,), **options))
        self.values.append(output)

    def quantization(self, type_=None) -> Quantization:
        """One of the graph's own, so that values of like quantization meet, or a new one."""
        known = [entry for entry in self.palette if type_ in (None, entry[0])]
        if known and self.draw(st.integers(0, 3)):
            return self.choose(*known)
        made = random_quantization(self.draw, type_)
        self.palette.append(made)
        return made

    def value(self, *types) -> Tensor | None:
        found = [tensor for tensor in self.values if not types or tensor.type in types]
        return self.choose(*found) if found else None

    # ---- operators

    def fully_connected(self) -> None:
        source = self.value()
        depth = source.shape[-1] if source.shape else 1
        batches = math.prod(source.shape) // depth
        rows = self.size(max(1, MOST_ELEMENTS // batches))
        output = self.quantization(source.type)
        wide_bias = self.choose("INT64", "INT64", "INT32", None) if source.type == "INT16" else None
        bias_type = wide_bias if source.type == "INT16" else self.choose("INT32", "INT32", None)
        wide = source.type == "INT16" and bias_type != "INT32"
        # From typical (outputs fill their range) to extreme (all saturate, or all vanish).
        exponent = self.draw(st.one_of(st.floats(-14, -4), st.floats(-34, 5.9 if wide else 17)))
        channels = rows if self.draw(st.booleans()) else 1
        spread = 2.0 ** self.rng.uniform(-3, 0, channels)
        scales = [f32(max(2.0**exponent * part * output[1] / source.scale, 1e-30)) for part in spread]
        low, high = self.choose((-127, 127), (-127, 127), (-128, 127), (127, 127), (-128, -128), (-1, 1))
        weights = self.tensor(
            (rows, depth),
            ("INT8", scales[0], 0),
            self.rng.integers(low, high + 1, (rows, depth)).astype(np.int8),
            scales,
        )
        bias = None
        if bias_type is not None:
            most = 2 ** self.choose(0, 10, 16, 30 if bias_type == "INT32" else 40)
            numbers = self.rng.integers(-most, most + 1, rows).astype(DTYPES[bias_type])
            products = [f32(f32(source.scale) * scale) for scale in scales]
            bias = self.tensor((rows,), (bias_type, products[0], 0), numbers, products)
        shape = (*source.shape[:-1], rows) if len(source.shape) > 1 else (1, rows)
        inputs = (source, weights, bias) if bias is not None or self.draw(st.booleans()) else (source, weights)
        self.operator(
            "FULLY_CONNECTED",
            inputs,
            shape,
            output,
            activation=self.choose(*ACTIVATIONS),
            keep_num_dims=len(shape) > 2,
        )

    def elementwise(self) -> None:
        name = self.choose("ADD", "SUB", "MUL")
        a = self.value()
        others = [t for t in self.values if t.type == a.type and _combines(a.shape, t.shape)]
        if self.draw(st.integers(0, 2)):
            b = self.choose(*others)
        else:
            b = self.constant(self.choose(*_smaller_shapes(a.shape)), self.quantization(a.type))
        if self.draw(st.booleans()):
            a, b = b, a
        shape = np.broadcast_shapes(a.shape, b.shape)
        type_, scale, zero_point = self.quantization(a.type)
        if name == "MUL":
            scale = max(scale, a.scale * b.scale / 2.0**29)
        else:
            scale = max(scale, 2.1 * max(a.scale, b.scale) / 2.0 ** _LEFT_SHIFT[type_])
        self.operator(name, (a, b), shape, (type_, f32(scale), zero_point), activation=self.choose(*ACTIVATIONS))

    def activation(self) -> None:
        source = self.value()
        name = self.choose("TANH", "LOGISTIC")
        small = ("INT8", 1 / 128, 0) if name == "TANH" else ("INT8", 1 / 256, -128)
        self.operator(name, (source,), source.shape, small if source.type == "INT8" else ("INT16", 1 / 32768, 0))

    def softmax(self) -> None:
        source = self.value()
        if not source.shape or source.shape[-1] > LONGEST_SOFTMAX:
            return
        wide = ("INT16", 1 / 32768, 0)
        outputs = [("INT8", 1 / 256, -128), ("INT16", 1 / 65536, -32768)] if source.type == "INT8" else [wide]
        output, beta = self.choose(*outputs), self.choose(1.0, 1.0, 0.25, 3.0)
        if source.type == "INT8" and beta * source.scale <= SMALLEST_SOFTMAX:
            return
        self.operator("SOFTMAX", (source,), source.shape, output, beta=beta)
        # int16 with a zero point goes nowhere from there, so it is an output only.
        if output[2] == -32768:
            self.values.pop()

    def quantize(self) -> None:
        source = self.value()
        self.operator("QUANTIZE", (source,), source.shape, self.quantization())

    def reshape(self) -> None:
        source = self.value()
        count = math.prod(source.shape)
        divisors = [n for n in range(1, min(count, 130) + 1) if count % n == 0]
        rows = self.choose(*divisors)
        shape = self.choose((count,), (1, count), (rows, count // rows), (1, rows, count // rows))
        stated = list(shape)
        if self.draw(st.booleans()):
            stated[self.draw(st.integers(0, len(stated) - 1))] = -1
        quantization = (source.type, source.scale, source.zero_point)
        if self.draw(st.booleans()):
            self.operator("RESHAPE", (source,), shape, quantization, new_shape=tuple(stated))
            return
        wanted = Tensor(len(self.tensors), "shape", (len(stated),), "INT32", data=np.array(stated, np.int32))
        self.tensors.append(wanted)
        self.operator("RESHAPE", (source, wanted), shape, quantization)

    def concatenation(self) -> None:
        first = self.value()
        if not first.shape:
            return
        axis = self.draw(st.integers(0, len(first.shape) - 1))
        quantization = (first.type, first.scale, first.zero_point)
        alike = [
            tensor
            for tensor in self.values
            if (tensor.type, tensor.scale, tensor.zero_point) == quantization
            and len(tensor.shape) == len(first.shape)
            and tensor.shape[:axis] + tensor.shape[axis + 1 :] == first.shape[:axis] + first.shape[axis + 1 :]
        ]
        inputs = [first]
        for _ in range(self.draw(st.integers(0, 4))):
            if self.draw(st.booleans()):
                inputs.append(self.choose(*alike))
            else:
                shape = list(first.shape)
                shape[axis] = self.size(9)
                inputs.append(self.constant(tuple(shape), quantization))
        inputs = [inputs[place] for place in self.draw(st.permutations(range(len(inputs))))]
        shape = list(first.shape)
        shape[axis] = sum(tensor.shape[axis] for tensor in inputs)
        if math.prod(shape) <= MOST_ELEMENTS:
            stated = axis - len(shape) if self.draw(st.booleans()) else axis
            self.operator("CONCATENATION", inputs, tuple(shape), quantization, axis=stated)


def _combines(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    try:
        shape = np.broadcast_shapes(a, b)
    except ValueError:
        return False
    return math.prod(shape) <= MOST_ELEMENTS


def _smaller_shapes(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Shapes that broadcast to ``shape``."""
    one = tuple(1 for _ in shape)
    return [shape, (), (1,), one, (*one[:-1], *shape[-1:]), shape[-1:], (*shape[:-1], *one[-1:])]


def random_quantization(draw, type_=None) -> Quantization:
    """Scales from 2^-24 to 2^8, most of them between 2^-9 and 1; int8 zero points anywhere, most often at the ends."""
    type_ = type_ or draw(st.sampled_from(["INT8", "INT8", "INT16"]))
    scale = f32(2.0 ** draw(st.one_of(st.floats(-9, 0), st.floats(-24, 8))))
    points = st.one_of(st.sampled_from([0, -128, 127]), st.integers(-128, 127))
    return type_, scale, draw(points) if type_ == "INT8" else 0


@st.composite
def graphs(draw, most_operators: int = 10):
    """Return a RandomGraph with three cases: random numbers, the ends of the types, numbers next to the zero point."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    palette = [random_quantization(draw) for _ in range(draw(st.integers(1, 3)))]
    b = Builder(draw, rng, palette)
    inputs = []
    for _ in range(draw(st.integers(1, 3))):
        shape = b.choose((1, b.size()), (1, b.size()), (b.size(4), b.size()), (b.size(),), (2, b.size(3), b.size(60)))
        inputs.append(b.tensor(shape, b.quantization()))
        b.values.append(inputs[-1])
    steps = [b.fully_connected, b.fully_connected, b.elementwise, b.elementwise, b.activation, b.softmax, b.quantize]
    steps += [b.reshape, b.concatenation]
    for _ in range(draw(st.integers(1, most_operators))):
        b.choose(*steps)()
    if not b.operators:
        b.activation()
    made = [operator.outputs[0] for operator in b.operators]
    read = {index for operator in b.operators for index in operator.inputs}
    leaves = [index for index in made if index not in read]
    outputs = sorted(
        {*draw(st.lists(st.sampled_from(made), max_size=3)), leaves[-1], *leaves[: draw(st.integers(0, 4))]}
    )
    model = TfliteModel(tuple(b.tensors), tuple(b.operators), tuple(tensor.index for tensor in inputs), tuple(outputs))
    cases = [[case(rng, tensor) for tensor in inputs] for case in (_random, _extremes, _few)]
    return RandomGraph(write_tflite(model), cases, b.operators)


def _random(rng, tensor):
    low, high = LIMITS[tensor.type]
    return rng.integers(low, high + 1, tensor.shape).astype(DTYPES[tensor.type])


def _extremes(rng, tensor):
    return rng.choice(LIMITS[tensor.type], tensor.shape).astype(DTYPES[tensor.type])


def _few(rng, tensor):
    low, high = LIMITS[tensor.type]
    centre = np.clip(tensor.zero_point + rng.integers(-2, 3, tensor.shape), low, high)
    return centre.astype(DTYPES[tensor.type])
