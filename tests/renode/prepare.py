"""Builds what the robot tests run: an image of random weights for a board, and samples as RESD.

``prepare.py BOARD FOLDER`` writes FOLDER/<board>/firmware/firmware.hex and samples.resd, and prints the variables for
``renode-test`` one a line.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from rich.console import Console

from toolchain.board import load_board
from toolchain.build import build
from toolchain.emulator.renode.resd import write_resd

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit" / "firmware"))

from random_run import random_run

SECONDS = 3.0


def main(name: str, folder: str) -> None:
    """Build and write."""
    board, console = load_board(name), Console(stderr=True)
    run = random_run(Path(folder) / name, board, console)
    build(run, board, "compiled", console)
    count = round(SECONDS * board.imu.rate_hz)
    t_us = 100_000 + np.arange(count, dtype=np.int64) * board.imu.period_us
    codes = np.random.default_rng(1).integers(-4000, 4000, (count, 6), dtype=np.int16)
    write_resd(run.path / "samples.resd", codes, t_us, board.imu)
    platform = board.folder / str(board.emulator("renode").platform)
    values = {
        "PLATFORM": platform.resolve(),
        "IMAGE": (run.firmware / "firmware.hex").resolve(),
        "VECTORS": f"{board.memory.application:#x}",
        "SAMPLES": (run.path / "samples.resd").resolve(),
        "PYTHON": sys.executable,
    }
    print("\n".join(f"{key}:{value}" for key, value in values.items()))


if __name__ == "__main__":
    main(*sys.argv[1:])
