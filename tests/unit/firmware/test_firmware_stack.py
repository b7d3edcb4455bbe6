"""The bound of the stack from a call graph."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolchain.build import EXCEPTION_FRAME_BYTES, LIBRARY_FRAME_BYTES, CallGraph, call_graph, stack_bound
from toolchain.errors import BuildError


def test_adds_the_deepest_path_the_handlers_and_what_pointers_reach() -> None:
    graph: CallGraph = {
        "Reset_Handler": (8, {"main"}),
        "main": (100, {"shallow", "deep", "memcpy"}),
        "shallow": (200, set()),
        "deep": (40, {"deeper"}),
        "deeper": (300, {"memcpy"}),
        "UART_IRQHandler": (16, {"__indirect_call"}),
        "callback": (32, {"leaf"}),
        "leaf": (4, set()),
        "Fault_Handler": (5000, set()),
    }
    main = 8 + 100 + 40 + 300 + LIBRARY_FRAME_BYTES
    assert stack_bound(graph) == main + 16 + 32 + 4 + EXCEPTION_FRAME_BYTES


def test_a_recursion_is_named() -> None:
    graph: CallGraph = {"Reset_Handler": (8, {"main"}), "main": (8, {"a"}), "a": (8, {"b"}), "b": (8, {"a"})}
    with pytest.raises(BuildError, match="main -> a -> b -> a"):
        stack_bound(graph)


def test_reads_what_the_compiler_writes(tmp_path: Path) -> None:
    (tmp_path / "x.ci").write_text(
        'graph: { title: "x.c"\n'
        'node: { title: "x.c:f" label: "f\\nx.c:1:5\\n24 bytes (static)" }\n'
        'node: { title: "g" label: "g\\nx.c:9:5\\n8 bytes (dynamic,bounded)" }\n'
        'node: { title: "h" label: "h\\ny.h:2:5" shape : ellipse }\n'
        'edge: { sourcename: "x.c:f" targetname: "h" label: "x.c:3:1" }\n}\n'
    )
    assert call_graph(tmp_path) == {"x.c:f": (24, {"h"}), "g": (8, set())}


def test_a_frame_without_a_bound_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.ci").write_text('node: { title: "f" label: "f\\nx.c:1:5\\n24 bytes (dynamic)" }\n')
    with pytest.raises(BuildError, match="f needs stack without a bound"):
        call_graph(tmp_path)
