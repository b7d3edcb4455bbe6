"""The compiler's intermediate representation: values, nodes that make them, and where values lie.

Graphs do not change: a pass returns a new one. Nodes stand in an order in which they can run.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from toolchain.errors import ModelError

Array = npt.NDArray[Any]
DTYPES: dict[str, np.dtype[Any]] = {"INT8": np.dtype("i1"), "INT16": np.dtype("<i2")}
"""Types that a value can have."""


@dataclass(frozen=True, eq=False)
class Value:
    """An array: real number = (q - zero_point) * scale. ``data`` holds the numbers of a constant, else None."""

    name: str
    shape: tuple[int, ...]
    type: str
    scale: float
    zero_point: int
    data: Array | None = field(default=None, repr=False)

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """Bytes of all elements."""
        return self.size * DTYPES[self.type].itemsize

    @property
    def is_constant(self) -> bool:
        """Whether the numbers are known."""
        return self.data is not None


@dataclass(frozen=True, eq=False)
class Node:
    """One operation. ``parameters`` is the dataclass that the operation ``op`` defines (integers, packed nowhere).

    ``origin`` names the operators of the .tflite that it came from, for messages and comments.
    """

    op: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    parameters: Any
    origin: str


@dataclass(frozen=True)
class View:
    """A value that lies inside ``parent``, ``offset`` elements from its start."""

    parent: int
    offset: int


@dataclass(frozen=True, eq=False)
class Graph:
    """Values by number, nodes in order, the caller's ``inputs`` and ``outputs``, ``views``: values inside others.

    Outputs are distinct, and each is made by a node: whatever the .tflite passes through is copied by one.
    """

    values: Mapping[int, Value]
    nodes: tuple[Node, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    views: Mapping[int, View] = field(default_factory=dict)

    def readers(self, value: int) -> list[Node]:
        """Return the nodes that read ``value``, in order."""
        return [node for node in self.nodes if value in node.inputs]

    def producers(self) -> dict[int, Node]:
        """Return the node that makes each computed value."""
        return {output: node for node in self.nodes for output in node.outputs}

    def place(self, value: int) -> tuple[int, int]:
        """Return (value that owns the memory, first element in it) of ``value``."""
        offset = 0
        while value in self.views:
            view = self.views[value]
            offset += view.offset
            value = view.parent
        return value, offset

    def is_free(self, value: int) -> bool:
        """Whether nothing says yet where ``value`` lies: computed, no output, no view."""
        fixed = value in self.inputs or value in self.outputs or value in self.views
        return not fixed and not self.values[value].is_constant

    def with_nodes(self, nodes: Iterable[Node], values: Mapping[int, Value] | None = None) -> Graph:
        """Return the graph with other nodes and, where given, more or other values."""
        return replace(self, nodes=tuple(nodes), values={**self.values, **(values or {})})


def check(graph: Graph) -> Graph:
    """Return ``graph`` if it is sound; raises ModelError naming the first node that is not.

    Sound: every input of a node is an input of the graph, a constant or made before it; every value is made once and
    has a type of :data:`DTYPES`; every output is made by a node; views lie inside their parents and are of their type.
    """
    known = {index for index, value in graph.values.items() if value.is_constant} | set(graph.inputs)
    for node in graph.nodes:
        for index in node.inputs:
            if index not in known:
                raise ModelError(f"{node.origin} reads '{graph.values[index].name}' before it is made.")
        for index in node.outputs:
            if index in known:
                raise ModelError(f"{node.origin} makes '{graph.values[index].name}', which is there already.")
            known.add(index)
    made = {output for node in graph.nodes for output in node.outputs}
    for index in graph.outputs:
        if index not in made:
            raise ModelError(f"No operator makes the output '{graph.values[index].name}'.")
    for index in known:
        if graph.values[index].type not in DTYPES:
            raise ModelError(f"Tensor '{graph.values[index].name}' is {graph.values[index].type}.")
    for index, view in graph.views.items():
        inner, outer = graph.values[index], graph.values[view.parent]
        if inner.type != outer.type or view.offset < 0 or view.offset + inner.size > outer.size:
            raise ModelError(f"Tensor '{inner.name}' does not lie inside '{outer.name}'.")
    return graph
