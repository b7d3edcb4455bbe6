"""SOFTMAX over the last axis: int8 to int8 or int16, int16 to int16."""

from __future__ import annotations

from collections.abc import Sequence

from toolchain.compiler.ir import DTYPES, Array, Node, Value
from toolchain.compiler.operation import CWriter, Operation, Reading
from toolchain.int8.flatbuffer import Tensor
from toolchain.int8.ops.softmax import (
    EXP_TABLE,
    RECIPROCAL_TABLE,
    Softmax8Parameters,
    Softmax16Parameters,
    softmax8,
    softmax8_parameters,
    softmax16,
    softmax16_parameters,
)


class _Softmax(Operation):
    name = "SOFTMAX"
    tflite = ("SOFTMAX",)

    def read(self, reading: Reading) -> tuple[tuple[Tensor, ...], Softmax8Parameters | Softmax16Parameters]:
        reading.expect_inputs(1)
        source, output = reading.input(0), reading.outputs[0]
        if source.shape != output.shape or not source.shape:
            raise reading.refuse(f"its input has the shape {source.shape} and its output {output.shape}")
        depth, beta = source.shape[-1], reading.operator.beta or 0.0
        quantized = reading.quantized(source), reading.quantized(output)
        if source.type == "INT16":
            return (source,), softmax16_parameters(*quantized, depth, beta)
        return (source,), softmax8_parameters(*quantized, depth, beta)

    def evaluate(self, node: Node, inputs: Sequence[Array], outputs: Sequence[Value]) -> list[Array]:
        if isinstance(node.parameters, Softmax16Parameters):
            return [softmax16(node.parameters, inputs[0])]
        return [softmax8(node.parameters, inputs[0], DTYPES[outputs[0].type])]

    def emit(self, node: Node, c: CWriter) -> list[str]:
        c.include("softmax")
        output = c.graph.values[node.outputs[0]]
        parameters: Softmax8Parameters | Softmax16Parameters = node.parameters
        rows = output.size // parameters.depth
        pointers = f"{c.pointer(node.inputs[0])}, {c.pointer(node.outputs[0])}"
        if isinstance(parameters, Softmax16Parameters):
            record = c.record("tl_softmax16_parameters", "softmax", [parameters.multiplier, parameters.shift])
            tables = [c.constant("int16_t", *table) for table in (("exp", EXP_TABLE), ("reciprocal", RECIPROCAL_TABLE))]
            return [f"tl_softmax_int16(&{record}, {', '.join(tables)}, {parameters.depth}u, {pointers}, {rows}u);"]
        table = c.constant("int32_t", "exponentials", parameters.exponentials)
        kernel = "tl_softmax_int8" if output.type == "INT8" else "tl_softmax_int8_int16"
        return [f"{kernel}({table}, {parameters.depth}u, {pointers}, {rows}u);"]


SOFTMAX = _Softmax()
