"""The commands: what they refuse, and that ``tinyltc data`` is both a command and a group."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from toolchain.cli import app
from toolchain.errors import ConfigError, DataError
from toolchain.recordings.recording import Collection, Recording
from toolchain.recordings.storage import save_set


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments: str) -> str:
        result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    return invoke


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        (("capture",), ConfigError, "Which gesture"),
        (("capture", "x.journal"), ConfigError, "What shall be done with x.journal"),
        (("capture", "--labels", "tap", "--set", "../up"), ConfigError, "not a name for a set"),
        (("capture", "--labels", "tap", "--board", "none"), ConfigError, "no board 'none'"),
        (("capture", "--labels", "tap", "--port", "/dev/none"), Exception, "no serial port '/dev/none'"),
        (("capture", "--recover", "x.journal"), DataError, "does not exist"),
        (("data", "inspect", "x.npz"), DataError, "does not exist"),
        (("data", "review", "x.npz"), DataError, "does not exist"),
        (("data", "export", "x.npz", "x.csv"), DataError, "does not exist"),
        (("data", "card", "x.csv"), DataError, "does not exist"),
        (("data", "apply", "x.npz", "x.json"), DataError, "does not exist"),
    ],
)
def test_refused_in_one_sentence(run, arguments: tuple[str, ...], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        run(*arguments)
    assert not [path for path in Path().iterdir() if path.suffix in (".csv", ".npz", ".html")]


def test_nothing_to_recover(run, tmp_path: Path) -> None:
    (tmp_path / "captures").mkdir()
    with pytest.raises(DataError, match="nothing to recover"):
        run("capture", "--recover")


def test_data_is_a_command_and_a_group(run, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    recordings = []
    for person in ("ann", "bob", "cy"):
        samples = rng.normal(0, 0.1, (400, 6)).astype(np.float32)
        samples[:, 2] += 9.81
        labels = np.zeros(400, np.int16)
        labels[100:200] = 1
        recordings.append(Recording(samples, np.arange(400, dtype=np.int64) * 5000, labels, person))
    save_set(tmp_path / "x.npz", Collection("x", ("none", "tap"), "none", tuple(recordings)))
    assert "people" in run("data", "--data", "npz", "--path", "x.npz", "--run", "r")
    assert (tmp_path / "runs" / "r" / "data.png").exists()
    assert "3 good, 0 suspect, 0 bad" in run("data", "inspect", "x.npz")
    run("data", "export", "x.npz", "x.csv")
    run("data", "import", "x.csv", "y.npz")
    assert "tap" in run("data", "card", "y.npz")
    run("data", "review", "y.npz", "--no-serve")
    assert (tmp_path / "y.review.html").exists()
