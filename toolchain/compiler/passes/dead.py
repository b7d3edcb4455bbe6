"""Nodes and values that no output needs go away."""

from __future__ import annotations

from dataclasses import replace

from toolchain.compiler.ir import Graph


def drop_dead(graph: Graph) -> Graph:
    """Return ``graph`` with only the nodes and values that its outputs depend on; all inputs stay."""
    needed = set(graph.outputs)
    kept = []
    for node in reversed(graph.nodes):
        if needed & set(node.outputs):
            kept.append(node)
            needed |= {*node.inputs, *node.outputs}
    needed |= set(graph.inputs)
    values = {index: value for index, value in graph.values.items() if index in needed}
    return replace(graph, nodes=tuple(reversed(kept)), values=values)
