"""Frames on both ends: the same verdict on the same bytes, and none with a wrong CRC."""

from __future__ import annotations

import ctypes
import itertools
import random
import subprocess
import tracemalloc
import zlib
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import pytest
from cobs import cobs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolchain.wire.frames import PAYLOAD_MAX, PAYLOAD_MIN, FrameDecoder, encode_frame

payloads = st.binary(min_size=PAYLOAD_MIN, max_size=PAYLOAD_MAX)


def _c_frame(library: ctypes.CDLL, payload: bytes) -> bytes:
    out = ctypes.create_string_buffer(246)
    size = library.tl_frame_build(payload, ctypes.c_size_t(len(payload)), out)
    return out.raw[:size]


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(payload=payloads)
def test_both_ends_build_the_same_frame(library, payload: bytes) -> None:
    frame = _c_frame(library, payload)
    assert frame == encode_frame(payload)
    assert frame.index(0) == len(frame) - 1 == len(payload) + 5


def test_frame_by_hand() -> None:
    payload = bytes([67, 1, 2, 0]) + bytes(8)
    crc = zlib.crc32(payload).to_bytes(4, "little")
    assert 0 not in crc
    by_hand = bytes([4, 67, 1, 2]) + bytes([1] * 8) + bytes([5]) + crc + b"\x00"
    assert encode_frame(payload) == by_hand


@pytest.mark.parametrize("size", [0, 11, 241, 500])
def test_no_frame_of_a_size_out_of_range(library: ctypes.CDLL, size: int) -> None:
    assert _c_frame(library, bytes(size)) == b""
    with pytest.raises(ValueError, match=str(size)):
        encode_frame(bytes(size))


def _raw(content: bytes) -> bytes:
    return cobs.encode(content + zlib.crc32(content).to_bytes(4, "little")) + b"\x00"


def test_counters_name_the_fault(receiver) -> None:
    good = encode_frame(b"\x01" * 20)
    flipped = bytearray(good)
    flipped[10] ^= 0x04
    line = bytes(flipped) + good[:9] + b"\x00" + _raw(b"\x01" * 241) + _raw(b"\x01" * 11) + b"\x00\x00" + good
    decoder = FrameDecoder()
    assert decoder.feed(line) == receiver.feed(line) == [b"\x01" * 20]
    expected = {"frames": 1, "bad_crc": 1, "bad_cobs": 1, "too_long": 1, "too_short": 1}
    assert asdict(decoder.counters) == receiver.counters == expected
    assert decoder.counters.bad == 4


def _damage(chance: random.Random, frame: bytes) -> bytes:
    line = bytearray(frame)
    match chance.randrange(8):
        case 0:
            line[chance.randrange(len(line))] ^= 1 << chance.randrange(8)
        case 1:
            del line[chance.randrange(len(line)) :]
        case 2:
            del line[chance.randrange(len(line))]
        case 3:
            line.insert(chance.randrange(len(line)), chance.randrange(256))
        case 4:
            line[:0] = chance.randbytes(chance.randrange(500))
    return bytes(line)


def test_both_ends_agree_on_damaged_lines(receiver) -> None:
    chance = random.Random(5)
    decoder = FrameDecoder()
    sent: Counter[bytes] = Counter()
    received: list[bytes] = []
    for _ in range(400):
        block = bytearray()
        for _ in range(60):
            payload = chance.randbytes(chance.randint(PAYLOAD_MIN, PAYLOAD_MAX))
            sent[payload] += 1
            block += _damage(chance, encode_frame(payload))
        cut = chance.randrange(len(block))
        here = decoder.feed(bytes(block[:cut])) + decoder.feed(bytes(block[cut:]))
        assert here == receiver.feed(bytes(block))
        received += here
    assert asdict(decoder.counters) == receiver.counters
    assert decoder.counters.bad > 5000
    assert len(received) > 5000
    assert not Counter(received) - sent, "a payload was accepted that nobody sent"


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(noise=st.binary(max_size=700), payload=payloads)
def test_resynchronizes_after_any_noise(receiver, noise: bytes, payload: bytes) -> None:
    decoder = FrameDecoder()
    line = noise + b"\x00" + encode_frame(payload)
    assert decoder.feed(line)[-1] == payload
    assert receiver.feed(line)[-1] == payload


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(messages=st.lists(payloads, max_size=8), cuts=st.lists(st.integers(0, 2000), max_size=12))
def test_pieces_do_not_matter(messages: list[bytes], cuts: list[int]) -> None:
    line = b"".join(map(encode_frame, messages))
    edges = [0, *sorted(min(cut, len(line)) for cut in cuts), len(line)]
    decoder = FrameDecoder()
    got = [p for a, b in itertools.pairwise(edges) for p in decoder.feed(line[a:b])]
    assert got == messages


def test_a_line_without_delimiters_takes_no_memory() -> None:
    decoder = FrameDecoder()
    piece = b"\x55" * 4096
    tracemalloc.start()
    for _ in range(2000):
        assert decoder.feed(piece) == []
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000
    assert decoder.feed(b"\x00" + encode_frame(bytes(12))) == [bytes(12)]
    assert decoder.counters.too_long == 1


@pytest.mark.parametrize("seed", [1, 2])
def test_c_receiver_under_sanitizers(fuzzer: Path, seed: int) -> None:
    frames = 60_000
    done = subprocess.run([str(fuzzer), str(frames), str(seed)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    run, delivered, damaged = map(int, done.stdout.split())
    assert run == frames
    assert damaged > frames // 2
    assert frames // 4 < delivered < frames
