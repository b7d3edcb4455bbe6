"""A board under any emulator, and everything that it said: what the tests of faults and of the boards share."""

from __future__ import annotations

import json
from typing import TypeVar

import numpy as np

from toolchain.board import Board, EmulatorName
from toolchain.emulator.interface import Trouble
from toolchain.emulator.opening import open_emulator
from toolchain.harness import verdict
from toolchain.runs import Run
from toolchain.wire.capture import Capture
from toolchain.wire.frames import encode_frame
from toolchain.wire.messages import Body, GetHealth, Health, Hello, Log, Message, SetStreams, Stream, encode

ALL = SetStreams(Stream.SAMPLE | Stream.STEP | Stream.TIMING)
BOOT_S = 0.09
B = TypeVar("B", bound=Body)


class EmulatorBench:
    """A board with the run's image; times in seconds of virtual time since power-on."""

    def __init__(self, run: Run, board: Board, name: EmulatorName) -> None:
        self.emulator = open_emulator(name, board, run.firmware / "firmware.elf", run.firmware / "firmware.hex")
        self.board = board
        self.capture = Capture(from_start=True)
        self.messages: list[Message] = []
        self.stack_bound = json.loads((run.firmware / "build.json").read_text())["stack_bound_bytes"]
        self._sequence = 0

    def feed(self, seconds: float, start: float = 0.1, period_us: int | None = None) -> int:
        """Queue samples from ``start`` on; returns how many."""
        period = period_us or self.board.imu.period_us
        count = round(seconds * 1e6 / period)
        times = round(start * 1e6) + np.arange(count, dtype=np.int64) * period
        codes = np.arange(6 * count, dtype=np.int64).reshape(count, 6) * 37 % 8000 - 4000
        self.emulator.feed(codes.astype(np.int16), times)
        return count

    def run(self, seconds: float) -> None:
        self.emulator.run(seconds)
        self.messages += self.capture.feed(self.emulator.take_uart())

    def run_to(self, seconds: float) -> None:
        self.run(seconds - self.emulator.seconds)

    def say(self, *requests: Body) -> None:
        for request in requests:
            self.emulator.uart_input(b"\x00" + encode_frame(encode(request, self._sequence)))
            self._sequence += 1

    def inject(self, trouble: Trouble, on: bool = True) -> None:
        self.emulator.inject(trouble, on)

    def all(self, kind: type[B]) -> list[B]:
        return [message.body for message in self.messages if isinstance(message.body, kind)]

    def told(self, words: str) -> int:
        return sum(words in log.text for log in self.all(Log))

    def health(self) -> Health:
        """What the device says of itself; whatever was done to it, its stack stayed within the bound."""
        self.say(GetHealth())
        self.run(0.02)
        health = self.all(Health)[-1]
        used = self.board.memory.stack_bytes - health.stack_unused
        assert verdict.stack(used, self.stack_bound) == []
        return health

    def hellos(self) -> int:
        return len(self.all(Hello))

    def close(self) -> None:
        self.emulator.close()
