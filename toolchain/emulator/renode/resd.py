"""Renode's sensor data files (RESD), made from codes: samples of acceleration and angular rate at their times.

Format: Renode's documentation, "RESD data format", version 1. A file is a header and blocks; a block of *arbitrary
timestamps* (type 1) holds a start time, its metadata (none here), and samples with their times in nanoseconds.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from toolchain.board import Imu
from toolchain.emulator.interface import Codes, Times
from toolchain.files import write_bytes

_HEADER = b"RESD" + bytes([1, 0, 0, 0])
_ARBITRARY = 1
ACCELERATION, ANGULAR_RATE = 2, 3
_AXES = np.dtype([("t_ns", "<u8"), ("axis", "<i4", 3)])
_ACC_PER_G, _RATE_PER_RAD = 1e6, 1e5
"""Units of the two sample types: micro-g, and 10 micro-radians a second."""


def _block(kind: int, start_ns: int, values: np.ndarray, t_ns: np.ndarray) -> bytes:
    rows = np.empty(len(t_ns), _AXES)
    rows["t_ns"], rows["axis"] = t_ns - start_ns, values
    body = struct.pack("<Q", start_ns) + struct.pack("<Q", 0) + rows.tobytes()
    return struct.pack("<BHHQ", _ARBITRARY, kind, 0, len(body)) + body


def write_resd(path: Path, codes: Codes, t_us: Times, imu: Imu) -> None:
    """Write samples (see Emulator.feed) as RESD, in the order of the device's axes.

    A code of either sensor is over a hundred units wide, so that the sensor's model gets back the very code.
    """
    t_ns = np.asarray(t_us, np.int64) * 1000
    acc = np.rint(codes[:, :3] * imu.acc_lsb_g * _ACC_PER_G).astype("<i4")
    gyro = np.rint(codes[:, 3:] * imu.gyro_lsb * _RATE_PER_RAD).astype("<i4")
    start = int(t_ns[0]) if len(t_ns) else 0
    write_bytes(path, _HEADER + _block(ACCELERATION, start, acc, t_ns) + _block(ANGULAR_RATE, start, gyro, t_ns))
