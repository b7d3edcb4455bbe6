"""Flashing through a SAM-BA bootloader, as BOSSA speaks it: Arduino's on nRF52840, and those of UF2 boards with SAMD51.

The protocol is lines of ASCII with raw data between them (SAM-BA of Microchip's boot ROMs, with the extensions of
Arduino: X erases from an address to the end of the flash, Y writes a buffer from RAM to flash, K resets). It is spoken
here because no package on PyPI does, and Debian's bossac knows no nRF52.
"""

from __future__ import annotations

import re
import time
from typing import Any

from rich.console import Console

from toolchain.board import BossaFlash
from toolchain.errors import FlashError
from toolchain.flash.bootloader import PORT_GONE, find_port, open_port
from toolchain.flash.image import Image, Part
from toolchain.flash.method import Progress, Proof, Wishes
from toolchain.flash.places import Place

BAUD = 921_600
BUFFER_BYTES, PAD_BYTES = 4096, 512
READ_BYTES = 63
"""Bootloaders of SAMD boards spoil answers of 64 bytes and more over USB (BOSSA's own limit)."""
RAM_BUFFER, RAM_BUFFER_IN_BOOTLOADER = 0x2000_5000, 0x34
"""Where a block waits to be written: in the RAM of a SAMD51, or in the bootloader's own buffer where it names its chip
(BOSSA uses these addresses as well)."""
_QUICK_S, _ERASE_S, _WRITE_S = 0.5, 30.0, 5.0
_AIRCR, _RESET = 0xE000_ED0C, 0x05FA_0004


class Bossa:
    """Flashing through a SAM-BA bootloader."""

    name = "bossa"
    what = "bootloader port"

    def __init__(self, flash: BossaFlash) -> None:
        self._flash = flash

    def find(self, chosen: str | None, console: Console) -> Place:
        """Return the bootloader's port."""
        return find_port(self._flash, chosen, console)

    def write(self, place: Place, image: Image, wishes: Wishes, console: Console, progress: Progress) -> Proof:
        """Erase from the image's first address to the end of the flash, write, read back where the board can, reset."""
        if wishes.mass_erase:
            raise FlashError("A SAM-BA bootloader has no mass erase.", "Leave --mass-erase out.")
        if image.parts[0].address < self._flash.origin or image.parts[-1].end > self._flash.end:
            span = f"{self._flash.origin:#x} to {self._flash.end:#x}"
            raise FlashError(f"The image does not lie within what the bootloader writes ({span}).", "Build it again.")
        with open_port(place.name, BAUD, 0.05) as port:
            line = _Samba(port, place.name)
            try:
                return self._write(line, image, progress)
            except PORT_GONE as reason:
                what = f"The port {place.name} disappeared during the transfer ({reason})."
                raise FlashError(what, "The board holds half an image: start its bootloader and flash again.") from None

    def _write(self, line: _Samba, image: Image, progress: Progress) -> Proof:
        line.hello()
        line.erase(self._at(image.parts[0].address))
        done = 0
        for part in image.parts:
            for start in range(0, len(part.data), BUFFER_BYTES):
                block = part.data[start : start + BUFFER_BYTES]
                line.write(self._at(part.address + start), block + b"\xff" * (-len(block) % PAD_BYTES))
                done += len(block)
                progress(done / image.bytes)
        read_back = self._flash.verify == "read-back"
        if read_back:
            for part in image.parts:
                self._compare(line, part)
        line.reset()
        return "read back" if read_back else "none"

    def _at(self, address: int) -> int:
        """Return how the bootloader calls a flash address."""
        return address - self._flash.origin + self._flash.offset

    def _compare(self, line: _Samba, part: Part) -> None:
        for start in range(0, len(part.data), READ_BYTES):
            wanted = part.data[start : start + READ_BYTES]
            found = line.read(self._at(part.address + start), len(wanted))
            if found != wanted:
                at = next(i for i in range(len(wanted)) if found[i] != wanted[i])
                what = f"Read back, the flash at {part.address + start + at:#010x} is not what was written."
                raise FlashError(what, "Flash again.")


class _Samba:
    """The bootloader's commands; each raises FlashError when it is not answered as it should be."""

    def __init__(self, port: Any, name: str) -> None:
        self._port = port
        self._name = name
        self._can = ""
        self._buffer = RAM_BUFFER

    def hello(self) -> None:
        """Ask who is there, and what it can."""
        self._port.reset_input_buffer()
        self._send("N#")
        self._line(_QUICK_S)
        self._send("V#")
        version = self._line(_QUICK_S)
        able = re.search(r"\[Arduino:([A-Z]+)\]", version)
        if able is None or not {"X", "Y"} <= set(able[1]):
            said = f"it says '{version}'" if version else "it says nothing"
            raise FlashError(
                f"There is no SAM-BA bootloader that can write flash on {self._name}: {said}.",
                "Is it the bootloader's port? Start the bootloader and flash again.",
            )
        self._can = able[1]
        self._buffer = RAM_BUFFER_IN_BOOTLOADER if "I" in self._can else RAM_BUFFER

    def erase(self, address: int) -> None:
        """Erase from ``address`` to the end of the flash."""
        self._send(f"X{address:08X}#")
        self._expect("X", "erase", _ERASE_S)

    def write(self, address: int, data: bytes) -> None:
        """Write a block."""
        # Some bootloaders lose data that comes in one USB packet with its command.
        self._send(f"S{self._buffer:08X},{len(data):08X}#")
        self._port.write(data)
        self._port.flush()
        self._send(f"Y{self._buffer:08X},0#")
        self._expect("Y", "take a block", _QUICK_S)
        self._send(f"Y{address:08X},{len(data):08X}#")
        self._expect("Y", f"write {address:#010x}", _WRITE_S)

    def read(self, address: int, size: int) -> bytes:
        """Read flash."""
        self._send(f"R{address:08X},{size:08X}#")
        data = self._take(size, _QUICK_S)
        if len(data) < size:
            raise FlashError(f"The bootloader on {self._name} did not show {address:#010x}.", "Flash again.")
        return data

    def reset(self) -> None:
        """Start the firmware."""
        self._send("K#" if "K" in self._can else f"W{_AIRCR:08X},{_RESET:08X}#")

    def _send(self, command: str) -> None:
        self._port.write(command.encode())
        self._port.flush()

    def _take(self, size: int, seconds: float) -> bytes:
        data, end = b"", time.monotonic() + seconds
        while len(data) < size and time.monotonic() < end:
            data += self._port.read(size - len(data))
        return data

    def _line(self, seconds: float) -> str:
        data, end = b"", time.monotonic() + seconds
        while not data.endswith(b"\n\r") and time.monotonic() < end:
            data += self._port.read(1)
        return data.decode("ascii", errors="replace").strip("\r\n\0 ")

    def _expect(self, letter: str, what: str, seconds: float) -> None:
        if self._line(seconds) != letter:
            raise FlashError(
                f"The bootloader on {self._name} did not {what}.", "Start the bootloader again and flash again."
            )
