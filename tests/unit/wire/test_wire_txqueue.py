"""The firmware's transmit queue: priority, order, whole frames, exact drops."""

from __future__ import annotations

import ctypes
from collections import deque

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from toolchain.wire.capture import Capture
from toolchain.wire.frames import encode_frame

COMMAND, OTHER, GET_HELLO = 4, 2, 64
PART, COMMAND_ENDED, OTHER_ENDED = range(3)


class Queue:
    """The firmware's queue with storage of its own."""

    def __init__(self, library: ctypes.CDLL, commands: int = 256, others: int = 1024) -> None:
        self._library = library
        self._queue = ctypes.create_string_buffer(library.host_queue_size())
        self._storage = [ctypes.create_string_buffer(b"\xa5" * (size + 8), size + 8) for size in (commands, others)]
        sizes = [ctypes.c_uint32(size) for size in (commands, others)]
        pairs = [item for pair in zip(self._storage, sizes, strict=True) for item in pair]
        self.ready = library.tl_txqueue_init(self._queue, *pairs)

    def put(self, payload: bytes) -> bool:
        buffer = ctypes.create_string_buffer(payload, len(payload))
        return bool(self._library.tl_txqueue_put(self._queue, buffer, ctypes.c_size_t(len(payload))))

    def next(self) -> bytes:
        chunk = ctypes.c_void_p()
        size = self._library.tl_txqueue_next(self._queue, ctypes.byref(chunk))
        return ctypes.string_at(chunk, size) if size else b""

    def done(self) -> int:
        return int(self._library.tl_txqueue_done(self._queue))

    def empty(self) -> bool:
        return bool(self._library.tl_txqueue_empty(self._queue))

    def counters(self) -> tuple[list[int], list[int], list[int], int]:
        values = (ctypes.c_uint32 * 7)()
        self._library.host_queue_counters(self._queue, values)
        v = list(values)
        return v[0:2], v[2:4], v[4:6], v[6]

    def intact(self) -> bool:
        return all(storage.raw[-8:] == b"\xa5" * 8 for storage in self._storage)


def payload_of(kind: int, size: int, fill: int = 0) -> bytes:
    return bytes([kind, 1]) + bytes(10) + bytes([fill]) * (size - 12)


def numbered(payload: bytes, sequence: int) -> bytes:
    return payload[:2] + sequence.to_bytes(2, "little") + payload[4:]


def make_machine(library: ctypes.CDLL) -> type[RuleBasedStateMachine]:
    class Machine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.queue = Queue(library)
            self.capacity = (256, 1024)
            self.waiting: tuple[deque[bytes], deque[bytes]] = (deque(), deque())
            self.used = [0, 0]
            self.accepted, self.dropped, self.sent = [0, 0], [0, 0], [0, 0]
            self.sequence = 0
            self.current: tuple[int, bytes] | None = None
            self.position = 0
            self.chunk = b""

        @rule(command=st.booleans(), size=st.integers(12, 240), fill=st.integers(0, 255))
        def put(self, command: bool, size: int, fill: int) -> None:
            payload = payload_of(COMMAND if command else OTHER, size, fill)
            which = 0 if command else 1
            frame = encode_frame(numbered(payload, self.sequence))
            self.sequence = (self.sequence + 1) % 65536
            fits = self.used[which] + len(frame) + 1 <= self.capacity[which]
            assert self.queue.put(payload) == fits
            if fits:
                self.waiting[which].append(frame)
                self.used[which] += len(frame) + 1
                self.accepted[which] += 1
            else:
                self.dropped[which] += 1

        @precondition(lambda self: not self.chunk)
        @rule()
        def next(self) -> None:
            if self.current is None:
                which = 0 if self.waiting[0] else 1
                if not self.waiting[which]:
                    assert self.queue.next() == b""
                    return
                self.current = (which, self.waiting[which].popleft())
                self.position = 0
                self.used[which] -= 1
            chunk = self.queue.next()
            assert chunk
            assert self.current[1][self.position :].startswith(chunk)
            assert self.queue.next() == chunk
            self.chunk = chunk

        @precondition(lambda self: bool(self.chunk))
        @rule()
        def done(self) -> None:
            assert self.current is not None
            which, frame = self.current
            self.position += len(self.chunk)
            self.used[which] -= len(self.chunk)
            self.chunk = b""
            outcome = self.queue.done()
            if self.position < len(frame):
                assert outcome == PART
                return
            assert outcome == (COMMAND_ENDED, OTHER_ENDED)[which]
            self.sent[which] += 1
            self.current = None

        @rule()
        def send_everything(self) -> None:
            for _ in range(200):
                if not self.chunk:
                    self.next()
                if not self.chunk:
                    break
                self.done()
            assert self.queue.empty()

        @invariant()
        def counters(self) -> None:
            assert self.queue.counters() == (self.accepted, self.dropped, self.sent, self.sequence)
            assert self.queue.empty() == (self.used == [0, 0])
            assert self.queue.intact()

    return Machine


