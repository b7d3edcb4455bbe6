"""The feed, and what a right device says about it."""

from __future__ import annotations

import pytest
from harness_fakes import SPEC, FakeDevice, SmallReference, recording

from toolchain.board import Imu, load_board
from toolchain.harness.feed import Feed, build_feed


@pytest.fixture(scope="session")
def imu() -> Imu:
    return load_board("nrf52840").imu


@pytest.fixture(scope="session")
def feed(imu: Imu) -> Feed:
    parts = [("stream", 300, 1), ("window", 90, 2), ("window", 120, 0), ("stream", 300, 2), ("window", 60, 1)]
    return build_feed([recording(*part, seed) for seed, part in enumerate(parts)], imu, SPEC)


@pytest.fixture
def device(feed: Feed) -> FakeDevice:
    return FakeDevice(feed).run()


@pytest.fixture(scope="session")
def reference() -> SmallReference:
    return SmallReference()
