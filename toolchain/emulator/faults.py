"""Faults: what goes to the firmware's fault handlers, and what stops the board with a sentence.

Bus errors and undefined instructions are delivered as BusFault, UsageFault or (where those are not enabled)
HardFault, with CFSR, HFSR and BFAR filled in (ARMv7-M Architecture Reference Manual B1.5.14, B3.2.15). Inside
an IT block the stacked PC may be late, because Unicorn leaves the block there. A fault whose handler is a
branch to itself, a fault inside a fault handler, and everything under ``stop=True`` ends as EmulatorError.
Each fault is recorded in ``log``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolchain.emulator import nvic, unicorn_api
from toolchain.errors import EmulatorError

if TYPE_CHECKING:
    from toolchain.emulator.machine import Machine

IBUSERR, PRECISERR, STKERR, BFARVALID = 1 << 8, 1 << 9, 1 << 12, 1 << 15
UNDEFINSTR, INVSTATE = 1 << 16, 1 << 17
HFSR_FORCED, HFSR_VECTTBL = 1 << 30, 1 << 1
_BUSFAULTENA, _USGFAULTENA = 1 << 17, 1 << 18
_BRANCH_TO_SELF = b"\xfe\xe7"
_REGISTERS = [f"R{i}" for i in range(13)] + ["SP", "LR", "PC", "XPSR", "CONTROL"]


@dataclass(frozen=True)
class Fault:
    """A fault that the firmware got: what, at which instruction, at which cycle."""

    what: str
    pc: int
    cycles: int


class Faults:
    """The fault registers, and the way from an Unicorn error to an exception or an EmulatorError."""

    def __init__(self, machine: Machine, stop: bool) -> None:
        self._machine = machine
        self._stop = stop
        self._bad: tuple[int, int, bool] | None = None
        self.cfsr = self.hfsr = self.bfar = self.mmfar = self.shcsr = 0
        self.log: list[Fault] = []
        constants = unicorn_api.load().unicorn_const
        self._writes = {constants.UC_MEM_WRITE_UNMAPPED, constants.UC_MEM_WRITE_PROT}
        machine.uc.hook_add(constants.UC_HOOK_MEM_INVALID, self._note)

    def reset(self) -> None:
        """Registers as after a reset; the log stays."""
        self.cfsr = self.hfsr = self.shcsr = 0

    def _note(self, uc: Any, access: int, address: int, size: int, value: int, data: Any) -> bool:
        self._bad = (address, size, access in self._writes)
        return False

    def describe(self) -> str:
        """All core registers in one line."""
        values = self._machine.cpu.group(_REGISTERS).read()
        return " ".join(f"{name}={value:08x}" for name, value in zip(_REGISTERS, values, strict=True))

    def error(self, what: str, address: int, hint: str) -> EmulatorError:
        """An EmulatorError that names the instruction, its symbol and the registers."""
        where = self._machine.symbol(address)
        return EmulatorError(f"The core stopped at {address:#010x} ({where}): {what}. {self.describe()}", hint)

    def from_unicorn(self, error: Any) -> None:
        """Unicorn gave up at ``machine.pc``: deliver the fault."""
        machine = self._machine
        bad, self._bad = self._bad, None
        if bad is not None and bad[0] & ~1 != machine.pc:
            address, size, write = bad
            self.bfar = address
            what = f"{'store to' if write else 'load from'} {address:#010x} ({size} bytes), where nothing answers"
            self._deliver(nvic.BUS_FAULT, _BUSFAULTENA, PRECISERR | BFARVALID, what)
        elif machine.memory.find(machine.pc, 2) is None:
            self._deliver(nvic.BUS_FAULT, _BUSFAULTENA, IBUSERR, "instruction fetch from an address without memory")
        else:
            code = machine.memory.read(machine.pc, 2).hex()
            self._deliver(
                nvic.USAGE_FAULT, _USGFAULTENA, UNDEFINSTR, f"undefined instruction (bytes {code}; Unicorn: {error})"
            )

    def _deliver(self, exception: int, enable: int, status: int, what: str) -> None:
        machine = self._machine
        self.cfsr |= status
        if self._stop:
            raise self.error(what, machine.pc, "Run the firmware under a debugger, or look at the registers above.")
        running = machine.nvic.running_priority()
        if not self.shcsr & enable or machine.nvic.priority_of(exception) >= running or machine.masks()[0] & 1:
            exception = nvic.HARD_FAULT
            self.hfsr |= HFSR_FORCED
        if running < 0:
            raise self.error(f"{what}, inside a HardFault or NMI handler (lockup)", machine.pc, "Mend the handler.")
        handler = machine.memory.word(machine.vector_table + 4 * exception) & ~1
        if machine.memory.find(handler, 2) is None or machine.memory.read(handler, 2) == _BRANCH_TO_SELF:
            raise self.error(what, machine.pc, "The firmware's fault handler would loop forever.")
        self.log.append(Fault(what, machine.pc, machine.state.cycles))
        machine.exceptions.take(exception)

    def stacking_failed(self, exception: int, frame: int) -> int:
        """The frame does not fit the RAM; return the exception to enter instead (STKERR)."""
        machine = self._machine
        what = f"exception {exception} cannot stack its frame at {frame:#010x}: the stack has left the RAM"
        if self._stop or machine.nvic.running_priority() < 0:
            raise self.error(what, machine.pc, "Look for a stack overflow.")
        self.cfsr |= STKERR
        self.hfsr |= HFSR_FORCED
        self.log.append(Fault(what, machine.pc, machine.state.cycles))
        return nvic.HARD_FAULT
