"""What `tinyltc build` says when something is missing or broken, and that nothing half-written stays."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from rich.console import Console

from toolchain.board import Board
from toolchain.build import build
from toolchain.errors import BuildError, ConfigError, MissingToolError, ModelError
from toolchain.ltc.modelspec import load_spec, save_spec
from toolchain.runs import Run


@pytest.fixture
def copied_run(generated_run: Run, tmp_path: Path) -> Run:
    run = Run(tmp_path / "run")
    run.path.mkdir()
    shutil.copytree(generated_run.generated, run.generated)
    for name in ("model.bin", "model.json", "model.tflite", "project.json"):
        if (generated_run.path / name).exists():
            shutil.copyfile(generated_run.path / name, run.path / name)
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


def test_an_image_of_an_older_network(copied_run: Run, board: Board, console: Console) -> None:
    spec = load_spec(copied_run.model_json)
    save_spec(copied_run.model_json, spec.model_copy(update={"time_scale": spec.time_scale * 2}))
    with pytest.raises(ModelError, match=r"model\.bin does not belong to model\.tflite.*tinyltc generate"):
        build(copied_run, board, "compiled", console)


def test_code_generated_for_another_board(copied_run: Run, board: Board, console: Console) -> None:
    header = copied_run.generated / "board_config.h"
    header.write_text(header.read_text().replace('"nrf52840"', '"other"'))
    with pytest.raises(ModelError, match=r"not made for board 'nrf52840'"):
        build(copied_run, board, "compiled", console)


@pytest.mark.parametrize(("key", "known"), [("soc", "nrf52840"), ("part", "lsm6dso")])
def test_a_board_with_parts_that_the_firmware_does_not_have(
    copied_run: Run, board: Board, console: Console, key: str, known: str
) -> None:
    other = {"soc": "z80"} if key == "soc" else {"imu": board.imu.model_copy(update={"part": "z80"})}
    with pytest.raises(ConfigError, match=rf"{key}'.*there is no 'z80'.*{known}"):
        build(copied_run, board.model_copy(update=other), "compiled", console)
