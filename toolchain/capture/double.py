"""A device made of software on a pseudo-terminal: a double for tests and for measuring a capture without a board.

It speaks the protocol of docs/SPEC.md, 5, and streams the samples of a simulated wearer at real time or faster; it can
restart, be unplugged, and lose samples. It does not run the firmware: that is the virtual board's work.
"""

from __future__ import annotations

import os
import threading
import tty
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType

from toolchain.board import Board
from toolchain.recordings.wearer import Wearer
from toolchain.wire.frames import FrameDecoder, encode_frame
from toolchain.wire.messages import (
    Ack,
    AckStatus,
    Body,
    GetHealth,
    GetHello,
    Health,
    Hello,
    Sample,
    SetStreams,
    Stream,
    decode,
    encode,
)

HELLO = Hello(1, 0, 0, 0, "nrf52840", "0.1.0", bytes(32), 64_000_000, 208_000, 6, 2, 8, 500)
SLICE_S = 0.05
"""Time of the device between two looks at its line."""


class ScriptedDevice:
    """Streams a wearer's samples when asked to; :meth:`unplug` closes the port, ``spoil`` changes what it sends."""

    def __init__(self, board: Board, speed: float = 20.0) -> None:
        self.board, self.speed = board, speed
        self.hello = HELLO
        self.wearer = Wearer("scripted", board.imu)
        self.spoil: Callable[[bytes, int], bytes] = lambda frame, number: frame
        """Gets each SAMPLE frame and the number of its sample; returns what goes onto the line."""
        self.lost_in_device: set[int] = set()
        """Samples (by the order in which the sensor made them) that the device never read."""
        self.streams = Stream.NONE
        self.samples = self.made = 0
        self.sequence = 0
        self.seconds = 0.0
        self._restart = False
        self._lock = threading.RLock()
        self._decoder = FrameDecoder()
        self._stop = threading.Event()
        self._open = True

    def __enter__(self) -> ScriptedDevice:
        """Open the terminal, ``path``, and start."""
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        os.set_blocking(self._master, False)
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Unplug it."""
        self.unplug()

    def unplug(self) -> None:
        """Pull the cable: the port is gone."""
        self._stop.set()
        if threading.current_thread() is not self._thread:
            self._thread.join()
        with self._lock:
            if self._open:
                self._open = False
                os.close(self._slave)
                os.close(self._master)

    def restart(self) -> None:
        """Reset it: time, indices and sequence numbers start anew, and the streams are off."""
        with self._lock:
            self._restart = True

    def perform(self, label: str, seconds: float = 0.0) -> None:
        """Let the wearer answer a prompt, now."""
        with self._lock:
            self.wearer.perform(label, self.seconds, seconds)

    def _send(self, body: Body, time_us: int, number: int | None = None) -> None:
        frame = encode_frame(encode(body, self.sequence & 0xFFFF, time_us))
        self.sequence += 1
        if number is not None:
            frame = self.spoil(frame, number)
        while frame and not self._stop.is_set():
            try:
                frame = frame[os.write(self._master, frame) :]
            except BlockingIOError:
                self._stop.wait(0.001)

    def _work(self) -> None:
        offset_us = 0
        while not self._stop.wait(SLICE_S / self.speed):
            with self._lock:
                now_us = round(self.seconds * 1e6)
                if self._restart:
                    self._restart = False
                    offset_us, self.samples, self.sequence, self.streams = now_us, 0, 0, Stream.NONE
                    self._send(self.hello, 20)
                self._answer(now_us - offset_us)
                self.seconds += SLICE_S
                codes, stamps = self.wearer.more(self.seconds)
                for code, stamp in zip(codes.tolist(), stamps.tolist(), strict=True):
                    self.made += 1
                    if self.made in self.lost_in_device:
                        continue
                    if Stream.SAMPLE in self.streams:
                        body = Sample(self.samples, (30,), (tuple(code),))
                        self._send(body, stamp - offset_us + 30, self.samples)
                        if self._stop.is_set():
                            return
                    self.samples += 1

    def _answer(self, now_us: int) -> None:
        try:
            data = os.read(self._master, 4096)
        except (BlockingIOError, OSError):
            return
        for payload in self._decoder.feed(data):
            request = decode(payload)
            match request.body:
                case GetHello():
                    self._send(self.hello, now_us)
                case GetHealth():
                    empty = Health(*[0] * 14)
                    self._send(replace(empty, samples=self.samples, dwt_moves=1), now_us)
                case SetStreams(mask):
                    self.streams = mask
                    self._send(Ack(request.sequence, AckStatus.DONE), now_us)
                case _:
                    self._send(Ack(request.sequence, AckStatus.DONE), now_us)
