"""Nodes whose inputs are all constant become constants."""

from __future__ import annotations

from dataclasses import replace

from toolchain.compiler.interpret import evaluate_node
from toolchain.compiler.ir import Array, Graph, Node, Value


def fold_constants(graph: Graph) -> Graph:
    """Return ``graph`` without the nodes whose result is known now; what makes an output stays, it must write it."""
    values: dict[int, Value] = dict(graph.values)
    nodes: list[Node] = []
    for node in graph.nodes:
        known: list[Array] = [data for index in node.inputs if (data := values[index].data) is not None]
        if len(known) < len(node.inputs) or set(node.outputs) & set(graph.outputs):
            nodes.append(node)
            continue
        made = evaluate_node(node, known, [values[index] for index in node.outputs])
        for index, data in zip(node.outputs, made, strict=True):
            values[index] = replace(values[index], data=data)
    return graph.with_nodes(nodes, values)
