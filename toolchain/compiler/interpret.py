"""What a graph computes: each node in numpy, exactly as TensorFlow Lite Micro's reference kernels do it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from toolchain.compiler.ir import DTYPES, Array, Graph, Node, Value
from toolchain.compiler.ops import OPERATIONS


def evaluate_node(node: Node, inputs: Sequence[Array], outputs: Sequence[Value]) -> list[Array]:
    """Return the outputs of one node for these inputs, each of its value's shape and type."""
    results = OPERATIONS[node.op].evaluate(node, inputs, outputs)
    for result, output in zip(results, outputs, strict=True):
        assert result.shape == output.shape, node.origin
        assert result.dtype == DTYPES[output.type], node.origin
    return results


def interpret(graph: Graph, inputs: Sequence[Array]) -> list[Array]:
    """Return the outputs of ``graph`` for ``inputs``, arrays of its inputs' sizes and types, in its order.

    Raises ValueError for an array of another size or type.
    """
    values = {index: value.data for index, value in graph.values.items() if value.data is not None}
    for index, given in zip(graph.inputs, inputs, strict=True):
        value = graph.values[index]
        if given.dtype != DTYPES[value.type] or given.size != value.size:
            raise ValueError(f"input '{value.name}' is {given.dtype} {given.shape}, not {value.type} {value.shape}")
        values[index] = np.asarray(given).reshape(value.shape)
    for node in graph.nodes:
        made = evaluate_node(node, [values[i] for i in node.inputs], [graph.values[i] for i in node.outputs])
        values.update(zip(node.outputs, made, strict=True))
    return [values[index] for index in graph.outputs]
