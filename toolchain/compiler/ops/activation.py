"""TANH and LOGISTIC: a table of 256 entries on int8, TFLM's interpolated table on int16."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toolchain.compiler.ir import Array, Node, Value
from toolchain.compiler.operation import CWriter, Operation, Reading
from toolchain.compiler.ops.lookup import lookup_call
from toolchain.int8.flatbuffer import Tensor
from toolchain.int8.ops.lookup import logistic_table_of, lookup, tanh_table_of
from toolchain.int8.ops.quantized import Quantized
from toolchain.int8.ops.sigmoid16 import (
    SIGMOID_TABLE,
    Sigmoid16Parameters,
    logistic16,
    logistic16_parameters,
    tanh16,
    tanh16_parameters,
)

Table = npt.NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Activation:
    """Either the ``table`` (int8) or the ``wide`` parameters (int16)."""

    table: Table | None = None
    wide: Sigmoid16Parameters | None = None


class _Activation(Operation):
    elementwise = True

    def __init__(
        self,
        name: str,
        table: Callable[[Quantized, Quantized], Table],
        wide_parameters: Callable[[Quantized, Quantized], Sigmoid16Parameters],
        wide: Callable[[Sigmoid16Parameters, npt.NDArray[np.int16]], npt.NDArray[np.int16]],
    ) -> None:
        self.name = name
        self.tflite = (name,)
        self._table = table
        self._wide_parameters = wide_parameters
        self._wide = wide

    def read(self, reading: Reading) -> tuple[tuple[Tensor, ...], Activation]:
        reading.expect_inputs(1)
        source, output = reading.quantized(reading.input(0)), reading.quantized(reading.outputs[0])
        reading.expect_size(reading.input(0))
        if source.type == "INT16":
            return (reading.input(0),), Activation(wide=self._wide_parameters(source, output))
        return (reading.input(0),), Activation(table=self._table(source, output))

    def evaluate(self, node: Node, inputs: Sequence[Array], outputs: Sequence[Value]) -> list[Array]:
        parameters: Activation = node.parameters
        if parameters.wide is not None:
            return [self._wide(parameters.wide, inputs[0]).reshape(outputs[0].shape)]
        assert parameters.table is not None
        return [lookup(parameters.table, inputs[0]).reshape(outputs[0].shape)]

    def emit(self, node: Node, c: CWriter) -> list[str]:
        parameters: Activation = node.parameters
        if parameters.table is not None:
            return lookup_call(node, parameters.table, c)
        assert parameters.wide is not None
        c.include("sigmoid16")
        record = c.record(
            "tl_sigmoid16_parameters", self.name.lower(), [parameters.wide.multiplier, parameters.wide.shift]
        )
        table = c.constant("uint16_t", "sigmoid", SIGMOID_TABLE)
        source, output = c.pointer(node.inputs[0]), c.pointer(node.outputs[0])
        count = c.graph.values[node.outputs[0]].size
        return [f"tl_{self.name.lower()}_int16(&{record}, {table}, {source}, {output}, {count}u);"]


TANH = _Activation("TANH", tanh_table_of, tanh16_parameters, tanh16)
LOGISTIC = _Activation("LOGISTIC", logistic_table_of, logistic16_parameters, logistic16)
