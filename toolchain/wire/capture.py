"""From the line's bytes to messages, with every loss counted: what a link and a capture at the pin have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from toolchain.wire.frames import FrameDecoder
from toolchain.wire.messages import (
    COMMAND_KINDS,
    BadBodyError,
    Message,
    UnknownMessageError,
    decode,
    header,
)
from toolchain.wire.sequence import SequenceTracker


@dataclass(frozen=True, slots=True)
class Counters:
    """What a receiver saw. All but ``bytes``, ``frames`` and ``pending`` should be 0."""

    bytes: int
    frames: int
    """Frames with the right CRC."""
    bad_crc: int
    bad_cobs: int
    too_long: int
    too_short: int
    unknown: int
    """Frames of an unknown kind or version."""
    bad_body: int
    """Frames whose length or values do not fit their kind."""
    lost: int
    """Frames that the sequence numbers say were sent and did not come."""
    pending: int
    """Gaps that may still close (commands overtake other frames)."""
    repeated: int
    restarts: int
    """Times the device's clock went back: it was reset."""

    @property
    def faults(self) -> int:
        """Everything that went wrong on the way."""
        bad = self.bad_crc + self.bad_cobs + self.too_long + self.too_short + self.unknown + self.bad_body
        return bad + self.lost + self.repeated + self.restarts


class Capture:
    """Takes bytes as they come (from the emulated UART pin, a file, a port) and returns messages.

    ``from_start``: the bytes begin with the device's first frame, so that frames missing before the first one that
    comes are counted too. ``tap`` gets every payload with a right CRC, before it is decoded.
    """

    def __init__(self, from_start: bool = False, tap: Callable[[bytes], None] | None = None) -> None:
        self._tap = tap
        self._frames = FrameDecoder()
        self._sequence = SequenceTracker(from_start)
        self._bytes = 0
        self._unknown = 0
        self._bad_body = 0

    def feed(self, data: bytes) -> list[Message]:
        """Take bytes; return the messages that they completed, in order."""
        self._bytes += len(data)
        messages = []
        for payload in self._frames.feed(data):
            if self._tap is not None:
                self._tap(payload)
            kind, _, sequence, time_us = header(payload)
            self._sequence.see(sequence, time_us, kind in COMMAND_KINDS)
            try:
                messages.append(decode(payload))
            except UnknownMessageError:
                self._unknown += 1
            except BadBodyError:
                self._bad_body += 1
        return messages

    @property
    def counters(self) -> Counters:
        """The counters now."""
        frames, sequence = self._frames.counters, self._sequence
        return Counters(
            bytes=self._bytes,
            frames=frames.frames,
            bad_crc=frames.bad_crc,
            bad_cobs=frames.bad_cobs,
            too_long=frames.too_long,
            too_short=frames.too_short,
            unknown=self._unknown,
            bad_body=self._bad_body,
            lost=sequence.lost,
            pending=sequence.pending,
            repeated=sequence.repeated,
            restarts=sequence.restarts,
        )