def test_model(library: ctypes.CDLL) -> None:
    case = make_machine(library).TestCase
    case.settings = settings(
        max_examples=60, stateful_step_count=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    case().runTest()


def _drain(queue: Queue) -> list[bytes]:
    frames, part = [], b""
    while chunk := queue.next():
        part += chunk
        if queue.done() != PART:
            frames.append(part)
            part = b""
    return frames


def test_a_command_waits_for_the_frame_on_the_line_only(library: ctypes.CDLL) -> None:
    queue = Queue(library)
    others = [payload_of(OTHER, 100, fill) for fill in (1, 2)]
    command = payload_of(COMMAND, 29)
    assert queue.put(others[0])
    assert queue.put(others[1])
    first = queue.next()
    assert queue.put(command)
    assert queue.next() == first
    assert queue.done() == OTHER_ENDED
    expected = [encode_frame(numbered(command, 2)), encode_frame(numbered(others[1], 1))]
    assert _drain(queue) == expected


def test_a_wrapped_frame_is_not_interrupted(library: ctypes.CDLL) -> None:
    queue = Queue(library)
    for _ in range(9):
        assert queue.put(payload_of(OTHER, 100))
    assert len(_drain(queue)) == 9
    assert queue.put(payload_of(OTHER, 100, 3))
    head = queue.next()
    assert len(head) == 1024 - (9 * 107 + 1)
    assert queue.put(payload_of(COMMAND, 29))
    assert queue.done() == PART
    assert head + queue.next() == encode_frame(numbered(payload_of(OTHER, 100, 3), 9))
    assert queue.done() == OTHER_ENDED
    assert _drain(queue) == [encode_frame(numbered(payload_of(COMMAND, 29), 10))]


def test_drops_are_gaps_for_the_receiver(library: ctypes.CDLL) -> None:
    """Over the wrap of the sequence number, with a queue that is full most of the time."""
    queue, capture, dropped = Queue(library, others=256), Capture(from_start=True), 0
    for turn in range(70_000):
        dropped += not queue.put(payload_of(GET_HELLO, 12))
        if turn % 19 == 0:
            for frame in _drain(queue):
                capture.feed(frame)
    for frame in _drain(queue):
        capture.feed(frame)
    assert queue.put(payload_of(GET_HELLO, 12))
    for frame in _drain(queue):
        capture.feed(frame)
    assert dropped == queue.counters()[1][1] > 1000
    assert capture.counters.lost == capture.counters.faults == dropped


@pytest.mark.parametrize("size", [0, 11, 241])
def test_no_payload_takes_no_number(library: ctypes.CDLL, size: int) -> None:
    queue = Queue(library)
    assert not queue.put(bytes(size))
    assert queue.counters() == ([0, 0], [0, 0], [0, 0], 0)


@pytest.mark.parametrize(("commands", "others", "good"), [(256, 256, True), (128, 256, False), (256, 1000, False)])
def test_storage_must_fit(library: ctypes.CDLL, commands: int, others: int, good: bool) -> None:
    assert Queue(library, commands, others).ready == good
