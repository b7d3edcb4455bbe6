"""The kernels of firmware/engine/kernels as text that stands in the generated source itself."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

KERNELS = Path(__file__).resolve().parents[2] / "firmware" / "engine" / "kernels"
_OWN = re.compile(r'#include "engine/kernels/(\w+)\.h"\n')
_SYSTEM = re.compile(r"^#include <(\w+\.h)>\n", re.MULTILINE)


def inlined(names: Iterable[str]) -> tuple[list[str], str]:
    """Return (system headers, text) of these kernels and all that they include, each once, in order of need."""
    headers: set[str] = set()
    bodies: dict[str, str] = {}

    def add(name: str) -> None:
        if name in bodies:
            return
        text = (KERNELS / f"{name}.h").read_text()
        for needed in _OWN.findall(text):
            add(needed)
        body = _without_guard(_OWN.sub("", text))
        # Only unconditional ones: <arm_acle.h> stays inside its #if.
        for header in _SYSTEM.findall(_outside_conditions(body)):
            headers.add(header)
            body = body.replace(f"#include <{header}>\n", "")
        bodies[name] = re.sub(r"\n{3,}", "\n\n", body).strip()

    for name in names:
        add(name)
    return sorted(headers), "\n\n".join(bodies.values()) + "\n"


def _without_guard(text: str) -> str:
    guard = re.search(r"#ifndef (TL_\w+)\n#define \1\n", text)
    assert guard is not None
    end = text.rindex("#endif")
    return text[: guard.start()] + text[guard.end() : end]


def _outside_conditions(text: str) -> str:
    depth, kept = 0, []
    for line in text.splitlines(keepends=True):
        depth += line.startswith("#if")
        if not depth:
            kept.append(line)
        depth -= line.startswith("#endif")
    return "".join(kept)
