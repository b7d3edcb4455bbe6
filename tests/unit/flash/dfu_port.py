"""A double of the Adafruit bootloader's serial DFU (Nordic SDK 11: HCI over SLIP, single bank), on a pty.

It acknowledges what arrives whole and in order, like the original whether or not it can use it; it starts the firmware
only if the CRC-16 of the init packet is that of the image, and says nothing about it.
"""

from __future__ import annotations

import struct
from binascii import crc_hqx
from collections.abc import Callable

from pty_port import PtyPort


class DfuPort(PtyPort):
    """``lost``: numbers of packets (counted from 0, repetitions too) that are not received. ``vanish_at``: unplugged at
    this one."""

    def __init__(
        self,
        flash: bytearray | memoryview,
        start: Callable[[bytes], None],
        *,
        device_type: int = 0x52,
        softdevice: int = 0xB6,
        lost: frozenset[int] = frozenset(),
        vanish_at: int | None = None,
    ) -> None:
        super().__init__()
        self._flash, self._start = flash, start
        self._device_type, self._softdevice = device_type, softdevice
        self._lost, self._vanish_at = lost, vanish_at
        self._bytes = b""
        self._expected = 1
        self.packets = 0
        self.repeated = 0
        self.state = "idle"
        self.image = bytearray()
        self._size = 0
        self._crc = 0

    def receive(self, data: bytes) -> bytes:
        self._bytes += data
        *frames, self._bytes = self._bytes.split(b"\xc0")
        answer = b""
        for frame in filter(None, frames):
            answer += self._packet(frame.replace(b"\xdb\xdc", b"\xc0").replace(b"\xdb\xdd", b"\xdb"))
        return answer

    def _packet(self, body: bytes) -> bytes:
        number, self.packets = self.packets, self.packets + 1
        if number == self._vanish_at:
            self.vanish()
            return b""
        sound = (
            len(body) > 6
            and sum(body[:4]) & 0xFF == 0
            and body[0] & 0xC0 == 0xC0
            and body[1] & 0xF == 14
            and (body[1] >> 4 | body[2] << 4) == len(body) - 6
            and crc_hqx(body[:-2], 0xFFFF) == int.from_bytes(body[-2:], "little")
        )
        if number in self._lost or not sound:
            return b""
        if body[0] & 7 == self._expected:
            self._expected = (self._expected + 1) % 8
            self._work(*struct.unpack_from("<I", body, 4), body[8:-2])
        else:
            self.repeated += 1
        head = bytes([self._expected << 3, 0, 0])
        ack = head + bytes([-sum(head) & 0xFF])
        return b"\xc0" + ack.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc") + b"\xc0"

    def _work(self, kind: int, payload: bytes) -> None:
        if kind == 3 and self.state == "idle":
            mode, softdevice, bootloader, self._size = struct.unpack("<4I", payload)
            if (mode, softdevice, bootloader, self._size % 4) == (4, 0, 0, 0):
                self.state = "ready"
        elif kind == 1 and self.state == "ready":
            device_type, _revision, _version, count = struct.unpack_from("<HHIH", payload)
            softdevices = struct.unpack_from(f"<{count}H", payload, 10)
            (self._crc,) = struct.unpack_from("<H", payload, 10 + 2 * count)
            if device_type == self._device_type and (self._softdevice in softdevices or 0xFFFE in softdevices):
                self.state = "data"
        elif kind == 4 and self.state == "data":
            self.image += payload
        elif kind == 5 and self.state == "data" and self._whole():
            self.state = "started"
            self._flash[: len(self.image)] = self.image
            self._start(bytes(self._flash))

    def _whole(self) -> bool:
        return len(self.image) == self._size and crc_hqx(bytes(self.image), 0xFFFF) == self._crc
