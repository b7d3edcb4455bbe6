"""Models of one operator, run by the interpreter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from toolchain.int8.flatbuffer import Operator, Tensor, TfliteModel
from toolchain.int8.flatbuffer_writer import write_tflite
from toolchain.int8.ops.quantized import Quantized
from toolchain.int8.tflm import interpreter


def model_of(
    operator: str,
    inputs: Sequence[tuple[Quantized, Sequence[int]]],
    output: tuple[Quantized, Sequence[int]],
    constants: Sequence[Tensor] = (),
    **options: Any,
) -> bytes:
    """A .tflite of one operator; ``constants`` follow the inputs, ``options`` are Operator's."""
    tensors = [
        Tensor(i, f"t{i}", tuple(shape), q.type, (q.scale,), (q.zero_point,)) for i, (q, shape) in enumerate(inputs)
    ]
    for constant in constants:
        tensors.append(Tensor(**{**vars(constant), "index": len(tensors)}))
    q, shape = output
    tensors.append(Tensor(len(tensors), "out", tuple(shape), q.type, (q.scale,), (q.zero_point,)))
    reads = tuple(range(len(tensors) - 1))
    only = Operator(0, operator, 1, reads, (len(tensors) - 1,), **options)
    return write_tflite(TfliteModel(tuple(tensors), (only,), reads[: len(inputs)], (len(tensors) - 1,)))


class Tflm:
    """The interpreter with one operator."""

    def __init__(self, tflite: bytes) -> None:
        self.interpreter = interpreter(tflite, 16 * 1024 * 1024)

    def __call__(self, *arrays: np.ndarray) -> np.ndarray:
        for position, array in enumerate(arrays):
            self.interpreter.set_input(array, position)
        self.interpreter.invoke()
        return self.interpreter.get_output(0)


def tflm(
    operator: str,
    inputs: Sequence[tuple[Quantized, np.ndarray]],
    output: Quantized,
    shape: Sequence[int] | None = None,
    constants: Sequence[Tensor] = (),
    **options: Any,
) -> np.ndarray:
    """Run one operator on arrays; the output has ``shape``, by default that of the broadcast inputs."""
    if shape is None:
        shape = np.broadcast_shapes(*(x.shape for _, x in inputs))
    model = model_of(operator, [(q, x.shape) for q, x in inputs], (output, shape), constants, **options)
    return Tflm(model)(*(x for _, x in inputs)).reshape(shape)


def f32(value: float) -> float:
    """``value`` as a scale: rounded to float32."""
    return float(np.float32(value))


def every(q: Quantized) -> np.ndarray:
    """All 256 or 65,536 values of a type, shape (1, n)."""
    return np.arange(q.minimum, q.maximum + 1).astype(q.dtype)[None]


def pairs(rng: np.random.Generator, q: Quantized, count: int) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of int8; of int16 ``count`` random ones, extremes among them. Shape (1, n) each."""
    if q.type == "INT8":
        values = np.arange(-128, 128).astype(np.int8)
        return np.repeat(values, 256)[None], np.tile(values, 256)[None]
    ends = np.array([-32768, -32767, -1, 0, 1, 32766, 32767])
    a, b = rng.integers(-32768, 32768, (2, count))
    a[: ends.size**2], b[: ends.size**2] = np.repeat(ends, ends.size), np.tile(ends, ends.size)
    return a.astype(np.int16)[None], b.astype(np.int16)[None]


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A random scale."""
    return f32(math.exp(rng.uniform(math.log(low), math.log(high))))
