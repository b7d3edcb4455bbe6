"""The cycle plugin: QEMU counts how often each block ran, the costs are the virtual board's (cost.py)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from toolchain.emulator import blocks, profile
from toolchain.emulator.blockhook import compiled_library
from toolchain.emulator.image import Program
from toolchain.errors import BuildError

SOURCE = Path(__file__).with_name("counts.c")
_SLOT = np.dtype([("address", "<u4"), ("bytes", "<u4"), ("runs", "<u8")])


def library() -> Path | None:
    """Return the compiled plugin, or None where it does not build."""
    try:
        return compiled_library(SOURCE)
    except BuildError:
        return None


def by_function(program: Program, counts: Path) -> list[tuple[str, int]]:
    """Return estimated cycles per function, self time, most first, from the plugin's file; empty if there is none."""
    if not counts.exists():
        return []
    slots = np.fromfile(counts, _SLOT)
    memory = {base: data for base, data in program.segments}
    runs = []
    for address, size, times in slots[slots["runs"] > 0].tolist():
        base = max((start for start in memory if start <= address), default=None)
        code = b"" if base is None else memory[base][address - base : address - base + size]
        if len(code) == size:
            block = blocks.analyse(code, address, lambda _: None)
            runs.append((address, block.instructions, times, times * (block.cycles + block.refill)))
    cycles: Counter[str] = profile.by_function(program, runs, sum(spent for *_, spent in runs))[0]
    return cycles.most_common()
