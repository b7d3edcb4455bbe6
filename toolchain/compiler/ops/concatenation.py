"""CONCATENATION: inputs that were not made in their place are copied there."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from toolchain.compiler.ir import DTYPES, Array, Node, Value
from toolchain.compiler.operation import CWriter, Operation, Reading
from toolchain.int8.flatbuffer import Tensor
from toolchain.int8.ops.quantized import require_types

MOST_INPUTS = 10
"""As in TFLM's concatenation.cc (kMaxInputNum)."""


@dataclass(frozen=True)
class Concatenation:
    """``axis`` counts from the first."""

    axis: int


class _Concatenation(Operation):
    name = "CONCATENATION"
    tflite = ("CONCATENATION",)

    def read(self, reading: Reading) -> tuple[tuple[Tensor, ...], Concatenation]:
        operator, output = reading.operator, reading.outputs[0]
        inputs = tuple(reading.input(place) for place in range(len(reading.inputs)))
        if not 1 <= len(inputs) <= MOST_INPUTS:
            raise reading.refuse(f"it has {len(inputs)} inputs, expected 1 to {MOST_INPUTS}")
        if operator.activation != "NONE":
            raise reading.refuse(f"it has the fused activation {operator.activation}")
        rank = len(output.shape)
        axis = operator.axis or 0
        axis += rank if axis < 0 else 0
        if not 0 <= axis < rank:
            raise reading.refuse(f"its axis {operator.axis} is none of the output's {rank}")
        target = reading.quantized(output)
        for tensor in inputs:
            source = reading.quantized(tensor)
            require_types("CONCATENATION", ("INT8", "INT16"), source, target)
            if source.type == "INT8" and source != target:
                raise reading.refuse(f"tensor '{tensor.name}' has another scale or zero point than the output")
            if source.type == "INT16" and (source.zero_point or target.zero_point):
                raise reading.refuse("an INT16 tensor has a zero point other than 0")
            if len(tensor.shape) != rank or any(
                a != b for place, (a, b) in enumerate(zip(tensor.shape, output.shape, strict=True)) if place != axis
            ):
                raise reading.refuse(f"the shapes {tensor.shape} and {output.shape} do not fit along axis {axis}")
        if sum(tensor.shape[axis] for tensor in inputs) != output.shape[axis]:
            raise reading.refuse(f"its inputs do not add up to the output's shape {output.shape}")
        return inputs, Concatenation(axis)

    def evaluate(self, node: Node, inputs: Sequence[Array], outputs: Sequence[Value]) -> list[Array]:
        return [np.concatenate(inputs, axis=node.parameters.axis)]

    def emit(self, node: Node, c: CWriter) -> list[str]:
        output = c.graph.values[node.outputs[0]]
        item = DTYPES[output.type].itemsize
        target = c.pointer(node.outputs[0])
        lines = []
        for value, offset in zip(node.inputs, offsets(node, c.graph.values), strict=True):
            owner, first = c.graph.place(node.outputs[0])
            if c.graph.place(value) == (owner, first + offset):
                continue
            c.include("concatenate")
            axis = node.parameters.axis
            blocks = math.prod(output.shape[:axis])
            stride = math.prod(output.shape[axis:]) * item
            part = c.graph.values[value].bytes // blocks
            to = f"{target} + {offset}" if offset else target
            lines.append(f"tl_copy_blocks({c.pointer(value)}, {blocks}u, {part}u, {stride}u, {to});")
        return lines


def offsets(node: Node, values: Mapping[int, Value]) -> list[int]:
    """Return the place in the output of each input's first element."""
    starts, start = [], 0
    for index in node.inputs:
        starts.append(start)
        start += math.prod(values[index].shape[node.parameters.axis :])
    return starts


CONCATENATION = _Concatenation()
