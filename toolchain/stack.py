"""How much stack an image can need: frames and calls as GCC writes them, pointers as the object files hold them.

GCC's ``-fcallgraph-info=su`` gives each function's frame (the figure of ``-fstack-usage``) and the calls it makes by
name or through a pointer. What a pointer can reach is in the relocations: whoever is called through a pointer has its
address somewhere in code or data, so every function with an address there counts, and no other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

from toolchain.errors import BuildError

LIBRARY_FRAME_BYTES = 64
"""Assumed for memcpy and its like, whose call graph is not known."""
EXCEPTION_FRAME_BYTES = 108
"""26 words with the FPU's registers, one for alignment (Armv7-M ARM, DDI 0403E, B1.5.7)."""
POINTER = "__indirect_call"
"""What GCC calls the target of a call through a pointer."""
START = "Reset_Handler"
CallGraph = dict[str, tuple[int, set[str]]]
"""Function to (frame in bytes, callees); a static function is named "file:function"."""
_NODE = re.compile(r'node: \{ title: "([^"]+)" label: "[^"\\]+\\n([^"\\]+)\\n(\d+) bytes \(([^)]+)\)')
_EDGE = re.compile(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"')
_CALLS = {10, 30, 102}
"""R_ARM_THM_CALL, R_ARM_THM_JUMP24, R_ARM_THM_JUMP11: a call by name, not an address (ELF for the Arm Architecture)."""
_ALLOCATED = 2


@dataclass(frozen=True)
class StackBound:
    """The most stack that main and all interrupt handlers, nested once each, can need together.

    ``bytes``: all of it. ``deepest``: the path from the start that needs most, outermost first. ``handlers``: what each
    adds, its exception frame included. ``through_pointers``: who calls through pointers, and what these can reach.
    ``assumed``: functions of the C library, LIBRARY_FRAME_BYTES each.
    """

    bytes: int
    deepest: tuple[str, ...]
    handlers: dict[str, int]
    through_pointers: tuple[tuple[str, ...], tuple[str, ...]]
    assumed: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return what build.json says of it beside the bound."""
        callers, targets = self.through_pointers
        return {
            "deepest": list(self.deepest),
            "handlers": self.handlers,
            "pointer_callers": list(callers),
            "pointer_targets": list(targets),
            "assumed": list(self.assumed),
        }


def call_graph(products: Path) -> CallGraph:
    """Return the call graph of the ``.ci`` files under ``products``.

    Raises BuildError for a frame whose size the compiler cannot bound.
    """
    graph: CallGraph = {}
    for path in sorted(products.rglob("*.ci")):
        text = path.read_text()
        for name, place, size, kind in _NODE.findall(text):
            if "dynamic" in kind and "bounded" not in kind:
                raise BuildError(f"{name} needs stack without a bound ({place}).", "Give its arrays a fixed size.")
            graph[name] = (int(size), set())
        for caller, callee in _EDGE.findall(text):
            graph[caller][1].add(callee)
    return graph


def addressed(products: Path) -> set[str]:
    """Return the symbols whose address stands in code or data of the object files under ``products``."""
    found: set[str] = set()
    for path in sorted(products.rglob("*.o")):
        with path.open("rb") as stream:
            file = ELFFile(stream)
            for section in file.iter_sections():
                if section["sh_type"] not in ("SHT_REL", "SHT_RELA"):
                    continue
                if not file.get_section(section["sh_info"])["sh_flags"] & _ALLOCATED:
                    continue
                symbols: Any = file.get_section(section["sh_link"])
                table: Any = section
                for entry in table.iter_relocations():
                    if entry["r_info_type"] not in _CALLS:
                        found.add(_named(file, symbols.get_symbol(entry["r_info_sym"])))
    return found


def _named(file: Any, symbol: Any) -> str:
    """A static function may be addressed through its section, .text.<name> (-ffunction-sections)."""
    if symbol["st_info"]["type"] != "STT_SECTION":
        return str(symbol.name)
    return str(file.get_section(symbol["st_shndx"]).name).removeprefix(".text.").removeprefix("startup.")


def stack_bound(graph: CallGraph, addresses: set[str]) -> StackBound:
    """Return the bound of an image whose handlers are named ``*_IRQHandler`` and that starts at Reset_Handler.

    ``addresses``: symbols that a pointer can hold (:func:`addressed`). ``Fault_Handler`` has a fresh stack and is left
    out. Raises BuildError for a recursion, by name or through a pointer, with its path from the start.
    """
    handlers = sorted(name for name in graph if _plain(name).endswith("_IRQHandler"))
    targets = sorted(name for name in graph if _plain(name) in addresses and not _plain(name).endswith("_Handler"))
    targets = [name for name in targets if name not in handlers]
    known: dict[str, tuple[int, tuple[str, ...]]] = {}

    def deepest(name: str, above: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
        if name in above:
            path = " -> ".join("(a pointer)" if each == POINTER else _plain(each) for each in (*above, name))
            raise BuildError(f"The firmware may call itself: {path}.", "Write it as a loop.")
        if name not in known:
            if name == POINTER:
                frame, callees = 0, set(targets)
            else:
                frame, callees = graph.get(name, (LIBRARY_FRAME_BYTES, set()))
            below = [deepest(callee, (*above, name)) for callee in sorted(callees)]
            most = max(below, key=lambda each: each[0], default=(0, ()))
            known[name] = (frame + most[0], (*(() if name == POINTER else (_plain(name),)), *most[1]))
        return known[name]

    size, path = deepest(START, ())
    added = {_plain(name): deepest(name, ())[0] + EXCEPTION_FRAME_BYTES for name in handlers}
    callers = sorted(_plain(name) for name, (_, callees) in graph.items() if POINTER in callees)
    called = {callee for _, callees in graph.values() for callee in callees}
    return StackBound(
        bytes=size + sum(added.values()),
        deepest=path,
        handlers=added,
        through_pointers=(tuple(callers), tuple(_plain(name) for name in targets)),
        assumed=tuple(sorted(called - graph.keys() - {POINTER})),
    )


def largest_frame(graph: CallGraph) -> tuple[str, int]:
    """Return the function with the largest frame, and the frame in bytes."""
    name = max(graph, key=lambda each: graph[each][0])
    return _plain(name), graph[name][0]


def _plain(name: str) -> str:
    return name.rsplit(":", 1)[-1]
