"""From messages to samples in their order: duplicates left out, late ones put in place, every hole known.

A SAMPLE message carries the index of its first sample, so a loss on the way is a hole in the indices; which samples are
missing is known exactly, whatever order the frames came in. What the device itself lost shows in the stamps instead
(:mod:`toolchain.recordings.losses`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toolchain.wire.messages import Message, Sample
from toolchain.wire.sequence import RESTART_US

ROW = np.dtype([("epoch", "<i4"), ("index", "<i8"), ("device_us", "<i8"), ("host_us", "<i8"), ("code", "<i2", 6)])
"""One sample: which life of the device, its index, the device's stamp, when it came to the host, the codes."""
WRAP = 1 << 32
_CHUNK = 4096


@dataclass(frozen=True)
class Hole:
    """Samples that did not come: ``count`` of them from index ``first`` of life ``epoch`` on."""

    epoch: int
    first: int
    count: int


class Assembler:
    """Takes messages as they come. Use :meth:`rows` and :func:`holes` for what came of them.

    A device time that goes back by more than a second is a restart: a new ``epoch`` begins. Frames overtake each other
    by far less.
    """

    def __init__(self) -> None:
        self.epoch = 0
        self.last: tuple[int, int] | None = None
        """Device stamp of the newest sample and the host's time at its arrival, microseconds."""
        self.received = 0
        """Samples that came, duplicates too."""
        self._time_us = 0
        self._newest = -1
        self._open: list[tuple[int, int, int, int, tuple[int, ...]]] = []
        self._chunks: list[npt.NDArray[np.void]] = []

    def add(self, message: Message, host_us: int) -> None:
        """Take a message that came at ``host_us``; anything but a SAMPLE only tells the device's time."""
        if message.time_us + RESTART_US < self._time_us:
            self.epoch += 1
            self._time_us, self._newest, self.last = 0, -1, None
        self._time_us = max(self._time_us, message.time_us)
        body = message.body
        if not isinstance(body, Sample):
            return
        for place, (before, code) in enumerate(zip(body.before_us, body.codes, strict=True)):
            index, stamp = self._unwrapped(body.index + place), message.time_us - before
            self._open.append((self.epoch, index, stamp, host_us, code))
            self.received += 1
            if index > self._newest:
                self._newest = index
                self.last = (stamp, host_us)
        if len(self._open) >= _CHUNK:
            self._close()

    def _unwrapped(self, index: int) -> int:
        """Return the index that goes on counting beyond 2^32: the one nearest to the newest."""
        if self._newest < 0:
            return index % WRAP
        ahead = (index - self._newest + WRAP // 2) % WRAP - WRAP // 2
        return self._newest + ahead

    def _close(self) -> None:
        if self._open:
            self._chunks.append(np.array(self._open, ROW))
            self._open = []

    @property
    def next_index(self) -> int:
        """The index after the newest sample of this life of the device."""
        return self._newest + 1

    def tail(self, count: int) -> npt.NDArray[np.void]:
        """Return about the last ``count`` rows in the order in which they came: for showing."""
        rows: list[npt.NDArray[np.void]] = [np.array(self._open[-count:], ROW)]
        for chunk in reversed(self._chunks):
            if sum(map(len, rows)) >= count:
                break
            rows.insert(0, chunk[-count:])
        return np.concatenate(rows)[-count:]

    def rows(self) -> npt.NDArray[np.void]:
        """Return every sample once, by life of the device and index; of duplicates the first that came."""
        self._close()
        if not self._chunks:
            return np.empty(0, ROW)
        table = np.concatenate(self._chunks)
        order = np.lexsort((np.arange(len(table)), table["index"], table["epoch"]))
        table = table[order]
        fresh = np.ones(len(table), bool)
        fresh[1:] = (np.diff(table["index"]) != 0) | (np.diff(table["epoch"]) != 0)
        self._chunks = [table[fresh]]
        return self._chunks[0]


def holes(rows: npt.NDArray[np.void], end: dict[int, int] | None = None) -> list[Hole]:
    """Return every run of missing indices between the first and the last row of each life of the device.

    ``end``: for a life of the device, how many samples it had taken when everything was sent (HEALTH says so); what is
    missing behind the last row is then known too.
    """
    found: list[Hole] = []
    for epoch in np.unique(rows["epoch"]).tolist():
        index = rows["index"][rows["epoch"] == epoch]
        if end is not None and epoch in end and end[epoch] > index[-1]:
            index = np.append(index, end[epoch])
        at = np.flatnonzero(np.diff(index) > 1)
        found += [Hole(epoch, int(index[i]) + 1, int(index[i + 1] - index[i]) - 1) for i in at]
    return found
