"""The stored models: outputs of TensorFlow Lite Micro, reproduced bit for bit; float and state refused by name."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest
from compiled_model import CORTEX_M4, VECTORS, WARNINGS, build_cortex_m4, build_host, split_outputs, write_model

from toolchain.board import load_board
from toolchain.compiler.frontend import read_graph
from toolchain.compiler.interpret import interpret
from toolchain.compiler.pipeline import optimize
from toolchain.errors import ModelError
from toolchain.int8.flatbuffer import read_tflite

MODELS = ["ltc_rhs_int8", "ltc_step_int8", "ltc_step_int8pt", "ltc_step_split_int8", "ltc_step_16x8", "ltc_step_16x8pt"]


def stored(name):
    """Return the model's graph, its input cases and the outputs that TFLM gave."""
    graph = read_graph(read_tflite(VECTORS / f"{name}.tflite"))
    arrays = np.load(VECTORS / f"{name}_vectors.npz")
    count = len(arrays["in0"])
    cases = [[arrays[f"in{i}"][k] for i in range(len(graph.inputs))] for k in range(count)]
    expected = [[arrays[f"out{i}"][k] for i in range(len(graph.outputs))] for k in range(count)]
    return graph, cases, expected


def assert_same(found, expected):
    for found_case, expected_case in zip(found, expected, strict=True):
        for a, b in zip(found_case, expected_case, strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", MODELS)
def test_the_interpreter_gives_tflms_outputs_before_and_after_the_passes(name):
    graph, cases, expected = stored(name)
    for version in (graph, optimize(graph)):
        assert_same([interpret(version, case) for case in cases], expected)


@pytest.mark.parametrize("name", MODELS)
def test_the_compiled_c_gives_tflms_outputs_under_sanitizers(name, tmp_path):
    graph, cases, expected = stored(name)
    assert_same(build_host(optimize(graph), tmp_path).run(cases), expected)


@pytest.mark.parametrize("name", MODELS)
def test_the_cortex_m4_gives_tflms_outputs(name, tmp_path):
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    pytest.importorskip("unicorn", reason="Unicorn is not installed (tinyltc[emulator])")
    from toolchain.emulator.board import VirtualBoard

    graph, cases, expected = stored(name)
    graph = optimize(graph)
    elf = build_cortex_m4(graph, cases, tmp_path)
    code = subprocess.run(["arm-none-eabi-objdump", "-d", elf], capture_output=True, text=True, check=True).stdout
    assert "smlad" in code
    assert "sxtb16" in code
    board = VirtualBoard(load_board("nrf52840"), elf)
    board.run(1.0)
    assert not board.faults
    assert_same(split_outputs(graph, board.read_symbol("outputs"), len(cases)), expected)


@pytest.mark.parametrize("name", MODELS[:1] + MODELS[-1:])
def test_the_sources_are_free_of_warnings_in_c_and_cpp(name, tmp_path):
    source = write_model(optimize(stored(name)[0]), tmp_path)
    runs = [
        ["cc", "-std=c11", "-O2"],
        ["gcc", "-std=c11", "-O1", "-fanalyzer"],
        ["c++", "-x", "c++", "-std=c++14", "-O2"],
    ]
    if shutil.which("arm-none-eabi-gcc"):
        runs += [["arm-none-eabi-gcc", *CORTEX_M4, "-std=c11", level] for level in ("-O0", "-Os", "-O3")]
    for command in runs:
        subprocess.run([*command, *WARNINGS, "-c", source, "-o", tmp_path / "o"], check=True)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
@pytest.mark.parametrize("name", MODELS)
def test_the_analyzer_finds_nothing(name, tmp_path):
    source = write_model(optimize(stored(name)[0]), tmp_path)
    command = ["gcc", "-std=c11", "-O1", "-fanalyzer", *WARNINGS, "-c", source, "-o", tmp_path / "o"]
    subprocess.run(command, check=True)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ltc_step_f32", r"Operator 0 \(FULLY_CONNECTED, which makes FLOAT32 tensor 'MatMul_1;add_1'\)"),
        ("ltc_state_int8", r"Operator 0 \(DEQUANTIZE, which makes FLOAT32 tensor 'tfl.dequantize'\)"),
    ],
)
def test_float_and_state_are_refused_by_name(name, said):
    with pytest.raises(ModelError, match=said):
        read_graph(read_tflite(VECTORS / f"{name}.tflite"))
