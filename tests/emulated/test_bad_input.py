"""Bad input on the command line: one sentence, a non-zero exit, no traceback, nothing half-written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from small_project import small_project

from toolchain.project import DATASETS
from toolchain.recordings.catalog import as_collection, load_set
from toolchain.recordings.storage import save_set
from toolchain.runs import Run


def tinyltc(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command with ``folder``/runs as its runs."""
    return subprocess.run(
        [sys.executable, "-m", "toolchain.cli", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(DATASETS.parent), "COLUMNS": "300"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def refused(result: subprocess.CompletedProcess[str], *words: str) -> None:
    assert result.returncode not in (0, -11), result.stdout
    assert "Traceback" not in result.stderr
    (sentence,) = [line for line in result.stderr.splitlines() if line.startswith("error:")]
    for word in words:
        assert word in sentence


@pytest.fixture
def runs(copy: Run, tmp_path: Path) -> Path:
    """A folder whose runs/copy is a whole run."""
    (tmp_path / "runs").mkdir()
    copy.path.rename(tmp_path / "runs" / "copy")
    return tmp_path


def spoiled_set(path: Path, spoil: str) -> None:
    project = small_project()
    collection = as_collection(load_set(project.data, project.task, 208.0))
    save_set(path, collection)
    arrays = dict(np.load(path, allow_pickle=False))
    if spoil == "nan":
        arrays["samples"][1000, 2] = np.nan
    elif spoil == "clipped":
        arrays["samples"][:, 0] = 500.0
    elif spoil == "class":
        arrays["labels"][arrays["labels"] == list(arrays["classes"]).index("tap")] = 0
    np.savez(path, **arrays)
    if spoil == "truncated":
        path.write_bytes(path.read_bytes()[:5000])


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ("nan", "NaN"),
        ("clipped", "goes beyond the range"),
        ("class", "'tap'"),
        ("truncated", "set.npz"),
        ("missing", "set.npz"),
    ],
)
def test_recordings_that_cannot_be_used(tmp_path: Path, spoil: str, words: str) -> None:
    if spoil != "missing":
        spoiled_set(tmp_path / "set.npz", spoil)
    refused(tinyltc(tmp_path, "train", "--data", "set.npz", "--epochs", "1"), words)
    assert not list(tmp_path.glob("runs/*/model.*"))


def test_unknown_board(tmp_path: Path) -> None:
    refused(tinyltc(tmp_path, "train", "--board", "nrf99"), "no board 'nrf99'", "nrf52840")


def test_unknown_run(tmp_path: Path) -> None:
    refused(tinyltc(tmp_path, "convert", "--run", "nope"), "tinyltc train --run nope")


def test_wrong_key_in_the_project_file(tmp_path: Path) -> None:
    (tmp_path / "tinyltc.toml").write_text('[task]\nname = "x"\nklasses = ["a"]\n')
    refused(tinyltc(tmp_path, "train", "--project", "tinyltc.toml"), "tinyltc.toml", "key 'task.")


def test_truncated_tflite(runs: Path) -> None:
    path = runs / "runs" / "copy" / "model.tflite"
    path.write_bytes(path.read_bytes()[:10_000])
    before = (path.parent / "model.bin").read_bytes()
    refused(tinyltc(runs, "generate", "--run", "copy"), "model.tflite")
    assert (path.parent / "model.bin").read_bytes() == before


def test_truncated_model_image(runs: Path) -> None:
    path = runs / "runs" / "copy" / "model.bin"
    path.write_bytes(path.read_bytes()[:10_000])
    before = (path.parent / "firmware" / "firmware.hex").read_bytes()
    refused(tinyltc(runs, "build", "--run", "copy"), "model.bin")
    assert (path.parent / "firmware" / "firmware.hex").read_bytes() == before


def test_missing_compiler(runs: Path) -> None:
    refused(tinyltc(runs, "build", "--run", "copy", PATH="/nonexistent"), "arm-none-eabi-gcc", "apt-get install")


def test_tflm_without_tflm_dir(runs: Path) -> None:
    refused(tinyltc(runs, "build", "--run", "copy", "--engine", "tflm", TFLM_DIR=""), "TFLM_DIR")


def test_every_command_has_help_with_an_example(tmp_path: Path) -> None:
    commands = ("data", "train", "convert", "generate", "build", "run", "report", "all")
    overview = tinyltc(tmp_path, "--help").stdout
    for command in commands:
        assert command in overview
        assert f"Example: tinyltc {command}" in tinyltc(tmp_path, command, "--help").stdout
