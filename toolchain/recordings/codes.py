"""IMU codes: the one place where a recording becomes what the device's IMU would have read (docs/SPEC.md, 1)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from toolchain.board import RAD_PER_DEGREE, STANDARD_GRAVITY, Imu
from toolchain.errors import DataError
from toolchain.recordings.recording import Recording

Codes = npt.NDArray[np.int16]

MAX_CLIPPED = 0.05
"""A recording with a larger fraction of clipped samples is refused."""


def _lsb(imu: Imu) -> npt.NDArray[np.float64]:
    """Worth of one code of the six channels: m/s^2 and rad/s."""
    return np.repeat([imu.acc_lsb, imu.gyro_lsb], 3)


def _range(imu: Imu) -> npt.NDArray[np.float64]:
    """Largest magnitude of the six channels: m/s^2 and rad/s."""
    return np.repeat([imu.acc_range_g * STANDARD_GRAVITY, imu.gyro_range_dps * RAD_PER_DEGREE], 3)


def _device_axes(samples: npt.NDArray[np.floating], imu: Imu) -> npt.NDArray[np.float64]:
    """Turn wrist axes (..., 6) into device axes, in float64."""
    mounting = np.asarray(imu.mounting, np.float64)
    wrist = np.asarray(samples, np.float64)
    # einsum adds the three products of a row in one fixed order on every machine; a BLAS may not.
    parts = [np.einsum("ij,...j->...i", mounting, wrist[..., i : i + 3], optimize=False) for i in (0, 3)]
    return np.concatenate(parts, axis=-1)


def to_codes(samples: npt.NDArray[np.floating], imu: Imu) -> Codes:
    """Turn ``samples`` (..., 6) in m/s^2 and rad/s, wrist axes, into int16 codes (..., 6) in device axes.

    Raises DataError for NaN or infinity, which no code stands for.
    """
    if not np.isfinite(samples).all():
        raise DataError("NaN or infinity has no IMU code.", "Cut the recording there or record it again.")
    limit = _range(imu)
    device = np.clip(_device_axes(samples, imu), -limit, limit)
    return np.clip(np.rint(device / _lsb(imu)), -32768, 32767).astype(np.int16)


def to_si(codes: npt.NDArray[np.integer], imu: Imu) -> npt.NDArray[np.float32]:
    """Turn codes (..., 6) in device axes into float32 samples (..., 6) in m/s^2 and rad/s, wrist axes."""
    device = np.asarray(codes, np.float64) * _lsb(imu)
    mounting = np.asarray(imu.mounting, np.float64)
    parts = [np.einsum("ji,...j->...i", mounting, device[..., i : i + 3], optimize=False) for i in (0, 3)]
    return np.concatenate(parts, axis=-1).astype(np.float32)


def _beyond(samples: npt.NDArray[np.floating], imu: Imu) -> npt.NDArray[np.bool_]:
    """Tell where samples (..., 6) are more than half a code beyond what the IMU can tell, in device axes."""
    largest = np.minimum(_range(imu), 32767 * _lsb(imu))
    beyond: npt.NDArray[np.bool_] = np.abs(_device_axes(samples, imu)) > largest + 0.5 * _lsb(imu)
    return beyond


def clipped(samples: npt.NDArray[np.floating], imu: Imu) -> npt.NDArray[np.int64]:
    """Count the clipped samples of samples (..., 6) per channel of the device, int64 (6,)."""
    beyond = _beyond(samples, imu).reshape(-1, 6)
    return np.asarray(beyond.sum(axis=0), np.int64)


def codes_beyond(codes: Codes, imu: Imu) -> npt.NDArray[np.int64]:
    """Count the codes (T, 6) per channel that stand at the range's end or beyond, int64 (6,)."""
    limit = np.minimum(np.floor(_range(imu) / _lsb(imu)), 32767)
    return np.asarray((np.abs(codes.astype(np.int64)) >= limit).sum(axis=0), np.int64)


def clipped_fraction(recording: Recording, imu: Imu) -> float:
    """Return the fraction of a recording's samples of which at least one channel is clipped."""
    return float(_beyond(recording.samples, imu).any(axis=1).mean())


def refuse_clipped(recordings: Iterable[Recording], imu: Imu) -> float:
    """Return the clipped fraction of all samples; raises DataError if one recording exceeds MAX_CLIPPED."""
    total = clipped_samples = 0.0
    for recording in recordings:
        part = clipped_fraction(recording, imu)
        if part > MAX_CLIPPED:
            raise DataError(
                f"The recording of person '{recording.person}' (session '{recording.session}') goes beyond the range "
                f"of the {imu.part} in a fraction {part:.3f} of its samples, more than {MAX_CLIPPED}.",
                "Drop that recording, or set a wider acc_range_g or gyro_range_dps in board.toml.",
            )
        total += len(recording.t_us)
        clipped_samples += part * len(recording.t_us)
    return clipped_samples / max(total, 1.0)
