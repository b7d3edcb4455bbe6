"""The words that a PPK2 sends, 100,000 a second: aligned by their counter, with every loss counted.

A word is 4 bytes, little endian: bits 0 to 13 the converter, 14 to 16 the range, 18 to 23 a counter, 24 to 31 the
digital inputs (as Nordic's own application reads them: pc-nrfconnect-ppk, src/device/serialDevice.ts). Readers that
ignore the counter turn a lost byte into thousands of ampere.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

WORD = 4
COUNTER = 64
_SETTLE = 16
"""Words that must count up before the line is taken to be aligned."""


class WordStream:
    """Takes bytes in pieces of any size, returns whole words, uint32 (N,).

    Where the counter jumps, nothing is believed until it runs again for a while; what lies between is dropped and
    counted, whether whole words are missing or single bytes.
    """

    def __init__(self) -> None:
        self.lost = 0
        """Words that were sent and did not come. A loss of a multiple of 64 words cannot be seen."""
        self.realigned = 0
        """Times that single bytes were missing."""
        self._rest = b""
        self._next: int | None = None
        self._expected: int | None = None

    def feed(self, data: bytes) -> npt.NDArray[np.uint32]:
        """Take bytes; return the words that they completed."""
        self._rest += data
        found: list[npt.NDArray[np.uint32]] = []
        while len(self._rest) >= (WORD if self._next is not None else WORD * _SETTLE):
            if self._next is None and not self._align():
                break
            found.append(self._take())
        return np.concatenate(found) if found else np.zeros(0, np.uint32)

    def _align(self) -> bool:
        """Find the first offset from which the counters run, and drop what lies before it."""
        for offset in range(len(self._rest) - WORD * _SETTLE + 1):
            counters = _counters(np.frombuffer(self._rest[offset : offset + WORD * _SETTLE], "<u4"))
            if ((np.diff(counters) % COUNTER) == 1).all():
                self._rest = self._rest[offset:]
                self._next = int(counters[0])
                if self._expected is not None:
                    self.lost += (self._next - self._expected) % COUNTER
                    self.realigned += offset % WORD != 0
                return True
        if self._expected is None:
            # Nothing was ever in step: this cannot be words at all, so do not keep all of it.
            self._rest = self._rest[-(WORD * _SETTLE - 1) :]
        return False

    def _take(self) -> npt.NDArray[np.uint32]:
        """Return the words up to the first jump of the counter."""
        assert self._next is not None
        whole = len(self._rest) // WORD * WORD
        words = np.frombuffer(self._rest[:whole], "<u4").astype(np.uint32)
        steps = np.diff(_counters(words), prepend=self._next - 1) % COUNTER
        jumps = np.flatnonzero(steps != 1)
        good = int(jumps[0]) if len(jumps) else len(words)
        self._rest = self._rest[good * WORD :]
        following = (self._next + good) % COUNTER
        self._next, self._expected = (None, following) if len(jumps) else (following, None)
        return words[:good]


def _counters(words: npt.NDArray[np.uint32]) -> npt.NDArray[np.int64]:
    counters: npt.NDArray[np.int64] = ((words >> np.uint32(18)) & np.uint32(0x3F)).astype(np.int64)
    return counters
