"""From a graph whose memory is planned to C: one header, one source, nothing else to add."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

import toolchain
from toolchain.compiler.ir import DTYPES, Array, Graph, Node
from toolchain.compiler.kernels import inlined
from toolchain.compiler.names import comment, distinct, float_literal, identifier
from toolchain.compiler.ops import OPERATIONS
from toolchain.compiler.passes.memory import ALIGNMENT, MemoryPlan, plan_memory

TEMPLATES = Path(__file__).resolve().parent / "templates"
_C_TYPES = {"INT8": "int8_t", "INT16": "int16_t"}
_ITEM_BYTES = {"int8_t": 1, "int16_t": 2, "uint16_t": 2, "int32_t": 4, "uint32_t": 4, "int64_t": 8}
_PER_LINE = {1: 24, 2: 16, 4: 10, 8: 6}


@dataclass(frozen=True)
class Emitted:
    """The two files, and what they cost. ``constant_bytes``: weights as packed, multipliers and tables, in flash."""

    header: str
    source: str
    constant_bytes: int
    arena_bytes: int


def emit(graph: Graph, name: str, model_hash: str) -> Emitted:
    """Return the C of ``graph`` under the prefix ``name``; the same graph gives the same text.

    ``model_hash``: of the .tflite, for the banner.
    """
    plan = plan_memory(graph)
    unit = _Unit(graph, plan)
    steps = [_step(node, unit.statements(place)) for place, node in enumerate(graph.nodes)]
    headers, kernels = inlined(unit.kernels)
    ports = unit.ports
    context = {
        "version": toolchain.__version__,
        "model_hash": model_hash,
        "name": name,
        "macro": name.upper(),
        "inputs": [ports[index] for index in graph.inputs],
        "outputs": [ports[index] for index in graph.outputs],
        "arena_bytes": plan.arena_bytes,
        "alignment": ALIGNMENT,
        "constant_bytes": unit.constant_bytes,
        "values": unit.memory_table(),
        "headers": headers,
        "kernels": kernels,
        "constants": unit.constants,
        "locals": unit.locals,
        "steps": [step for step in steps if step["lines"]],
    }
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    header, source = (environment.get_template(f"model.{kind}.j2").render(context) for kind in "hc")
    return Emitted(header, source, unit.constant_bytes, plan.arena_bytes)


def _step(node: Node, lines: list[str]) -> dict[str, Any]:
    return {"origin": "; ".join(comment(part) for part in node.origin.split("; ")), "lines": lines}


class _Unit:
    """One C source while it is written (:class:`toolchain.compiler.operation.CWriter`)."""

    def __init__(self, graph: Graph, plan: MemoryPlan) -> None:
        self.graph = graph
        self.kernels: list[str] = []
        self.constants: list[str] = []
        self.locals: list[str] = []
        self.constant_bytes = 0
        self.ports = _ports(graph)
        self._plan = plan
        self._known: dict[tuple[str, str], str] = {}
        self._pointers: dict[int, str] = {}
        self._place = 0

    def statements(self, place: int) -> list[str]:
        """Return the C statements of the node at ``place``."""
        self._place = place
        node = self.graph.nodes[place]
        return OPERATIONS[node.op].emit(node, self)

    def pointer(self, value: int) -> str:
        owner, offset = self.graph.place(value)
        base = self._base(owner)
        return f"{base} + {offset}" if offset else base

    def constant(self, c_type: str, hint: str, numbers: Array) -> str:
        text = _initializer(c_type, numbers)
        found = self._known.get((c_type, text))
        if found is None:
            found = self._define(c_type, hint, f"[{numbers.size}] = {{\n{text}\n}}", text)
            self.constant_bytes += numbers.size * _ITEM_BYTES[c_type]
        return found

    def record(self, c_type: str, hint: str, fields: Sequence[str | int]) -> str:
        text = ", ".join(str(field) for field in fields)
        return self._known.get((c_type, text)) or self._define(c_type, hint, f" = {{{text}}}", text)

    def include(self, kernel: str) -> None:
        if kernel not in self.kernels:
            self.kernels.append(kernel)

    def scratch(self, node: Node) -> str:
        name = f"lanes{self._place}"
        self.locals.append(f"uint32_t *const {name} = {_at('uint32_t', self._plan.scratch[self._place].offset)};")
        return name

    def memory_table(self) -> list[str]:
        """Return a line for each value in the arena: bytes, and the nodes between which it is alive."""
        slots = [(slot, comment(self.graph.values[index].name)) for index, slot in self._plan.slots.items()]
        slots += [(slot, f"inputs of step {place}, widened") for place, slot in self._plan.scratch.items()]
        return [
            f"{slot.offset:6} .. {slot.offset + slot.bytes - 1:6}   steps {slot.first:3} to {slot.last:3}   {what}"
            for slot, what in sorted(slots, key=lambda item: (item[0].offset, item[0].first))
        ]

    def _define(self, c_type: str, hint: str, body: str, text: str) -> str:
        name = f"{hint}_{sum(known.startswith(f'{hint}_') for known in self._known.values())}"
        self.constants.append(f"static const {c_type} {name}{body};")
        self._known[c_type, text] = name
        return name

    def _base(self, owner: int) -> str:
        value = self.graph.values[owner]
        c_type = _C_TYPES[value.type]
        if value.data is not None:
            return self.constant(c_type, "constant", value.data)
        if owner in self.ports:
            return f"{'in' if owner in self.graph.inputs else 'out'}->{self.ports[owner]['name']}"
        if owner not in self._pointers:
            name = f"v{len(self._pointers)}"
            what = comment(value.name)
            self.locals.append(f"{c_type} *const {name} = {_at(c_type, self._plan.slots[owner].offset)}; /* {what} */")
            self._pointers[owner] = name
        return self._pointers[owner]


def _at(c_type: str, offset: int) -> str:
    return f"({c_type} *)(void *)(arena + {offset})"


def _ports(graph: Graph) -> dict[int, dict[str, Any]]:
    """Describe the caller's arrays for the templates, by value."""
    names = [identifier(graph.values[index].name, f"in{place}") for place, index in enumerate(graph.inputs)]
    names += [identifier(graph.values[index].name, f"out{place}") for place, index in enumerate(graph.outputs)]
    ports = {}
    for index, name in zip((*graph.inputs, *graph.outputs), distinct(names), strict=True):
        value = graph.values[index]
        ports[index] = {
            "name": name,
            "macro": name.upper(),
            "type": _C_TYPES[value.type],
            "shape": " x ".join(str(size) for size in value.shape) or "scalar",
            "size": value.size,
            "bytes": value.size * DTYPES[value.type].itemsize,
            "scale": float_literal(value.scale),
            "zero_point": value.zero_point,
            "tensor": comment(value.name),
        }
    return ports


def _initializer(c_type: str, numbers: Array) -> str:
    flat = np.asarray(numbers).reshape(-1)
    if c_type == "uint32_t":
        texts = [f"0x{int(number):08X}u" for number in flat]
    else:
        suffix = {"uint16_t": "u", "int64_t": "LL"}.get(c_type, "")
        texts = [f"{int(number)}{suffix}" for number in flat]
    per_line = _PER_LINE[_ITEM_BYTES[c_type]]
    return "\n".join(f"    {', '.join(texts[i : i + per_line])}," for i in range(0, len(texts), per_line))
