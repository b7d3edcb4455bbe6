"""What every emulator must do, on the board itself; the firmware of a trained run must be on it (`make flash`)."""

from __future__ import annotations

import time

import numpy as np
from hil_rig import Rig

from toolchain.board import Board
from toolchain.harness.record import Recorder
from toolchain.harness.session import ALL_STREAMS
from toolchain.wire.link import Link

SECONDS = 10.0


def listen(link: Link, seconds: float, outputs: int) -> Recorder:
    recorder = Recorder(outputs)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        message = link.read(0.05)
        if message is not None:
            recorder.add([message])
    return recorder


def test_it_says_who_it_is(link: Link, rig: Rig) -> None:
    hello = link.hello()
    assert (hello.board, hello.model_status, hello.imu_status) == (rig.board, 0, 0)


def test_it_keeps_time_and_loses_nothing(link: Link, rig_board: Board) -> None:
    hello = link.hello()
    before = link.health()
    link.set_streams(ALL_STREAMS)
    record = listen(link, SECONDS, hello.outputs).record()
    after = link.health()
    assert link.counters.faults == 0
    assert after.overruns - before.overruns == after.lost_samples - before.lost_samples == 0
    assert len(record.samples) > 0.9 * SECONDS * rig_board.imu.rate_hz
    periods = np.diff(record.samples["t_us"].astype(np.int64))
    # The sensor's own oscillator: within some percent of its data sheet's rate, and steady.
    assert abs(np.median(periods) / rig_board.imu.period_us - 1) < 0.08
    assert np.max(np.abs(periods - np.median(periods))) < rig_board.imu.period_us / 4


def test_a_step_ends_long_before_the_next_sample(link: Link, rig_board: Board) -> None:
    hello = link.hello()
    link.set_streams(ALL_STREAMS)
    record = listen(link, 3.0, hello.outputs).record()
    assert np.max(record.timings["decision_us"]) < rig_board.imu.period_us
