"""Where each value lies in the arena: values that are never alive together may share bytes."""

from __future__ import annotations

from dataclasses import dataclass

from toolchain.compiler.ir import Graph
from toolchain.compiler.ops import OPERATIONS

ALIGNMENT = 4


@dataclass(frozen=True)
class Slot:
    """Bytes of the arena, and the nodes (by their place) from the first that writes to the last that reads."""

    offset: int
    bytes: int
    first: int
    last: int


@dataclass(frozen=True)
class MemoryPlan:
    """``slots``: of the values that own arena memory. ``scratch``: of nodes, by their place in the graph.

    ``arena_bytes`` is a multiple of ALIGNMENT and never 0: C has no empty objects.
    """

    slots: dict[int, Slot]
    scratch: dict[int, Slot]
    arena_bytes: int


def plan_memory(graph: Graph) -> MemoryPlan:
    """Return offsets for all values that are not the caller's, not constant and not inside another; largest first."""
    wanted: dict[tuple[str, int], tuple[int, int, int]] = {}
    for place, node in enumerate(graph.nodes):
        for index in (*node.inputs, *node.outputs):
            owner, _ = graph.place(index)
            if owner in graph.inputs or owner in graph.outputs or graph.values[owner].is_constant:
                continue
            size, first, _last = wanted.get(("value", owner), (graph.values[owner].bytes, place, place))
            wanted["value", owner] = (size, first, place)
        scratch = OPERATIONS[node.op].scratch_bytes(node, graph)
        if scratch:
            wanted["scratch", place] = (scratch, place, place)
    taken: list[Slot] = []
    slots: dict[str, dict[int, Slot]] = {"value": {}, "scratch": {}}
    for (kind, key), (size, first, last) in sorted(wanted.items(), key=lambda item: (-item[1][0], item[0])):
        slot = Slot(_lowest(size, first, last, taken), size, first, last)
        taken.append(slot)
        slots[kind][key] = slot
    end = max((slot.offset + slot.bytes for slot in taken), default=0)
    return MemoryPlan(slots["value"], slots["scratch"], max(_aligned(end), ALIGNMENT))


def _lowest(size: int, first: int, last: int, taken: list[Slot]) -> int:
    """Return the lowest offset at which ``size`` bytes are free from node ``first`` to node ``last``."""
    offset = 0
    for slot in sorted(taken, key=lambda slot: slot.offset):
        if slot.first <= last and first <= slot.last:
            if offset + size <= slot.offset:
                break
            offset = max(offset, _aligned(slot.offset + slot.bytes))
    return offset


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
