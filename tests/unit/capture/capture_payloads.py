"""Payloads of many samples, for the test link."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from toolchain.wire.messages import Sample, encode


def hour_of_samples(seconds: float) -> Iterator[bytes]:
    """Payloads of SAMPLE messages, one to nine samples each, with the device's sequence numbers."""
    rng = np.random.default_rng(1)
    rate = 208.0
    index = sequence = 0
    total = int(seconds * rate)
    codes = rng.integers(-32768, 32768, (total, 6)).astype(np.int64)
    sizes = rng.choice([1, 1, 1, 1, 2, 9], total).tolist()
    stamps = np.rint((np.arange(total) + 1) * 1e6 / rate).astype(np.int64).tolist()
    rows = [tuple(row) for row in codes.tolist()]
    while index < total:
        n = min(sizes[index], total - index)
        now = stamps[index + n - 1] + 40
        body = Sample(index, tuple(now - s for s in stamps[index : index + n]), tuple(rows[index : index + n]))
        yield encode(body, sequence & 0xFFFF, now)
        sequence, index = sequence + 1, index + n
