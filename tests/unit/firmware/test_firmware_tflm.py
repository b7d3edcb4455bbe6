"""The tflm engine in firmware without TensorFlow Lite Micro itself (that is tests/emulated/test_tflm.py)."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from firmware_host import HERE
from rich.console import Console

from toolchain.board import Board
from toolchain.build import build, find_tflm
from toolchain.codegen.generate import generate
from toolchain.errors import BuildError
from toolchain.runs import Run

TFLM_STUB = Path(__file__).parents[1] / "codegen" / "tflm_stub"
"""Declarations of the TFLM symbols that the engine uses; no code."""
MACHINE = ("-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard")
CXX_FLAGS = ("-Os", "-std=c++17", "-fno-exceptions", "-fno-rtti", "-fno-unwind-tables")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # Whoever has a checkout may have spaces in its path.
    path = tmp_path / "a checkout"
    shutil.copytree(TFLM_STUB, path)
    monkeypatch.setenv("TFLM_DIR", str(path))
    return path


@pytest.fixture
def tflm_run(generated_run: Run, board: Board, console: Console, tmp_path: Path) -> Run:
    run = Run(tmp_path / "run")
    run.path.mkdir()
    for path in (generated_run.model_json, generated_run.tflite, generated_run.project_json):
        shutil.copyfile(path, run.path / path.name)
    generate(run, board, "tflm", console)
    return run


def archive(checkout: Path, variant: str, *objects: Path) -> Path:
    library = checkout / f"gen/cortex_m_generic_cortex-m4+fp_{variant}_gcc/lib/libtensorflow-microlite.a"
    library.parent.mkdir(parents=True)
    subprocess.run(["arm-none-eabi-ar", "rcs", library, *objects], check=True)
    return library


def test_tflm_compiles_with_the_firmwares_flags_and_links_the_librarys_symbols(
    tflm_run: Run, board: Board, console: Console, checkout: Path
) -> None:
    archive(checkout, "default_cmsis_nn")
    with pytest.raises(BuildError, match="undefined reference to `tflite::"):
        build(tflm_run, board, "tflm", console)
    assert not tflm_run.firmware.exists()


def test_a_library_that_prints_and_asserts_brings_no_heap(
    tflm_run: Run, board: Board, console: Console, checkout: Path, tmp_path: Path
) -> None:
    objects = []
    for name, *flags in (("core",), ("debug_log", "-DDEBUG_LOG")):
        objects.append(tmp_path / f"{name}.o")
        source = HERE / "tflm_library.cc"
        command = ["arm-none-eabi-g++", *MACHINE, *CXX_FLAGS, *flags, f"-I{checkout}", "-c", source, "-o", objects[-1]]
        subprocess.run(command, check=True)
    archive(checkout, "default_cmsis_nn", *objects)
    build(tflm_run, board, "tflm", console)
    report = json.loads((tflm_run.firmware / "build.json").read_text())
    names = {symbol["name"] for symbol in report["symbols"]}
    assert "tl_engine_init" in names
    assert names.isdisjoint({"vsnprintf", "_svfprintf_r", "malloc", "_malloc_r", "_sbrk", "_sbrk_r", "fiprintf"})
    assert report["tflm"] == "cortex_m_generic_cortex-m4+fp_default_cmsis_nn_gcc"
    assert report["stack_bound_bytes"] is None


def test_the_best_of_several_libraries_is_linked(checkout: Path) -> None:
    archive(checkout, "no_tf_lite_static_memory_cmsis_nn")
    with pytest.raises(BuildError, match="holds no libtensorflow"):
        find_tflm(str(checkout))
    for variant in ("debug", "default", "default_cmsis_nn", "release", "release_cmsis_nn"):
        assert find_tflm_after(checkout, variant) == archived(variant)
    assert find_tflm_after(checkout, "release_with_logs_cmsis_nn") == archived("release_cmsis_nn")


def find_tflm_after(checkout: Path, variant: str) -> str:
    archive(checkout, variant)
    return find_tflm(str(checkout)).variant


def archived(variant: str) -> str:
    return f"cortex_m_generic_cortex-m4+fp_{variant}_gcc"
