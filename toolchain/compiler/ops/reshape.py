"""RESHAPE: the same numbers under another shape; a copy only where the output cannot lie where the input is."""

from __future__ import annotations

from collections.abc import Sequence

from toolchain.compiler.ir import Array, Node, Value
from toolchain.compiler.operation import CWriter, Operation, Reading
from toolchain.int8.flatbuffer import Tensor


class _Reshape(Operation):
    name = "RESHAPE"
    tflite = ("RESHAPE",)

    def read(self, reading: Reading) -> tuple[tuple[Tensor, ...], None]:
        if len(reading.inputs) not in (1, 2):
            raise reading.refuse(f"it has {len(reading.inputs)} inputs, expected 1 or 2")
        source, output = reading.input(0), reading.outputs[0]
        if len(reading.inputs) == 2 and reading.input(1).data is None:
            raise reading.refuse(f"its shape, tensor '{reading.input(1).name}', is not constant (a dynamic shape)")
        if source.type != output.type:
            raise reading.refuse(f"it makes {output.type} of {source.type}")
        reading.expect_size(source)
        return (source,), None

    def evaluate(self, node: Node, inputs: Sequence[Array], outputs: Sequence[Value]) -> list[Array]:
        return [inputs[0].reshape(outputs[0].shape)]

    def emit(self, node: Node, c: CWriter) -> list[str]:
        if c.graph.place(node.inputs[0]) == c.graph.place(node.outputs[0]):
            return []
        c.include("concatenate")
        output = c.graph.values[node.outputs[0]]
        source, target = c.pointer(node.inputs[0]), c.pointer(node.outputs[0])
        return [f"tl_copy_blocks({source}, 1u, {output.bytes}u, 0u, {target});"]


RESHAPE = _Reshape()
