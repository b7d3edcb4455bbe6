"""The rows of `tinyltc bench step`: what they hold, that they agree with each other, and when there are none."""

from __future__ import annotations

import dataclasses
import io
import json
import shutil
from pathlib import Path

import pytest
from bench_support import LAYERS
from elftools.elf.elffile import ELFFile
from rich.console import Console
from typer.testing import CliRunner

from toolchain.bench import table
from toolchain.bench.figures import Figures, measure
from toolchain.bench.reference_run import write_reference_run
from toolchain.bench.step import bench_step
from toolchain.board import Board
from toolchain.cli import app
from toolchain.errors import BuildError, MissingToolError, ModelError, ParityError
from toolchain.files import read_json, write_json
from toolchain.int8.flatbuffer import read_tflite
from toolchain.ltc.prepare import Preparation

KEYS = {
    *("engine", "option", "cycles", "cycles_2ws", "instructions", "engine_flash_bytes", "model_flash_bytes"),
    *("ram_bytes", "boot_cycles", "elf"),
}


def test_every_row_has_the_keys_and_names_a_file_that_exists(measured: list[Figures]) -> None:
    rows = json.loads(table.to_json(measured))
    assert len(rows) >= 2
    for row in rows:
        assert row.keys() >= KEYS
        assert Path(row["elf"]).is_file()
        assert row["source"]["cycles"] == "emulated (cycle estimate)"
        assert row["cycles_min"] <= row["cycles"] == row["cycles_max"] < row["cycles_2ws"]
        assert len(row["steps"]) == 64
        assert all(isinstance(row[key], int) and row[key] > 0 for key in KEYS - {"engine", "option", "elf"})


