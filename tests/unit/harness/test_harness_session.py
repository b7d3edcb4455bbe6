"""The session at the pin, against a scripted device in virtual time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from toolchain.errors import LinkError
from toolchain.harness.session import PinSession
from toolchain.wire.frames import FrameDecoder, encode_frame
from toolchain.wire.messages import (
    Ack,
    AckStatus,
    Body,
    Decision,
    GetHealth,
    GetHello,
    Health,
    Hello,
    Log,
    Message,
    Ping,
    SetStreams,
    Stream,
    decode,
    encode,
)

HELLO = Hello(1, 0, 0, 0, "fake", "0.1.0", bytes(32), 64_000_000, 208_000, 6, 5, 128, 1000)


class Scripted:
    """Answers every request ``delay`` virtual seconds later, unless it is among the first ``deaf``."""

    def __init__(self, react: Callable[[Message], list[Body]], delay: float = 0.012, deaf: int = 0) -> None:
        self.react, self.delay, self.deaf = react, delay, deaf
        self.now = 0.0
        self.sequence = 0
        self.requests: list[Message] = []
        self._decoder = FrameDecoder()
        self._waiting: list[tuple[float, Body]] = []
        self._out = b""

    def run(self, seconds: float) -> None:
        self.now += seconds
        for due, body in self._waiting:
            if due <= self.now:
                self._out += encode_frame(encode(body, self.sequence, round(self.now * 1e6)))
                self.sequence += 1
        self._waiting = [(due, body) for due, body in self._waiting if due > self.now]

    def uart_input(self, data: bytes) -> None:
        for payload in self._decoder.feed(data):
            self.requests.append(decode(payload))
            if len(self.requests) > self.deaf:
                self._waiting += [(self.now + self.delay, body) for body in self.react(self.requests[-1])]

    def take_uart(self) -> bytes:
        taken, self._out = self._out, b""
        return taken


def _react(request: Message) -> list[Body]:
    match request.body:
        case GetHello():
            return [Log(0, "x"), HELLO]
        case GetHealth():
            return [Health(*range(12))]
        case _:
            return [Ack(request.sequence, AckStatus.DONE)]


def test_requests_take_virtual_time_and_lose_no_message() -> None:
    device, heard = Scripted(_react), []
    session = PinSession(device, heard.extend)
    assert session.hello() == HELLO
    assert session.health() == Health(*range(12))
    session.request(SetStreams(Stream.STEP))
    assert device.now == pytest.approx(0.045)
    assert [type(message.body) for message in heard] == [Log, Hello, Health, Ack]
    assert session.counters.faults == 0


def test_a_lost_request_is_repeated_with_a_new_number() -> None:
    device = Scripted(_react, deaf=2)
    PinSession(device, list).request(Ping(b"x"))
    assert [request.sequence for request in device.requests] == [0, 1, 2]


def test_silence_ends() -> None:
    device = Scripted(lambda _: [])
    with pytest.raises(LinkError, match="did not answer GetHello 3 times"):
        PinSession(device, list).hello()
    assert device.now == pytest.approx(0.6)


def test_a_refusal() -> None:
    device = Scripted(lambda request: [Ack(request.sequence, AckStatus.NOT_NOW)])
    with pytest.raises(LinkError, match=r"refused SetStreams \(not now\)"):
        PinSession(device, list).request(SetStreams(Stream.STEP))


def test_frames_missing_from_the_start_are_lost() -> None:
    device = Scripted(_react)
    device.sequence = 4
    session = PinSession(device, list)
    session.hello()
    assert session.counters.lost == 4


def test_messages_go_to_the_sink_as_they_come() -> None:
    device, heard = Scripted(_react), []
    session = PinSession(device, heard.extend)
    device._waiting = [(0.1 * n, Decision(n, 1, 2, 3)) for n in range(1, 8)]
    session.run(0.35)
    assert len(heard) == 3
    session.run(1.0)
    assert len(heard) == 7
