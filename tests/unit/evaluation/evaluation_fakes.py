"""Recordings and what was said to them, in one line each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from toolchain.evaluation.score import Heard
from toolchain.recordings.recording import Recording

RATE_HZ = 100.0


def recording(labels: Sequence[int], person: str = "a", kind: str = "window") -> Recording:
    """One sample every 10 ms."""
    count = len(labels)
    samples = np.zeros((count, 6), np.float32)
    samples[:, 2] = 9.8
    t_us = np.arange(count, dtype=np.int64) * 10_000
    return Recording(samples, t_us, np.array(labels, np.int16), person, kind=kind)  # type: ignore[arg-type]


def heard(
    labels: Sequence[int],
    commands: Sequence[tuple[int, int]] = (),
    winner: Sequence[int] | None = None,
    person: str = "a",
    kind: str = "window",
) -> Heard:
    """Commands as (sample, class)."""
    one = recording(labels, person, kind)
    said = np.zeros(len(labels), np.uint8) if winner is None else np.array(winner, np.uint8)
    return Heard(one, tuple((at * 10_000, which) for at, which in commands), said)
