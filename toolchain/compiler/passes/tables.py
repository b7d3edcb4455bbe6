"""An elementwise node that maps one int8 array to int8 becomes a table of 256 entries.

That is TANH, LOGISTIC and QUANTIZE, and ADD, SUB and MUL with one constant number.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from toolchain.compiler.interpret import evaluate_node
from toolchain.compiler.ir import Graph, Node
from toolchain.compiler.ops import OPERATIONS
from toolchain.compiler.ops.lookup import Lookup

ALL_INT8 = np.arange(-128, 128).astype(np.int8)


def make_tables(graph: Graph) -> Graph:
    """Return ``graph`` with every node of one int8 variable as a LOOKUP."""
    return graph.with_nodes(_table(graph, node) for node in graph.nodes)


def _table(graph: Graph, node: Node) -> Node:
    values = [graph.values[index] for index in node.inputs]
    variables = {index for index in node.inputs if not graph.values[index].is_constant}
    if not OPERATIONS[node.op].elementwise or len(variables) != 1 or len(node.outputs) != 1:
        return node
    (variable,) = variables
    source, output = graph.values[variable], graph.values[node.outputs[0]]
    if (source.type, output.type) != ("INT8", "INT8") or source.size != output.size:
        return node
    # A constant of one element is the same for all; one of more would need a table each.
    if any(value.is_constant and value.size != 1 for value in values):
        return node
    inputs = [ALL_INT8 if value.data is None else value.data.reshape(1) for value in values]
    (table,) = evaluate_node(node, inputs, [replace(output, shape=ALL_INT8.shape)])
    return Node("LOOKUP", (variable,), node.outputs, Lookup(table.astype(np.int8)), node.origin)
