"""The core's private peripherals: NVIC and SCB registers (ARMv7-M ARM B3.2, B3.4), with SysTick and DWT beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolchain.emulator import nvic
from toolchain.emulator.peripherals.clock_power import RESET_SOFTWARE
from toolchain.emulator.peripherals.dwt import Dwt
from toolchain.emulator.peripherals.systick import SysTick
from toolchain.errors import EmulatorError

if TYPE_CHECKING:
    from toolchain.emulator.chip import Chip
    from toolchain.emulator.machine import Machine

_CPUID, _ICSR, _VTOR, _AIRCR, _SCR, _CCR, _SHCSR = 0xED00, 0xED04, 0xED08, 0xED0C, 0xED10, 0xED14, 0xED24
_CFSR, _HFSR, _MMFAR, _BFAR, _CPACR, _FPCCR = 0xED28, 0xED2C, 0xED34, 0xED38, 0xED88, 0xEF34
_CORTEX_M4_R0P1 = 0x410FC241
_VECTKEY, _VECTKEYSTAT = 0x05FA, 0xFA05
_LSPEN, _ASPEN = 1 << 30, 1 << 31
_CP10_CP11 = 0xF << 20
_DIV_0_TRP, _UNALIGN_TRP = 1 << 4, 1 << 3
_ZERO = (0xED30, 0xED3C, 0xEF38, 0xEF3C)
"""DFSR, AFSR, FPCAR, FPDSCR: kept, without effect."""
_MASK = 0xFFFFFFFF


class SystemControl:
    """Answers at 0xE0000000."""

    name = "core"
    base = 0xE0000000
    size = 0x100000

    def __init__(self, chip: Chip, machine: Machine) -> None:
        self._chip = chip
        self._machine = machine
        self.dwt = Dwt(chip)
        self.systick = SysTick(chip)
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self.dwt.reset()
        self.systick.reset()
        self._cpacr = 0
        self._ccr = 0x200
        self._scr = 0
        self._prigroup = 0
        self._fpccr = _LSPEN | _ASPEN
        self._kept = dict.fromkeys(_ZERO, 0)

    # ---- loads

    def read(self, offset: int, size: int) -> int | None:
        """A register's value, or None."""
        aligned, shift = offset & ~3, 8 * (offset & 3)
        value = self._read_word(aligned)
        return None if value is None else value >> shift & ((1 << 8 * size) - 1)

    def _read_word(self, offset: int) -> int | None:
        irq, faults = self._chip.nvic, self._machine.faults
        bank = {0xE100: irq.enabled, 0xE180: irq.enabled, 0xE200: irq.pending, 0xE280: irq.pending}
        bank[0xE300] = sum(1 << number for number in irq.active)
        if 0xE100 <= offset < 0xE340 and offset & 0x7F < 8:
            return bank[offset & ~0x7F] >> (nvic.FIRST_IRQ + 8 * (offset & 0x7F)) & _MASK
        first = self._priority_index(offset)
        if first is not None:
            return sum(irq.priority[first + i] << 8 * i for i in range(4))
        plain = {
            _CPUID: _CORTEX_M4_R0P1,
            _VTOR: self._machine.vector_table,
            _AIRCR: _VECTKEYSTAT << 16 | self._prigroup << 8,
            _SCR: self._scr,
            _CCR: self._ccr,
            _SHCSR: faults.shcsr,
            _CFSR: faults.cfsr,
            _HFSR: faults.hfsr,
            _MMFAR: faults.mmfar,
            _BFAR: faults.bfar,
            _CPACR: self._cpacr,
            _FPCCR: self._fpccr | (1 if self._machine.state.lazy else 0),
            0xE004: (nvic.IRQS - 1) // 32,
        }
        if offset == _ICSR:
            return self._icsr()
        if offset in plain:
            return plain[offset]
        if offset in self._kept:
            return self._kept[offset]
        value = self.systick.read(offset)
        return self.dwt.read(offset) if value is None else value

    def _icsr(self) -> int:
        irq = self._chip.nvic
        active = irq.active[-1] if irq.active else 0
        waiting = irq.best()
        value = active | waiting << 12 | (1 << 11 if len(irq.active) <= 1 else 0)
        value |= (irq.pending >> nvic.SYSTICK & 1) << 26 | (irq.pending >> nvic.PENDSV & 1) << 28
        return value | (1 << 22 if irq.pending >> nvic.FIRST_IRQ else 0)

    def _priority_index(self, offset: int) -> int | None:
        """First exception number of the four priorities in this word."""
        if 0xE400 <= offset < 0xE400 + nvic.IRQS:
            return nvic.FIRST_IRQ + offset - 0xE400
        return 4 + offset - 0xED18 if 0xED18 <= offset < 0xED24 else None

    def loader(self, offset: int) -> None:
        """No shorter way."""

    def storer(self, offset: int) -> None:
        """No shorter way."""

    # ---- stores

    def write(self, offset: int, size: int, value: int) -> bool:
        """Store; False when the register is not modelled."""
        if size < 4:
            first = self._priority_index(offset & ~3)
            if first is None:
                return False
            for i in range(size):
                self._set_priority(first + (offset & 3) + i, value >> 8 * i)
            return True
        return self._write_word(offset, value)

    def _set_priority(self, exception: int, value: int) -> None:
        self._chip.nvic.priority[exception] = value & nvic.PRIORITY_BITS
        self._machine.state.attention = 1

    def _write_word(self, offset: int, value: int) -> bool:
        first = self._priority_index(offset)
        if first is not None:
            for i in range(4):
                self._set_priority(first + i, value >> 8 * i)
            return True
        if 0xE100 <= offset < 0xE300 and offset & 0x7F < 8:
            self._nvic_bank(offset & ~0x7F, value << (nvic.FIRST_IRQ + 8 * (offset & 0x7F)))
            return True
        return self._write_scb(offset, value) or self.systick.write(offset, value) or self.dwt.write(offset, value)

    def _nvic_bank(self, bank: int, mask: int) -> None:
        irq = self._chip.nvic
        mask &= (1 << (nvic.FIRST_IRQ + nvic.IRQS)) - 1
        if bank == 0xE100:
            irq.enable(mask)
        elif bank == 0xE180:
            irq.disable(mask)
        elif bank == 0xE200:
            for number in range(nvic.FIRST_IRQ, nvic.FIRST_IRQ + nvic.IRQS):
                if mask >> number & 1:
                    irq.pend(number)
        else:
            irq.pending &= ~mask

    def _write_scb(self, offset: int, value: int) -> bool:
        machine, faults = self._machine, self._machine.faults
        if offset == _ICSR:
            self._write_icsr(value)
        elif offset == _VTOR:
            machine.vector_table = value & ~0x7F
        elif offset == _AIRCR:
            self._write_aircr(value)
        elif offset == _SCR:
            self._scr = value
            machine.sleep_on_exit = bool(value & 2)
            self._chip.nvic.send_event_on_pend = bool(value & 16)
        elif offset == _CCR:
            if value & _UNALIGN_TRP:
                raise EmulatorError("CCR.UNALIGN_TRP is not modelled.", "Leave it off.")
            self._ccr = value
            machine.state.divide_trap = int(bool(value & _DIV_0_TRP))
        elif offset == _SHCSR:
            faults.shcsr = value
        elif offset == _CFSR:
            faults.cfsr &= ~value
        elif offset == _HFSR:
            faults.hfsr &= ~value
        elif offset == _CPACR:
            self._cpacr = value & _CP10_CP11
            machine.state.fpu_off = int(self._cpacr != _CP10_CP11)
        elif offset == _FPCCR:
            self._fpccr = value & (_LSPEN | _ASPEN)
            machine.lazy_stacking = bool(value & _LSPEN)
        elif offset in self._kept:
            self._kept[offset] = value
        else:
            return offset in (_MMFAR, _BFAR)
        return True

    def _write_icsr(self, value: int) -> None:
        irq = self._chip.nvic
        for bit, exception in ((31, nvic.NMI), (28, nvic.PENDSV), (26, nvic.SYSTICK)):
            if value >> bit & 1:
                irq.pend(exception)
        for bit, exception in ((27, nvic.PENDSV), (25, nvic.SYSTICK)):
            if value >> bit & 1:
                irq.clear(exception)

    def _write_aircr(self, value: int) -> None:
        if value >> 16 != _VECTKEY:
            return
        self._prigroup = value >> 8 & 7
        self._chip.nvic.set_priority_group(self._prigroup)
        if value & 4:
            self._chip.reset(RESET_SOFTWARE)
