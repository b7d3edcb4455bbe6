"""Random graphs: TensorFlow Lite Micro, the interpreter before and after the passes, and the compiled C agree."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from compiled_model import SANITIZERS, build_cortex_m4, build_host, split_outputs
from hypothesis import HealthCheck, given, settings
from random_graphs import graphs
from tflm_worker import Tflm

from toolchain.board import load_board
from toolchain.compiler.frontend import read_graph
from toolchain.compiler.interpret import interpret
from toolchain.compiler.pipeline import optimize
from toolchain.int8.flatbuffer import read_tflite

# Too slow to generate, too large: said of graphs that take longer to run than to draw.
RELAXED = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@pytest.fixture(scope="module")
def tflm():
    pytest.importorskip("tflite_micro", reason="tflite_micro is not installed")
    worker = Tflm()
    yield worker
    worker.close()


def agree(tflm, random_graph):
    cases = random_graph.cases
    expected = tflm.run(random_graph.tflite, cases)
    graph = read_graph(read_tflite(random_graph.tflite))
    small = optimize(graph)
    with tempfile.TemporaryDirectory() as folder:
        compiled = build_host(small, Path(folder), ("-O0", *SANITIZERS)).run(cases)
    for case, wanted, from_c in zip(cases, expected, compiled, strict=True):
        for found in (interpret(graph, case), interpret(small, case), from_c):
            for a, b in zip(found, wanted, strict=True):
                np.testing.assert_array_equal(a, b)


@settings(max_examples=30, derandomize=True, **RELAXED)
@given(graphs())
def test_thirty_random_graphs(tflm, random_graph):
    agree(tflm, random_graph)


@pytest.mark.slow
@settings(max_examples=300, print_blob=True, **RELAXED)
@given(graphs(most_operators=16))
def test_three_hundred_random_graphs(tflm, random_graph):
    agree(tflm, random_graph)


def agrees_on_the_cortex_m4(random_graph):
    from toolchain.emulator.board import VirtualBoard

    cases = random_graph.cases
    graph = optimize(read_graph(read_tflite(random_graph.tflite)))
    with tempfile.TemporaryDirectory() as folder:
        board = VirtualBoard(load_board("nrf52840"), build_cortex_m4(graph, cases, Path(folder)))
    board.run(5.0)
    assert not board.faults
    outputs = split_outputs(graph, board.read_symbol("outputs"), len(cases))
    for case, found in zip(cases, outputs, strict=True):
        for a, b in zip(found, interpret(graph, case), strict=True):
            np.testing.assert_array_equal(a, b)


on_the_virtual_board = pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None, reason="arm-none-eabi-gcc is not installed"
)


@on_the_virtual_board
@settings(max_examples=5, derandomize=True, **RELAXED)
@given(graphs(most_operators=6))
def test_random_graphs_on_the_cortex_m4(random_graph):
    pytest.importorskip("unicorn", reason="Unicorn is not installed (tinyltc[emulator])")
    agrees_on_the_cortex_m4(random_graph)


@pytest.mark.slow
@on_the_virtual_board
@settings(max_examples=60, print_blob=True, **RELAXED)
@given(graphs())
def test_sixty_random_graphs_on_the_cortex_m4(random_graph):
    pytest.importorskip("unicorn", reason="Unicorn is not installed (tinyltc[emulator])")
    agrees_on_the_cortex_m4(random_graph)
