"""Whole recordings of one gesture each: find the motion, then cut windows, rests and joined streams from them.

For sets that label a recording and not its samples. :func:`cut_up` makes what training and streaming scores need.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from toolchain.recordings.join import join
from toolchain.recordings.recording import UNKNOWN, Recording

_LEAD_S, _TAIL_S = 1.2, 0.2
_REST_WINDOWS, _REST_S, _REST_MOST_S = 10, 0.7, 2.5
_STREAM_RECORDINGS = 16
_SMOOTH_S, _PAUSE_S = 0.08, 0.9
_FLOOR, _SHARE = 0.35, 0.12


def find_motion(t_us: npt.NDArray[np.int64], gyro: npt.NDArray[np.floating]) -> tuple[int, int, npt.NDArray[np.bool_]]:
    """Find the motion of one recording by its angular rate, ``gyro`` (T, 3) in rad/s.

    The smoothed rate counts as moving above 0.35 rad/s and above 0.12 of its 98th percentile. Pauses up to 0.9 s do
    not end a motion; of several motions the one with the most energy is the gesture. Returns first sample, one past
    the last, and where it moves at all, bool (T,).
    """
    seconds = t_us * 1e-6
    width = max(1, round(_SMOOTH_S * len(t_us) / max(seconds[-1] - seconds[0], 1e-3)))
    rate = np.linalg.norm(gyro, axis=1)
    rate = np.convolve(np.pad(rate, (width // 2, width - 1 - width // 2), mode="edge"), np.ones(width) / width, "valid")
    moving = rate >= min(max(_SHARE * float(np.percentile(rate, 98)), _FLOOR), 0.5 * float(rate.max()))
    at = np.flatnonzero(moving)
    cuts = np.flatnonzero(np.diff(seconds[at]) > _PAUSE_S) + 1
    parts = np.split(at, cuts)
    best = parts[int(np.argmax([np.sum(rate[part] ** 2) for part in parts]))]
    return int(best[0]), int(best[-1]) + 1, moving


def labelled(
    samples: npt.NDArray[np.float32], t_us: npt.NDArray[np.int64], label: int, person: str, mounting: str = ""
) -> Recording:
    """Make a recording whose motion carries ``label``; other movement in it is unknown, the rest background 0.

    ``samples`` (T, 6) in m/s^2 and rad/s; ``t_us`` (T,). With label 0 all of it is background.
    """
    labels = np.zeros(len(t_us), np.int16)
    if label:
        first, last, moving = find_motion(t_us, samples[:, 3:])
        labels[moving] = UNKNOWN
        labels[first:last] = label
    return Recording(samples, t_us, labels, person, "", mounting)


def cut_up(whole: Sequence[Recording]) -> tuple[Recording, ...]:
    """Return the windows, then the rests, then the streams of whole recordings with background 0.

    Windows hold the motion from at most 1.2 s before it to 0.2 s after it; rests are the longest resting starts of a
    person; streams join all recordings of a person, in a drawn order, sixteen to a stream (about 60 s).
    """
    people: dict[str, list[Recording]] = defaultdict(list)
    for recording in whole:
        people[recording.person].append(recording)
    windows = [_cut(recording) for recording in whole]
    rests = [rest for person in sorted(people) for rest in _rests(people[person])]
    streams = [stream for person in sorted(people) for stream in _streams(people[person])]
    return (*windows, *rests, *streams)


def part(recording: Recording, first: int, last: int) -> Recording:
    """Return samples ``first`` to ``last`` - 1 with stamps from 0."""
    return replace(
        recording,
        samples=recording.samples[first:last],
        t_us=recording.t_us[first:last] - recording.t_us[first],
        labels=recording.labels[first:last],
    )


def _cut(recording: Recording) -> Recording:
    at = np.flatnonzero(recording.labels > 0)
    if not len(at):
        return recording
    t = recording.t_us
    first = int(np.searchsorted(t, t[at[0]] - round(_LEAD_S * 1e6)))
    last = int(np.searchsorted(t, t[at[-1]] + round(_TAIL_S * 1e6), side="right"))
    return part(recording, first, last)


def _rests(recordings: list[Recording]) -> list[Recording]:
    """Cut the background windows of a person: their ten longest resting starts of 0.7 to 2.5 s."""
    found = []
    for recording in recordings:
        moving = np.flatnonzero(recording.labels != 0)
        if not len(moving):
            continue
        end = int(np.searchsorted(recording.t_us, recording.t_us[moving[0]] - 100_000))
        if end > 1 and recording.t_us[end - 1] >= _REST_S * 1e6:
            first = int(np.searchsorted(recording.t_us, recording.t_us[end - 1] - _REST_MOST_S * 1e6))
            found.append(part(recording, first, end))
    return sorted(found, key=lambda r: -int(r.t_us[-1]))[:_REST_WINDOWS]


def _streams(recordings: list[Recording]) -> list[Recording]:
    order = np.random.default_rng(len(recordings)).permutation(len(recordings)).tolist()
    parts = max(1, round(len(order) / _STREAM_RECORDINGS))
    return [join([recordings[int(i)] for i in some], 0) for some in np.array_split(order, parts)]
