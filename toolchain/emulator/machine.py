"""The core: Unicorn, the run loop, sleep and stops.

Unicorn runs until the block hook stops it (something is due or deliverable), an exception-related instruction
ends it, or it gives up on an instruction. Facts of Unicorn 2.1.4 that this file relies on: WFI ends
``emu_start`` with PC behind it; WFE and YIELD raise UC_ERR_INSN_INVALID with PC behind them; SVC, BKPT and
EXC_RETURN call the interrupt hook with 2, 7 and 8; after ``emu_stop`` in a block hook that block has not run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from toolchain.emulator import blocks, guards, nvic, unicorn_api
from toolchain.emulator.access import AccessClock
from toolchain.emulator.blockhook import HookChoice, make_hook
from toolchain.emulator.bus import Bus
from toolchain.emulator.clockwork import Clockwork, Counters
from toolchain.emulator.exceptions import Exceptions
from toolchain.emulator.faults import Faults
from toolchain.emulator.memory import Memory
from toolchain.errors import EmulatorError

_WFE, _YIELD, _WFI = b"\x20\xbf", b"\x10\xbf", b"\x30\xbf"
_SVC, _BKPT, _EXC_RETURN = 2, 7, 8
_IT_STATE = 0x0600FC00
_END = 0xFFFFFFFE


class Machine:
    """A Cortex-M4F with memory, bus, interrupts and virtual time. ``vectors``: the table that it starts from, behind a
    bootloader the application's. ``symbol`` names a code address in messages."""

    def __init__(
        self,
        *,
        clock_hz: int,
        flash: tuple[int, int],
        vectors: int,
        ram: tuple[int, int],
        hook: HookChoice,
        strict: bool,
        stop_on_fault: bool,
        symbol: Callable[[int], str],
    ) -> None:
        unicorn = unicorn_api.load()
        self.uc: Any = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        self.uc.ctl_set_cpu_model(unicorn.arm_const.UC_CPU_ARM_CORTEX_M4)
        self._error = unicorn.UcError
        self.symbol = symbol
        self.cpu = unicorn_api.Registers(self.uc)
        self.memory = Memory(self.uc, *flash, *ram)
        self.hook = make_hook(hook, self.uc, self._look, self._meet)
        self.state = cast(Counters, self.hook.state)
        self.clock = Clockwork(self.state, clock_hz)
        self.access = AccessClock(self.state, self.cpu)
        self.bus = Bus(self.uc, self.clock, self.access, strict)
        self.nvic = nvic.Nvic(self.state)
        self.exceptions = Exceptions(self)
        self.faults = Faults(self, stop_on_fault)
        self._pc = self.cpu.group(["PC"])
        self._masks = self.cpu.group(["PRIMASK", "BASEPRI", "FAULTMASK"])
        self.uc.hook_add(unicorn.unicorn_const.UC_HOOK_INTR, self._on_interrupt)
        self.pc = 0
        self._vectors = self.vector_table = vectors
        self.lazy_stacking = True
        self.sleep_on_exit = False
        self.sleep_cycles = 0
        self.on_sleep: Callable[[int], None] = lambda cycles: None
        self.stop_reason: str | None = None
        self.reset_wanted = False
        self._interrupt: int | None = None
        self._asleep: bool | None = None
        self._stale = False
        self._ending_at: dict[int, blocks.Block] = {}
        self._exact: set[int] = set()
        self._wanted: list[guards.Check] = []
        self._archive: list[tuple[int, int, int, int]] = []

    # ---- reset and stop

    def reset(self) -> None:
        """Core registers and exception state as after a reset; memory stays."""
        self.faults.reset()
        self.reset_wanted = False
        self.vector_table = self._vectors
        self.lazy_stacking, self.sleep_on_exit = True, False
        self._asleep = None
        self.state.fpu_off, self.state.lazy, self.state.divide_trap, self.state.event = 1, 0, 0, 0
        self.cpu["XPSR"] = 1 << 24
        self.cpu["CONTROL"] = 0
        for name in ("PRIMASK", "BASEPRI", "FAULTMASK"):
            self.cpu[name] = 0
        self.cpu["MSP"] = self.cpu["SP"] = self.memory.word(self.vector_table)
        self.cpu["LR"] = 0xFFFFFFFF
        self.pc = self.memory.word(self.vector_table + 4) & ~1

    def stop(self, reason: str) -> None:
        """End the run at the next block."""
        self.stop_reason = reason
        self.state.attention = 1

    def want_reset(self) -> None:
        """Leave the run loop at the next block; whoever runs the machine then resets it."""
        self.reset_wanted = True
        self.state.attention = 1

    def code_changed(self, address: int, size: int) -> None:
        """Memory changed: if code ran from there, forget all translated blocks at the next block."""
        if any(block.address < address + size and address < block.end for block in self.access.blocks.values()):
            self._stale = True
            self.state.attention = 1

    def _forget_code(self) -> None:
        self._stale = False
        self._archive += self.hook.runs()
        self.hook.forget()
        self.access.forget()
        self._ending_at.clear()
        self.uc.ctl_flush_tb()

    def runs(self) -> list[tuple[int, int, int, int]]:
        """(address, instructions, runs, cycles) of every block that ran."""
        return self._archive + self.hook.runs()

    # ---- what the block hook asks

    def masks(self) -> list[int]:
        """PRIMASK, BASEPRI, FAULTMASK."""
        return self._masks.read()

    def deliverable(self) -> int:
        """The exception to take now, or 0; tells the block hook when a mask is in the way."""
        best = self.nvic.best()
        self.state.masked = 0
        if not best:
            return 0
        group = self.nvic.group(self.nvic.priority_of(best))
        if group >= self.nvic.running_priority():
            return 0
        if group >= self.nvic.masked_priority(*self.masks()):
            self.state.masked = 1
            self.state.masked_priority = group
            return 0
        return best

    def _look(self) -> bool:
        state = self.state
        self.clock.catch_up(state.cycles)
        state.attention = 0
        wanted = bool(self.stop_reason) or self.reset_wanted or self._stale or state.cycles >= self.clock.limit
        if not wanted and not self.deliverable():
            return False
        if self.cpu["XPSR"] & _IT_STATE:
            state.attention = 1
            return False
        return True

    def _meet(self, address: int, size: int) -> blocks.Block | None:
        code = self.memory.read(address, size)
        block = blocks.analyse(code, address, self._literal, self._ending_at.get(address))
        missing = [c for c in block.checks if c.when == guards.EXACT and c.address not in self._exact]
        if missing:
            self._wanted += missing
            return None
        self.access.blocks[address] = self._ending_at[block.end] = block
        return block

    def _literal(self, address: int) -> int | None:
        return self.memory.word(address) if self.memory.flash.holds(address, 4) else None

    def _on_interrupt(self, uc: Any, number: int, data: Any) -> None:
        self._interrupt = number
        uc.emu_stop()

    # ---- the run loop

    def run_until(self, cycles: int) -> None:
        """Run up to cycle ``cycles``, or until something stops the board (``stop_reason``) or wants a reset."""
        self.clock.set_limit(cycles)
        while self.state.cycles < cycles and self.stop_reason is None and not self.reset_wanted:
            self.clock.catch_up(self.state.cycles)
            self.state.attention = 0
            if self._stale:
                self._forget_code()
            if self._asleep is not None:
                if not self._wakes():
                    self._sleep(cycles)
                    continue
                self._asleep = None
            exception = self.deliverable()
            if exception:
                self.exceptions.take(exception)
            else:
                self._execute()
        self.clock.catch_up(self.state.cycles)

    def _execute(self) -> None:
        self.state.stopped = 0
        self._interrupt = None
        error = None
        try:
            self.uc.emu_start(self.pc | 1, _END)
        except self._error as reason:
            error = reason
        self._raise_pending()
        self.pc = self._pc.read_one() & ~1
        if self.state.stopped:
            self._explain_stop()
            return
        if self._interrupt == _EXC_RETURN:
            block = self.access.blocks.get(self.state.current)
            self.hook.settle(block.end if block else self.pc)
        else:
            self.hook.settle(self.pc)
        self._check_guards()
        if self._interrupt is not None:
            self._system_instruction(self._interrupt)
            return
        behind = self.memory.peek(self.pc - 2, 2)
        if error is None:
            if behind == _WFI:
                self.fall_asleep(wait_for_event=False)
        elif behind == _WFE:
            self.fall_asleep(wait_for_event=True)
        elif behind != _YIELD:
            self.faults.from_unicorn(error)

    def _raise_pending(self) -> None:
        try:
            self.hook.raise_pending()
            self.bus.raise_pending()
        except EmulatorError as error:
            place = self.symbol(self.state.current)
            raise EmulatorError(
                f"{error.what} (Cycle {self.state.cycles}, in or after {place}.)", error.hint
            ) from error

    def _system_instruction(self, number: int) -> None:
        if number == _EXC_RETURN:
            self.exceptions.leave(self.pc | 1)
        elif number == _SVC:
            self.nvic.pend(nvic.SVCALL)
        elif number == _BKPT:
            immediate = self.memory.read(self.pc, 1)[0]
            self.stop(f"breakpoint {immediate} at {self.pc:#010x} ({self.symbol(self.pc)})")
            self.pc += 2
        else:
            self.faults.from_unicorn(f"interrupt {number}")

    def _explain_stop(self) -> None:
        self._check_guards()
        if self._wanted:
            self.uc.ctl_flush_tb()
            for check in self._wanted:
                self.hook.add_exact(check)
                self._exact.add(check.address)
            self._wanted.clear()
        elif self.state.fpu_off:
            block = self.access.blocks.get(self.pc)
            if block is not None and block.flags & blocks.FPU:
                raise self.faults.error(
                    "FPU instruction while CPACR keeps the FPU off (UsageFault NOCP)",
                    block.fpu_at,
                    "Enable CP10 and CP11 in the start-up code.",
                )

    def _check_guards(self) -> None:
        if self.state.failed:
            check = self.hook.failed_check()
            assert check is not None
            raise self.faults.error(
                f"{check.sentence} (UsageFault; {check.register})", check.address, "Look at the instruction's base."
            )

    # ---- sleep

    def fall_asleep(self, *, wait_for_event: bool) -> None:
        """WFI or WFE; WFE passes when the event register is set."""
        if wait_for_event and self.state.event:
            self.state.event = 0
            return
        self._asleep = wait_for_event

    def _wakes(self) -> bool:
        if self._asleep and self.state.event:
            return True
        best = self.nvic.best()
        if not best:
            return False
        primask, basepri, _ = self.masks()
        group = self.nvic.group(self.nvic.priority_of(best))
        return group < self.nvic.masked_priority(primask if self._asleep else 0, basepri, 0)

    def _sleep(self, limit: int) -> None:
        until = max(min(self.clock.next_time(), limit), self.state.cycles)
        self.sleep_cycles += until - self.state.cycles
        self.on_sleep(until - self.state.cycles)
        self.state.cycles = until
        self.clock.catch_up(until)
