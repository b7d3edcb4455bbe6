"""The ``KERN`` section: weights, requantization and tables of the `compiled` engine, laid out as topology.py says."""

from __future__ import annotations

import struct

import numpy as np
import numpy.typing as npt

from toolchain.codegen.topology import ACCUMULATOR_LIMIT, ROWS_TOGETHER, DenseLayout, Topology, quads
from toolchain.errors import ModelError
from toolchain.int8.network import Dense, Network

SHIFT_MIN, SHIFT_MAX = -20, -1
"""Exponents for which the short form of TFLM's two roundings is exact (firmware/engine/compiled/requantize.h)."""


def topology_of(network: Network, kind: str = "classes") -> Topology:
    """Return the shape of ``network``; raises ModelError for one that the engines do not support."""
    return Topology(network.inputs, tuple(network.units), network.outputs, kind)


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


def pack_rows(weights: npt.NDArray[np.int8], bias: npt.NDArray[np.int32]) -> npt.NDArray[np.uint32]:
    """Pack int8 (rows, inputs), multiples of 8 and 4, and their biases (rows,) as topology.py says.

    Returns (rows / 8, 1 + inputs / 4, 4, 2) words: of each eight rows the first sums, then the weights. Weights are
    -127..127, as the int8 specification of TFLite has them: 256 * -128 - 1 would not fit a lane.
    """
    groups, inputs = weights.shape[0] // ROWS_TOGETHER, weights.shape[1]
    # (group, pair of rows, upper or lower, quad, lane, first or second word)
    wide = weights.astype(np.int64).reshape(groups, ROWS_TOGETHER // 2, 2, inputs // 4, 2, 2)
    upper, lower = wide[:, :, 0], wide[:, :, 1]
    lanes = (256 * upper + lower) & 0xFFFF
    words = (lanes[..., 0, :] | lanes[..., 1, :] << 16).swapaxes(1, 2)
    biases = bias.astype(np.int64).reshape(groups, ROWS_TOGETHER // 2, 2)
    both = 512 * biases[..., 0] + 2 * biases[..., 1]
    second = 2 * biases[..., 1] - (lower[..., 0] * lower[..., 1]).sum(axis=(-1, -2))
    first = np.stack([both, second], axis=-1)[:, None]
    return (np.concatenate([first, words], axis=1) & 0xFFFFFFFF).astype("<u4")


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
    rows = np.zeros((layout.padded_rows, 4 * layout.row_quads), np.int8)
    taken, start = 0, 0
    for part in layout.parts:
        rows[: layout.rows, start : start + part] = dense.weights[:, taken : taken + part]
        taken += part
        start += 4 * quads(part)
    section[layout.rows_offset : layout.end] = pack_rows(rows, bias).tobytes()
