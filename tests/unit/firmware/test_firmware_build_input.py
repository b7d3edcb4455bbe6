"""What `tinyltc build` says when something is missing or broken, and that nothing half-written stays."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from rich.console import Console

from toolchain.board import Board
from toolchain.build import build
from toolchain.errors import BuildError, ConfigError, MissingToolError
from toolchain.runs import Run


@pytest.fixture
def copied_run(generated_run: Run, tmp_path: Path) -> Run:
    run = Run(tmp_path / "run")
    run.path.mkdir()
    shutil.copytree(generated_run.generated, run.generated)
    shutil.copyfile(generated_run.image, run.image)
    return run


def test_a_missing_compiler_names_the_packages(
    copied_run: Run, board: Board, console: Console, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingToolError, match="apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi"):
        build(copied_run, board, "compiled", console)


def test_a_run_that_was_not_generated(board: Board, console: Console, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"main\.c does not exist.*tinyltc generate --run empty"):
        build(Run(tmp_path / "empty"), board, "compiled", console)


def test_an_unknown_engine(copied_run: Run, board: Board, console: Console) -> None:
    with pytest.raises(ConfigError, match="no engine 'onnx'"):
        build(copied_run, board, "onnx", console)


def test_a_run_generated_for_the_other_engine(copied_run: Run, board: Board, console: Console) -> None:
    (copied_run.generated / "engine_compiled.c").rename(copied_run.generated / "tflm_model.h")
    with pytest.raises(BuildError, match=r"engine_compiled\.c does not exist.*--engine compiled"):
        build(copied_run, board, "compiled", console)


@pytest.mark.parametrize(
    ("folder", "says"),
    [(None, "TFLM_DIR is not set"), ("", "no tflite-micro checkout"), ("checkout", "holds no libtensorflow")],
)
def test_tflm_without_a_built_checkout(
    copied_run: Run, board: Board, console: Console, monkeypatch: pytest.MonkeyPatch, folder: str | None, says: str
) -> None:
    (copied_run.generated / "tflm_model.h").write_text("")
    monkeypatch.delenv("TFLM_DIR", raising=False)
    if folder is not None:
        (copied_run.path / "checkout/tensorflow/lite/micro").mkdir(parents=True)
        monkeypatch.setenv("TFLM_DIR", str(copied_run.path / folder))
    with pytest.raises(BuildError, match=says):
        build(copied_run, board, "tflm", console)


def test_a_broken_source_gives_the_first_error_and_keeps_the_last_build(
    copied_run: Run, board: Board, console: Console
) -> None:
    copied_run.firmware.mkdir()
    (copied_run.firmware / "firmware.hex").write_text("the last good one")
    main = copied_run.generated / "main.c"
    main.write_text(main.read_text().replace("int main(void) {", "int main(void) { int unused_here;"))
    with pytest.raises(BuildError, match=r"main\.c:\d+.*error: unused variable 'unused_here'"):
        build(copied_run, board, "compiled", console)
    assert [path.name for path in copied_run.firmware.iterdir()] == ["firmware.hex"]
    assert (copied_run.firmware / "firmware.hex").read_text() == "the last good one"
