"""The image in trouble, on the virtual board: each fault is counted, told in a sentence, and survived."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import pytest

pytest.importorskip("unicorn", reason="needs the optional extra 'emulator'")

from toolchain.board import Board
from toolchain.emulator.board import VirtualBoard
from toolchain.harness import verdict
from toolchain.runs import Run
from toolchain.wire.capture import Capture
from toolchain.wire.frames import encode_frame
from toolchain.wire.messages import (
    Ack,
    Body,
    GetHealth,
    GetHello,
    Health,
    Hello,
    Log,
    Message,
    Ping,
    Sample,
    SetStreams,
    Step,
    Stream,
    Timing,
    encode,
)

pytestmark = pytest.mark.emulated
PERIOD_US = 4808
ALL = SetStreams(Stream.SAMPLE | Stream.STEP | Stream.TIMING)
B = TypeVar("B", bound=Body)


class Bench:
    """A virtual board with the image, and everything that it said."""

    def __init__(self, run: Run, board: Board) -> None:
        elf, image = run.firmware / "firmware.elf", run.firmware / "firmware.hex"
        self.board = VirtualBoard(board, elf, image, strict=True)
        self.capture = Capture(from_start=True)
        self.messages: list[Message] = []
        self.board.on_uart = lambda byte, _: self.messages.extend(self.capture.feed(byte))
        self.sequence = 0
        self.stack_bytes = board.memory.stack_bytes
        self.stack_bound = json.loads((run.firmware / "build.json").read_text())["stack_bound_bytes"]

    def feed(self, count: int, start_us: int = 100_000, period_us: int = PERIOD_US) -> None:
        times = start_us + np.arange(count, dtype=np.int64) * period_us
        codes = np.arange(6 * count, dtype=np.int64).reshape(count, 6) * 37 % 8000 - 4000
        self.board.feed(codes.astype(np.int16), times)

    def say(self, *requests: Body) -> None:
        for request in requests:
            self.board.uart_input(encode_frame(encode(request, self.sequence)))
            self.sequence += 1

    def all(self, kind: type[B]) -> list[B]:
        return [message.body for message in self.messages if isinstance(message.body, kind)]

    def told(self, words: str) -> int:
        return sum(words in log.text for log in self.all(Log))

    def health(self) -> Health:
        """What the device says of itself; whatever was done to it, its stack stayed within the bound."""
        self.say(GetHealth())
        self.board.run(0.01)
        health = self.all(Health)[-1]
        assert verdict.stack(self.stack_bytes - health.stack_unused, self.stack_bound) == []
        return health


@pytest.fixture
def bench(built_run: Run, board: Board) -> Bench:
    return Bench(built_run, board)


def test_an_undisturbed_run_has_nothing_to_tell(bench: Bench) -> None:
    bench.feed(100)
    bench.board.run(0.05)
    bench.say(ALL)
    bench.board.run(0.54)
    health = bench.health()
    assert [log.severity for log in bench.all(Log)] == [0]
    assert (health.samples, len(bench.all(Step)), len(bench.all(Sample))) == (100, 100, 100)
    troubles = ("overruns", "lost_samples", "imu_faults", "imu_restarts", "dropped_commands", "dropped_others")
    assert [getattr(health, name) for name in (*troubles, "gap_resets", "received_bad", "engine_errors")] == [0] * 9
    assert health.dwt_moves == 1
    assert 0 < health.stack_unused < 4096
    assert bench.capture.counters.faults == 0
    assert (bench.board.dma_races, bench.board.lost_input, bench.board.resets) == (0, 0, 0)
    assert bench.board.unmodelled == {}


def test_stamps_are_the_edges_although_the_main_loop_is_busy(bench: Bench) -> None:
    bench.feed(60)
    bench.board.run(0.05)
    bench.say(ALL)
    bench.board.run(0.4)
    stamps = [
        message.time_us - message.body.before_us[0] for message in bench.messages if isinstance(message.body, Sample)
    ]
    assert len(stamps) == 60
    assert set(np.diff(stamps)) == {PERIOD_US}


def test_requests_wait_for_the_samples_and_not_the_other_way_round(bench: Bench) -> None:
    bench.feed(60)
    bench.board.run(0.09)
    bench.say(ALL)
    for _ in range(30):
        bench.say(GetHealth(), GetHello(), Ping(b"x"))
        bench.board.run(0.0103)
    timings = bench.all(Timing)
    assert len(timings) == 60
    # What is neither the burst nor the step itself: the way from one interrupt to the other and to the main loop.
    waited = [t.decision_us - t.burst_us - sum(t.cycles[:4]) * 1e6 / bench.board.clock_hz for t in timings]
    assert max(waited) < 20
    assert (len(bench.all(Health)), len(bench.all(Ack))) == (30, 31)
    assert bench.health().overruns == 0


@pytest.mark.slow
def test_stamps_go_on_when_the_32_bit_counter_overflows_after_71_minutes(bench: Bench) -> None:
    bench.board.imu.missing = True
    bench.board.run(4292.0)
    bench.board.imu.missing = False
    bench.feed(400, start_us=4_294_000_000)
    bench.board.run(1.5)
    bench.say(ALL)
    bench.board.run(3.0)
    stamps = [
        message.time_us - message.body.before_us[0] for message in bench.messages if isinstance(message.body, Sample)
    ]
    assert (len(stamps), stamps[0] < 2**32 < stamps[-1]) == (400, True)
    assert set(np.diff(stamps)) <= {PERIOD_US - 1, PERIOD_US, PERIOD_US + 1}
    assert bench.health().gap_resets == 0


def test_a_missing_imu_is_told_once_and_found_later(bench: Bench) -> None:
    bench.board.imu.missing = True
    bench.board.run(1.5)
    assert bench.all(Hello)[0].imu_status == 1
    assert bench.told("does not answer as lsm6dso") == 1
    bench.board.imu.missing = False
    bench.feed(20, start_us=2_200_000)
    bench.board.run(0.8)
    assert bench.told("gives samples again") == 1
    assert bench.health().samples == 20
    bench.say(GetHello())
    bench.board.run(0.01)
    assert bench.all(Hello)[-1].imu_status == 0


def test_a_mute_imu_is_restarted_and_the_state_reset(bench: Bench) -> None:
    bench.feed(20)
    bench.feed(20, start_us=500_000)
    bench.board.run(0.62)
    assert bench.told("went mute") == 1
    assert bench.told("gives samples again") == 1
    health = bench.health()
    assert (health.samples, health.imu_faults, health.imu_restarts, health.gap_resets) == (40, 1, 1, 1)


def test_a_host_that_never_pauses_does_not_keep_a_mute_imu_secret(bench: Bench) -> None:
    bench.feed(20)
    bench.board.run(0.25)
    for _ in range(40):
        bench.say(*[GetHealth()] * 60)
        bench.board.run(0.02)
    health = bench.all(Health)[-1]
    assert health.imu_restarts > 0
    assert health.dropped_others > 0, "the line was not full: the test shows nothing"


def test_samples_that_come_too_fast_are_overruns_and_then_lost(bench: Bench) -> None:
    bench.feed(200, period_us=150)
    bench.board.run(0.5)
    health = bench.health()
    assert health.overruns > 0
    assert health.lost_samples > 0
    assert health.samples + health.lost_samples == 200
    bench.board.run(1.0)
    assert bench.told("the step is too slow") == 1
    assert bench.told("Samples were lost") == 1


def test_a_full_transmit_queue_drops_and_counts(bench: Bench) -> None:
    bench.board.run(0.05)
    bench.say(*[Ping(b"")] * 250)
    bench.board.run(0.15)
    health = bench.health()
    assert health.dropped_commands > 0
    assert len(bench.all(Ack)) + health.dropped_commands == 250
    assert bench.capture.counters.lost == health.dropped_commands


@pytest.mark.parametrize(
    ("damage", "status"),
    [
        (lambda image: bytes(len(image)), 2),
        (lambda image: b"\xff" * len(image), 1),
        (lambda image: image[:1000] + bytes([image[1000] ^ 1]) + image[1001:], 5),
    ],
    ids=["zeros", "erased", "one bit"],
)
def test_a_bad_model_is_refused_and_samples_are_streamed_all_the_same(
    bench: Bench, built_run: Run, board: Board, damage: Callable[[bytes], bytes], status: int
) -> None:
    bench.board.write_flash(board.model_slots[0].origin, damage(built_run.image.read_bytes()))
    bench.feed(20)
    bench.board.run(0.05)
    bench.say(ALL)
    bench.board.run(0.15)
    (hello,) = bench.all(Hello)
    assert (hello.model_status, hello.model_sha256) == (status, bytes(32))
    assert [log.severity for log in bench.all(Log)] == [0, 2]
    assert len(bench.all(Sample)) == 20
    assert bench.all(Step) == []


def test_rubbish_on_the_line_is_counted_and_answered_by_nothing(bench: Bench) -> None:
    bench.board.run(0.05)
    bench.board.uart_input(b"\x05\x11\x22\x33\x44\x00" + bytes(range(1, 200)) + b"\x00")
    bench.say(Ping(b"still there?"))
    bench.board.run(0.05)
    assert len(bench.all(Ack)) == 1
    assert bench.health().received_bad == 2


def test_a_fault_resets_and_is_told_after_the_restart(bench: Bench) -> None:
    fault_handler = bench.board.program.symbol("Fault_Handler").address | 1
    alarm_vector = 4 * (16 + 26)
    bench.board.run(0.0105)
    good = bench.board.read_memory(alarm_vector, 4)
    bench.board.write_flash(alarm_vector, fault_handler.to_bytes(4, "little"))
    bench.board.run(0.0105)
    bench.board.write_flash(alarm_vector, good)
    assert bench.board.resets == 1
    bench.board.run(0.1)
    assert bench.told("stopped on a fault and was reset: exception 0x0000002a pc 0x0000") == 1
    assert bench.told("after a software reset") == 1
    assert len(bench.all(Hello)) == 1


@pytest.mark.parametrize(
    ("variant", "before", "after"),
    [(b"AAF0", 0xFFFFFFFF, 0xFFFFFF5A), (b"AAD0", 0xFFFFFFFF, 0xFFFFFFFF), (b"AAF0", 0xFFFFFF00, 0xFFFFFF00)],
)
def test_the_debug_port_is_kept_open_only_where_that_value_opens_it(
    bench: Bench, variant: bytes, before: int, after: int
) -> None:
    memory = bench.board._machine.memory
    memory.ficr.write(0x10000104, variant[::-1])
    memory.uicr.write(0x10001208, before.to_bytes(4, "little"))
    bench.board.run(0.01)
    assert bench.board.read_memory(0x10001208, 4) == after.to_bytes(4, "little")
