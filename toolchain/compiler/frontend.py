"""From a .tflite to the intermediate representation; what the compiler does not take is refused by name.

The bytes were read by :mod:`toolchain.int8.flatbuffer`, which checked offsets and sizes and nothing else: here every
tensor that a node touches is checked, so that the passes and the emitter can trust what they are given.
"""

from __future__ import annotations

import math

from toolchain.compiler.ir import DTYPES, Graph, Node, Value, check
from toolchain.compiler.operation import HINT, Reading
from toolchain.compiler.ops import OPERATIONS, READERS
from toolchain.errors import ModelError
from toolchain.int8.flatbuffer import Operator, Tensor, TfliteModel

MOST_ELEMENTS = 1 << 24
"""A tensor with more is no model for a microcontroller; its arrays would exhaust this computer first."""


def read_graph(model: TfliteModel) -> Graph:
    """Return the graph of ``model``; raises ModelError that names the operator, its output and the type."""
    return _Reader(model).graph()


class _Reader:
    def __init__(self, model: TfliteModel) -> None:
        self.model = model
        self.values: dict[int, Value] = {}
        self.made_by: dict[int, str] = {}

    def graph(self) -> Graph:
        nodes = [self._node(operator) for operator in self.model.operators]
        if self.model.subgraphs > 1:
            what = f"The model has {self.model.subgraphs} graphs; control flow and initializers cannot be compiled."
            raise ModelError(what, HINT)
        for kind, indices in (("inputs", self.model.inputs), ("outputs", self.model.outputs)):
            if not indices:
                raise ModelError(f"The model has no {kind}.", HINT)
            for index in indices:
                self._value(self.model.tensors[index], f"The graph (its {kind})")
        for index in self.model.inputs:
            if self.values[index].is_constant or self.model.inputs.count(index) > 1 or index in self.made_by:
                what = "constant" if self.values[index].is_constant else self.made_by.get(index, "an input twice")
                raise ModelError(f"The graph's input '{self.values[index].name}' is {what} too.", HINT)
        outputs = self._outputs(nodes)
        return check(Graph(self.values, tuple(nodes), self.model.inputs, outputs))

    def _node(self, operator: Operator) -> Node:
        tensors = self.model.tensors
        outputs = tuple(tensors[index] for index in operator.outputs)
        made = f"which makes {outputs[0].type} tensor '{outputs[0].name}'" if outputs else "which makes nothing"
        reading = Reading(
            operator=operator,
            inputs=tuple(None if index < 0 else tensors[index] for index in operator.inputs),
            outputs=outputs,
            origin=f"Operator {operator.index} ({operator.name}, {made})",
        )
        operation = READERS.get(operator.name)
        if operation is None:
            raise reading.refuse(f"there is no {operator.name} here; known are {', '.join(sorted(READERS))}")
        if len(outputs) != 1:
            raise reading.refuse(f"it has {len(outputs)} outputs, expected 1")
        for tensor in (reading.input(0), *outputs):
            if tensor.type not in DTYPES:
                raise reading.refuse(f"tensor '{tensor.name}' is {tensor.type}, expected {' or '.join(DTYPES)}")
        for tensor in (tensor for tensor in (*reading.inputs, *outputs) if tensor is not None):
            _check_storage(tensor, reading.origin)
        try:
            inputs, parameters = operation.read(reading)
            for tensor in (*inputs, *outputs):
                self._value(tensor, reading.origin)
        except ModelError as reason:
            if reason.what.startswith(reading.origin):
                raise
            raise reading.refuse(reason.what.rstrip(".")) from None
        made_index = operator.outputs[0]
        if made_index in self.made_by or outputs[0].data is not None:
            before = self.made_by.get(made_index, "constant")
            raise reading.refuse(f"its output is {before} already")
        self.made_by[made_index] = f"made by {reading.origin}"
        return Node(
            operation.name, tuple(tensor.index for tensor in inputs), operator.outputs, parameters, reading.origin
        )

    def _value(self, tensor: Tensor, where: str) -> None:
        """Take ``tensor`` into the values; raises ModelError for a type or quantization that no value can have."""
        if tensor.index in self.values:
            return
        _check_storage(tensor, where)
        if tensor.type not in DTYPES:
            raise ModelError(f"{where}: tensor '{tensor.name}' is {tensor.type}, expected {' or '.join(DTYPES)}.", HINT)
        self.values[tensor.index] = Value(
            tensor.name, tensor.shape, tensor.type, tensor.scale, tensor.zero_point, tensor.data
        )

    def _outputs(self, nodes: list[Node]) -> tuple[int, ...]:
        """Return distinct outputs that nodes make; adds copies of inputs, constants and what is listed twice."""
        outputs: list[int] = []
        for index in self.model.outputs:
            if index in self.made_by and index not in outputs:
                outputs.append(index)
                continue
            copy = max(len(self.model.tensors), max(self.values) + 1)
            self.values[copy] = Value(**{**vars(self.values[index]), "data": None})
            nodes.append(Node(OPERATIONS["RESHAPE"].name, (index,), (copy,), None, "The graph's output, a copy,"))
            outputs.append(copy)
        return tuple(outputs)


def _check_storage(tensor: Tensor, where: str) -> None:
    """Refuse tensors that are no plain arrays of a known size."""
    if tensor.is_sparse:
        raise ModelError(f"{where}: tensor '{tensor.name}' is sparse.", HINT)
    if tensor.is_variable:
        raise ModelError(f"{where}: tensor '{tensor.name}' is a variable, which keeps state between calls.", HINT)
    if 0 in tensor.shape:
        raise ModelError(f"{where}: tensor '{tensor.name}' has the shape {tensor.shape} (empty or dynamic).", HINT)
    if math.prod(tensor.shape) > MOST_ELEMENTS:
        raise ModelError(f"{where}: tensor '{tensor.name}' has {math.prod(tensor.shape):,} elements.", HINT)
