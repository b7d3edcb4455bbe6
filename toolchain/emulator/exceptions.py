"""Exception entry and return (ARMv7-M Architecture Reference Manual B1.5.6 to B1.5.8).

The frame with the floating-point state is stacked at once; lazy stacking (FPCCR.LSPEN, on after reset) shows
only in the cost: its 17 cycles are charged when the handler first uses the FPU.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from toolchain.emulator import cost, nvic
from toolchain.errors import EmulatorError

if TYPE_CHECKING:
    from toolchain.emulator.machine import Machine

_BASIC, _EXTENDED = 0x20, 0x68
_ALIGNED_FRAME = 1 << 9
_THUMB = 1 << 24
_FPCA, _SPSEL = 4, 2
_HANDLER_RETURN, _THREAD_MAIN, _THREAD_PROCESS = 0xFFFFFFF1, 0xFFFFFFF9, 0xFFFFFFFD


class Exceptions:
    """Enters and leaves exceptions on behalf of the machine."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        cpu = machine.cpu
        self._entry = cpu.group(["R0", "R1", "R2", "R3", "R12", "LR", "CONTROL", "XPSR", "SP"])
        self._frame = cpu.group(["SP", "CONTROL", "R0", "R1", "R2", "R3", "R12", "LR", "XPSR_NZCVQG"])
        self._enter = cpu.group(["SP", "IPSR", "CONTROL", "LR"])
        self._leave = cpu.group(["XPSR", "CONTROL"])
        self._fp = cpu.group([f"S{i}" for i in range(16)] + ["FPSCR"])
        self.taken = 0

    def take(self, exception: int) -> None:
        """Stack the frame and go to the handler."""
        machine = self._machine
        irq = machine.nvic
        *registers, control, xpsr, sp = self._entry.read()
        fp = bool(control & _FPCA)
        thread = not irq.active
        frame = (sp - (_EXTENDED if fp else _BASIC)) & ~7
        stacked = (xpsr & ~(_ALIGNED_FRAME | 0x1FF)) | _THUMB | (irq.active[-1] if irq.active else 0)
        words = [*registers, machine.pc, stacked | (_ALIGNED_FRAME if sp & 4 else 0)]
        if fp:
            words += [*self._fp.read(), 0]
        if not machine.memory.ram.holds(frame, 4 * len(words)):
            exception = machine.faults.stacking_failed(exception, frame)
        else:
            machine.memory.write_words(frame, words)
        link = _HANDLER_RETURN
        if thread:
            link = _THREAD_PROCESS if control & _SPSEL else _THREAD_MAIN
        if fp:
            link &= ~0x10
        self._enter.write([frame, exception, control & 1, link])
        machine.state.cycles += cost.EXCEPTION_ENTRY
        if fp:
            if machine.lazy_stacking:
                machine.state.lazy = cost.FP_STATE
            else:
                machine.state.cycles += cost.FP_STATE
        self._go(exception)

    def _go(self, exception: int) -> None:
        machine = self._machine
        machine.nvic.enter(exception)
        machine.state.event = 1
        machine.pc = machine.memory.word(machine.vector_table + 4 * exception) & ~1
        self.taken += 1

    def leave(self, link: int) -> None:
        """EXC_RETURN: tail-chain to what is pending, or unstack."""
        machine = self._machine
        cpu, irq = machine.cpu, machine.nvic
        thread = bool(link & 8)
        if not irq.active or thread != (len(irq.active) == 1) or link & 0xFFFFFFE0 != 0xFFFFFFE0:
            raise EmulatorError(
                f"Exception return {link:#010x} does not fit the active exceptions {irq.active} (UsageFault INVPC).",
                "Look for a handler that overwrote its stacked LR.",
            )
        ended = irq.active[-1]
        irq.leave(ended)
        if ended != nvic.NMI and machine.masks()[2]:
            cpu["FAULTMASK"] = 0
        machine.state.event = 1
        following = machine.deliverable()
        if following:
            self._enter.write([cpu["SP"], following, cpu["CONTROL"] & 1, link])
            machine.state.cycles += cost.TAIL_CHAIN
            self._go(following)
            return
        self._unstack(link, thread)
        if thread and machine.sleep_on_exit:
            machine.fall_asleep(wait_for_event=False)

    def _unstack(self, link: int, thread: bool) -> None:
        machine = self._machine
        cpu, active = machine.cpu, machine.nvic.active
        fp = not link & 0x10
        xpsr, control = self._leave.read()
        control = control & 1 | (_SPSEL if thread and link & 4 else 0)
        self._leave.write([(xpsr & ~0x1FF) | (0 if thread else active[-1]), control])
        sp = cpu["SP"]
        size = _EXTENDED if fp else _BASIC
        words = struct.unpack(f"<{size // 4}I", machine.memory.read(sp, size))
        above = (sp + size) | (4 if words[7] & _ALIGNED_FRAME else 0)
        control |= _FPCA if fp else 0
        self._frame.write([above, control, *words[:6], words[7] & ~_ALIGNED_FRAME])
        if fp:
            self._fp.write(words[8:25])
        machine.pc = words[6] & ~1
        machine.state.cycles += cost.EXCEPTION_RETURN
        if fp:
            if not machine.state.lazy:
                machine.state.cycles += cost.FP_STATE
            machine.state.lazy = 0
