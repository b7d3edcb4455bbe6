"""Lost frames are counted exactly, although commands overtake."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolchain.wire.capture import Capture
from toolchain.wire.frames import encode_frame
from toolchain.wire.messages import Decision, GetHello, Log, encode
from toolchain.wire.sequence import SequenceTracker

# One event: put a command or another frame (which may be refused), or send the next waiting one (which may be lost).
events = st.lists(st.sampled_from(["command", "other", "drop", "send", "send", "lose"]), max_size=200)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(start=st.sampled_from([0, 1, 65400, 65535]), script=events)
def test_exact_over_wrap_around(start: int, script: list[str]) -> None:
    tracker = SequenceTracker()
    tracker.see((start - 1) % 65536, 0, command=False)
    queues: dict[bool, deque[int]] = {True: deque(), False: deque()}
    number, missing = start, 0

    def send(lost: bool) -> None:
        nonlocal missing
        for command in (True, False):
            if queues[command]:
                sent = queues[command].popleft()
                missing += lost
                if not lost:
                    tracker.see(sent, 1000, command)
                return

    for event in script:
        if event in ("send", "lose"):
            send(event == "lose")
            continue
        if event == "drop":
            missing += 1
        else:
            queues[event == "command"].append(number)
        number = (number + 1) % 65536
        assert tracker.lost <= missing
    while queues[True] or queues[False]:
        send(lost=False)
    tracker.see(number, 1000, command=False)
    assert (tracker.lost, tracker.pending, tracker.repeated, tracker.restarts) == (missing, 0, 0, 0)


def test_many_wraps() -> None:
    tracker = SequenceTracker(from_start=True)
    for count in range(200_000):
        if count % 1000:
            tracker.see(count % 65536, count, command=False)
    assert tracker.lost == 200


def test_frames_before_the_first_count_from_the_start() -> None:
    late, joined = SequenceTracker(from_start=True), SequenceTracker()
    for tracker in (late, joined):
        tracker.see(3, 0, command=False)
    assert (late.lost, joined.lost) == (3, 0)


def test_an_early_command_is_pending_not_lost() -> None:
    tracker = SequenceTracker(from_start=True)
    tracker.see(2, 0, command=True)
    assert (tracker.lost, tracker.pending) == (0, 2)
    tracker.see(0, 0, command=False)
    assert (tracker.lost, tracker.pending) == (0, 1)
    tracker.see(3, 0, command=False)
    assert (tracker.lost, tracker.pending) == (1, 0)


def test_joining_with_commands_first() -> None:
    tracker = SequenceTracker()
    tracker.see(65535, 0, command=True)
    tracker.see(1, 0, command=True)
    tracker.see(0, 0, command=False)
    tracker.see(2, 0, command=False)
    assert (tracker.lost, tracker.pending, tracker.repeated) == (0, 0, 0)


@pytest.mark.parametrize("command", [False, True])
def test_repeated(command: bool) -> None:
    tracker = SequenceTracker(from_start=True)
    for number in (0, 1, 1):
        tracker.see(number, 0, command)
    assert (tracker.lost, tracker.repeated) == (0, 1)


def test_restart_is_not_a_loss() -> None:
    tracker = SequenceTracker()
    tracker.see(500, 9_000_000, command=False)
    tracker.see(0, 100, command=False)
    tracker.see(2, 200, command=False)
    assert (tracker.restarts, tracker.lost, tracker.repeated) == (1, 1, 0)


def test_capture_counts_what_it_cannot_read() -> None:
    capture = Capture(from_start=True)
    unknown_kind = encode_frame(b"\x63\x01\x00\x00" + bytes(8))
    other_version = encode_frame(b"\x07\x02\x01\x00" + bytes(9))
    bad_body = encode_frame(b"\x08\x01\x02\x00" + bytes(8) + b"\x00\x00\x09")
    good = encode_frame(encode(Decision(1, 2, 3, 4), 3, 50))
    after = encode_frame(encode(Log(0, "hello"), 6, 60))
    line = unknown_kind + other_version + bad_body + good + after + b"\x05\x01\x00"
    messages = [m for at in range(0, len(line), 7) for m in capture.feed(line[at : at + 7])]
    assert [m.body for m in messages] == [Decision(1, 2, 3, 4), Log(0, "hello")]
    counters = capture.counters
    assert (counters.unknown, counters.bad_body, counters.lost, counters.bad_cobs) == (2, 1, 2, 1)
    assert (counters.frames, counters.bytes, counters.faults) == (5, len(line), 6)


def test_a_clean_capture_has_no_faults() -> None:
    capture = Capture(from_start=True)
    for number in range(300):
        assert len(capture.feed(encode_frame(encode(GetHello(), number)))) == 1
    assert (capture.counters.faults, capture.counters.frames) == (0, 300)
