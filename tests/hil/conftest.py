"""The rig: a board, a port and perhaps a power meter, described in hil.toml beside this file's repository or in HIL.

    board = "nrf52840"
    uid = "0123456789ab"     # the probe's serial number
    port = "/dev/ttyACM0"
    power_meter = "/dev/ttyACM1"   # optional

Without it everything here is skipped with one line. A rig is one at a time: a lock file keeps a second session out.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hil_rig import Rig, read_rig

from toolchain.board import Board, load_board
from toolchain.wire.link import Link

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def rig() -> Iterator[Rig]:
    """The rig, locked while the session lasts."""
    path = Path(os.environ.get("HIL") or ROOT / "hil.toml")
    if not path.exists():
        pytest.skip("no rig: hil.toml does not exist (tests/hil/conftest.py says what it holds)")
    found = read_rig(path)
    with (Path(tempfile.gettempdir()) / f"tinyltc-hil-{found.uid}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pytest.fail(f"the rig {found.uid} is in use by another session")
        yield found


@pytest.fixture(scope="session")
def rig_board(rig: Rig) -> Board:
    return load_board(rig.board)


@pytest.fixture
def link(rig: Rig) -> Iterator[Link]:
    with Link(rig.port) as link:
        yield link
