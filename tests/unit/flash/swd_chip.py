"""A double of an nRF52840 as a debug probe sees it: memory, NVMC, the core's debug registers, the two access ports.

Programs in RAM (pyOCD's flash algorithm) run on Unicorn, so that pyOCD's own erasing and writing is what is tested. The
firmware itself does not run here: ``on_start`` gets the flash when the core would start it. Register layouts: Armv7-M
ARM, C1.6; nRF52840 PS v1.7, 4.3 NVMC, 4.8 Debug and trace.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

import unicorn
from unicorn import arm_const

FLASH_BYTES, RAM, RAM_BYTES, PAGE = 0x10_0000, 0x2000_0000, 0x4_0000, 0x1000
FICR, UICR, NVMC, SCS, ROM_TABLE = 0x1000_0000, 0x1000_1000, 0x4001_E000, 0xE000_E000, 0xE00F_F000
WATCHDOG = 0x4001_0000
APPROTECT = UICR + 0x208
_READY, _CONFIG, _ERASEPAGE, _ERASEALL = NVMC + 0x400, NVMC + 0x504, NVMC + 0x508, NVMC + 0x50C
_CPUID, _AIRCR, _DHCSR, _DCRSR, _DCRDR, _DEMCR = (SCS + at for at in (0xD00, 0xD0C, 0xDF0, 0xDF4, 0xDF8, 0xDFC))
_CORE = [getattr(arm_const, f"UC_ARM_REG_R{n}") for n in range(13)] + [
    arm_const.UC_ARM_REG_SP,
    arm_const.UC_ARM_REG_LR,
    arm_const.UC_ARM_REG_PC,
]


class Chip:
    """The chip. ``build_code`` such as ``F0``; ``failing_page``: its words do not take what is written."""

    def __init__(self, build_code: str = "F0", on_start: Callable[[bytes], None] | None = None) -> None:
        self._uc = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        for base, size, fill in (
            (0, FLASH_BYTES, 0xFF),
            (RAM, RAM_BYTES, 0),
            (FICR, PAGE, 0xFF),
            (UICR, PAGE, 0xFF),
            (WATCHDOG, PAGE, 0),  # pyOCD's algorithm feeds it where it runs
        ):
            self._uc.mem_map(base, size)
            self._uc.mem_write(base, bytes([fill]) * size)
        # FICR.INFO: part, variant ("AAF0"), package.
        self._uc.mem_write(FICR + 0x100, struct.pack("<I4sI", 0x52840, f"AA{build_code}".encode()[::-1], 0x2004))
        self._uc.mmio_map(NVMC, PAGE, self._nvmc_read, None, self._nvmc_write, None)
        self._uc.hook_add(unicorn.UC_HOOK_MEM_WRITE, self._program_stores, begin=0, end=FLASH_BYTES - 1)
        self._uc.hook_add(unicorn.UC_HOOK_MEM_WRITE, self._program_stores, begin=UICR, end=UICR + PAGE - 1)
        self._uc.hook_add(unicorn.UC_HOOK_INTR, lambda uc, number, data: uc.emu_stop())
        self._registers: dict[int, int] = {_CPUID: 0x410F_C241}
        self._wen = 0
        self._stored: list[tuple[int, bytes]] = []
        self._halted = False
        self._was_reset = True
        self._core: dict[int, int] = {}
        self.locked = False
        self.failing_page: int | None = None
        self.on_start = on_start
        self.mass_erases = 0
        self.erased_pages: list[int] = []

    # ---- what a test looks at

    @property
    def flash(self) -> bytes:
        """All of it."""
        return bytes(self._uc.mem_read(0, FLASH_BYTES))

    def put(self, address: int, data: bytes) -> None:
        """Put bytes there, as a factory does."""
        self._uc.mem_write(address, data)

    def word(self, address: int) -> int:
        """The 32-bit word at an address."""
        return int.from_bytes(self._uc.mem_read(address, 4), "little")

    # ---- NVMC

    def _nvmc_read(self, uc: unicorn.Uc, offset: int, size: int, data: object) -> int:
        return {_READY: 1, NVMC + 0x408: 1, _CONFIG: self._wen}.get(NVMC + offset, 0)

    def _nvmc_write(self, uc: unicorn.Uc, offset: int, size: int, value: int, data: object) -> None:
        self._settle()
        address = NVMC + offset
        if address == _CONFIG:
            self._wen = value & 3
        elif self._wen == 2 and address == _ERASEPAGE:
            self.erased_pages.append(value)
            uc.mem_write(value, b"\xff" * PAGE)
        elif self._wen == 2 and address == _ERASEALL and value & 1:
            self.mass_erase()

    def mass_erase(self) -> None:
        """Flash and UICR are erased; the port opens until the next reset."""
        self.mass_erases += 1
        self._uc.mem_write(0, b"\xff" * FLASH_BYTES)
        self._uc.mem_write(UICR, b"\xff" * PAGE)
        self.locked = False

    def _program_stores(self, uc: unicorn.Uc, kind: int, address: int, size: int, value: int, data: object) -> None:
        """A store of the running program: Unicorn has not done it yet, so its effect waits for :meth:`_settle`."""
        self._settle()
        self._stored.append((address, self._written(address, (value & (1 << 8 * size) - 1).to_bytes(size, "little"))))

    def _written(self, address: int, data: bytes) -> bytes:
        old = bytes(self._uc.mem_read(address, len(data)))
        if self._wen != 1 or address // PAGE == self.failing_page:
            return old
        return bytes(a & b for a, b in zip(old, data, strict=True))

    def _settle(self) -> None:
        for address, data in self._stored:
            self._uc.mem_write(address, data)
        self._stored.clear()

    # ---- the bus, as the AHB access port sees it

    def read(self, address: int, size: int) -> int:
        """A load of the debugger's; ValueError where there is nothing."""
        if SCS <= address < SCS + PAGE or NVMC <= address < NVMC + PAGE or ROM_TABLE <= address < ROM_TABLE + PAGE:
            word = self._register(address & ~3)
            return word >> 8 * (address & 3) & (1 << 8 * size) - 1
        try:
            return int.from_bytes(self._uc.mem_read(address, size), "little")
        except unicorn.UcError:
            raise ValueError(f"nothing at {address:#x}") from None

    def write(self, address: int, size: int, value: int) -> None:
        """A store of the debugger's; ValueError where there is nothing."""
        data = value.to_bytes(size, "little")
        if SCS <= address < SCS + PAGE:
            self._set_register(address, value)
        elif NVMC <= address < NVMC + PAGE:
            self._nvmc_write(self._uc, address - NVMC, size, value, None)
        elif address < FLASH_BYTES or UICR <= address < UICR + PAGE:
            self._uc.mem_write(address, self._written(address, data))
        elif RAM <= address < RAM + RAM_BYTES:
            self._uc.mem_write(address, data)
        else:
            raise ValueError(f"nothing at {address:#x}")

    def read_words(self, address: int, count: int) -> list[int]:
        """Words, quickly where it is memory."""
        if address < FLASH_BYTES or RAM <= address < RAM + RAM_BYTES:
            return list(struct.unpack(f"<{count}I", self._uc.mem_read(address, 4 * count)))
        return [self.read(address + 4 * n, 4) for n in range(count)]

    def write_words(self, address: int, words: list[int]) -> None:
        """The same for stores."""
        if RAM <= address < RAM + RAM_BYTES:
            self._uc.mem_write(address, struct.pack(f"<{len(words)}I", *words))
            return
        for n, word in enumerate(words):
            self.write(address + 4 * n, 4, word)

    def _register(self, address: int) -> int:
        if NVMC <= address < NVMC + PAGE:
            return self._nvmc_read(self._uc, address - NVMC, 4, None)
        if ROM_TABLE <= address < ROM_TABLE + PAGE:
            # One entry, the SCS; then its end. Class 1, made by Nordic.
            ids = {0: (SCS - ROM_TABLE & 0xFFFF_F000) | 3, 0xFE0: 0x08, 0xFE4: 0x40, 0xFE8: 0x0C, 0xFD0: 0x02}
            return ids.get(address - ROM_TABLE, 0) | _component_id(address - ROM_TABLE, 1)
        if SCS + 0xFD0 <= address < SCS + PAGE:
            # Cortex-M4 SCS: part 0x00C of Arm.
            ids = {0xFE0: 0x0C, 0xFE4: 0xB0, 0xFE8: 0x0B, 0xFD0: 0x04}
            return ids.get(address - SCS, 0) | _component_id(address - SCS, 0xE)
        if address == _DHCSR:
            sticky, self._was_reset = self._was_reset, False
            return self._registers.get(_DHCSR, 0) & 0xFFFF | 1 << 16 | self._halted << 17 | sticky << 25
        return self._registers.get(address, 0)

    def _set_register(self, address: int, value: int) -> None:
        if address == _DHCSR:
            if value >> 16 != 0xA05F:
                return
            self._registers[_DHCSR] = value & 0xFFFF
            halt = value & 3 == 3
            if self._halted and not halt:
                self._run()
            else:
                self._halted = halt
        elif address == _AIRCR:
            if value >> 16 == 0x05FA and value & 4:
                self.reset()
        elif address == _DCRSR:
            select = value & 0x7F
            if value & 1 << 16:
                self._core[select] = self._registers.get(_DCRDR, 0)
            else:
                self._registers[_DCRDR] = self._core.get(select, 0)
        else:
            self._registers[address] = value

    # ---- running

    def reset(self) -> None:
        """Any reset: UICR decides whether the port is open, and the firmware starts unless the debugger catches it."""
        self._was_reset = True
        variant = self.word(FICR + 0x104)
        hardened = variant >> 16 == 0x4141 and variant >> 8 & 0xFF >= ord("F")
        protect = self.word(APPROTECT)
        self.locked = protect & 0xFF != 0x5A if hardened else protect != 0xFFFF_FFFF
        self._halted = bool(self._registers.get(_DEMCR, 0) & 1 and self._registers.get(_DHCSR, 0) & 1)
        if not self._halted and self.on_start is not None:
            self.on_start(self.flash)

    def reset_by_control_port(self) -> None:
        """The reset through CTRL-AP behind a mass erase leaves the port open (PS 4.8.2)."""
        self._was_reset = True

    def _run(self) -> None:
        self._halted = False
        pc = self._core.get(15, 0)
        if not RAM <= pc < RAM + RAM_BYTES:
            return  # the firmware goes on
        for number, register in enumerate(_CORE):
            self._uc.reg_write(register, self._core.get(number, 0))
        self._uc.reg_write(arm_const.UC_ARM_REG_SP, self._core.get(13, self._core.get(17, 0)))
        self._uc.emu_start(pc | 1, 0xFFFF_FFFE, count=5_000_000)
        self._settle()
        for number, register in enumerate(_CORE):
            self._core[number] = self._uc.reg_read(register)
        self._halted = True


def _component_id(offset: int, kind: int) -> int:
    """Component identification registers (ADIv5.2, D1.2.2)."""
    return {0xFF0: 0x0D, 0xFF4: kind << 4, 0xFF8: 0x05, 0xFFC: 0xB1}.get(offset, 0)
