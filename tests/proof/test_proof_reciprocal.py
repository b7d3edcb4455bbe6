"""The reciprocal of SOFTMAX, by going through its arguments (contracts.h, RECIPROCAL)."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cbmc_tool import FIRMWARE, spoil

FLAGS = ("-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-fsanitize=undefined", "-fno-sanitize-recover=all")


def _run(folder: Path, firmware: Path, step: int) -> subprocess.CompletedProcess[str]:
    program = folder / "reciprocal"
    source = Path(__file__).with_name("reciprocal.c")
    subprocess.run(["cc", *FLAGS, f"-I{firmware}", str(source), "-o", str(program)], check=True)
    return subprocess.run([program, str(step)], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("step", [997, pytest.param(1, marks=pytest.mark.slow)])
def test_overflows_nowhere(step: int, tmp_path: Path) -> None:
    done = _run(tmp_path, FIRMWARE, step)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_overflow_is_found(tmp_path: Path, firmware_copy: Path) -> None:
    spoil(firmware_copy / "engine" / "kernels" / "softmax.h", "x > (1 << 30) - 1 ? INT32_MAX : 2 * x", "2 * x")
    done = _run(tmp_path, firmware_copy, 997)
    assert "signed integer overflow" in done.stderr
