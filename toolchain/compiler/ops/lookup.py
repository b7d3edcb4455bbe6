"""LOOKUP: a table of 256 outputs, by int8 input. No operator of TFLite; what the passes make of elementwise ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolchain.compiler.ir import Array, Node, Value
from toolchain.compiler.operation import CWriter, Operation, Reading
from toolchain.int8.flatbuffer import Tensor
from toolchain.int8.ops.lookup import lookup


@dataclass(frozen=True, eq=False)
class Lookup:
    """``table``: int8 (256,), index input + 128."""

    table: npt.NDArray[np.int8]


def lookup_call(node: Node, table: npt.NDArray[np.int8], c: CWriter) -> list[str]:
    """Return the statement that sends the node's input through ``table``."""
    c.include("lookup")
    name = c.constant("int8_t", "table", table)
    count = c.graph.values[node.outputs[0]].size
    return [f"tl_lookup_int8({name}, {c.pointer(node.inputs[0])}, {c.pointer(node.outputs[0])}, {count}u);"]


class _Lookup(Operation):
    name = "LOOKUP"
    elementwise = True

    def read(self, reading: Reading) -> tuple[tuple[Tensor, ...], Any]:
        raise reading.refuse("no operator of a .tflite is read as LOOKUP")

    def evaluate(self, node: Node, inputs: Sequence[Array], outputs: Sequence[Value]) -> list[Array]:
        return [lookup(node.parameters.table, inputs[0]).reshape(outputs[0].shape)]

    def emit(self, node: Node, c: CWriter) -> list[str]:
        return lookup_call(node, node.parameters.table, c)


LOOKUP = _Lookup()
