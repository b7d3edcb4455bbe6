"""Captures that are killed, find the disk full, or leave a damaged journal: everything received is safe."""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from rich.console import Console

from toolchain.board import Board
from toolchain.capture.commit import CUT_SHORT
from toolchain.capture.double import ScriptedDevice
from toolchain.capture.journal import read_journal
from toolchain.capture.run import Asked, capture, journals_of, recover
from toolchain.capture.session import Rhythm
from toolchain.errors import ConfigError, DataError
from toolchain.recordings.captured import Captured
from toolchain.recordings.storage import load_captured

QUICK = Rhythm(first_s=1.0, ready_s=0.8, gesture_s=2.0, background_s=3.0)
HERE = Path(__file__).parent


@pytest.fixture
def asked(board: Board, device: ScriptedDevice, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """A capture from the scripted device, whose wearer does what the prompts say."""
    from toolchain.capture import run

    monkeypatch.setattr(run._Taking, "_cue", lambda self, prompt: device.perform(prompt.label, prompt.seconds))
    return Asked(board, ("swipe_left", "tap"), "ann", folder, 2, "s1", "left wrist", device.path, rhythm=QUICK)


def _console() -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(file=text, width=160), text


def _captured(path: Path) -> tuple[Captured, dict]:
    captured = load_captured(path)
    return captured, json.loads(captured.facts)


CHILD = """
    import sys, resource
    from pathlib import Path
    from rich.console import Console
    from toolchain.board import load_board
    from toolchain.capture.run import Asked, capture
    from toolchain.capture.session import Rhythm
    from toolchain.errors import TinyLtcError
    port, folder, limit = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    rhythm = Rhythm(1.0, 0.8, 2.0, 3.0)
    asked = Asked(load_board("nrf52840"), ("swipe_left", "tap"), "ann", folder, 30, "s1", "", port, rhythm=rhythm)
    try:
        capture(asked, Console(width=200))
    except TinyLtcError as error:
        print("error:", error)
        raise SystemExit(error.exit_code)
"""


def _child(device: ScriptedDevice, folder: Path, limit: int = 0) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(CHILD), device.path, str(folder), str(limit)]
    root = str(HERE.parents[2])
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=root)


def _wait_for(journal: Path, size: int) -> None:
    end = time.monotonic() + 60
    while not (journal.exists() and journal.stat().st_size > size):
        assert time.monotonic() < end, "the capture wrote nothing"
        time.sleep(0.02)


@pytest.mark.parametrize("size", [60_000, 170_000])
def test_killed_at_any_moment(device: ScriptedDevice, folder: Path, size: int) -> None:
    device.speed = 10.0
    child = _child(device, folder)
    journal = folder / "ann-s1.journal"
    _wait_for(journal, size)
    with pytest.raises(ConfigError, match="still writing"):
        recover([journal], _console()[0])
    child.send_signal(signal.SIGKILL)
    child.communicate()
    console, _ = _console()
    assert journals_of([folder]) == [journal]
    (path,) = recover(journals_of([folder]), console)
    captured, facts = _captured(path)
    assert not facts["finished"]
    assert facts["samples"] > size / 60
    assert (facts["lost"], facts["damaged_bytes"]) == (0, 0)
    assert [take.prompt for take in captured.takes] == (["swipe_left", "tap"] * 30)[: len(captured.takes)]
    # Only the last can be cut; of one that had just begun there is too little to keep.
    cut = [CUT_SHORT in take.verdict.reasons for take in captured.takes]
    assert not any(cut[:-1])
    assert cut[-1] or facts["samples"] - sum(len(take.raw.index) for take in captured.takes) < 32
    assert not journal.exists()
    with pytest.raises(DataError, match="no journal"):
        journals_of([folder])


def test_a_closed_terminal_keeps_everything(device: ScriptedDevice, folder: Path) -> None:
    device.speed = 10.0
    child = _child(device, folder)
    _wait_for(folder / "ann-s1.journal", 60_000)
    child.send_signal(signal.SIGHUP)
    said = child.communicate()[0]
    assert child.returncode == 0, said
    assert load_captured(folder / "ann-s1.npz").takes


def test_keys_in_a_real_terminal(device: ScriptedDevice, folder: Path) -> None:
    """The screen is drawn, q ends it, and what was taken is there."""
    device.speed = 10.0
    master, slave = os.openpty()
    command = [sys.executable, "-c", textwrap.dedent(CHILD), device.path, str(folder), "0"]
    env = os.environ | {"TERM": "xterm-256color"}
    root = str(HERE.parents[2])
    child = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, cwd=root, env=env)
    os.close(slave)
    seen = b""
    pressed = False
    with contextlib.suppress(OSError):  # the child's end of the terminal closed
        while data := os.read(master, 65536):
            seen += data
            if not pressed and b"NOW" in seen and (folder / "ann-s1.journal").stat().st_size > 60_000:
                pressed = True
                os.write(master, b"q")
    os.close(master)
    assert child.wait() == 0, seen[-2000:]
    assert b"get ready" in seen
    assert b"u undo the last" in seen
    captured, facts = _captured(folder / "ann-s1.npz")
    assert facts["finished"]
    assert len(captured.takes) < 60


def test_a_full_disk(device: ScriptedDevice, folder: Path) -> None:
    device.speed = 10.0
    child = _child(device, folder, limit=100_000)
    said = child.communicate()[0]
    assert child.returncode == DataError.exit_code, said
    assert "error: Nothing more could be written to" in said
    assert "Traceback" not in said
    journal = folder / "ann-s1.journal"
    if journal.exists():
        # There was no room for the recordings either: they are made when there is.
        assert "is safe in" in said
        recover([journal], _console()[0])
    captured, facts = _captured(folder / "ann-s1.npz")
    assert facts["samples"] > 1000
    assert facts["lost"] == 0
    assert captured.takes


def test_no_room_at_all(device: ScriptedDevice, folder: Path, asked: Asked) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, before[1]))
    try:
        with pytest.raises(OSError, match=r"File too large|No space"):
            capture(asked, _console()[0])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(folder.iterdir())


def test_a_damaged_journal_gives_what_is_whole(asked: Asked, device: ScriptedDevice, folder: Path) -> None:
    device.speed = 10.0
    child = _child(device, folder)
    journal = folder / "ann-s1.journal"
    _wait_for(journal, 120_000)
    child.kill()
    child.communicate()
    data = bytearray(journal.read_bytes())
    data[40_000:40_100] = bytes(100)
    data += os.urandom(300)
    journal.write_bytes(data)
    read = read_journal(journal)
    assert 400 <= read.damaged <= 700
    (path,) = recover([journal], _console()[0])
    captured, facts = _captured(path)
    assert 1 <= facts["lost"] <= 6
    assert sum(take.verdict.lost for take in captured.takes) == facts["lost"]


@pytest.mark.parametrize("content", [b"", b"nothing", b"TLTCJNL1", b"TLTCJNL1" + bytes(50)])
def test_what_is_no_journal(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x.journal"
    file.write_bytes(content)
    with pytest.raises(DataError, match=r"is not a journal|header of the journal is damaged"):
        recover([file], _console()[0])
    assert not (tmp_path / "x.npz").exists()
