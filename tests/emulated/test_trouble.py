"""Faults on purpose, on every emulator that can make them: the firmware comes back by itself, says what happened, and
loses no count. All in virtual time."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from emulator_bench import ALL, BOOT_S, EmulatorBench

from toolchain.board import EmulatorName, load_board
from toolchain.emulator.interface import Trouble
from toolchain.emulator.opening import absent
from toolchain.runs import Run
from toolchain.wire.messages import Health, Sample, Step

pytestmark = pytest.mark.emulated

PLACES: list[tuple[str, EmulatorName]] = [
    ("nrf52840", "virtual"),
    ("xiao_nrf52840_sense", "virtual"),
    ("mps2-an386", "qemu"),
]
EVENTS = ("overruns", "lost_samples", "dropped_commands", "dropped_others", "engine_errors", "received_bad")


@pytest.fixture(scope="module", params=PLACES, ids=["-".join(place) for place in PLACES])
def place(request: pytest.FixtureRequest, images: dict[str, Run]) -> tuple[Run, str, EmulatorName]:
    name, emulator = request.param
    entry = load_board(name).emulator(emulator)
    if "faults" not in entry.can:
        pytest.skip(f"{name} on {emulator}: {entry.why['faults']}")
    if reason := absent(emulator):
        pytest.skip(reason)
    return images[name], name, emulator


@pytest.fixture
def bench(place: tuple[Run, str, EmulatorName]) -> Iterator[EmulatorBench]:
    run, name, emulator = place
    bench = EmulatorBench(run, load_board(name), emulator)
    yield bench
    bench.close()


def counted(bench: EmulatorBench, health: Health) -> None:
    """Every sample that the sensor offered since power-on was worked on, or counted as lost."""
    assert health.samples + health.lost_samples == bench.emulator.delivered


def test_nothing_happens_and_nothing_is_told(bench: EmulatorBench) -> None:
    count = bench.feed(1.0)
    bench.run(BOOT_S)
    bench.say(ALL)
    bench.run(1.05)
    health = bench.health()
    assert [getattr(health, name) for name in EVENTS] == [0] * len(EVENTS)
    assert (health.samples, len(bench.all(Step)), len(bench.all(Sample))) == (count, count, count)
    assert bench.told("Started after power-on") == 1
    counted(bench, health)


def test_an_imu_that_goes_mute_in_mid_stream(bench: EmulatorBench) -> None:
    bench.feed(2.0)
    bench.run_to(0.6)
    bench.inject(Trouble.IMU_MUTE)
    bench.run_to(1.2)
    assert bench.told("went mute") == 1
    bench.inject(Trouble.IMU_MUTE, on=False)
    bench.run_to(2.2)
    assert bench.told("gives samples again") == 1
    health = bench.health()
    assert health.imu_restarts >= 1
    assert health.gap_resets == 1
    assert bench.emulator.resets == 0
    counted(bench, health)


@pytest.mark.parametrize("trouble", [Trouble.IMU_GONE, Trouble.BUS_STUCK])
def test_a_bus_on_which_nobody_answers_or_nothing_ends(bench: EmulatorBench, trouble: Trouble) -> None:
    bench.feed(4.0)
    bench.run_to(0.5)
    bench.inject(trouble)
    bench.run_to(2.0)
    assert bench.told("does not answer") == 1
    bench.inject(trouble, on=False)
    bench.run_to(3.4)
    assert bench.told("gives samples again") == 1
    before, made = bench.health(), bench.emulator.delivered
    assert before.imu_faults >= 1
    bench.run_to(4.2)
    health = bench.health()
    counts = (health.samples - before.samples, health.lost_samples - before.lost_samples)
    # The answer tells of some milliseconds earlier than what the emulator is asked afterwards.
    assert counts == (pytest.approx(bench.emulator.delivered - made, abs=6), 0), "it counts on as if nothing had been"
    assert bench.emulator.resets == 0, "nothing in it takes so long that the watchdog bites"


def test_samples_that_come_faster_than_they_are_worked_on(bench: EmulatorBench) -> None:
    """On I2C a burst takes longer than this: the sensor overwrites what nobody has read, which no one can count."""
    fast = 400 if load_board(bench.board.name).imu.bus == "i2c" else 150
    bench.feed(0.1, start=0.2, period_us=fast)
    bench.feed(0.5, start=0.5)
    bench.run_to(1.05)
    health = bench.health()
    assert health.overruns > 0
    counted(bench, health)
    bench.run(1.1)
    assert bench.told("the step is too slow") == 1


def test_nobody_reads_the_serial_port(bench: EmulatorBench) -> None:
    """Frames that leave while nobody listens are gone; the device neither waits nor loses a sample."""
    count = bench.feed(1.5)
    bench.run(BOOT_S)
    bench.say(ALL)
    bench.emulator.run(1.0)
    bench.emulator.take_uart()
    bench.run_to(1.65)
    health = bench.health()
    assert (health.samples, health.overruns, health.dropped_others) == (count, 0, 0)
    assert bench.capture.counters.lost > 100, "the sequence numbers tell what was not read"


def test_the_watchdog_bites_and_its_bite_is_told(bench: EmulatorBench) -> None:
    bench.feed(1.0)
    bench.feed(2.0, start=4.0)
    bench.run_to(0.5)
    before = bench.health()
    bench.inject(Trouble.HANG)
    bench.run_to(3.5)
    assert bench.emulator.resets == 1
    assert bench.told("Started after a watchdog reset") == 1
    assert bench.hellos() == 2
    assert before.samples > 50
    bench.run_to(5.0)
    delivered = bench.emulator.delivered
    bench.run_to(6.1)
    health = bench.health()
    assert health.samples > 300
    assert delivered > 0
    assert health.lost_samples == 0


def test_resets_at_random_instructions(bench: EmulatorBench) -> None:
    """Each life starts by itself, says why, and counts from there; none leaves the next one in trouble."""
    chance = random.Random(7)
    bench.feed(8.0)
    for life in range(1, 7):
        bench.run(chance.uniform(0.0, 0.5))
        bench.inject(Trouble.RESET)
        bench.run(0.12)
        assert bench.emulator.resets == life
        assert bench.told("Started after a reset by the pin") + bench.told("Started after a software reset") == life
    at_start = bench.emulator.delivered
    first = bench.health().samples
    bench.run(1.5)
    health = bench.health()
    assert health.samples - first == pytest.approx(bench.emulator.delivered - at_start, abs=6)
    assert [getattr(health, name) for name in EVENTS] == [0] * len(EVENTS)
    assert bench.hellos() in (6, 7), "a first life shorter than its first 20 ms says nothing"
