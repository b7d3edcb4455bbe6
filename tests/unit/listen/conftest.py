"""A fake device that says hello, and a run whose model it claims to run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_device import FakeDevice
from listen_support import CLASSES, IMAGE, obey

from toolchain.runs import Run


@pytest.fixture
def device() -> Iterator[FakeDevice]:
    """A healthy device on a pty."""
    fake = FakeDevice()
    fake.react = obey
    yield fake
    fake.disappear()


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run with a model.json and the image whose hash the device tells."""
    run = Run(tmp_path / "demo")
    run.path.mkdir()
    spec = {
        "classes": CLASSES,
        "units": [64, 64],
        "rate_hz": 208.0,
        "period_us": 4808,
        "time_scale": 7.0,
        "dt_max_us": 50_000,
        "acc_lsb": 0.0024,
        "gyro_lsb": 0.0012,
        "input_gain": [1.0] * 6,
        "input_clip": 1.0,
        "tau_epsilon": 0.05,
    }
    run.model_json.write_text(json.dumps(spec))
    run.image.write_bytes(IMAGE)
    return run
