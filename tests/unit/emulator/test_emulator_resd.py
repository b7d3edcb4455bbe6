"""Sensor data for Renode: every code comes back from the units of the file, at its time."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from toolchain.board import load_board
from toolchain.emulator.renode.resd import write_resd

BLOCK = struct.Struct("<BHHQ")


def test_codes_and_times_come_back(tmp_path: Path) -> None:
    imu = load_board("nrf52840").imu
    codes = np.random.default_rng(3).integers(-32768, 32768, (500, 6)).astype(np.int16)
    t_us = 100_000 + np.cumsum(np.random.default_rng(4).integers(4000, 6000, 500))
    write_resd(tmp_path / "samples.resd", codes, t_us, imu)
    data = (tmp_path / "samples.resd").read_bytes()
    assert data[:8] == b"RESD\x01\0\0\0"
    place, back = 8, []
    for sample_type, unit in ((2, imu.acc_lsb_g * 1e6), (3, imu.gyro_lsb * 1e5)):
        kind, found, channel, size = BLOCK.unpack_from(data, place)
        assert (kind, found, channel) == (1, sample_type, 0)
        start, metadata = struct.unpack_from("<QQ", data, place + BLOCK.size)
        assert metadata == 0
        first, place = place + BLOCK.size + 16, place + BLOCK.size + size
        rows = np.frombuffer(data[first:place], np.dtype([("t_ns", "<u8"), ("axis", "<i4", 3)]))
        assert np.array_equal(start + rows["t_ns"].astype(np.int64), t_us * 1000)
        back.append(np.rint(rows["axis"] / unit).astype(np.int16))
    assert place == len(data)
    assert np.array_equal(np.hstack(back), codes)
