"""Cut windows from streams whose samples are labelled: one for each event, and background from in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from toolchain.recordings.recording import UNKNOWN, Recording
from toolchain.recordings.whole import part

LEAD_S, TAIL_S = 1.2, 0.15
"""A window starts this long before its event, or where the event before ended, and ends this long after it."""
REST_S = 1.5
"""Length of a background window; shorter stretches, and what comes this long after an event, give none."""
CALM_S = 0.5


def windows_of(stream: Recording, background: int, rests: int = 1000) -> list[Recording]:
    """Return the windows of one labelled stream: its events, then at most ``rests`` of its background."""
    t, labels = stream.t_us, stream.labels
    cuts = np.flatnonzero(np.diff(labels)) + 1
    runs = list(zip([0, *cuts.tolist()], [*cuts.tolist(), len(labels)], strict=True))
    windows: list[Recording] = []
    calm: list[Recording] = []
    for place, (start, end) in enumerate(runs):
        label = int(labels[start])
        if label == UNKNOWN:
            continue
        if label == background:
            begin = int(t[start]) + (round(CALM_S * 1e6) if place else 0)
            while begin + REST_S * 1e6 <= int(t[end - 1]) and len(calm) < rests:
                stop = begin + round(REST_S * 1e6)
                first, last = np.searchsorted(t, [begin, stop]).tolist()
                calm.append(part(stream, first, last))
                begin = stop
            continue
        before = runs[place - 1][0] if place and labels[runs[place - 1][0]] == background else start
        after = runs[place + 1][1] if place + 1 < len(runs) and labels[end] == background else end
        first = max(before, int(np.searchsorted(t, t[start] - round(LEAD_S * 1e6))))
        last = min(after, int(np.searchsorted(t, t[end - 1] + round(TAIL_S * 1e6), side="right")))
        windows.append(part(stream, first, last))
    return [replace(window, kind="window") for window in (*windows, *calm) if len(window.t_us) > 1]


def with_windows(streams: Sequence[Recording], background: int, rests: int = 1000) -> tuple[Recording, ...]:
    """Return the windows of all streams, then the streams."""
    return (*(window for stream in streams for window in windows_of(stream, background, rests)), *streams)
