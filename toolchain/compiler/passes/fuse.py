"""A LOOKUP goes into the node that makes its input: into another LOOKUP or a FULLY_CONNECTED."""

from __future__ import annotations

from dataclasses import replace

from toolchain.compiler.ir import Graph, Node
from toolchain.compiler.ops.dense import Dense, Part
from toolchain.compiler.ops.lookup import Lookup
from toolchain.int8.ops.lookup import lookup


def fuse_tables(graph: Graph) -> Graph:
    """Return ``graph`` without the LOOKUP nodes whose input nothing else reads and no output is."""
    while True:
        for node in graph.nodes:
            fused = _fused(graph, node) if node.op == "LOOKUP" else None
            if fused is not None:
                graph = fused
                break
        else:
            return graph


def _fused(graph: Graph, node: Node) -> Graph | None:
    (source,) = node.inputs
    maker = graph.producers().get(source)
    if maker is None or len(graph.readers(source)) > 1 or source in graph.outputs:
        return None
    table = node.parameters.table
    if maker.op == "LOOKUP":
        parameters: Lookup | Dense = Lookup(lookup(table, maker.parameters.table))
    elif maker.op == "FULLY_CONNECTED" and len(maker.outputs) == 1:
        part: Part = maker.parameters.parts[0]
        parameters = Dense((replace(part, table=table if part.table is None else lookup(table, part.table)),))
    else:
        return None
    merged = Node(maker.op, maker.inputs, node.outputs, parameters, f"{maker.origin}; {node.origin}")
    return graph.with_nodes(merged if other is maker else other for other in graph.nodes if other is not node)
