"""A stand-in for firmware on boards that no emulator boots yet: it says what the flash holds, and nothing else."""

from __future__ import annotations

import hashlib
from pathlib import Path

from cobs import cobs
from pty_port import PtyPort

from toolchain.board import Board
from toolchain.flash.image import SHA256_BYTES
from toolchain.wire.frames import encode_frame
from toolchain.wire.messages import Body, Firmware, GetFirmware, GetHello, Hello, decode, encode


class TalkingPort(PtyPort):
    """Silent until :meth:`start`; then answers with the hashes of ``memory``: of ``firmware_bytes`` of the application,
    and of the model in the first slot."""

    def __init__(self, board: Board, memory: bytearray, firmware_bytes: int, link: Path) -> None:
        super().__init__()
        self._board, self._memory, self._firmware_bytes = board, memory, firmware_bytes
        self._running = False
        self._bytes = b""
        link.symlink_to(self.name)

    def start(self, _: bytes) -> None:
        """The bootloader jumps to the application."""
        self._running = True

    def receive(self, data: bytes) -> bytes:
        self._bytes += data
        *frames, self._bytes = self._bytes.split(b"\0")
        if not self._running:
            return b""
        bodies = [decode(cobs.decode(frame)[:-4]).body for frame in frames if frame]
        return b"".join(encode_frame(encode(self._answer(body))) for body in bodies)

    def _answer(self, body: Body) -> Body:
        if isinstance(body, GetFirmware):
            first = self._board.memory.application
            code = self._memory[first : first + self._firmware_bytes]
            return Firmware(len(code), hashlib.sha256(code).digest())
        assert isinstance(body, GetHello)
        slot = self._board.model_slots[0].origin
        size = int.from_bytes(self._memory[slot + 12 : slot + 16], "little")  # docs/SPEC.md, 4
        sha256 = bytes(self._memory[slot + size - SHA256_BYTES : slot + size])
        return Hello(1, 0, 0, 0, self._board.name, "0", sha256, self._board.clock_hz, 1, 6, 3, 8, 0)
