"""A whole capture over a pty: what comes out, and what stays safe when something goes wrong."""

from __future__ import annotations

import io
import json
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from toolchain.board import Board
from toolchain.capture.double import HELLO, ScriptedDevice
from toolchain.capture.journal import SUFFIX
from toolchain.capture.run import Asked, capture
from toolchain.capture.session import Rhythm
from toolchain.errors import ConfigError, LinkError
from toolchain.recordings.captured import Captured
from toolchain.recordings.codes import to_si
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


def test_from_prompts_to_a_file(asked: Asked, device: ScriptedDevice, folder: Path) -> None:
    console, text = _console()
    path = capture(replace(asked, labels=("swipe_left", "tap", "none")), console)
    assert path == folder / "ann-s1.npz"
    assert not list(folder.glob(f"*{SUFFIX}")), "the journal is gone when the file is whole"
    captured, facts = _captured(path)
    assert captured.classes == ("none", "swipe_left", "tap")
    assert [take.prompt for take in captured.takes] == ["swipe_left", "tap", "none"] * 2
    assert (facts["lost"], facts["duplicates"], facts["finished"], facts["restarts"]) == (0, 0, True, 0)
    assert {(t.recording.person, t.recording.session, t.recording.mounting) for t in captured.takes} == {
        ("ann", "s1", "left wrist")
    }
    for take in captured.takes:
        assert take.verdict.level == "good", take.verdict.reasons
        assert abs(take.verdict.rate_hz / device.wearer.rate_hz - 1) < 1e-3
        # Codes and stamps as the device sent them, beside what they mean.
        assert np.array_equal(take.recording.samples, to_si(take.raw.codes, asked.board.imu))
        assert np.array_equal(take.recording.t_us, take.raw.device_us - take.raw.device_us[0])
        assert (np.diff(take.raw.index) == 1).all()
        assert (np.diff(take.raw.host_us) >= 0).all()
    # Takes tile the session: between two of them not one sample is missing.
    for before, after in zip(captured.takes, captured.takes[1:], strict=False):
        assert after.raw.index[0] == before.raw.index[-1] + 1
    assert "6 recordings" in text.getvalue()


def test_the_motion_itself_is_labelled(asked: Asked, device: ScriptedDevice) -> None:
    captured, _ = _captured(capture(asked, _console()[0]))
    assert len(device.wearer.performed) == 4
    for take, (label, start, end) in zip(captured.takes, device.wearer.performed, strict=True):
        index = captured.classes.index(label)
        inside = np.flatnonzero(take.recording.labels == index)
        assert set(np.unique(take.recording.labels)) == {0, index}
        assert (np.diff(inside) == 1).all()
        found = take.raw.device_us[inside[[0, -1]]] * 1e-6
        assert abs(found[0] - start) < 0.2
        assert abs(found[1] - end) < 0.2


def test_losses_are_told_where_they_are(asked: Asked, device: ScriptedDevice) -> None:
    gone = {400, 401, 402, 900}
    device.spoil = lambda frame, number: b"" if number in gone else frame
    captured, facts = _captured(capture(asked, _console()[0]))
    assert facts["lost"] == 4
    assert [hole[1:] for hole in facts["holes"]] == [[400, 3], [900, 1]]
    told = {
        int(take.raw.index[loss.row]) - loss.count: loss.count
        for take in captured.takes
        for loss in take.verdict.losses
    }
    assert told == {400: 3, 900: 1}
    assert sum(take.verdict.lost for take in captured.takes) == 4


def test_what_the_device_lost_is_told_apart(asked: Asked, device: ScriptedDevice) -> None:
    device.lost_in_device = set(range(700, 705))
    captured, facts = _captured(capture(asked, _console()[0]))
    assert (facts["lost"], facts["device_lost"]) == (0, 5)
    assert [(x.where, x.count) for take in captured.takes for x in take.verdict.losses] == [("device", 5)]


