"""The block hook in Python: the same results as blockhook.c, line by line, for hosts without a compiler."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from toolchain.emulator import guards, unicorn_api
from toolchain.emulator.blocks import CHECK_AFTER, FPU, SEND_EVENT, Block
from toolchain.emulator.clockwork import NEVER, Counters
from toolchain.emulator.guards import Check

Look = Callable[[], bool]
"""Fires what is due; True: stop before this block."""
Meet = Callable[[int, int], Block | None]
"""Describes a block (address, size) that is met for the first time; None: stop before it."""

_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_void_p)
_BeforeBlock = Callable[[Any, int, int, Any], None]


class PyState(Counters):
    """The counters."""

    def __init__(self) -> None:
        for name in Counters.__annotations__:
            setattr(self, name, 0)
        self.due = NEVER


class _Entry:
    """A block with its counts; the numbers that every run needs stand first."""

    __slots__ = ("block", "cycles", "end", "instructions", "refill", "runs", "special", "taken")

    def __init__(self, block: Block) -> None:
        self.block = block
        self.end, self.cycles, self.refill = block.end, block.cycles, block.refill
        self.instructions = block.instructions
        self.special = bool(block.flags or block.checks)
        self.runs = self.taken = 0


class PythonHook:
    """Counts cycles, instructions and block runs, checks guards, and stops the core when something is due."""

    name = "python"

    def __init__(self, uc: Any, look: Look, meet: Meet) -> None:
        self.state = PyState()
        self._uc = uc
        self._table: dict[int, _Entry] = {}
        self._last: _Entry | None = None
        self._failed: Check | None = None
        self._error: BaseException | None = None
        self._registers = unicorn_api.Registers(uc)
        self._masks = self._registers.group(["PRIMASK", "BASEPRI", "FAULTMASK"])
        self._callback = _CALLBACK(self._make(look, meet))
        unicorn_api.add_hook(uc, "BLOCK", self._callback)

    def _make(self, look: Look, meet: Meet) -> _BeforeBlock:
        """The hook as a closure: it runs more often than anything else here."""
        state, table = self.state, self._table

        def before(address: int, size: int) -> bool:
            last = self._last
            if last is not None:
                self._last = None
                if last.end != address:
                    state.cycles += last.refill
                    last.taken += 1
                if last.special and last.block.flags & CHECK_AFTER and self._fails(last.block, guards.AFTER):
                    return False
            if (state.cycles >= state.due or state.attention or (state.masked and self._unmasked())) and look():
                return False
            entry = table.get(address)
            if entry is None:
                block = meet(address, size)
                if block is None:
                    return False
                entry = table[address] = _Entry(block)
            if entry.special and not self._special(entry.block):
                return False
            state.current = address
            state.current_cycles = entry.cycles
            state.cycles += entry.cycles
            state.instructions += entry.instructions
            entry.runs += 1
            self._last = entry
            return True

        def hook(_: Any, address: int, size: int, user: Any) -> None:
            if state.stopped:
                return
            try:
                if before(address, size):
                    return
            except BaseException as error:  # a ctypes callback cannot raise: see raise_pending
                self._error = error
            self._stop()

        return hook

    def _special(self, block: Block) -> bool:
        """What only some blocks need; False: stop."""
        state = self.state
        if block.flags & FPU and (state.fpu_off or state.lazy):
            if state.fpu_off:
                return False
            state.cycles += state.lazy
            state.lazy = 0
        if block.checks and self._fails(block, guards.BEFORE):
            return False
        if block.flags & SEND_EVENT:
            state.event = 1
        return True

    def _fails(self, block: Block, when: int) -> bool:
        for check in block.checks:
            if check.when == when and self._breaks(check):
                self.state.failed = 1
                self._failed = check
                return True
        return False

    def _breaks(self, check: Check) -> bool:
        if check.mask == guards.NOT_ZERO and not self.state.divide_trap:
            return False
        return check.fails(self._registers[check.register])

    def _unmasked(self) -> bool:
        primask, basepri, faultmask = self._masks.read()
        return not (primask | faultmask) & 1 and (basepri == 0 or self.state.masked_priority < basepri)

    def _stop(self) -> None:
        self.state.stopped = 1
        self._uc.emu_stop()

    def settle(self, address: int) -> None:
        """The block that ran is over and the core is at ``address``."""
        last, self._last = self._last, None
        if last is None:
            return
        if last.end != address:
            self.state.cycles += last.refill
            last.taken += 1
        if last.block.flags & CHECK_AFTER:
            self._fails(last.block, guards.AFTER)

    def add_exact(self, check: Check) -> None:
        """Check at one instruction (flush Unicorn's translated blocks first)."""

        def at_instruction(uc: Any, address: int, size: int, data: Any) -> None:
            if not self.state.stopped and self._breaks(check):
                self.state.failed = 1
                self._failed = check
                self._stop()

        hook = unicorn_api.load().unicorn_const.UC_HOOK_CODE
        self._uc.hook_add(hook, at_instruction, begin=check.address, end=check.address)

    def failed_check(self) -> Check | None:
        """The guard that failed, or None."""
        return self._failed

    def raise_pending(self) -> None:
        """Raise what a callback could not."""
        error, self._error = self._error, None
        if error is not None:
            raise error

    def forget(self) -> None:
        """Drop all blocks (the flash changed)."""
        self._table.clear()
        self._last = None

    def runs(self) -> list[tuple[int, int, int, int]]:
        """(address, instructions, runs, cycles) of every block that ran."""
        return [
            (address, entry.instructions, entry.runs, entry.runs * entry.cycles + entry.taken * entry.refill)
            for address, entry in self._table.items()
        ]
