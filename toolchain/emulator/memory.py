"""Flash, RAM and the information registers as host buffers that Unicorn maps directly.

EasyDMA reads and writes Data RAM only (PS 4.5 EasyDMA): any other address stops the board with a clear error,
where the chip would fault or move rubbish.
"""

from __future__ import annotations

import ctypes
import struct
from typing import Any

from toolchain.emulator import unicorn_api
from toolchain.errors import EmulatorError

FICR_BASE = 0x10000000
UICR_BASE = 0x10001000
PAGE = 0x1000


class Region:
    """One memory that the core sees at ``base``."""

    def __init__(self, name: str, base: int, size: int, fill: int) -> None:
        self.name = name
        self.base = base
        self.size = size
        self._buffer = (ctypes.c_uint8 * size)()
        ctypes.memset(self._buffer, fill, size)
        self.view = memoryview(self._buffer).cast("B")

    @property
    def pointer(self) -> int:
        """Address of the buffer in this process."""
        return ctypes.addressof(self._buffer)

    def holds(self, address: int, size: int) -> bool:
        """True when ``size`` bytes at ``address`` lie inside."""
        return self.base <= address and address + size <= self.base + self.size

    def read(self, address: int, size: int) -> bytes:
        """``size`` bytes at ``address``."""
        return bytes(self.view[address - self.base : address - self.base + size])

    def write(self, address: int, data: bytes) -> None:
        """Put ``data`` at ``address``."""
        self.view[address - self.base : address - self.base + len(data)] = data


class Memory:
    """The memory map of the chip: Code flash, Data RAM, FICR and UICR."""

    def __init__(self, uc: Any, flash_base: int, flash_size: int, ram_base: int, ram_size: int) -> None:
        self._uc = uc
        constants = unicorn_api.load().unicorn_const
        self.flash = Region("flash", flash_base, flash_size, 0xFF)
        self.ram = Region("RAM", ram_base, ram_size, 0x00)
        self.ficr = Region("FICR", FICR_BASE, PAGE, 0xFF)
        self.uicr = Region("UICR", UICR_BASE, PAGE, 0xFF)
        self.regions = (self.flash, self.ram, self.ficr, self.uicr)
        readable = constants.UC_PROT_READ
        self._executable = readable | constants.UC_PROT_EXEC
        self._writable = constants.UC_PROT_WRITE
        for region, rights in (
            (self.flash, self._executable),
            (self.ram, self._executable | self._writable),
            (self.ficr, readable),
            (self.uicr, readable),
        ):
            uc.mem_map_ptr(region.base, region.size, rights, region.pointer)
        self._fill_ficr(flash_size, ram_size)

    def _fill_ficr(self, flash_size: int, ram_size: int) -> None:
        """PS 4.4.1 FICR: code page size and count, device number, part, variant AAF0, RAM and flash in KB."""
        for offset, value in (
            (0x010, PAGE),
            (0x014, flash_size // PAGE),
            (0x060, 0x4C746C54),
            (0x064, 0x00005443),
            (0x100, 0x52840),
            (0x104, int.from_bytes(b"0FAA", "little")),
            (0x10C, ram_size // 1024),
            (0x110, flash_size // 1024),
        ):
            self.ficr.write(FICR_BASE + offset, value.to_bytes(4, "little"))

    def protect_flash(self, writable: bool) -> None:
        """Let the core store to flash and UICR, or not (NVMC CONFIG.WEN)."""
        extra = self._writable if writable else 0
        self._uc.mem_protect(self.flash.base, self.flash.size, self._executable | extra)
        self._uc.mem_protect(self.uicr.base, self.uicr.size, (self._executable & ~4) | extra)

    def find(self, address: int, size: int = 1) -> Region | None:
        """The region that holds the bytes, or None."""
        for region in self.regions:
            if region.base <= address and address + size <= region.base + region.size:
                return region
        return None

    def read(self, address: int, size: int) -> bytes:
        """Bytes as the core would load them; EmulatorError outside memory."""
        region = self.find(address, size)
        if region is None:
            raise EmulatorError(f"There is no memory at {address:#010x} ({size} bytes).", "Check the address.")
        return region.read(address, size)

    def peek(self, address: int, size: int) -> bytes:
        """Bytes at ``address``, or none outside memory."""
        region = self.find(address, size)
        return b"" if region is None else region.read(address, size)

    def word(self, address: int) -> int:
        """A little-endian 32-bit word."""
        return int.from_bytes(self.read(address, 4), "little")

    def write_words(self, address: int, values: list[int]) -> None:
        """Store 32-bit words to RAM (exception frames)."""
        self.ram.write(address, struct.pack(f"<{len(values)}I", *values))

    def _dma(self, what: str, address: int, size: int) -> None:
        if size and not self.ram.holds(address, size):
            region = self.find(address)
            where = region.name if region else "no memory"
            raise EmulatorError(
                f"{what}: EasyDMA of {size} bytes at {address:#010x} ({where}), but EasyDMA reaches RAM only.",
                "Copy the buffer to RAM first (PS 4.5 EasyDMA).",
            )

    def dma_read(self, what: str, address: int, size: int) -> bytes:
        """Bytes that a peripheral fetches; EmulatorError unless they lie in RAM."""
        self._dma(what, address, size)
        return self.ram.read(address, size) if size else b""

    def dma_write(self, what: str, address: int, data: bytes) -> None:
        """Bytes that a peripheral stores; EmulatorError unless they lie in RAM."""
        self._dma(what, address, len(data))
        if data:
            self.ram.write(address, data)
