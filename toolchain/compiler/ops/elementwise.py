"""ADD, SUB and MUL on int8 and int16, with broadcasting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import astuple
from typing import Any

from toolchain.compiler.ir import Array, Node, Value
from toolchain.compiler.operation import CWriter, Operation, Reading
from toolchain.int8.flatbuffer import Tensor
from toolchain.int8.ops.add import add, add_parameters, subtract, subtract_parameters
from toolchain.int8.ops.broadcast import broadcast_loops
from toolchain.int8.ops.multiply import multiply, multiply_parameters
from toolchain.int8.ops.quantized import Quantized


class _Elementwise(Operation):
    elementwise = True

    def __init__(
        self,
        name: str,
        kernel: str,
        record: str,
        parameters: Callable[[Quantized, Quantized, Quantized, str], Any],
        function: Callable[[Any, Array, Array], Array],
    ) -> None:
        self.name = name
        self.tflite = (name,)
        self._kernel = kernel
        self._record = record
        self._parameters = parameters
        self._function = function

    def read(self, reading: Reading) -> tuple[tuple[Tensor, ...], Any]:
        reading.expect_inputs(2)
        a, b, output = reading.input(0), reading.input(1), reading.outputs[0]
        broadcast_loops(a.shape, b.shape, output.shape)
        first, second, result = (reading.quantized(tensor) for tensor in (a, b, output))
        return (a, b), self._parameters(first, second, result, reading.operator.activation)

    def evaluate(self, node: Node, inputs: Sequence[Array], outputs: Sequence[Value]) -> list[Array]:
        return [self._function(node.parameters, inputs[0], inputs[1]).reshape(outputs[0].shape)]

    def emit(self, node: Node, c: CWriter) -> list[str]:
        c.include("elementwise")
        a, b, output = (c.graph.values[index] for index in (*node.inputs, *node.outputs))
        loops = broadcast_loops(a.shape, b.shape, output.shape)
        walk = c.record("tl_loops", "loops", ["{" + ", ".join(f"{n}u" for n in part) + "}" for part in astuple(loops)])
        record = c.record(self._record, self.name.lower(), astuple(node.parameters))
        pointers = ", ".join(c.pointer(index) for index in (*node.inputs, *node.outputs))
        return [f"tl_{self._kernel}_{output.type.lower()}(&{record}, &{walk}, {pointers});"]


ADD = _Elementwise("ADD", "add", "tl_sum_parameters", add_parameters, add)
SUB = _Elementwise("SUB", "subtract", "tl_sum_parameters", subtract_parameters, subtract)
MUL = _Elementwise("MUL", "multiply", "tl_multiply_parameters", multiply_parameters, multiply)
