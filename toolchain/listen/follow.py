"""A device that is followed for as long as it takes: read, watched, and found again when it goes away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from toolchain.errors import LinkError
from toolchain.wire.capture import Counters
from toolchain.wire.link import BAUD, Link
from toolchain.wire.messages import Hello, Message, Stream

RETRY_S = 0.5
"""First wait before the port is tried again; doubled each time up to :data:`RETRY_MAX_S`."""
RETRY_MAX_S = 5.0
QUIET_S = 3.0
"""A device that said nothing for so long is asked for its health; no answer: it is gone."""
IMU_S = 0.2
"""A device without an IMU is asked again after so long before it is believed."""
_READ_S = 0.1


@dataclass(frozen=True, slots=True)
class Connected:
    """The device answered, for the first time or again."""

    hello: Hello
    url: str


@dataclass(frozen=True, slots=True)
class Gone:
    """The device went away, or answers no more."""

    why: str


@dataclass(frozen=True, slots=True)
class Heard:
    """One message; ``counters`` is what the line lost so far since the device was last found."""

    message: Message
    counters: Counters


@dataclass(frozen=True, slots=True)
class Quiet:
    """Nothing came for a moment: time to look at the clock or to draw."""

    counters: Counters


Event = Connected | Gone | Heard | Quiet


@dataclass(frozen=True, slots=True)
class Target:
    """What is followed. ``accept`` raises a TinyLtcError for a device that is not the one expected.

    ``alive``: False ends it; an emulated device has an end. ``patience`` is the wait for an answer in seconds.
    """

    url: str
    accept: Callable[[Hello], None]
    streams: Stream = Stream.NONE
    baud: int = BAUD
    patience: float = 0.5
    alive: Callable[[], bool] = lambda: True


def follow(target: Target, stop: threading.Event) -> Iterator[Event]:
    """Yield what happens on a device until ``stop`` is set or the target lives no more.

    Raises LinkError when the device cannot be reached at the start; later it is tried again until it is there, and
    every new reason why it is not is told once. What ``accept`` raises ends it at any time: the class numbers of
    another network must not pass for this one's.
    """
    wait, met, told = RETRY_S, False, ""
    while not stop.is_set() and target.alive():
        try:
            with Link(target.url, target.baud) as link:
                hello = link.hello(target.patience)
                if hello.imu_status and not stop.wait(IMU_S):
                    # A device that has just booted has not looked for its IMU yet.
                    hello = link.hello(target.patience)
                target.accept(hello)
                link.set_streams(target.streams, target.patience)
                wait, met, told = RETRY_S, True, ""
                yield Connected(hello, target.url)
                yield from _listen(link, target, stop)
                return
        except LinkError as reason:
            if not met:
                raise
            if reason.what != told:
                told = reason.what
                yield Gone(told)
        stop.wait(wait)
        wait = min(2 * wait, RETRY_MAX_S)


def _listen(link: Link, target: Target, stop: threading.Event) -> Iterator[Event]:
    heard = time.monotonic()
    while not stop.is_set() and target.alive():
        message = link.read(_READ_S)
        if message is None and time.monotonic() - heard < QUIET_S:
            yield Quiet(link.counters)
            continue
        heard = time.monotonic()
        if message is None:
            message = Message(0, 0, link.health(target.patience))
        if isinstance(message.body, Hello):
            # Not asked for: the device was reset, and with it what it was told to send.
            target.accept(message.body)
            link.set_streams(target.streams, target.patience)
        yield Heard(message, link.counters)
