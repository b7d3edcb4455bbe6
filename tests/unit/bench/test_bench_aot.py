"""The rows of engine `aot`: the C that `tinyltc generate` makes of a .tflite."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from toolchain.bench import table
from toolchain.bench.aot import NAME
from toolchain.bench.figures import Figures
from toolchain.bench.graph import output_check, stored_inputs
from toolchain.bench.step import bench_step
from toolchain.board import Board
from toolchain.compiler.generate import compile_model
from toolchain.errors import ConfigError
from toolchain.int8.flatbuffer import read_tflite
from toolchain.int8.tflm import interpreter

VECTORS = Path(__file__).parents[2] / "vectors"
WIDE, FLOAT = VECTORS / "ltc_step_16x8pt.tflite", VECTORS / "ltc_step_f32.tflite"


@pytest.fixture(scope="module")
def row(board: Board, tmp_path_factory: pytest.TempPathFactory) -> Figures:
    """The one row of an int16 graph; a float graph beside it is skipped with the reason."""
    console = Console(file=io.StringIO(), width=200)
    out = tmp_path_factory.mktemp("aot")
    (found,) = bench_step(board, console, layers=(4,), engine="aot", tflite=[FLOAT, WIDE], out=out)
    assert isinstance(console.file, io.StringIO)
    assert "Skipped aot-ltc_step_f32: Operator 0" in console.file.getvalue()
    return found


def test_the_models_numbers_are_the_model_and_all_else_the_engine(row: Figures) -> None:
    compiled = compile_model(WIDE.read_bytes(), NAME)
    tables = 2 * (256 + 513 + 513)  # the logistic function, and two of softmax
    # A single number may become part of an instruction.
    assert 0 <= compiled.emitted.constant_bytes - tables - row.sizes.model <= 4
    assert row.sizes.engine > tables + 1000
    assert row.sizes.reader == 0


def test_ram_is_arena_inputs_outputs_and_context(row: Figures) -> None:
    model = read_tflite(WIDE.read_bytes())
    ports = sum(2 * int(np.prod(model.tensors[index].shape)) for index in (*model.inputs, *model.outputs))
    least = compile_model(WIDE.read_bytes(), NAME).emitted.arena_bytes + ports + 4
    assert least <= row.ram_bytes <= least + 8


def test_one_call_is_one_step_on_every_stored_input(row: Figures) -> None:
    assert len(row.steps) == 16
    assert {"bench_step", f"{NAME}_invoke"} <= {function.name for function in row.functions}
    assert sum(function.cycles for function in row.functions) == row.worst.cycles


def test_an_int16_output_that_is_one_off_is_refused() -> None:
    data = WIDE.read_bytes()
    model = read_tflite(data)
    inputs = stored_inputs(model, WIDE)
    host = interpreter(data)
    for place, array in enumerate(inputs[0]):
        host.set_input(array, place)
    host.invoke()
    outputs = [host.get_output(place).astype(np.int16) for place in range(len(model.outputs))]

    class Core:
        """A core whose outputs lie at 0, 1, ..."""

        def read(self, name: str) -> bytes:
            return np.arange(len(outputs), dtype="<u4").tobytes()

        def read_at(self, address: int, size: int) -> bytes:
            return outputs[address].tobytes()[:size]

    core: Any = Core()
    exact, near = (output_check(data, model, inputs, exact=exact) for exact in (True, False))
    assert exact(core, 0)
    outputs[1].flat[3] ^= 1
    assert not exact(core, 0)
    assert near(core, 0)


def test_the_table_fits_80_columns_with_the_files_name_whole(row: Figures) -> None:
    console = Console(file=io.StringIO(), width=80)
    table.show([row], console)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert WIDE.name in text.split("Cycles:")[0]
    assert f"{row.worst.cycles:,} {row.cycles_2ws:,} {row.worst.instructions:,}" in text


def test_without_a_graph_there_is_nothing_to_measure(board: Board, quiet: Console, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Engine 'aot' measures graphs"):
        bench_step(board, quiet, engine="aot", out=tmp_path)
