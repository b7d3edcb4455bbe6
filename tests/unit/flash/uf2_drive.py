"""A double of a UF2 bootloader: a folder that takes a file, checks its blocks, disappears, and boots what it wrote.

Blocks of another family are ignored, as bootloaders do: nothing happens then.
"""

from __future__ import annotations

import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path

INFO = "UF2 Bootloader double\r\nModel: double\r\nBoard-ID: {board_id}\r\n"
_HEAD = struct.Struct("<8I")


class Uf2Drive:
    """``comes_back``: shows CURRENT.UF2 for this long before the firmware starts. ``broken_at``: an address whose byte
    does not take. ``cut_at``: the cable is pulled when the file has this many bytes."""

    def __init__(
        self,
        folder: Path,
        flash: bytearray,
        start: Callable[[bytes], None],
        *,
        family: int = 0xADA5_2840,
        board_id: str = "double-v1",
        comes_back: float = 0.0,
        broken_at: int | None = None,
        cut_at: int | None = None,
        stale: bool = False,
    ) -> None:
        self.folder, self.flash, self._start = folder, flash, start
        self._family, self._board_id, self._comes_back = family, board_id, comes_back
        self._broken_at, self._cut_at, self._stale = broken_at, cut_at, stale
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.failure: BaseException | None = None
        self._appear(bytes(flash))

    def __enter__(self) -> Uf2Drive:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        if self.failure is not None:
            raise self.failure

    def _appear(self, flash: bytes) -> None:
        self.folder.mkdir(exist_ok=True)
        count = len(flash) // 256
        blocks = [
            _HEAD.pack(0x0A324655, 0x9E5D5157, 0x2000, 256 * n, 256, n, count, self._family)
            + flash[256 * n : 256 * n + 256]
            + bytes(220)
            + struct.pack("<I", 0x0AB16F30)
            for n in range(count)
        ]
        (self.folder / "CURRENT.UF2").write_bytes(b"".join(blocks))
        (self.folder / "INFO_UF2.TXT").write_text(INFO.format(board_id=self._board_id))

    def _disappear(self) -> None:
        for path in self.folder.iterdir():
            path.unlink()

    def _watch(self) -> None:
        try:
            while not self._stop.wait(0.01):
                file = self.folder / "TINYLTC.UF2"
                data = file.read_bytes() if file.is_file() else b""
                if self._cut_at is not None and len(data) >= self._cut_at:
                    self._disappear()
                    return
                if self._take(data):
                    return
        except BaseException as failure:
            self.failure = failure

    def _take(self, data: bytes) -> bool:
        seen, count = {}, None
        for at in range(0, len(data) - 511, 512):
            first, second, flags, address, size, number, count_here, family = _HEAD.unpack_from(data, at)
            (last,) = struct.unpack_from("<I", data, at + 508)
            assert (first, second, last, flags, size, address % 256) == (
                0x0A324655,
                0x9E5D5157,
                0x0AB16F30,
                0x2000,
                256,
                0,
            )
            if family == self._family:
                seen[number] = (address, data[at + 32 : at + 288])
                count = count_here
        if count is None or len(seen) < count:
            return False
        before = bytes(self.flash)
        for address, page in seen.values():
            self.flash[address : address + 256] = page
        if self._broken_at is not None:
            self.flash[self._broken_at] ^= 0x10
        self._disappear()
        if self._comes_back:
            time.sleep(0.1)
            self._appear(before if self._stale else bytes(self.flash))
            self._stop.wait(self._comes_back)
        self._start(bytes(self.flash))
        return True
