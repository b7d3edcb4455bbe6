from __future__ import annotations

import pytest

from toolchain.board import Imu, load_board
from toolchain.recordings import grwd, wrist
from toolchain.recordings.recording import Collection

RATE_HZ = 208.0


@pytest.fixture(scope="session")
def imu() -> Imu:
    return load_board("nrf52840").imu


@pytest.fixture(scope="session")
def simulated() -> Collection:
    return wrist.simulate(8, 3, RATE_HZ)


@pytest.fixture(scope="session")
def real() -> Collection:
    if not grwd.default_path().exists():
        pytest.skip(f"{grwd.default_path()} is not there (set TINYLTC_DATA)")
    return grwd.load()
