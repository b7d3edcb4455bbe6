"""A PPK2 on a pty: it tells its calibration and streams words, as the meter's protocol has it."""

from __future__ import annotations

import os
import threading
import tty

import numpy as np

_GAINS = {"GS": 1, "GI": 1, "O": 0, "S": 0, "I": 0, "UG": 1}
METADATA = (
    "Calibrated: 0\n"
    + "".join(f"R{i}: {r}\n" for i, r in enumerate((1000.0, 100.0, 10.0, 1.0, 0.05)))
    + "".join(f"{key}{i}: {value}\n" for key, value in _GAINS.items() for i in range(5))
    + "VDD: 3000\nHW: 9173\nmode: 2\nIA: 56\nEND\n"
)
START, STOP, METADATA_COMMAND, REGULATOR, RUNNING = 6, 7, 0x19, 0x0D, 0x0C


class FakePpk2:
    """``range_``: the shunt that it reports. ``drop_bytes``: so many bytes are lost once, in mid-stream."""

    def __init__(
        self, metadata: str = METADATA, range_: int = 2, drop_bytes: int = 0, words: int | None = None
    ) -> None:
        self._metadata = metadata
        self._range = range_
        self._drop = drop_bytes
        self._left = words
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self.commands: list[int] = []
        self._streaming = threading.Event()
        self._stop = threading.Event()
        self._counter = 0
        os.set_blocking(self._master, False)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        os.close(self._slave)
        os.close(self._master)

    def _serve(self) -> None:
        while not self._stop.is_set():
            self._listen()
            if self._streaming.is_set() and self._left != 0:
                self._write(self._words(500))
            self._stop.wait(0.001)

    def _listen(self) -> None:
        try:
            data = os.read(self._master, 64)
        except BlockingIOError:
            return
        while data:
            command, size = data[0], {REGULATOR: 3, RUNNING: 2, 0x11: 2}.get(data[0], 1)
            self.commands.append(command)
            if command == METADATA_COMMAND:
                self._write(self._metadata.encode())
            elif command == START:
                self._streaming.set()
            elif command == STOP:
                self._streaming.clear()
            data = data[size:]

    def _words(self, count: int) -> bytes:
        if self._left is not None:
            count = min(count, self._left)
            self._left -= count
        index = np.arange(self._counter, self._counter + count)
        self._counter += count
        adc = 1000 + index % 100
        marks = (index % 100 < 10).astype(np.int64)
        data = (adc | self._range << 14 | (index % 64) << 18 | marks << 24).astype("<u4").tobytes()
        if self._drop and self._counter > 2000:
            data, self._drop = data[: len(data) // 2] + data[len(data) // 2 + self._drop :], 0
        return data

    def _write(self, data: bytes) -> None:
        while data and not self._stop.is_set():
            try:
                data = data[os.write(self._master, data) :]
            except BlockingIOError:
                self._stop.wait(0.001)
