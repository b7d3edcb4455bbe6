"""The ``KERN`` section: weights, requantization and tables of the `compiled` engine, laid out as topology.py says."""

from __future__ import annotations

import struct

import numpy as np
import numpy.typing as npt

from toolchain.codegen.topology import ACCUMULATOR_LIMIT, ROWS_TOGETHER, DenseLayout, Topology, quads
from toolchain.errors import ModelError
from toolchain.int8.network import Dense, Network
from toolchain.ltc.prepare import Preparation
from toolchain.ltc.solvers import Solver

SHIFT_MIN, SHIFT_MAX = -20, -1
"""Exponents for which the short form of TFLM's two roundings is exact (firmware/engine/compiled/requantize.h)."""


def topology_of(
    network: Network,
    kind: str = "classes",
    solver: Solver = "semi_implicit",
    preparation: Preparation = "raw",
) -> Topology:
    """Return the shape of ``network`` under ``solver``; raises ModelError for one that the engines do not support."""
    rate_tables = 1 if network.shares_rates else len(network.units)
    return Topology(network.inputs, tuple(network.units), network.outputs, kind, solver, preparation, rate_tables)


def pack(network: Network) -> bytes:
    """Return the section's bytes; raises ModelError for numbers that the engine's arithmetic does not cover."""
    topology = topology_of(network)
    section = bytearray(topology.kern_bytes)
    for index, layer in enumerate(network.layers):
        start = topology.activation_offset + len(layer.tanh) * index
        section[start : start + len(layer.tanh)] = layer.tanh.tobytes()
    denses = [dense for layer in network.layers for dense in (layer.drive, layer.gate)] + [network.head]
    for layout, dense in zip(topology.denses, denses, strict=True):
        _pack_dense(section, layout, dense)
    return bytes(section)


def pack_rows(weights: npt.NDArray[np.int8], bias: npt.NDArray[np.int32], pair: bool = False) -> npt.NDArray[np.uint32]:
    """Pack int8 (rows, inputs) and their biases (rows,) as topology.py says; rows are a multiple of 8, inputs one of 4.

    With ``pair`` two inputs more stand at the front. Returns (rows / 8, words): of each eight rows the first sums, then
    the weights. Weights are -127..127, as the int8 specification of TFLite has them: 256 * -128 - 1 fits no lane.
    """
    # (group, pair of rows, upper or lower, input)
    rows = weights.astype(np.int64).reshape(-1, ROWS_TOGETHER // 2, 2, weights.shape[1])
    groups = len(rows)
    lanes = (256 * rows[:, :, 0] + rows[:, :, 1]) & 0xFFFF
    apart = 2 if pair else 0
    singles = lanes[..., :apart:2] | lanes[..., 1:apart:2] << 16
    # (group, pair of rows, quad, lane, first or second word)
    fours = lanes[..., apart:].reshape(groups, ROWS_TOGETHER // 2, -1, 2, 2)
    words = (fours[..., 0, :] | fours[..., 1, :] << 16).swapaxes(1, 2)
    lower = rows[:, :, 1, apart:].reshape(groups, ROWS_TOGETHER // 2, -1, 2)
    biases = bias.astype(np.int64).reshape(groups, ROWS_TOGETHER // 2, 2)
    both = 256 * biases[..., 0] + biases[..., 1]
    second = biases[..., 1] - lower.prod(axis=-1).sum(axis=-1)
    first = np.stack([both, second], axis=-1)
    parts = [part.reshape(groups, -1) for part in (first, singles, words)]
    return (np.concatenate(parts, axis=1) & 0xFFFFFFFF).astype("<u4")


def _check(layout: DenseLayout, dense: Dense) -> None:
    if dense.weights.min() < -127:
        raise ModelError(
            f"Tensor '{dense.name}' has a weight of -128, expected -127 to 127.",
            "TFLite's converter never makes one; convert the model again.",
        )
    reach = 128 * np.abs(dense.weights.astype(np.int64)).sum(axis=1) + np.abs(dense.bias.astype(np.int64))
    if reach.max() >= ACCUMULATOR_LIMIT:
        raise ModelError(
            f"Row {reach.argmax()} of tensor '{dense.name}' can reach a sum of {reach.max()}, expected less than "
            f"{ACCUMULATOR_LIMIT}.",
            "A bias so large says that its weights are next to zero: train longer. Else the layer is too wide.",
        )
    if not SHIFT_MIN <= dense.shift <= SHIFT_MAX:
        raise ModelError(
            f"Tensor '{dense.name}' scales its sums by {dense.multiplier / 2**31 * 2.0**dense.shift:.3g}, expected "
            "between 2**-21 and 1/2.",
            "Its weights or its outputs are next to zero: train longer.",
        )


def _pack_dense(section: bytearray, layout: DenseLayout, dense: Dense) -> None:
    _check(layout, dense)
    record = (dense.multiplier, dense.shift, dense.output_zero_point, 0)
    struct.pack_into("<4i", section, layout.requantize_offset, *record)
    bias = np.zeros(layout.padded_rows, np.int32)
    bias[: layout.rows] = dense.bias
    columns = _columns(layout)
    rows = np.zeros((layout.padded_rows, 4 * layout.row_quads + 2 * layout.pair), np.int8)
    rows[: layout.rows, columns] = dense.weights
    section[layout.rows_offset : layout.end] = pack_rows(rows, bias, layout.pair).tobytes()


def _columns(layout: DenseLayout) -> list[int]:
    """Where each input stands among the columns that pack_rows gets."""
    columns: list[int] = []
    start = 2 * layout.pair
    for number, part in enumerate(layout.parts):
        apart = 2 if layout.pair and number == 0 else 0
        columns += [*range(start, start + part - apart), *range(apart)]
        start += 4 * quads(part - apart)
    return columns
