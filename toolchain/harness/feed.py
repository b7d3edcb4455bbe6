"""What the virtual IMU is fed with: recordings end to end, as codes at data-ready edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from toolchain.board import Imu
from toolchain.errors import DataError
from toolchain.ltc.modelspec import ModelSpec
from toolchain.recordings.codes import to_codes
from toolchain.recordings.recording import Recording

LEAD_IN_S = 1.0
"""The device boots, says hello and is told what to send while the sensor lies still for this long."""
LEAD_OUT_S = 1.0
"""The sensor lies still again while the last frames and the device's counters are fetched: it must not seem mute."""
GAP_PERIODS = 2
"""The silence between two recordings is this many sample periods longer than the longest that is integrated."""


@dataclass(frozen=True)
class Feed:
    """Codes int16 (N, 6) at edges ``t_us`` int64 (N,), microseconds of virtual time, from several recordings.

    ``recording`` int32 (N,) is an index into ``recordings``, -1 in the lead-in, len(recordings) in the lead-out;
    ``row`` int32 (N,) the sample of it.
    """

    codes: npt.NDArray[np.int16]
    t_us: npt.NDArray[np.int64]
    recording: npt.NDArray[np.int32]
    row: npt.NDArray[np.int32]
    recordings: tuple[Recording, ...]

    @property
    def wanted(self) -> npt.NDArray[np.bool_]:
        """Tell of every sample, bool (N,), whether it belongs to a recording."""
        inside: npt.NDArray[np.bool_] = (self.recording >= 0) & (self.recording < len(self.recordings))
        return inside

    @property
    def samples(self) -> int:
        """Samples of recordings."""
        return int(self.wanted.sum())

    @property
    def seconds(self) -> float:
        """Virtual time until the last sample of a recording."""
        return float(self.t_us[self.wanted][-1]) * 1e-6

    def first(self, index: int) -> int:
        """Return the position of a recording's first sample."""
        return int(np.searchsorted(self.recording, index))


def chosen(recordings: Sequence[Recording], seconds: float | None, background: int) -> tuple[Recording, ...]:
    """Return the recordings to feed, windows and streams mixed evenly; with ``seconds``, as much as fits into it.

    Each kind gets its share of the time. Windows are taken whole; of the streams the last one is cut, never inside a
    gesture. Something is always taken: if nothing fits, the shortest recording.
    """
    kinds = [[r for r in recordings if r.kind == kind] for kind in ("stream", "window")]
    if seconds is not None:
        length = sum(r.seconds for r in recordings)
        kinds = [_fitting(kind, seconds * sum(r.seconds for r in kind) / length, background) for kind in kinds]
    placed = [((i + 0.5) / len(kind), r) for kind in kinds for i, r in enumerate(kind)]
    mixed = tuple(r for _, r in sorted(placed, key=lambda pair: pair[0]))
    return mixed or tuple(sorted(recordings, key=lambda r: r.seconds)[:1])


def _fitting(recordings: Sequence[Recording], seconds: float, background: int) -> list[Recording]:
    taken: list[Recording] = []
    for recording in recordings:
        if recording.seconds > seconds:
            if recording.kind == "stream":
                taken += _start_of(recording, seconds, background)
            break
        taken.append(recording)
        seconds -= recording.seconds
    return taken


def _start_of(recording: Recording, seconds: float, background: int) -> list[Recording]:
    """At most the first ``seconds`` of a stream, cut where no gesture is; none if that leaves nothing."""
    end = int(np.searchsorted(recording.t_us - recording.t_us[0], seconds * 1e6, side="right"))
    quiet = np.flatnonzero(recording.labels[:end] == background)
    rows = int(quiet[-1]) + 1 if len(quiet) else 0
    if rows < 2:
        return []
    cut = replace(
        recording, samples=recording.samples[:rows], t_us=recording.t_us[:rows], labels=recording.labels[:rows]
    )
    return [cut]


def build_feed(recordings: Sequence[Recording], imu: Imu, spec: ModelSpec, lead_in_s: float = LEAD_IN_S) -> Feed:
    """Join ``recordings`` with gaps that reset the network's state, between a lead-in and a lead-out at rest.

    Raises DataError when there is nothing to feed.
    """
    if not recordings:
        raise DataError("There are no test recordings to feed to the device.", "Check the [data] of the project.")
    gap_us = spec.dt_max_us + GAP_PERIODS * spec.period_us
    # No real sensor gives one code for seconds: one that did would be reported as stuck.
    still = np.clip(to_codes(recordings[0].samples[:1], imu), -32768, 32766) + np.array([[0], [1]], np.int16)
    lead = np.arange(1, round(lead_in_s * 1e6 / spec.period_us) + 1, dtype=np.int64) * spec.period_us
    codes, stamps = [np.resize(still, (len(lead), 6))], [lead]
    which, rows = [np.full(len(lead), -1, np.int32)], [np.arange(len(lead), dtype=np.int32)]
    end = int(lead[-1])
    for index, recording in enumerate(recordings):
        start = end + gap_us
        codes.append(to_codes(recording.samples, imu))
        stamps.append(recording.t_us - recording.t_us[0] + start)
        which.append(np.full(len(recording.t_us), index, np.int32))
        rows.append(np.arange(len(recording.t_us), dtype=np.int32))
        end = int(stamps[-1][-1])
    out = round(LEAD_OUT_S * 1e6 / spec.period_us)
    codes.append(np.resize(still, (out, 6)))
    stamps.append(end + np.arange(1, out + 1, dtype=np.int64) * spec.period_us)
    which.append(np.full(out, len(recordings), np.int32))
    rows.append(np.arange(out, dtype=np.int32))
    join = np.concatenate
    return Feed(join(codes), join(stamps), join(which), join(rows), tuple(recordings))
