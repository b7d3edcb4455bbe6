"""Small .tflite graphs that need every kernel which the compiler can write into its C."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from compiled_model import write_model
from small_graphs import LOGISTIC, TANH, Net

from toolchain.compiler.ir import DTYPES, Graph
from toolchain.compiler.pipeline import optimize

HALF = {"type_": "INT16", "zero_point": 0}
UNIT = {"scale": 2.0**-15, **HALF}


def _dense_with_long_bias(net: Net, source: int, bias: list[int]) -> int:
    """FULLY_CONNECTED of int16 with an int64 bias: sums of 32 bits where it is small, else of 64."""
    tensor = net.tensors[source]
    weights = net.rng.integers(-127, 128, (len(bias), tensor.shape[-1])).astype(np.int8)
    w = net.tensor(weights.shape, 0.02, 0, data=weights)
    b = net.tensor((len(bias),), tensor.scale * net.tensors[w].scale, 0, "INT64", np.array(bias, np.int64))
    return net.op("FULLY_CONNECTED", [source, w, b], (1, len(bias)), scale=2.0**-10, **HALF)


def _per_channel(net: Net, output: int) -> int:
    """Give the weights that make ``output`` a scale for each row."""
    (operator,) = [each for each in net.operators if each.outputs == (output,)]
    for place in operator.inputs[1:]:
        tensor = net.tensors[place]
        rows = tensor.shape[0]
        scales = tuple(float(np.float32(tensor.scale * (1 + row / 2))) for row in range(rows))
        net.tensors[place] = replace(tensor, scales=scales, zero_points=(0,) * rows)
    return output


def _dense_bytes() -> Graph:
    net = Net()
    x = net.input(1, 5)
    fast = _per_channel(net, net.dense(x, 3, {"activation": "RELU6"}))
    table = net.op("TANH", [net.dense(x, 5)], (1, 5), **TANH)
    up = net.dense(x, 3, scale=0.0005)
    return net.graph(fast, table, up)


def _dense_halves() -> Graph:
    net = Net()
    x = net.input(1, 5, scale=2.0**-12, **HALF)
    words = net.dense(x, 3, scale=2.0**-10, **HALF)
    wide = _dense_with_long_bias(net, x, [-900, 7, 800])
    long = _dense_with_long_bias(net, x, [2**40, -(2**40), 5])
    return net.graph(words, wide, long)


def _bytes() -> Graph:
    net = Net()
    x, y = net.input(1, 3), net.input(1, 3)
    product = net.op("MUL", [x, y], (1, 3), scale=0.01)
    difference = net.op("SUB", [product, y], (1, 3))
    joined = net.op("CONCATENATION", [difference, y], (1, 6), {"axis": 1})
    added = net.op("ADD", [joined, net.tensor((1,), data=np.array([7], np.int8))], (1, 6))
    bent = net.op("LOGISTIC", [added], (1, 6), **LOGISTIC)
    both = net.op("ADD", [x, y], (1, 3))
    soft = net.op("SOFTMAX", [x], (1, 3), {"beta": 1.0}, **LOGISTIC)
    fine = net.op("SOFTMAX", [y], (1, 3), {"beta": 1.0}, scale=2.0**-16, zero_point=-(2**15), type_="INT16")
    halves = net.op("QUANTIZE", [difference], (1, 3), scale=0.001, **HALF)
    return net.graph(bent, both, soft, fine, halves)


def _halves() -> Graph:
    net = Net()
    x = net.input(1, 3, scale=2.0**-12, **HALF)
    tanh = net.op("TANH", [x], (1, 3), **UNIT)
    logistic = net.op("LOGISTIC", [x], (1, 3), **UNIT)
    product = net.op("MUL", [tanh, logistic], (1, 3), **UNIT)
    total = net.op("ADD", [product, tanh], (1, 3), scale=2.0**-14, **HALF)
    difference = net.op("SUB", [total, logistic], (1, 3), scale=2.0**-14, **HALF)
    soft = net.op("SOFTMAX", [difference], (1, 3), {"beta": 1.0}, **UNIT)
    return net.graph(soft, net.op("QUANTIZE", [difference], (1, 3)))


NETS: dict[str, Callable[[], Graph]] = {
    "dense_bytes": _dense_bytes,
    "dense_halves": _dense_halves,
    "bytes": _bytes,
    "halves": _halves,
}


def write_net(name: str, folder: Path) -> Path:
    """Write net.h, net.c, and ports.h with the arrays that a call of net_invoke needs; return ``folder``."""
    graph = optimize(NETS[name]())
    write_model(graph, folder)
    lines = []
    for kind, indices in (("in", graph.inputs), ("out", graph.outputs)):
        values = [graph.values[index] for index in indices]
        arrays = [f"{DTYPES[value.type].name}_t {kind}{i}[{value.size}];" for i, value in enumerate(values)]
        lines.append(f"#define NET_{kind.upper()}_ARRAYS {' '.join(arrays)}")
        lines.append(f"#define NET_{kind.upper()} {', '.join(f'{kind}{i}' for i in range(len(values)))}")
    (folder / "ports.h").write_text("\n".join(lines) + "\n")
    return folder
