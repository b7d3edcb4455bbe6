"""Sleep without a high-frequency clock: what runs in it, what wakes from it, and whether time goes on right."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

pytest.importorskip("unicorn", reason="needs the optional extra 'emulator'")

from test_firmware_on_board import ALL, PERIOD_US, Bench

from toolchain.board import Board
from toolchain.emulator.machine import Machine
from toolchain.emulator.peripherals import rtc
from toolchain.runs import Run
from toolchain.wire.messages import Ack, GetHealth, Health, Hello, Sample, SetStreams, Stream, Timing

pytestmark = pytest.mark.emulated
LISTEN_S = 2.0


class Sleeper:
    """Counts the cycles asleep by what keeps a high-frequency clock running in them."""

    def __init__(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cycles: Counter[str] = Counter()
        chip, plain = bench.board._chip, Machine._sleep

        def watched(machine: Machine, limit: int) -> None:
            before = machine.sleep_cycles
            holders = {
                "timer": any(timer._since is not None for timer in chip.timers),
                "crystal": chip.clock_power.crystal_runs,
                "receiver": chip.uarte._rx_on,
            }
            plain(machine, limit)
            for name in [name for name, holds in holders.items() if holds] or ["nothing"]:
                self.cycles[name] += machine.sleep_cycles - before

        monkeypatch.setattr(Machine, "_sleep", watched)


@pytest.fixture
def bench(built_run: Run, board: Board) -> Bench:
    return Bench(built_run, board)


def _stamps(bench: Bench) -> np.ndarray:
    return np.array([m.time_us - m.body.before_us[0] for m in bench.messages if isinstance(m.body, Sample)], np.int64)


def test_no_high_frequency_clock_in_sleep(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.feed(1000)
    bench.board.run(LISTEN_S + 0.5)
    sleeper, begin, asleep = Sleeper(bench, monkeypatch), bench.board.cycles, bench.board.sleep_cycles
    bench.board.run(2.0)
    whole = bench.board.cycles - begin
    asleep = bench.board.sleep_cycles - asleep
    assert 0.85 < asleep / whole < 0.95
    # What is left is the wait for a tick after each edge, at most 31 us of 4,808.
    assert sleeper.cycles["nothing"] / asleep > 0.99
    assert sleeper.cycles["receiver"] == 0
    assert sleeper.cycles["timer"] / whole < 31 / PERIOD_US


def test_a_sleeping_receiver_hears_the_first_request(bench: Bench) -> None:
    bench.feed(2000)
    bench.board.run(LISTEN_S + 1.0)
    unasked = len(bench.all(Health))
    for _ in range(2):
        bench.board.uart_input(b"\x00")
        bench.say(GetHealth())
        bench.board.run(LISTEN_S + 0.6)
    assert len(bench.all(Health)) == unasked + 2
    assert bench.all(Health)[-1].received_bad == 0
    assert bench.board.lost_input == 0


def test_stamps_are_the_edges_within_a_microsecond(bench: Bench) -> None:
    bench.feed(600)
    bench.board.run(0.05)
    bench.say(SetStreams(Stream.SAMPLE))
    bench.board.run(3.0)
    stamps = _stamps(bench)
    assert len(stamps) == 600
    edges = stamps[0] + PERIOD_US * np.arange(600)
    assert np.abs(stamps - edges).max() <= 2
    assert all(timer._since is None for timer in bench.board._chip.timers), "the stamps should come from the RTC by now"


@pytest.mark.parametrize("ppm", [-400, 400])
def test_crystals_that_disagree_never_make_a_step(bench: Bench, monkeypatch: pytest.MonkeyPatch, ppm: int) -> None:
    period = 64_000_000 / (32768 * (1 + ppm * 1e-6))
    monkeypatch.setattr(rtc.Rtc, "_ticks", lambda self, time: int((time - self._since) / period))
    monkeypatch.setattr(rtc.Rtc, "_time_of", lambda self, ticks: self._since + int(ticks * period) + 1)
    bench.feed(1200)
    bench.board.run(0.05)
    bench.say(SetStreams(Stream.SAMPLE))
    # Awake and asleep by turns: requests keep the receiver, and with it the timer, running.
    for _ in range(2):
        bench.board.run(LISTEN_S + 0.3)
        bench.say(GetHealth())
    bench.board.run(1.5)
    steps = np.diff(_stamps(bench))
    assert len(steps) == 1199
    assert np.abs(steps - PERIOD_US).max() <= 45
    assert bench.all(Health)[-1].gap_resets == 0


def test_an_alarm_ends_a_sleep_without_samples(bench: Bench) -> None:
    bench.board.imu.missing = True
    bench.board.run(10.0)
    health = bench.health()
    # The sensor is looked for every second, asleep in between.
    assert 9 <= health.imu_faults <= 11
    assert bench.board.sleep_cycles / bench.board.cycles > 0.98


def test_a_command_waits_for_the_crystal_and_not_longer(bench: Bench) -> None:
    bench.feed(700)
    bench.board.run(0.05)
    bench.say(ALL)
    bench.board.run(3.3)
    timings = bench.all(Timing)
    assert len(timings) > 600
    assert max(t.burst_us for t in timings) <= 100
    assert max(t.decision_us for t in timings) < 700
    assert len(bench.all(Ack)) == 1
    assert len(bench.all(Hello)) == 1


def test_a_chip_without_crystals_works_on(built_run: Run, board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    from toolchain.emulator.peripherals import clock_power

    monkeypatch.setattr(clock_power, "HFXO_START_US", 10**9)
    monkeypatch.setattr(clock_power, "LFXO_START_US", 10**9)
    bench = Bench(built_run, board)
    bench.feed(300)
    bench.board.run(0.2)
    bench.say(ALL)
    bench.board.run(1.5)
    assert bench.told("The crystal did not start") == 1
    assert len(bench.all(Timing)) > 250
    assert set(np.diff(_stamps(bench))) == {PERIOD_US}
