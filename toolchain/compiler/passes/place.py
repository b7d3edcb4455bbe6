"""RESHAPE becomes another name for the same memory, and CONCATENATION's inputs are made where they will lie."""

from __future__ import annotations

import math
from dataclasses import replace

from toolchain.compiler.ir import Graph, Node, View
from toolchain.compiler.ops.concatenation import offsets


def place_values(graph: Graph) -> Graph:
    """Return ``graph`` with views; a node whose inputs are all in place writes nothing.

    A value is placed inside another only while it is free (:meth:`Graph.is_free`): the caller's inputs are read only,
    the caller's outputs have their own memory, constants lie in flash.
    """
    for node in reversed(graph.nodes):
        if node.op == "CONCATENATION":
            graph = _place_inputs(graph, node)
    for node in graph.nodes:
        if node.op == "RESHAPE":
            graph = _alias(graph, node)
    return graph


def _place_inputs(graph: Graph, node: Node) -> Graph:
    (output,) = node.outputs
    # With more than one block the parts of an input do not lie together.
    if math.prod(graph.values[output].shape[: node.parameters.axis]) != 1:
        return graph
    for value, offset in zip(node.inputs, offsets(node, graph.values), strict=True):
        graph = _placed(graph, value, output, offset)
    return graph


def _alias(graph: Graph, node: Node) -> Graph:
    (source,), (output,) = node.inputs, node.outputs
    if graph.is_free(output):
        return _placed(graph, output, source, 0)
    return _placed(graph, source, output, 0)


def _placed(graph: Graph, value: int, parent: int, offset: int) -> Graph:
    if not graph.is_free(value) or graph.place(parent)[0] == value:
        return graph
    return replace(graph, views={**graph.views, value: View(parent, offset)})
