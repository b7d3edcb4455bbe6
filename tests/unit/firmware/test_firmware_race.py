"""The ring's atomics, between threads under the thread sanitizer."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from firmware_host import FIRMWARE, HERE

FLAGS = ("-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-fsanitize=thread", "-pthread")


def race(folder: Path, ring: Path, samples: int) -> subprocess.CompletedProcess[str]:
    program = folder / "ring_race"
    command = ["cc", *FLAGS, f"-I{FIRMWARE}", str(HERE / "ring_race.c"), str(ring), "-o", str(program)]
    subprocess.run(command, check=True)
    return subprocess.run([program, str(samples)], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("samples", [20_000, pytest.param(2_000_000, marks=pytest.mark.slow)])
def test_samples_cross_whole_and_in_order(tmp_path: Path, samples: int) -> None:
    done = race(tmp_path, FIRMWARE / "core" / "ring.c", samples)
    assert done.returncode == 0, done.stdout + done.stderr[:2000]
    taken, lost = map(int, done.stdout.split())
    assert taken + lost == samples
    assert taken > 100


def test_a_ring_without_release_is_caught(tmp_path: Path) -> None:
    spoiled = tmp_path / "core" / "ring.c"
    shutil.copytree(FIRMWARE / "core", tmp_path / "core")
    text = spoiled.read_text()
    assert "memory_order_release" in text
    spoiled.write_text(text.replace("memory_order_release", "memory_order_relaxed"))
    done = race(tmp_path, spoiled, 20_000)
    assert "data race" in done.stderr