def test_json_is_all_that_the_command_prints(tmp_path: Path) -> None:
    command = ["bench", "step", "--json", "--engine", "compiled", "--layers", "4", "--out", str(tmp_path)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.stderr
    assert {row["engine"] for row in json.loads(result.stdout)} == {"compiled"}
    assert "measuring compiled-flash" in result.stderr


def test_functions_add_up_to_the_step(measured: list[Figures]) -> None:
    for row in measured:
        worst = row.worst
        assert sum(function.cycles for function in row.functions) == worst.cycles
        assert sum(function.instructions for function in row.functions) == worst.instructions
        assert sum(function.cycles_2ws for function in row.functions) == worst.cycles_2ws
        assert {"bench_step", "tl_engine_rhs"} <= {function.name for function in row.functions}


def test_the_bytes_of_flash_have_one_owner_each(in_flash: Figures) -> None:
    with in_flash.image.elf.open("rb") as stream:
        loaded = sum(segment["p_filesz"] for segment in ELFFile(stream).iter_segments("PT_LOAD"))
    sizes = in_flash.sizes
    # Between sections there may be padding.
    assert 0 <= loaded - (sizes.engine + sizes.reader + sizes.model + sizes.apart) < 32
    assert sizes.model == sum(in_flash.image.model_sections.values())
    assert sizes.reader > 1000 < sizes.engine


def test_weights_in_ram_are_ram_and_cost_no_wait_states(in_flash: Figures, in_ram: Figures) -> None:
    kernels = in_flash.image.model_sections["KERN"]
    assert in_ram.ram_bytes - in_flash.ram_bytes in range(kernels, kernels + 16)
    assert in_ram.worst.instructions == in_flash.worst.instructions
    assert in_ram.worst.flash_words < in_flash.worst.flash_words / 2


def test_ram_is_that_of_the_recognizer_alone(in_flash: Figures) -> None:
    states, context = 4 * sum(LAYERS), 100
    assert states + context < in_flash.ram_bytes < 1024


def test_markdown_has_a_line_for_every_row(measured: list[Figures]) -> None:
    lines = table.markdown(measured).splitlines()
    assert len([line for line in lines if line.startswith("| compiled")]) == len(measured)
    assert len({line.count("|") for line in lines if line.startswith("|")}) == 1


def test_the_terminal_shows_the_table_and_the_functions(measured: list[Figures]) -> None:
    console = Console(file=io.StringIO(), width=120)
    table.show(measured, console)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert text.count("self time, emulated (cycle estimate)") == len(measured)
    assert f"{measured[0].worst.cycles:,}" in text


def test_an_image_with_wrong_outputs_gives_no_figures(in_flash: Figures, tmp_path: Path) -> None:
    elf = tmp_path / "bench.elf"
    data = bytearray(in_flash.image.elf.read_bytes())
    with in_flash.image.elf.open("rb") as stream:
        inputs = ELFFile(stream).get_section_by_name(".inputs")
        data[inputs["sh_offset"] + 5 * 16 + 1] ^= 0x40  # a code of the sixth stored input
    elf.write_bytes(data)
    shutil.copyfile(in_flash.image.elf.with_suffix(".map"), elf.with_suffix(".map"))
    with pytest.raises(ParityError, match="outputs of step 5 are not those of the reference"):
        measure(dataclasses.replace(in_flash.image, elf=elf))


@pytest.mark.parametrize("preparation", ["difference", "high_pass"])
def test_a_preparation_is_part_of_the_step(
    board: Board, quiet: Console, tmp_path: Path, in_flash: Figures, preparation: Preparation
) -> None:
    """Its outputs are the reference's, or there were no figures; what it remembers goes from step to step."""
    run = write_reference_run(tmp_path / "network", board, LAYERS, preparation=preparation)
    prepared = bench_step(board, quiet, run=run, engine="compiled", out=tmp_path / "bench")[0]
    assert {"tl_difference_read", "tl_difference_take"} <= {function.name for function in prepared.functions}
    assert not any("difference" in function.name for function in in_flash.functions)
    assert prepared.worst.cycles > in_flash.worst.cycles


def test_a_run_that_is_not_converted_is_named(board: Board, quiet: Console, tmp_path: Path) -> None:
    run = write_reference_run(tmp_path / "bare", board, (4,))
    write_json(run.model_json, read_json(run.model_json, ModelError, "") | {"int8": None})
    with pytest.raises(ModelError, match="is not converted"):
        bench_step(board, quiet, run=run, engine="compiled", out=tmp_path)


def test_without_a_compiler_the_line_that_installs_it(
    board: Board, quiet: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingToolError, match="arm-none-eabi-gcc is not on PATH"):
        bench_step(board, quiet, layers=(4,), engine="compiled", out=tmp_path)


def test_a_wrong_tflm_dir_is_told_before_anything_is_measured(
    board: Board, quiet: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TFLM_DIR", str(tmp_path))
    with pytest.raises(BuildError, match="is no tflite-micro checkout"):
        bench_step(board, quiet, layers=(4,), out=tmp_path)


def test_without_tflm_dir_its_rows_are_skipped_with_one_line(
    board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TFLM_DIR", raising=False)
    console = Console(file=io.StringIO(), width=200)
    assert bench_step(board, console, layers=(4,), engine="tflm", out=tmp_path) == []
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().splitlines() == ["Skipped the rows of TensorFlow Lite Micro: TFLM_DIR is not set."]


def test_a_graph_that_is_not_there_is_named(board: Board, quiet: Console, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nothing\.tflite does not exist"):
        bench_step(board, quiet, tflite=[tmp_path / "nothing.tflite"], out=tmp_path / "out")


def test_random_weights_are_the_same_every_time_and_have_the_shape(board: Board, tmp_path: Path) -> None:
    first, second = (write_reference_run(tmp_path / name, board) for name in "ab")
    assert first.tflite.read_bytes() == second.tflite.read_bytes()
    weights = [
        tensor for tensor in read_tflite(first.tflite).tensors if tensor.data is not None and len(tensor.shape) == 2
    ]
    assert sum(tensor.shape[0] * tensor.shape[1] for tensor in weights) == 17_472
