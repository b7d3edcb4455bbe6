"""Put a recording with irregular stamps on a uniform grid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from toolchain.errors import DataError
from toolchain.recordings.recording import Recording


def resample(recording: Recording, rate_hz: float) -> Recording:
    """Return ``recording`` at ``rate_hz``: linear interpolation of the samples, the nearest sample's label.

    The grid starts at the first stamp and ends at or before the last; stamps are rounded to whole microseconds. There
    is no low-pass filter, so a rate far below the recording's own lets fast movement alias.
    """
    if not 0 < rate_hz <= 1e6:
        raise DataError(f"A recording cannot be resampled to {rate_hz:g} Hz.", "Give a rate of up to 1 MHz.")
    start, stop = int(recording.t_us[0]), int(recording.t_us[-1])
    count = int(np.floor((stop - start) * 1e-6 * rate_hz + 1e-9)) + 1
    t_us = start + np.rint(np.arange(count) * (1e6 / rate_hz)).astype(np.int64)
    position = np.interp(t_us, recording.t_us, np.arange(len(recording.t_us)))
    before = np.minimum(position.astype(np.intp), max(len(recording.t_us) - 2, 0))
    after = np.minimum(before + 1, len(recording.t_us) - 1)
    part = (position - before)[:, None]
    samples = recording.samples[before] * (1 - part) + recording.samples[after] * part
    labels = np.where(part[:, 0] < 0.5, recording.labels[before], recording.labels[after])
    return replace(recording, samples=samples.astype(np.float32), t_us=t_us, labels=labels)
