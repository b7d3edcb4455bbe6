"""QUANTIZE between int8 and int16: to another scale, zero point or width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple

from toolchain.compiler.ir import DTYPES, Array, Node, Value
from toolchain.compiler.operation import CWriter, Operation, Reading
from toolchain.int8.flatbuffer import Tensor
from toolchain.int8.ops.quantize import QuantizeParameters, quantize, quantize_parameters


class _Quantize(Operation):
    name = "QUANTIZE"
    tflite = ("QUANTIZE",)
    elementwise = True

    def read(self, reading: Reading) -> tuple[tuple[Tensor, ...], QuantizeParameters]:
        reading.expect_inputs(1)
        source, output = reading.input(0), reading.outputs[0]
        reading.expect_size(source)
        return (source,), quantize_parameters(reading.quantized(source), reading.quantized(output))

    def evaluate(self, node: Node, inputs: Sequence[Array], outputs: Sequence[Value]) -> list[Array]:
        output = outputs[0]
        return [quantize(node.parameters, inputs[0], DTYPES[output.type]).reshape(output.shape)]

    def emit(self, node: Node, c: CWriter) -> list[str]:
        c.include("quantize")
        source, output = (c.graph.values[index] for index in (*node.inputs, *node.outputs))
        record = c.record("tl_quantize_parameters", "quantize", astuple(node.parameters))
        kernel = f"tl_quantize_{source.type.lower()}_{output.type.lower()}"
        return [f"{kernel}(&{record}, {c.pointer(node.inputs[0])}, {c.pointer(node.outputs[0])}, {output.size}u);"]


QUANTIZE = _Quantize()
