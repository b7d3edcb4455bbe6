"""FULLY_CONNECTED: which kernel is chosen, at the edges of what each may do, and that host and Cortex-M4 agree."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from compiled_model import build_cortex_m4, build_host, split_outputs
from small_graphs import TANH, Net
from tflm_worker import Tflm

from toolchain.board import load_board
from toolchain.compiler import packing
from toolchain.compiler.interpret import interpret
from toolchain.compiler.ops.dense import Part
from toolchain.compiler.pipeline import optimize

PAIR_EDGE = 2**23 // 128
"""Sum of a row's absolute weights at which its sum of products can reach -2^23."""


def one(weights, *, type_="INT8", bias="INT32", largest_bias=900, output_scale=None, zero_point=3, per_channel=False):
    """A net of one FULLY_CONNECTED with these weights; its outputs spread over their type."""
    net = Net(7)
    rows, depth = weights.shape
    zero_point = zero_point if type_ == "INT8" else 0
    x = net.input(2, depth, type_=type_, scale=0.05, zero_point=zero_point)
    scales = [0.02 / (1 + row % 5) for row in range(rows)] if per_channel else [0.02]
    scales = [float(np.float32(scale)) for scale in scales]
    w = net.tensor((rows, depth), 0.02, 0, data=weights.astype(np.int8))
    net.tensors[w] = net.tensors[w].__class__(
        **{**vars(net.tensors[w]), "scales": tuple(scales), "zero_points": (0,) * len(scales)}
    )
    inputs = [x, w]
    if bias:
        numbers = net.rng.integers(-largest_bias, largest_bias + 1, rows)
        dtype = np.int32 if bias == "INT32" else np.int64
        inputs.append(net.tensor((rows,), 0.05 * 0.02, 0, bias, numbers.astype(dtype)))
    if output_scale is None:
        spread = 127 * np.sqrt((weights.astype(float) ** 2).sum(axis=1)).max()
        output_scale = 0.001 * spread / 80
    y = net.op("FULLY_CONNECTED", inputs, (2, rows), type_=type_, scale=output_scale, zero_point=zero_point)
    return net, y


def random_weights(rows, depth, low=-127, high=127):
    return np.random.default_rng(rows * depth).integers(low, high + 1, (rows, depth))


