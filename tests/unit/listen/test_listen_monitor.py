"""What the monitor knows and draws."""

from __future__ import annotations

import io

import numpy as np
import pytest
from listen_support import HEALTH, HELLO
from rich.console import Console

from toolchain.listen.follow import Connected, Gone, Heard
from toolchain.listen.gesture import Labels
from toolchain.listen.monitor import Monitor
from toolchain.listen.screen import draw, strip
from toolchain.runs import Run
from toolchain.wire.capture import Capture
from toolchain.wire.messages import Body, Decision, Log, Message, Sample, Step

PERIOD_US = 4808


@pytest.fixture
def monitor(run: Run) -> Monitor:
    monitor = Monitor(Labels(run))
    monitor.take(Connected(HELLO, "port"))
    return monitor


def _take(monitor: Monitor, body: Body, time_us: int = 0) -> None:
    monitor.take(Heard(Message(0, time_us, body), Capture().counters))


def _samples(monitor: Monitor, first: int, count: int) -> None:
    for index in range(first, first + count):
        _take(monitor, Sample(index, (0,), ((index % 100, 0, 4096, 0, 0, -index % 50),)), index * PERIOD_US)


def _screen(monitor: Monitor) -> str:
    text = io.StringIO()
    Console(file=text, width=100).print(draw(monitor))
    return text.getvalue()


def test_the_rate_is_the_devices(monitor: Monitor) -> None:
    assert monitor.rate_hz is None
    _samples(monitor, 0, 600)
    assert monitor.rate_hz == pytest.approx(1e6 / PERIOD_US, rel=1e-9)
    assert monitor.missing == 0
    assert monitor.signal.shape == (600, 6)


def test_missing_samples_are_counted_and_a_reset_is_not_a_loss(monitor: Monitor) -> None:
    _samples(monitor, 10, 5)
    _samples(monitor, 18, 5)
    assert monitor.missing == 3
    _samples(monitor, 2, 1)
    assert monitor.missing == 3
    _take(monitor, HELLO)
    _samples(monitor, 500, 1)
    assert monitor.missing == 3
    _samples(monitor, 0xFFFFFFFF, 1)
    assert "3 missing" in _screen(monitor) or monitor.missing > 3


def test_the_index_may_wrap(monitor: Monitor) -> None:
    _take(monitor, Sample(0xFFFFFFFE, (0, 0), ((0,) * 6, (0,) * 6)))
    _take(monitor, Sample(1, (0,), ((0,) * 6,)))
    assert monitor.missing == 1


def test_the_screen_shows_signal_decision_and_losses(monitor: Monitor) -> None:
    _samples(monitor, 0, 300)
    _take(monitor, Step(5, PERIOD_US, False, True, 1, 2560, 0, (-128, 127, 0, 0, 0)))
    _take(monitor, Decision(5, 1, 2560, 99))
    _take(monitor, HEALTH)
    _take(monitor, Log(1, "something\x07 odd"))
    text = _screen(monitor)
    for part in ("fake on port", "swipe_left", "127", "margin 10.0", "207.99 samples a second", "nothing wrong"):
        assert part in text
    assert "something? odd" in text
    monitor.take(Gone("The serial port disappeared."))
    assert "disappeared. Trying again" in _screen(monitor)
    monitor.take(Connected(HELLO, "port"))
    assert "Trying again" not in _screen(monitor)


def test_a_strip_shows_the_extremes() -> None:
    values = np.zeros(600, np.int16)
    values[300] = 1000
    values[310] = -1000
    drawn = strip(values, 60)
    assert len(drawn) == 60
    assert drawn[30] == "█"
    assert drawn[31] == "▁"
    assert set(drawn[:30]) == {"▅"}
    assert strip(values[:0]) == ""
    assert set(strip(np.full(10, -32768, np.int16))) == {"▁"}
