"""Random graphs: TensorFlow Lite Micro, the interpreter before and after the passes, and the compiled C agree."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from compiled_model import build_host
from hypothesis import HealthCheck, given, settings
from random_graphs import graphs
from tflm_worker import Tflm

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


def agree(tflm, graph_and_cases):
    tflite, cases = graph_and_cases
    expected = tflm.run(tflite, cases)
    graph = read_graph(read_tflite(tflite))
    small = optimize(graph)
    with tempfile.TemporaryDirectory() as folder:
        compiled = build_host(small, Path(folder)).run(cases)
    for case, wanted, from_c in zip(cases, expected, compiled, strict=True):
        for found in (interpret(graph, case), interpret(small, case), from_c):
            for a, b in zip(found, wanted, strict=True):
                np.testing.assert_array_equal(a, b)


@settings(max_examples=30, derandomize=True, **RELAXED)
@given(graphs())
def test_thirty_random_graphs(tflm, graph_and_cases):
    agree(tflm, graph_and_cases)


@pytest.mark.slow
@settings(max_examples=300, print_blob=True, **RELAXED)
@given(graphs(most_operators=16))
def test_three_hundred_random_graphs(tflm, graph_and_cases):
    agree(tflm, graph_and_cases)
