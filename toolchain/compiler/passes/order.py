"""Nodes in an order that keeps few bytes alive at once."""

from __future__ import annotations

from toolchain.compiler.ir import Graph, Node
from toolchain.compiler.passes.memory import plan_memory
from toolchain.compiler.passes.place import place_values


def order_nodes(graph: Graph) -> Graph:
    """Return ``graph`` in the order of a greedy choice, or as it was where that needs less memory.

    Greedy: of the nodes whose inputs are there, take the one that leaves the fewest bytes alive.
    """
    greedy = graph.with_nodes(_greedy(graph))
    before, after = (plan_memory(place_values(candidate)).arena_bytes for candidate in (graph, greedy))
    return greedy if after < before else graph


def _greedy(graph: Graph) -> list[Node]:
    waiting = list(graph.nodes)
    readers = {index: {id(node) for node in graph.readers(index)} for node in waiting for index in node.inputs}
    computed = {index for node in waiting for index in node.outputs}
    done: set[int] = set()
    made: set[int] = set()
    result: list[Node] = []

    def left_alive(node: Node) -> int:
        born = sum(graph.values[index].bytes for index in node.outputs if index not in graph.outputs)
        died = sum(
            graph.values[index].bytes
            for index in set(node.inputs)
            if index in computed and index not in graph.outputs and readers[index] <= done | {id(node)}
        )
        return born - died

    while waiting:
        ready = [node for node in waiting if all(index in made or index not in computed for index in node.inputs)]
        chosen = min(ready, key=left_alive)
        waiting.remove(chosen)
        done.add(id(chosen))
        made.update(chosen.outputs)
        result.append(chosen)
    return result
