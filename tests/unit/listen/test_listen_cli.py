"""The commands, against a fake device on a pty."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

import pytest
from fake_device import FakeDevice
from listen_support import obey
from typer.testing import CliRunner

from toolchain.cli import app
from toolchain.errors import ConfigError, LinkError
from toolchain.runs import Run
from toolchain.wire.messages import Decision, SetStreams


@pytest.fixture
def root(run: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of runs/, as the working directory."""
    (run.path.parent / "runs").mkdir()
    run.path.rename(run.path.parent / "runs" / "demo")
    monkeypatch.chdir(run.path.parent)
    return run.path.parent


def test_a_gesture_runs_a_command_and_is_logged(root: Path, device: FakeDevice) -> None:
    def react(request: object) -> list[object]:
        answers = obey(request)  # type: ignore[arg-type]
        if isinstance(request.body, SetStreams):  # type: ignore[attr-defined]
            threading.Timer(0.2, lambda: device.send(Decision(7, 2, 512, 99))).start()
        return list(answers)

    device.react = react  # type: ignore[assignment]
    done = root / "done"
    script = f"{sys.executable} -c \"open('{done}', 'w').write('{{label}}')\""
    asked = ["listen", "--port", device.path, "--board", "nrf52840", "--count", "1", "--exec", script]
    result = CliRunner().invoke(app, [*asked, "--log", "g.jsonl"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert done.read_text() == "swipe_right"
    assert json.loads((root / "g.jsonl").read_text())["label"] == "swipe_right"


@pytest.mark.parametrize("command", ["listen", "monitor"])
def test_bad_options(root: Path, command: str) -> None:
    with pytest.raises(ConfigError, match="exclude each other"):
        CliRunner().invoke(
            app, [command, "--port", "x", "--emulator", "virtual", "--board", "nrf52840"], catch_exceptions=False
        )
    with pytest.raises(LinkError, match="no serial port"):
        CliRunner().invoke(app, [command, "--port", "/dev/none", "--board", "nrf52840"], catch_exceptions=False)
