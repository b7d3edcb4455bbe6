"""Estimated cycles and calls per function, from the runs of the basic blocks."""

from __future__ import annotations

from collections import Counter

from toolchain.emulator.image import Program

OVERHEAD = "(exceptions and flash)"
NO_SYMBOL = "(no symbol)"


def by_function(
    program: Program, runs: list[tuple[int, int, int, int]], awake: int
) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """(cycles, instructions, calls) per function, self time. ``runs``: see Machine.runs; ``awake``: all
    cycles but sleep.

    What no block accounts for is exception entry and return, and the core standing still while the flash is
    busy.

    A call is a run of the block at the function's first address, so a loop back to there counts too.
    """
    cycles: Counter[str] = Counter()
    instructions: Counter[str] = Counter()
    calls: Counter[str] = Counter()
    for address, count, times, spent in runs:
        function = program.function_at(address)
        name = function.name if function else NO_SYMBOL
        cycles[name] += spent
        instructions[name] += count * times
        if function is not None and function.address == address:
            calls[name] += times
    rest = awake - sum(cycles.values())
    if rest:
        cycles[OVERHEAD] = rest
    return cycles, instructions, calls
