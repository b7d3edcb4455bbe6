"""Whole streams through core and engine under the address and undefined-behaviour sanitizers."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from codegen_runs import Made

from toolchain.codegen.hostlib import FLAGS, include_flags, sources

SANITIZERS = (
    "-fsanitize=address,undefined,float-divide-by-zero,float-cast-overflow",
    "-fno-sanitize-recover=all",
    "-g",
)
HERE = Path(__file__).parent


def soak(made: Made, folder: Path, samples: int, seed: int) -> tuple[int, int, int]:
    """Return steps, resets and commands of ``samples`` absurd samples."""
    program, image = folder / "soak", folder / "model.bin"
    core = [str(path) for path in sources(made.generated, "compiled") if path.name != "driver.c"]
    flags = [*FLAGS, *SANITIZERS, *include_flags(made.generated, "compiled")]
    subprocess.run(["cc", *flags, str(HERE / "soak.c"), *core, "-o", str(program)], check=True)
    image.write_bytes(made.image)
    lsb = [
        f"{struct.unpack('<I', struct.pack('<f', value))[0]:#x}" for value in (made.spec.acc_lsb, made.spec.gyro_lsb)
    ]
    done = subprocess.run([program, image, *lsb, str(samples), str(seed)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    steps, resets, commands = map(int, done.stdout.split())
    return steps, resets, commands


DECIDING = ("one", "two", "three", "high_pass")
"""Shapes whose random weights do not always say none."""


@pytest.mark.parametrize("name", [*DECIDING, "difference"])
def test_absurd_streams(make: Callable[[str], Made], tmp_path: Path, name: str) -> None:
    steps, resets, commands = soak(make(name), tmp_path, 5000, seed=1)
    assert steps == 5000
    assert 200 < resets < 2500
    assert commands > 0 or name not in DECIDING, "nothing was decided: the stream shows little"


@pytest.mark.slow
@pytest.mark.parametrize("name", DECIDING)
def test_absurd_streams_for_long(make: Callable[[str], Made], tmp_path: Path, name: str) -> None:
    for seed in range(2, 6):
        assert soak(make(name), tmp_path, 200_000, seed)[2] > 0
