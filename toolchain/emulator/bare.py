"""A core with flash and RAM and nothing else, for images without peripherals: calls one C function at a time.

Counts instructions (exactly, those that IT skips included), estimated cycles (:mod:`toolchain.emulator.cost`) and
the words that data reads fetch from flash, whole and per function. A call is counted from the function's first
instruction to its return, the refill behind the return included; the caller's branch is not part of it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from toolchain.emulator.blockhook import HookChoice
from toolchain.emulator.image import Program
from toolchain.emulator.machine import Machine
from toolchain.emulator.profile import NO_SYMBOL, by_function
from toolchain.emulator.reads import FlashReads
from toolchain.errors import EmulatorError

FLASH_WAIT_STATES = 2
"""Extra cycles of a word that a data read fetches from flash, in the model with wait states. Instruction fetches stay
as they are: the nRF52840's cache serves them, and nothing else (PS 4.3 NVMC)."""
_BREAKPOINT = b"\x00\xbe"
_PAINT = 0xA5
_CLOCK_HZ = 64_000_000
_LONGEST_CALL = 1_000_000_000


@dataclass(frozen=True)
class FunctionCost:
    """Self time of one function: what it called is not in it."""

    name: str
    cycles: int
    instructions: int
    flash_words: int
    calls: int

    @property
    def cycles_2ws(self) -> int:
        """Cycles with FLASH_WAIT_STATES."""
        return self.cycles + FLASH_WAIT_STATES * self.flash_words


@dataclass(frozen=True)
class Call:
    """What one call cost. ``result`` is R0 as a signed number; ``stack_bytes`` is the deepest use of the stack."""

    cycles: int
    instructions: int
    flash_words: int
    stack_bytes: int
    result: int
    functions: tuple[FunctionCost, ...]

    @property
    def cycles_2ws(self) -> int:
        """Cycles with FLASH_WAIT_STATES."""
        return self.cycles + FLASH_WAIT_STATES * self.flash_words


class BareCore:
    """Loads an ELF file's segments and calls its functions. RAM is zero at the start, the FPU is on.

    ``flash``, ``ram``: origin and size in bytes. ``stack``: the (lowest address, first address above) that calls may
    use. Raises EmulatorError for a segment outside the memory, MissingToolError without Unicorn.
    """

    def __init__(
        self,
        elf: Path,
        flash: tuple[int, int],
        ram: tuple[int, int],
        stack: tuple[int, int],
        hook: HookChoice = "auto",
    ) -> None:
        self.program = Program(elf)
        self._machine = Machine(
            clock_hz=_CLOCK_HZ,
            flash=flash,
            vectors=flash[0],
            ram=ram,
            hook=hook,
            strict=False,
            stop_on_fault=True,
            symbol=self.program.describe,
        )
        self._stack = stack
        memory = self._machine.memory
        # A call returns to the last halfword of the flash.
        self._return = flash[0] + flash[1] - len(_BREAKPOINT)
        for address, data in (*self.program.segments, (self._return, _BREAKPOINT)):
            region = memory.find(address, len(data))
            if region not in (memory.flash, memory.ram) or address < self._return < address + len(data):
                raise EmulatorError(f"{elf}: {len(data)} bytes at {address:#010x} do not fit the memory.")
            region.write(address, data)
        self._reads = FlashReads(self._machine)
        self._machine.reset()
        self._machine.state.fpu_off = 0

    def call(self, name: str) -> Call:
        """Call ``int name(void)``. Raises EmulatorError if it does not return, or does what the core cannot."""
        machine = self._machine
        bottom, top = self._stack
        before = {run[0]: run for run in machine.runs()}
        self._reads.take()
        machine.memory.ram.write(bottom, bytes([_PAINT]) * (top - bottom))
        machine.cpu["SP"] = top
        machine.cpu["LR"] = self._return | 1
        machine.pc = self.program.symbol(name).address
        machine.stop_reason = None
        machine.run_until(machine.state.cycles + _LONGEST_CALL)
        if machine.pc != self._return + len(_BREAKPOINT):
            where = machine.stop_reason or f"still running at {self.program.describe(machine.pc)}"
            raise EmulatorError(f"{name}() does not return: {where}.", "Run the image under a debugger.")
        runs = []
        for address, count, times, cycles in machine.runs():
            _, _, times_before, cycles_before = before.get(address, (address, count, 0, 0))
            if times > times_before and address != self._return:
                runs.append((address, count, times - times_before, cycles - cycles_before))
        words = self._reads.take()
        unused = machine.memory.ram.read(bottom, top - bottom)
        result = machine.cpu["R0"]
        return Call(
            cycles=sum(run[3] for run in runs),
            instructions=sum(run[1] * run[2] for run in runs),
            flash_words=sum(words.values()),
            stack_bytes=len(unused.lstrip(bytes([_PAINT]))),
            result=result - (result >> 31 << 32),
            functions=self._functions(runs, words),
        )

    def _functions(self, runs: list[tuple[int, int, int, int]], words: dict[int, int]) -> tuple[FunctionCost, ...]:
        cycles, instructions, calls = by_function(self.program, runs, sum(run[3] for run in runs))
        fetched: Counter[str] = Counter()
        for address, count in words.items():
            function = self.program.function_at(address)
            fetched[function.name if function else NO_SYMBOL] += count
        return tuple(
            FunctionCost(name, spent, instructions[name], fetched[name], calls[name])
            for name, spent in cycles.most_common()
        )

    def has(self, name: str) -> bool:
        """Whether the image has a function of this name."""
        return any(function.name == name for function in self.program.functions)

    def read(self, name: str) -> bytes:
        """The bytes of a variable or constant."""
        symbol = self.program.symbol(name)
        return self._machine.memory.read(symbol.address, symbol.size)

    def read_at(self, address: int, size: int) -> bytes:
        """``size`` bytes of flash or RAM."""
        return self._machine.memory.read(address, size)
