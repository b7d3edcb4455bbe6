"""A line that drops, repeats, reorders, corrupts and delays what it carries, at stated rates: a test double.

It keeps the truth of what it did, so that a receiver can be held to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from toolchain.wire.frames import encode_frame


@dataclass(frozen=True)
class Rates:
    """Probabilities: of a frame to be lost whole, sent twice, overtaken by the next, delayed; of a byte to be lost,
    doubled, or to have one bit flipped."""

    drop_frame: float = 0.0
    repeat_frame: float = 0.0
    swap_frames: float = 0.0
    delay_frame: float = 0.0
    drop_byte: float = 0.0
    repeat_byte: float = 0.0
    flip_bit: float = 0.0


DELAY_FRAMES = 40
"""A delayed frame comes at most so many frames late: far less than the second after which it would be a restart."""


class FaultyLine:
    """Carries payloads as bytes.

    ``arrived``: numbers of the payloads (in the order they were sent, from 0) whose frame stands whole between two
    delimiters in what came out: found by comparing bytes, without COBS or CRC. ``done``: how often each fault was done.
    """

    def __init__(self, rates: Rates, seed: int) -> None:
        self._rates = rates
        self._rng = np.random.default_rng(seed)
        self.arrived: set[int] = set()
        self.done = dict.fromkeys(vars(rates), 0)
        self._sent = 0
        self._under_way: dict[bytes, int] = {}
        self._open = b""
        self._late: list[tuple[int, int, bytes]] = []
        self._held: bytes | None = None

    def carry(self, payloads: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the bytes that come out, in pieces; the last piece holds everything that was still on its way."""
        for payload in payloads:
            number, frame = self._sent, encode_frame(payload)
            self._sent += 1
            self._under_way[frame[:-1]] = number
            yield self._out(self._step(number, frame))
            while len(self._under_way) > 4 * DELAY_FRAMES:
                del self._under_way[next(iter(self._under_way))]
        rest = [frame for _, _, frame in sorted(self._late)]
        yield self._out([*([self._held] if self._held else []), *rest])
        self._late, self._held = [], None

    def _out(self, frames: list[bytes]) -> bytes:
        data = b"".join(frames)
        *whole, self._open = (self._open + data).split(b"\x00")
        self.arrived.update(self._under_way[chunk] for chunk in whole if chunk in self._under_way)
        return data

    def _chance(self, name: str) -> bool:
        rate = getattr(self._rates, name)
        happens = bool(rate and self._rng.random() < rate)
        self.done[name] += happens
        return happens

    def _step(self, number: int, frame: bytes) -> list[bytes]:
        """Return what leaves the line when ``frame`` enters it."""
        out = [late[2] for late in sorted(self._late) if late[0] <= number]
        self._late = [late for late in self._late if late[0] > number]
        if self._chance("drop_frame"):
            return out
        frame = self._spoiled(frame)
        if self._chance("repeat_frame"):
            frame += frame
        if self._chance("delay_frame"):
            self._late.append((number + 1 + int(self._rng.integers(DELAY_FRAMES)), number, frame))
        elif self._held is None and self._chance("swap_frames"):
            self._held = frame
        else:
            out.append(frame)
            if self._held is not None:
                out.append(self._held)
                self._held = None
        return out

    def _spoiled(self, frame: bytes) -> bytes:
        """Return the frame with faults in its bytes, its delimiter included: two frames may run together."""
        for name in ("drop_byte", "repeat_byte", "flip_bit"):
            rate = getattr(self._rates, name)
            if not rate or self._rng.random() >= 1.0 - (1.0 - rate) ** len(frame):
                continue
            at = int(self._rng.integers(len(frame)))
            self.done[name] += 1
            if name == "drop_byte":
                frame = frame[:at] + frame[at + 1 :]
            elif name == "repeat_byte":
                frame = frame[: at + 1] + frame[at:]
            else:
                frame = frame[:at] + bytes([frame[at] ^ 1 << int(self._rng.integers(8))]) + frame[at + 1 :]
        return frame
