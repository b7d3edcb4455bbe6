"""Runs a bench image and gathers its figures; refuses to give any when its outputs are not what they should be."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolchain.bench.compile import memory
from toolchain.bench.sizes import Sizes, sizes
from toolchain.emulator.bare import BareCore, Call, FunctionCost
from toolchain.errors import EmulatorError, ParityError

CYCLES_SOURCE = "emulated (cycle estimate)"
SIZES_SOURCE = "measured on the ELF file"
Check = Callable[[BareCore, int], bool]
"""(core, number of the step that was just made from 0): whether its outputs are the reference's, bit for bit."""


@dataclass(frozen=True)
class BenchImage:
    """A compiled bench image. ``variables``: the bench's own, not counted as RAM; ``more``: further keys for JSON.

    ``model_symbols``: names of the constants in code that are the model, where it is no image of its own.
    """

    engine: str
    option: str
    elf: Path
    inputs: int
    variables: tuple[str, ...]
    check: Check
    model_sections: dict[str, int]
    model_symbols: re.Pattern[str] | None = None
    more: Callable[[BareCore], dict[str, Any]] = lambda core: {}
    unused_ram: Callable[[BareCore], int] = lambda core: 0


@dataclass(frozen=True)
class Figures:
    """What an image costs. Cycles are estimates with zero wait states, ``cycles_2ws`` with two where data are in flash.

    ``steps``: every call of bench_step, one for each stored input. ``setup``: bench_setup, from reset to ready; its
    SHA-256 check alone is ``hash_cycles``.
    """

    image: BenchImage
    steps: tuple[Call, ...]
    setup: Call
    hash_cycles: int
    sizes: Sizes
    ram_bytes: int
    more: dict[str, Any]

    @property
    def worst(self) -> Call:
        """The step that took most cycles."""
        return max(self.steps, key=lambda call: call.cycles)

    @property
    def cycles_2ws(self) -> int:
        """Most cycles of a step with two wait states."""
        return max(call.cycles_2ws for call in self.steps)

    @property
    def spread(self) -> float:
        """(most - fewest) / most cycles over the stored inputs."""
        least = min(call.cycles for call in self.steps)
        return (self.worst.cycles - least) / self.worst.cycles

    @property
    def boot_cycles(self) -> int:
        """bench_setup without the hash."""
        return self.setup.cycles - self.hash_cycles

    @property
    def functions(self) -> tuple[FunctionCost, ...]:
        """Self time per function of the worst step; the cycles add up to its cycles."""
        return self.worst.functions

    def to_dict(self) -> dict[str, Any]:
        """Return the object of ``tinyltc bench step --json``."""
        worst = self.worst
        return {
            "engine": self.image.engine,
            "option": self.image.option,
            "cycles": worst.cycles,
            "cycles_2ws": self.cycles_2ws,
            "instructions": worst.instructions,
            "engine_flash_bytes": self.sizes.engine,
            "model_flash_bytes": self.sizes.model,
            "ram_bytes": self.ram_bytes,
            "boot_cycles": self.boot_cycles,
            "elf": str(self.image.elf),
            "source": {"cycles": CYCLES_SOURCE, "bytes": SIZES_SOURCE},
            "cycles_min": min(call.cycles for call in self.steps),
            "cycles_max": worst.cycles,
            "cycles_2ws_min": min(call.cycles_2ws for call in self.steps),
            "cycles_2ws_max": self.cycles_2ws,
            "spread": self.spread,
            "steps": [
                {"cycles": call.cycles, "cycles_2ws": call.cycles_2ws, "instructions": call.instructions}
                for call in self.steps
            ],
            "hash_cycles": self.hash_cycles,
            "stack_bytes": max(call.stack_bytes for call in self.steps),
            "setup_stack_bytes": self.setup.stack_bytes,
            "reader_flash_bytes": self.sizes.reader,
            "apart_flash_bytes": self.sizes.apart,
            "model_sections": self.image.model_sections,
            "functions": [
                {
                    "name": function.name,
                    "cycles": function.cycles,
                    "cycles_2ws": function.cycles_2ws,
                    "instructions": function.instructions,
                    "calls": function.calls,
                }
                for function in self.functions
            ],
        } | self.more


def measure(image: BenchImage) -> Figures:
    """Run ``image``: its hash, its set-up, and a step for each stored input, each compared with the reference.

    Raises ParityError when an output differs, EmulatorError when the image refuses its model or a step.
    """
    place = memory()
    core = BareCore(image.elf, place.flash, place.ram, place.stack)
    hash_cycles = 0
    if core.has("bench_hash"):
        hashed = core.call("bench_hash")
        _require(image, "bench_hash", hashed.result)
        hash_cycles = hashed.cycles
    setup = core.call("bench_setup")
    _require(image, "bench_setup", setup.result)
    steps = []
    for number in range(image.inputs):
        steps.append(core.call("bench_step"))
        _require(image, "bench_step", steps[-1].result)
        if not image.check(core, number):
            raise ParityError(
                f"{image.engine}, {image.option}: the outputs of step {number} are not those of the reference.",
                "A figure of a wrong result is worth nothing: none is shown.",
            )
    counted = sizes(image.elf, image.variables, image.model_symbols)
    ram = counted.ram - image.unused_ram(core)
    return Figures(image, tuple(steps), setup, hash_cycles, counted, ram, image.more(core))


def _require(image: BenchImage, function: str, status: int) -> None:
    if status:
        raise EmulatorError(
            f"{image.engine}, {image.option}: {function} returns {status}.",
            "firmware/bench/bench.h says what that is.",
        )
