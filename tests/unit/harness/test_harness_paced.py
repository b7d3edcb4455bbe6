"""The session over a pty, against a scripted device that runs by itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from toolchain.emulator.virtual import VirtualEmulator
from toolchain.errors import EmulatorError, LinkError
from toolchain.harness.emulated import Emulated
from toolchain.harness.paced import run_paced
from toolchain.harness.record import Recorder
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

HELLO = Hello(1, 0, 0, 0, "fake", "0.1.0", bytes(32), 64_000_000, 200_000, 6, 3, 4, 1000)
HEALTH = Health(*range(12))


class FakeBoard:
    """Stands in for the virtual board: answers requests, samples every 5 ms, may fail at a virtual time."""

    clock_hz = 1_000_000
    hook = "none"
    stop_reason: str | None = None

    def __init__(self, deaf: bool = False, dies_at: float | None = None) -> None:
        self.cycles = 0
        self.deaf, self.dies_at = deaf, dies_at
        self.streams = Stream.NONE
        self.sequence = self.samples = 0
        self.on_uart: Any = None
        self._decoder = FrameDecoder()

    def _send(self, body: Body) -> None:
        for byte in encode_frame(encode(body, self.sequence, self.cycles)):
            self.on_uart(bytes([byte]), self.cycles)
        self.sequence = (self.sequence + 1) & 0xFFFF

    def run(self, seconds: float) -> None:
        self.cycles += round(seconds * self.clock_hz)
        if self.dies_at is not None and self.cycles > self.dies_at * self.clock_hz:
            self.stop_reason = "breakpoint 0"
        if Stream.SAMPLE in self.streams:
            self._send(Sample(self.samples, (10,), ((1, 2, 3, 4, 5, 6),)))
        self.samples += 1

    def uart_input(self, data: bytes) -> None:
        for payload in self._decoder.feed(data):
            request = decode(payload)
            match request.body:
                case _ if self.deaf:
                    continue
                case GetHello():
                    self._send(HELLO)
                case GetHealth():
                    self._send(HEALTH)
                case SetStreams(mask):
                    self.streams = mask
                    self._send(Ack(request.sequence, AckStatus.DONE))
                case _:
                    self._send(Ack(request.sequence, AckStatus.DONE))


def _emulated(board: FakeBoard) -> Emulated:
    virtual = VirtualEmulator.__new__(VirtualEmulator)
    virtual.board, virtual._sent = board, bytearray()
    board.on_uart = virtual._take_byte
    emulated = Emulated.__new__(Emulated)
    emulated._emulator, emulated._serving = virtual, False
    return emulated


def test_a_session_over_the_pty() -> None:
    board, recorder, steps = FakeBoard(), Recorder(3), []
    result = run_paced(_emulated(board), recorder, 1.2, steps.append)
    record = recorder.record()
    assert (record.hello, record.health) == (HELLO, HEALTH)
    assert board.streams == Stream.SAMPLE | Stream.STEP | Stream.TIMING
    assert result.counters.faults == 0
    assert len(record.samples) == result.samples > 20
    assert result.virtual_s >= 1.2
    assert steps
    assert set(result.to_dict()) == {"samples", "ping_ms", "wall_s", "virtual_s", "pace", "link"}


def test_it_never_runs_ahead_of_real_time() -> None:
    emulated = _emulated(FakeBoard())
    begin = time.monotonic()
    with emulated.serve():
        while emulated.seconds < 0.1:
            time.sleep(0.01)
        virtual = emulated.seconds
        real = time.monotonic() - begin
    assert virtual <= real + 0.01, "one slice is the most that it may be ahead"
    assert not emulated.serving


def test_what_stops_the_board_comes_out() -> None:
    with pytest.raises(EmulatorError, match=r"stopped after 0\.2.*breakpoint 0"):
        run_paced(_emulated(FakeBoard(dies_at=0.2)), Recorder(3), 5.0, lambda _: None)


def test_a_deaf_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolchain.harness.paced._PATIENT_S", 0.05)
    with pytest.raises(LinkError, match="did not answer GetHello"):
        run_paced(_emulated(FakeBoard(deaf=True)), Recorder(3), 5.0, lambda _: None)


@contextmanager
def _served(board: FakeBoard) -> Iterator[tuple[Emulated, str]]:
    emulated = _emulated(board)
    with emulated.serve() as path:
        yield emulated, path


def test_a_pty_that_nobody_reads_does_not_hold_the_board_up() -> None:
    board = FakeBoard()
    board.streams = Stream.SAMPLE
    original = board.run

    def chatty(seconds: float) -> None:
        original(seconds)
        for _ in range(200):
            board._send(Sample(0, (1,), ((1, 2, 3, 4, 5, 6),)))

    board.run = chatty
    with _served(board) as (emulated, _):
        end = time.monotonic() + 10
        while emulated.seconds < 0.2 and time.monotonic() < end:
            time.sleep(0.01)
        assert emulated.seconds >= 0.2
