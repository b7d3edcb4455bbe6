"""The link, against a scripted device on a pty and against `loop://`."""

from __future__ import annotations

import errno
import time
from typing import Any

import pytest
import serial

from toolchain.errors import LinkError
from toolchain.wire.link import Link
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
)

HELLO = Hello(1, 0, 0, 0, "fake", "0.1.0", bytes(32), 64_000_000, 208_000, 6, 5, 128, 1000)
HEALTH = Health(*range(12))
QUICK = {"timeout": 0.05, "attempts": 2}
PATIENT = {"timeout": 5.0, "attempts": 1}


def _device_of(request: Message) -> list[Body]:
    match request.body:
        case GetHello():
            return [HELLO]
        case GetHealth():
            return [HEALTH]
        case _:
            return [Ack(request.sequence, AckStatus.DONE)]


def test_every_request(device) -> None:
    device.react = _device_of
    with Link(device.path) as link:
        assert link.hello(**PATIENT) == HELLO
        assert link.health(**PATIENT) == HEALTH
        assert link.ping(b"abc", **PATIENT) >= 0
        link.set_streams(Stream.STEP | Stream.TIMING, **PATIENT)
        assert link.counters.faults == 0
    bodies = [request.body for request in device.requests]
    assert bodies == [GetHello(), GetHealth(), Ping(b"abc"), SetStreams(Stream.STEP | Stream.TIMING)]
    assert [request.sequence for request in device.requests] == [0, 1, 2, 3]


def test_messages_between_request_and_answer_are_kept(device) -> None:
    device.react = lambda request: [Log(0, "before"), Decision(1, 2, 3, 4), *_device_of(request), Log(0, "after")]
    with Link(device.path) as link:
        assert link.hello(**PATIENT) == HELLO
        got = [link.read(5.0) for _ in range(3)]
        assert [m.body for m in got if m] == [Log(0, "before"), Decision(1, 2, 3, 4), Log(0, "after")]
        assert link.read() is None


def test_a_lost_request_is_repeated(device) -> None:
    device.react = lambda request: _device_of(request) if len(device.requests) > 2 else []
    with Link(device.path) as link:
        assert link.hello(timeout=0.1, attempts=50) == HELLO
        assert len(device.requests) >= 3


def test_an_answer_to_another_request_is_not_taken(device) -> None:
    device.react = lambda request: [Ack((request.sequence + 100) & 0xFFFF, AckStatus.DONE)]
    with Link(device.path) as link, pytest.raises(LinkError, match="did not answer Ping 2 times"):
        link.ping(**QUICK)


@pytest.mark.parametrize("status", [AckStatus.UNKNOWN_KIND, AckStatus.BAD_BODY, AckStatus.NOT_NOW])
def test_a_refusal_is_an_error(device, status: AckStatus) -> None:
    device.react = lambda request: [Ack(request.sequence, status)]
    with Link(device.path) as link, pytest.raises(LinkError, match=status.name.lower().replace("_", " ")):
        link.set_streams(Stream.STEP, **PATIENT)


def test_another_protocol(device) -> None:
    device.react = lambda _: [Hello(2, *[getattr(HELLO, name) for name in HELLO.__slots__[1:]])]
    with Link(device.path) as link, pytest.raises(LinkError, match="speaks protocol 2, this toolchain 1"):
        link.hello(**PATIENT)


def test_silence_says_what_came(device) -> None:
    with Link(device.path) as link:
        device.react = lambda _: []
        with pytest.raises(LinkError, match="not one byte came"):
            link.hello(**QUICK)
        device.write(b"\x13\x37noise\x00" * 20)
        with pytest.raises(LinkError, match="no whole frame"):
            link.hello(timeout=1.0, attempts=1)
        device.send(Log(0, "I live"))
        with pytest.raises(LinkError, match="1 other frames came"):
            link.hello(timeout=1.0, attempts=1)
        assert link.counters.bad_cobs + link.counters.bad_crc + link.counters.too_short == 20


def test_losses_on_the_line_are_counted(device) -> None:
    with Link(device.path) as link:
        for number in range(1000):
            if number % 100 == 50:
                device.sequence += 1
            device.send(Log(0, str(number)))
        got = [link.read(5.0) for _ in range(1000)]
        assert [m.body.text for m in got if m and isinstance(m.body, Log)] == [str(n) for n in range(1000)]
        counters = link.counters
        assert (counters.frames, counters.lost, counters.pending, link.unread) == (1000, 10, 0, 0)


def test_the_port_disappears(device) -> None:
    with Link(device.path) as link:
        device.send(Log(0, "last words"))
        end = time.monotonic() + 5
        while not link.counters.frames and time.monotonic() < end:
            time.sleep(0.01)
        device.disappear()
        message = link.read(5.0)
        assert message is not None
        assert message.body == Log(0, "last words")
        with pytest.raises(LinkError, match="disappeared"):
            link.read(5.0)
        with pytest.raises(LinkError, match="disappeared"):
            link.ping(**QUICK)
        assert link.failure
    link.close()


def test_loop_gives_back_what_was_sent() -> None:
    with Link("loop://") as link:
        with pytest.raises(LinkError, match="other frames came"):
            link.hello(**QUICK)
        got = [link.read(1.0), link.read(1.0)]
        assert [m.body for m in got if m] == [GetHello(), GetHello()]


def test_no_such_port() -> None:
    with pytest.raises(LinkError, match="There is no serial port '/dev/ttyNothing'"):
        Link("/dev/ttyNothing")


def test_not_a_port() -> None:
    with pytest.raises(LinkError, match="'nonsense://x' is not a serial port"):
        Link("nonsense://x")


@pytest.mark.parametrize(
    ("number", "words"), [(errno.EACCES, "may not open"), (errno.EBUSY, "in use"), (errno.EIO, "cannot be opened")]
)
def test_a_port_that_does_not_open(monkeypatch: pytest.MonkeyPatch, number: int, words: str) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise serial.SerialException(number, "refused")

    monkeypatch.setattr("toolchain.wire.link.serial.serial_for_url", refuse)
    with pytest.raises(LinkError, match=words) as caught:
        Link("/dev/ttyUSB0")
    assert caught.value.hint


def test_unread_messages_are_dropped_aloud(device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolchain.wire.link.QUEUE_MESSAGES", 10)
    with Link(device.path) as link:
        device.send(*[Log(0, str(number)) for number in range(25)])
        end = time.monotonic() + 5
        while link.counters.frames < 25 and time.monotonic() < end:
            time.sleep(0.01)
        link.close()
        assert link.unread == 15
        assert link.read() is not None
