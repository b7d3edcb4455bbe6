"""FULLY_CONNECTED nodes that read the same input become one, so that the input is widened once for all."""

from __future__ import annotations

from toolchain.compiler.ir import Graph, Node
from toolchain.compiler.ops.dense import Dense


def merge_dense(graph: Graph) -> Graph:
    """Return ``graph`` with one FULLY_CONNECTED for each input and depth; it stands where the first of them stood."""
    nodes: list[Node] = []
    place: dict[tuple[int, int], int] = {}
    for node in graph.nodes:
        if node.op != "FULLY_CONNECTED":
            nodes.append(node)
            continue
        key = (node.inputs[0], node.parameters.parts[0].weights.shape[1])
        if key not in place:
            place[key] = len(nodes)
            nodes.append(node)
            continue
        first = nodes[place[key]]
        nodes[place[key]] = Node(
            node.op,
            first.inputs,
            (*first.outputs, *node.outputs),
            Dense((*first.parameters.parts, *node.parameters.parts)),
            f"{first.origin}; {node.origin}",
        )
    return graph.with_nodes(nodes)
