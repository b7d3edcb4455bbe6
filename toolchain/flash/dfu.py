"""Flashing through Nordic's serial DFU, as the Adafruit bootloader of nRF52 boards speaks it.

Packets go over SLIP, each with a header, a CRC-16 and a sequence number, and each is acknowledged (Nordic nRF5 SDK 11,
HCI transport and serial DFU). adafruit-nrfutil speaks the same, but never looks at the number in an acknowledgement and
never sends a packet again, which is why about one in five of its transfers dies; here a lost packet is repeated. The
acknowledgement says that a packet arrived, not that it was written, and nothing can be read back: the proof is what the
firmware says of itself afterwards.
"""

from __future__ import annotations

import binascii
import struct
import time
from collections.abc import Callable
from typing import Any

from rich.console import Console

from toolchain.board import DfuFlash
from toolchain.errors import FlashError
from toolchain.flash.bootloader import PORT_GONE, find_port, open_port
from toolchain.flash.image import Image, flat
from toolchain.flash.method import Progress, Proof, Wishes
from toolchain.flash.places import Place

END, ESCAPE, ESCAPED_END, ESCAPED_ESCAPE = 0xC0, 0xDB, 0xDC, 0xDD
INIT, START, DATA, STOP = 1, 3, 4, 5
MODE_APPLICATION = 4
PACKET_BYTES = 512
_VENDOR_PACKET = 14
_RELIABLE, _WITH_CRC = 0x80, 0x40
ATTEMPTS = 4
ANSWER_S = 1.0
PAGE = 4096
PAGE_ERASE_S, PAGE_WRITE_S = 0.0897, 0.1
"""The longest a page takes (nRF52840 PS v1.7, 4.3.8 NVMC electrical specification), with room for the bootloader's own
work: while it erases and writes it has no hands free to take packets, and one that finds its queue full is dropped."""


def crc16(data: bytes) -> int:
    """CRC-16 with the polynomial 0x1021 and the start value 0xFFFF, as the bootloader computes it."""
    return binascii.crc_hqx(data, 0xFFFF)


def init_packet(firmware: bytes, device_type: int, softdevice: int) -> bytes:
    """Return the init packet for an application: what it runs on, and its CRC (SDK 11, `dfu_init.h`).

    Any device revision and any application version; ``softdevice`` is the one firmware id that may be there.
    """
    return struct.pack("<HHIHHH", device_type, 0xFFFF, 0xFFFFFFFF, 1, softdevice, crc16(firmware))


def slip(data: bytes) -> bytes:
    """Return ``data`` framed (RFC 1055)."""
    escaped = data.replace(bytes([ESCAPE]), bytes([ESCAPE, ESCAPED_ESCAPE]))
    return bytes([END]) + escaped.replace(bytes([END]), bytes([ESCAPE, ESCAPED_END])) + bytes([END])


def packet(sequence: int, payload: bytes) -> bytes:
    """Return a packet as it goes over the line; ``sequence`` is 0 to 7, ``payload`` at most 4095 bytes."""
    head = bytes(
        [
            sequence | (sequence + 1) % 8 << 3 | _WITH_CRC | _RELIABLE,
            _VENDOR_PACKET | (len(payload) & 0xF) << 4,
            len(payload) >> 4,
        ]
    )
    body = head + bytes([-sum(head) & 0xFF]) + payload
    return slip(body + crc16(body).to_bytes(2, "little"))


class Dfu:
    """Flashing through a serial DFU bootloader. ``pause`` waits for the bootloader's flash; tests need not."""

    name = "dfu"
    what = "bootloader port"

    def __init__(self, flash: DfuFlash, pause: Callable[[float], None] = time.sleep) -> None:
        self._flash = flash
        self._pause = pause
        self.answer_s = ANSWER_S

    def find(self, chosen: str | None, console: Console) -> Place:
        """Return the bootloader's port."""
        return find_port(self._flash, chosen, console)

    def write(self, place: Place, image: Image, wishes: Wishes, console: Console, progress: Progress) -> Proof:
        """Send the whole application; the bootloader checks its CRC-16 and starts it, or stays."""
        if wishes.mass_erase or wishes.read_back:
            raise FlashError("A DFU bootloader neither mass-erases nor reads back.", "Leave these options out.")
        if image.firmware_sha256 is None:
            what = "A DFU bootloader takes whole applications only, not a model alone."
            raise FlashError(what, "Leave --model-only out, or flash with another method.")
        whole = flat(image.parts)
        firmware = whole.data + b"\xff" * (-len(whole.data) % 4)
        if whole.address != self._flash.origin or whole.address + len(firmware) > self._flash.end:
            span = f"{self._flash.origin:#x} to {self._flash.end:#x}"
            raise FlashError(f"The image does not lie within what the bootloader writes ({span}).", "Build it again.")
        with open_port(place.name, self._flash.baud, 0.05) as port:
            line = _Line(port, place.name, self.answer_s)
            line.send(struct.pack("<IIIII", START, MODE_APPLICATION, 0, 0, len(firmware)))
            self._pause(max(0.5, (len(firmware) // PAGE + 1) * PAGE_ERASE_S))
            init = init_packet(firmware, self._flash.device_type, self._flash.softdevice)
            line.send(struct.pack("<I", INIT) + init + b"\0\0")
            for start in range(0, len(firmware), PACKET_BYTES):
                line.send(struct.pack("<I", DATA) + firmware[start : start + PACKET_BYTES])
                progress((start + PACKET_BYTES) / (len(firmware) + PACKET_BYTES))
                if (start + PACKET_BYTES) % PAGE == 0:
                    self._pause(PAGE_WRITE_S)
            self._pause(PAGE_WRITE_S)
            line.send(struct.pack("<I", STOP))
            progress(1.0)
        return "none"


class _Line:
    """The reliable half of the link: a packet is sent until the other side acknowledges it."""

    def __init__(self, port: Any, name: str, answer_s: float) -> None:
        self._port = port
        self._name = name
        self._answer_s = answer_s
        self._sequence = 0
        self._waiting = b""

    def send(self, payload: bytes) -> None:
        """Send one packet; raises FlashError when it is not acknowledged or the port is gone."""
        # The bootloader expects 1 first (SDK 11, hci_transport.c).
        self._sequence = (self._sequence + 1) % 8
        data = packet(self._sequence, payload)
        try:
            for _ in range(ATTEMPTS):
                self._port.write(data)
                if self._acknowledged():
                    return
        except PORT_GONE as reason:
            what = f"The port {self._name} disappeared during the transfer ({reason})."
            raise FlashError(what, "The board holds half an image: start its bootloader and flash again.") from None
        what = f"The bootloader on {self._name} did not acknowledge a packet {ATTEMPTS} times."
        raise FlashError(what, "Is it the bootloader's port? Start the bootloader again, then flash again.")

    def _acknowledged(self) -> bool:
        end = time.monotonic() + self._answer_s
        wanted = (self._sequence + 1) % 8
        while time.monotonic() < end:
            self._waiting += self._port.read(self._port.in_waiting or 1)
            *frames, self._waiting = self._waiting.split(bytes([END]))
            for frame in frames:
                plain = frame.replace(bytes([ESCAPE, ESCAPED_END]), bytes([END]))
                plain = plain.replace(bytes([ESCAPE, ESCAPED_ESCAPE]), bytes([ESCAPE]))
                if len(plain) == 4 and sum(plain) & 0xFF == 0 and plain[0] >> 3 & 7 == wanted:
                    return True
        return False
