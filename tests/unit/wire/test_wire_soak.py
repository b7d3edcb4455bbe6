"""Messages through queue, line and receiver, under the address and undefined-behaviour sanitizers."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Soak = Callable[[int, int], tuple[int, ...]]


@pytest.fixture(scope="module")
def soak(compile_sanitized: Callable[[str], Path]) -> Soak:
    program = compile_sanitized("soak.c")

    def run(frames: int, seed: int) -> tuple[int, ...]:
        done = subprocess.run([program, str(frames), str(seed)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return tuple(map(int, done.stdout.split()))

    return run


def _assert_all_of_it_happened(frames: int, counts: tuple[int, ...]) -> None:
    queued, delivered, damaged, refused = counts
    assert frames // 4 < queued < frames, "the queue was never full, or always"
    assert 0 < damaged < delivered
    assert queued - delivered - damaged < 200, "what was queued has left, except the last few"
    assert 0 < refused < delivered


def test_messages_of_every_kind(soak: Soak) -> None:
    _assert_all_of_it_happened(20_000, soak(20_000, 1))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 6))
def test_messages_of_every_kind_for_long(soak: Soak, seed: int) -> None:
    _assert_all_of_it_happened(1_000_000, soak(1_000_000, seed))
