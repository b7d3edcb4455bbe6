"""Talking to an emulated device: over its pty at the pace of a real one, or at the pin as fast as it goes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from toolchain.errors import LinkError
from toolchain.wire.answers import ANSWER, is_stale, refusal
from toolchain.wire.capture import Capture, Counters
from toolchain.wire.frames import encode_frame
from toolchain.wire.messages import (
    Body,
    GetHealth,
    GetHello,
    Health,
    Hello,
    Message,
    Request,
    Stream,
    encode,
)

ALL_STREAMS = Stream.SAMPLE | Stream.STEP | Stream.TIMING
SLICE_S = 0.5
"""Virtual time between two looks at the captured bytes."""
_ANSWER_SLICE_S = 0.005

Sink = Callable[[Iterable[Message]], None]


class Device(Protocol):
    """What a session needs of an emulated board; times are virtual."""

    def run(self, seconds: float) -> None:
        """Run for this long."""

    def uart_input(self, data: bytes) -> None:
        """Put bytes on the device's receive line."""

    def take_uart(self) -> bytes:
        """Return the bytes that left the device's transmit pin since the last call."""


class PinSession:
    """A session with bytes captured at the UART pin, in virtual time; every message goes to ``sink``."""

    def __init__(self, device: Device, sink: Sink) -> None:
        self._device = device
        self._sink = sink
        self._capture = Capture(from_start=True)
        self._sequence = 0

    @property
    def counters(self) -> Counters:
        """What was received so far."""
        return self._capture.counters

    def run(self, seconds: float) -> list[Message]:
        """Let ``seconds`` of virtual time pass; return what came in it."""
        self._device.run(seconds)
        messages = self._capture.feed(self._device.take_uart())
        self._sink(messages)
        return messages

    def request(self, body: Request, timeout_s: float = 0.2, attempts: int = 3) -> Body:
        """Send ``body`` until its answer comes, and return that; raises LinkError for silence or a refusal."""
        tried: set[int] = set()
        for _ in range(attempts):
            tried.add(self._sequence)
            self._device.uart_input(b"\x00" + encode_frame(encode(body, self._sequence)))
            self._sequence = (self._sequence + 1) & 0xFFFF
            for _ in range(round(timeout_s / _ANSWER_SLICE_S)):
                for message in self.run(_ANSWER_SLICE_S):
                    answer = message.body
                    if not isinstance(answer, ANSWER[type(body)]) or is_stale(answer, tried):
                        continue
                    if why := refusal(answer):
                        raise LinkError(f"The device refused {type(body).__name__} ({why}).", "Build it again.")
                    return answer
        raise LinkError(
            f"The emulated device did not answer {type(body).__name__} {attempts} times.",
            "Look at its log messages, or run with --pace.",
        )

    def hello(self) -> Hello:
        """Ask who is there."""
        answer = self.request(GetHello())
        assert isinstance(answer, Hello)
        return answer

    def health(self) -> Health:
        """Ask for the device's counters."""
        answer = self.request(GetHealth())
        assert isinstance(answer, Health)
        return answer
