"""Frames on the serial line: ``COBS(payload + CRC-32) 0x00`` (docs/SPEC.md, 5)."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from cobs import cobs

PAYLOAD_MIN = 12
"""Bytes of the header alone."""
PAYLOAD_MAX = 240
CRC_BYTES = 4
ENCODED_MAX = PAYLOAD_MAX + CRC_BYTES + 1
"""Bytes of the longest frame without its delimiter; with at most 254 bytes inside, COBS adds one."""


def encode_frame(payload: bytes) -> bytes:
    """Return the frame of a payload, delimiter included.

    Raises ValueError for a payload that is not 12 to 240 bytes long (a bug of the caller).
    """
    if not PAYLOAD_MIN <= len(payload) <= PAYLOAD_MAX:
        raise ValueError(f"a payload has {PAYLOAD_MIN} to {PAYLOAD_MAX} bytes, not {len(payload)}")
    encoded: bytes = cobs.encode(payload + zlib.crc32(payload).to_bytes(CRC_BYTES, "little"))
    return encoded + b"\x00"


@dataclass(slots=True)
class FrameCounters:
    """What became of every stretch of bytes between two delimiters."""

    frames: int = 0
    """Delivered."""
    bad_crc: int = 0
    bad_cobs: int = 0
    """The delimiter came inside a COBS block: bytes are missing."""
    too_long: int = 0
    too_short: int = 0

    @property
    def bad(self) -> int:
        """All that were not delivered."""
        return self.bad_crc + self.bad_cobs + self.too_long + self.too_short


class FrameDecoder:
    """Takes the line's bytes in pieces of any size and returns the payloads whose CRC is right.

    Keeps at most ``ENCODED_MAX + 1`` bytes of an unfinished frame, whatever comes.
    """

    def __init__(self) -> None:
        self.counters = FrameCounters()
        self._open = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes; return the payloads that they completed, in order."""
        *whole, rest = (self._open + data).split(b"\x00")
        self._open = rest[: ENCODED_MAX + 1]
        return [payload for encoded in whole if encoded and (payload := self._payload(encoded)) is not None]

    def _payload(self, encoded: bytes) -> bytes | None:
        if len(encoded) > ENCODED_MAX:
            self.counters.too_long += 1
            return None
        try:
            decoded: bytes = cobs.decode(encoded)
        except cobs.DecodeError:
            self.counters.bad_cobs += 1
            return None
        if len(decoded) < PAYLOAD_MIN + CRC_BYTES:
            self.counters.too_short += 1
            return None
        payload = decoded[:-CRC_BYTES]
        if zlib.crc32(payload) != int.from_bytes(decoded[-CRC_BYTES:], "little"):
            self.counters.bad_crc += 1
            return None
        self.counters.frames += 1
        return payload
