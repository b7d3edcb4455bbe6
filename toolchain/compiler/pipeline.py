"""The passes in their order."""

from __future__ import annotations

from collections.abc import Callable

from toolchain.compiler.ir import Graph, check
from toolchain.compiler.passes.constants import fold_constants
from toolchain.compiler.passes.dead import drop_dead
from toolchain.compiler.passes.fuse import fuse_tables
from toolchain.compiler.passes.merge import merge_dense
from toolchain.compiler.passes.order import order_nodes
from toolchain.compiler.passes.place import place_values
from toolchain.compiler.passes.tables import make_tables

PASSES: tuple[Callable[[Graph], Graph], ...] = (
    *(fold_constants, drop_dead, make_tables, fuse_tables, merge_dense, drop_dead, order_nodes, place_values),
)


def optimize(graph: Graph) -> Graph:
    """Return ``graph`` after all passes, each checked; it computes the same."""
    for run in PASSES:
        graph = check(run(graph))
    return graph
