"""The tflm engine in firmware, as far as that goes without TensorFlow Lite Micro."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from rich.console import Console

from toolchain.board import Board
from toolchain.build import build
from toolchain.codegen.generate import generate
from toolchain.errors import BuildError
from toolchain.runs import Run

TFLM_STUB = Path(__file__).parents[1] / "codegen" / "tflm_stub"
"""Declarations of the TFLM symbols that the engine uses; no code."""


def test_tflm_compiles_with_the_firmwares_flags_and_links_the_librarys_symbols(
    generated_run: Run, board: Board, console: Console, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    checkout = tmp_path / "checkout"
    shutil.copytree(TFLM_STUB, checkout)
    library = checkout / "gen/cortex_m_generic_cortex-m4+fp_default_cmsis_nn_gcc/lib/libtensorflow-microlite.a"
    library.parent.mkdir(parents=True)
    subprocess.run(["arm-none-eabi-ar", "rcs", str(library)], check=True)
    monkeypatch.setenv("TFLM_DIR", str(checkout))
    run = Run(tmp_path / "run")
    run.path.mkdir()
    for path in (generated_run.model_json, generated_run.tflite, generated_run.project_json):
        shutil.copyfile(path, run.path / path.name)
    generate(run, board, "tflm", console)
    with pytest.raises(BuildError, match="undefined reference to `tflite::"):
        build(run, board, "tflm", console)
    assert not run.firmware.exists()
