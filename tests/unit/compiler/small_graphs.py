"""Small .tflite models, written by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from toolchain.compiler.frontend import read_graph
from toolchain.compiler.interpret import interpret
from toolchain.compiler.ir import Graph
from toolchain.int8.flatbuffer import Operator, Tensor, TfliteModel, read_tflite
from toolchain.int8.flatbuffer_writer import write_tflite

TANH = {"scale": 1 / 128, "zero_point": 0}
LOGISTIC = {"scale": 1 / 256, "zero_point": -128}


class Net:
    """Collects tensors and operators; each method returns the place of the tensor it makes."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.tensors: list[Tensor] = []
        self.operators: list[Operator] = []
        self.inputs: list[int] = []

    def tensor(self, shape, scale=0.05, zero_point=3, type_="INT8", data=None, **more: Any) -> int:
        place = len(self.tensors)
        name = more.pop("name", f"t{place}")
        made = Tensor(place, name, tuple(shape), type_, (float(np.float32(scale)),), (zero_point,), data=data, **more)
        self.tensors.append(made)
        return place

    def input(self, *shape: int, **more: Any) -> int:
        self.inputs.append(self.tensor(shape, **more))
        return self.inputs[-1]

    def op(self, kind: str, inputs: list[int], shape, options: dict[str, Any] | None = None, **more: Any) -> int:
        output = self.tensor(shape, **more)
        self.operators.append(Operator(len(self.operators), kind, 1, tuple(inputs), (output,), **(options or {})))
        return output

    def dense(self, source: int, rows: int, options: dict[str, Any] | None = None, **more: Any) -> int:
        tensor = self.tensors[source]
        depth = tensor.shape[-1]
        weights = self.rng.integers(-127, 128, (rows, depth)).astype(np.int8)
        w = self.tensor((rows, depth), 0.02, 0, data=weights)
        bias = self.rng.integers(-900, 900, rows).astype(np.int32)
        b = self.tensor((rows,), tensor.scale * self.tensors[w].scale, 0, "INT32", bias)
        more = {"scale": 0.9, "type_": tensor.type, **more}
        return self.op("FULLY_CONNECTED", [source, w, b], (*tensor.shape[:-1], rows), options, **more)

    def model(self, *outputs: int) -> TfliteModel:
        return TfliteModel(tuple(self.tensors), tuple(self.operators), tuple(self.inputs), outputs)

    def data(self, *outputs: int) -> bytes:
        return write_tflite(self.model(*outputs))

    def graph(self, *outputs: int) -> Graph:
        return read_graph(read_tflite(self.data(*outputs)))

    def cases(self, graph: Graph, count: int = 8) -> list[list[np.ndarray]]:
        limits = {"INT8": (-128, 128, np.int8), "INT16": (-32768, 32768, np.int16)}
        return [
            [self._case(graph.values[index], *limits[graph.values[index].type]) for index in graph.inputs]
            for _ in range(count)
        ]

    def _case(self, value, low, high, dtype) -> np.ndarray:
        return self.rng.integers(low, high, value.shape).astype(dtype)


def names(graph: Graph) -> list[str]:
    return [node.op for node in graph.nodes]


def assert_unchanged(net: Net, before: Graph, after: Graph) -> None:
    """Both graphs give the same outputs for random inputs."""
    for case in net.cases(before):
        for a, b in zip(interpret(before, case), interpret(after, case), strict=True):
            np.testing.assert_array_equal(a, b)
