"""The firmware's COBS against the `cobs` package."""

from __future__ import annotations

import ctypes
import random

import pytest
from cobs import cobs

OK, EMPTY, TRUNCATED, OVERFLOW = range(4)
CANARY = b"\xa5" * 16


def _patterns(length: int) -> list[bytes]:
    chance = random.Random(length)
    return [
        bytes(length),
        b"\x01" * length,
        b"\xff" * length,
        bytes(i & 0xFF for i in range(length)),
        bytes(chance.randrange(256) for _ in range(length)),
        bytes(chance.choice((0, 7)) for _ in range(length)),
        bytes(0 if chance.randrange(200) == 0 else 9 for _ in range(length)),
    ]


def _encode(library: ctypes.CDLL, data: bytes, cut: int) -> bytes:
    capacity = len(data) + len(data) // 254 + 1
    out = ctypes.create_string_buffer(bytes(capacity) + CANARY, capacity + len(CANARY))
    size = library.host_cobs_encode(data, ctypes.c_size_t(len(data)), ctypes.c_size_t(cut), out)
    assert out.raw[capacity:] == CANARY
    return out.raw[:size]


def _decode(library: ctypes.CDLL, data: bytes, capacity: int) -> tuple[int, bytes]:
    out = ctypes.create_string_buffer(bytes(capacity) + CANARY, capacity + len(CANARY))
    size = ctypes.c_size_t()
    status = library.host_cobs_decode(
        data, ctypes.c_size_t(len(data)), out, ctypes.c_size_t(capacity), ctypes.byref(size)
    )
    assert out.raw[capacity:] == CANARY
    return status, out.raw[: size.value]


def test_every_length_encodes_as_the_package_does(library: ctypes.CDLL) -> None:
    for length in range(601):
        for data in _patterns(length):
            encoded = _encode(library, data, length // 3)
            assert encoded == cobs.encode(data), length
            assert 0 not in encoded
            assert _decode(library, encoded, length) == (OK, data), length


@pytest.mark.parametrize("cut", [0, 1, 253, 254, 255, 300])
def test_pieces_do_not_matter(library: ctypes.CDLL, cut: int) -> None:
    data = b"\x05" * 300
    assert _encode(library, data, cut) == cobs.encode(data)


def test_decoder_stops_at_its_capacity(library: ctypes.CDLL) -> None:
    data = bytes(range(1, 101))
    for capacity in range(100):
        assert _decode(library, cobs.encode(data), capacity) == (OVERFLOW, data[:capacity])


def test_decoder_tells_empty_and_truncated(library: ctypes.CDLL) -> None:
    assert _decode(library, b"", 8)[0] == EMPTY
    assert _decode(library, b"\x05ab", 8)[0] == TRUNCATED
    assert _decode(library, b"\x02a\x03b", 8)[0] == TRUNCATED
    assert _decode(library, b"\x01", 8) == (OK, b"")