def test_a_burst_of_noise_makes_one_recording_bad_and_no_other(asked: Asked, device: ScriptedDevice) -> None:
    device.spoil = lambda frame, number: b"\x13\x37" * 9 if 800 <= number < 900 else frame
    captured, facts = _captured(capture(asked, _console()[0]))
    # Without a delimiter the noise takes the next frame with it.
    assert facts["lost"] == 101
    assert [take.verdict.level for take in captured.takes].count("bad") == 1
    bad = next(take for take in captured.takes if take.verdict.bad)
    assert bad.verdict.reasons[0].startswith("101 samples lost (101 at ")


def test_nobody_moves(asked: Asked, device: ScriptedDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "perform", lambda *_: None)
    captured, _ = _captured(capture(asked, _console()[0]))
    for take in captured.takes:
        assert take.verdict.bad
        assert "no motion answers the prompt" in take.verdict.reasons
        assert (take.recording.labels == -1).all()


def test_the_board_restarts(asked: Asked, device: ScriptedDevice) -> None:
    pulled = threading.Timer(0.25, device.restart)
    pulled.start()
    captured, facts = _captured(capture(asked, _console()[0]))
    pulled.join()
    assert facts["restarts"] == 1
    assert [take.prompt for take in captured.takes] == ["swipe_left", "tap"] * 2, "the one under way came again"
    assert not any(take.verdict.bad for take in captured.takes)


def test_unplugged(asked: Asked, device: ScriptedDevice, folder: Path) -> None:
    device.spoil = lambda frame, number: (device._stop.set(), b"")[1] if number == 1300 else frame
    threading.Thread(target=lambda: (device._stop.wait(), device.unplug())).start()
    with pytest.raises(LinkError, match=r"disappeared.*Everything received until then is in .*ann-s1\.npz"):
        capture(asked, _console()[0])
    captured, facts = _captured(folder / "ann-s1.npz")
    assert not facts["finished"]
    assert captured.takes[-1].verdict.bad
    assert "cut: the capture ended in the middle of it" in captured.takes[-1].verdict.reasons
    assert not any(take.verdict.bad for take in captured.takes[:-1])
    assert int(captured.takes[-1].raw.index[-1]) == 1299, "the very last sample that came is there"


def test_two_captures_on_one_port(asked: Asked, device: ScriptedDevice, folder: Path) -> None:
    device.speed = 5.0
    outcome: list[BaseException] = []

    def second() -> None:
        time.sleep(0.3)
        try:
            from toolchain.wire.link import Link

            Link(device.path).close()
        except BaseException as error:
            outcome.append(error)

    other = threading.Thread(target=second)
    other.start()
    path = capture(replace(asked, labels=("tap",), repeat=1), _console()[0])
    other.join()
    assert isinstance(outcome[0], LinkError)
    assert "is in use" in str(outcome[0])
    assert load_captured(path).takes[0].verdict.level == "good"


@pytest.mark.parametrize(
    ("hello", "said"),
    [
        (replace(HELLO, protocol=2), "speaks protocol 2, this toolchain 1"),
        (replace(HELLO, board="thing"), "is the board 'thing', not 'nrf52840'"),
        (replace(HELLO, imu_status=1), "finds no IMU"),
    ],
)
def test_another_device(
    asked: Asked, device: ScriptedDevice, folder: Path, hello, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolchain.capture.run._BOOT_S", 0.2)
    device.hello = hello
    with pytest.raises(LinkError, match=said):
        capture(asked, _console()[0])
    assert not folder.exists()


def test_wrong_options(asked: Asked, folder: Path) -> None:
    console, _ = _console()
    for change, said in (
        ({"labels": ("tap", "tap")}, "named twice"),
        ({"labels": ("a,b",)}, "cannot be the name"),
        ({"labels": ("x" * 40,)}, "cannot be the name"),
        ({"person": "../x"}, "not a name for a person"),
        ({"session": "a b"}, "not a name for a session"),
        ({"emulator": "virtual"}, "exclude each other"),
        ({"port": None, "emulator": "renode"}, "Nothing can be captured"),
    ):
        with pytest.raises(ConfigError, match=said):
            capture(replace(asked, **change), console)
    folder.mkdir()
    (folder / "ann-s1.npz").touch()
    with pytest.raises(ConfigError, match="exists already"):
        capture(asked, console)