def edge(total, depth=520):
    """One row whose absolute weights add up to ``total``, all positive."""
    row = np.full(depth, total // depth)
    row[: total - row.sum()] += 1
    assert row.sum() == total
    assert row.max() <= 127
    return row[None]


CASES = {
    "pairs": (one(random_weights(9, 13)), "PAIRS"),
    "pairs per channel": (one(random_weights(6, 130), per_channel=True), "PAIRS"),
    "pairs without bias": (one(random_weights(64, 70), bias=None, zero_point=-128), "PAIRS"),
    "pairs of one": (one(random_weights(1, 1)), "PAIRS"),
    "pairs at the edge": (one(edge(PAIR_EDGE)), "PAIRS"),
    "past the edge": (one(edge(PAIR_EDGE + 1)), "WORDS_INT8"),
    "a weight of -128": (one(random_weights(5, 7, -128, -127)), "WORDS_INT8"),
    "a bias near 2^31": (one(random_weights(5, 7), largest_bias=2**30 + 2**29, output_scale=1e4), "WORDS_INT8"),
    "scaled up": (one(random_weights(5, 3, -1, 1), largest_bias=20, output_scale=5e-4), "WORDS_INT8"),
    "int16 and int32 bias": (one(random_weights(9, 13), type_="INT16"), "WORDS_INT16"),
    "wide": (one(random_weights(9, 13), type_="INT16", bias="INT64", largest_bias=2**20), "WIDE"),
    "wide per channel": (one(random_weights(7, 130), type_="INT16", bias=None, per_channel=True), "WIDE"),
    "wide at the edge": (one(edge(65535), type_="INT16", bias="INT64"), "WIDE"),
    "long": (one(edge(65537), type_="INT16", bias="INT64"), "LONG"),
    "a bias of more than 32 bits": (
        one(random_weights(9, 13), type_="INT16", bias="INT64", largest_bias=2**33, output_scale=300.0),
        "LONG",
    ),
    "scaled up, int16": (one(random_weights(5, 3, -1, 1), type_="INT16", bias=None, output_scale=2e-4), "WIDE"),
    "long of several rows": (one(random_weights(5, 1300, 100, 127), type_="INT16", bias=None), "LONG"),
}


def extremes(net, graph):
    """Random inputs, and all of them at either end of their type."""
    limits = {"INT8": (-128, 127, np.int8), "INT16": (-32768, 32767, np.int16)}
    (index,) = graph.inputs
    low, high, dtype = limits[graph.values[index].type]
    return [*net.cases(graph, 3), *([np.full(graph.values[index].shape, end, dtype)] for end in (low, high))]


@pytest.fixture(scope="module")
def tflm():
    pytest.importorskip("tflite_micro", reason="tflite_micro is not installed")
    worker = Tflm()
    yield worker
    worker.close()


@pytest.mark.parametrize("name", CASES)
def test_the_kernel_that_fits_is_chosen_and_exact(name, tmp_path, tflm):
    (net, y), kernel = CASES[name]
    graph = net.graph(y)
    part: Part = graph.nodes[0].parameters.parts[0]
    chosen = packing.choose_kernel(part.weights, part.folded_bias, part.parameters, graph.values[y].type)
    assert chosen == getattr(packing, kernel)
    cases = extremes(net, graph)
    expected = tflm.run(net.data(y), cases)
    for case, wanted in zip(cases, expected, strict=True):
        np.testing.assert_array_equal(interpret(graph, case)[0], wanted[0])
    assert len(np.unique(np.concatenate([outputs[0].reshape(-1) for outputs in expected]))) > 2
    for found, wanted in zip(
        build_host(graph, tmp_path, ("-O0", "-fsanitize=undefined")).run(cases), expected, strict=True
    ):
        np.testing.assert_array_equal(found[0], wanted[0])


ON_CORTEX_M4 = ["pairs per channel", "pairs at the edge", "a weight of -128", "int16 and int32 bias", "wide", "long"]


def test_each_kernel_on_the_cortex_m4(tmp_path):
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    pytest.importorskip("unicorn", reason="Unicorn is not installed (tinyltc[emulator])")
    from toolchain.emulator.board import VirtualBoard

    for name in ON_CORTEX_M4:
        (net, y), _ = CASES[name]
        graph = net.graph(y)
        cases = extremes(net, graph)
        folder = tmp_path / name
        folder.mkdir()
        board = VirtualBoard(load_board("nrf52840"), build_cortex_m4(graph, cases, folder))
        board.run(1.0)
        assert not board.faults
        for found, case in zip(split_outputs(graph, board.read_symbol("outputs"), len(cases)), cases, strict=True):
            np.testing.assert_array_equal(found[0], interpret(graph, case)[0])


def test_a_fused_table_takes_the_activation_in(tmp_path):
    net = Net(3)
    dense = net.dense(net.input(1, 20), 11, {"activation": "RELU6"}, scale=0.05)
    graph = net.graph(net.op("TANH", [dense], (1, 11), **TANH))
    small = optimize(graph)
    assert [node.op for node in small.nodes] == ["FULLY_CONNECTED"]
    cases = net.cases(graph, 20)
    for found, case in zip(build_host(small, tmp_path).run(cases), cases, strict=True):
        np.testing.assert_array_equal(found[0], interpret(graph, case)[0])


@pytest.mark.parametrize("shape", [(1, 1), (4, 4), (5, 9), (12, 130)])
def test_packing_holds_every_weight_once(shape):
    weights = random_weights(*shape)
    rows, groups = -(-shape[0] // 4), -(-shape[1] // 4)
    full = np.zeros((4 * rows, 4 * groups), int)
    full[: shape[0], : shape[1]] = weights
    words = packing.pack_pairs(weights.astype(np.int8)).reshape(rows, groups, 4)
    plain = packing.pack_words(weights.astype(np.int8), "INT8").reshape(rows, groups, 4)
    for r, g in np.ndindex(rows, groups):
        block = full[4 * r : 4 * r + 4, 4 * g : 4 * g + 4]
        for k in range(4):
            pair, inputs = k % 2, (0, 2) if k < 2 else (1, 3)
            lanes = np.array([words[r, g, k]], "<u4").view("<i2")
            assert list(lanes) == [256 * block[2 * pair, i] + block[2 * pair + 1, i] for i in inputs]
            assert list(np.array([plain[r, g, k]], "<u4").view("i1")) == list(block[k])
