"""The ``KERN`` section: weights, requantization and tables of the `compiled` engine, laid out as topology.py says."""

from __future__ import annotations

import struct

import numpy as np
import numpy.typing as npt

from toolchain.codegen.topology import ACCUMULATOR_FACTOR, ROWS_TOGETHER, DenseLayout, Topology, words
from toolchain.errors import ModelError
from toolchain.int8.network import Dense, Network
from toolchain.ltc.prepare import Preparation

SHIFT_MIN, SHIFT_MAX = -20, -1
"""Exponents for which the short form of TFLM's two roundings is exact (firmware/engine/compiled/requantize.h)."""


def topology_of(network: Network, kind: str = "classes", preparation: Preparation = "raw") -> Topology:
    """Return the shape of ``network``; raises ModelError for one that the engines do not support."""
    return Topology(network.inputs, tuple(network.units), network.outputs, kind, preparation)


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


def pack_lanes(weights: npt.NDArray[np.int8]) -> npt.NDArray[np.uint32]:
    """Pack int8 (..., 4 * n) into words (..., n): lanes 256 * w0 + w1 and 256 * w2 + w3 (topology.py).

    Weights are -127..127, as the int8 specification of TFLite has them: 256 * -128 - 1 would not fit a lane.
    """
    wide = weights.astype(np.int32).reshape(*weights.shape[:-1], -1, 2, 2)
    lanes = (256 * wide[..., 0] + wide[..., 1]) & 0xFFFF
    return (lanes[..., 0] | lanes[..., 1] << 16).astype("<u4")


def _check(layout: DenseLayout, dense: Dense) -> None:
    largest = int(np.abs(dense.bias.astype(np.int64)).max())
    if largest > layout.bias_limit:
        raise ModelError(
            f"Tensor '{dense.name}' has a bias of {largest} steps, at most {layout.bias_limit} with "
            f"{layout.inputs} inputs.",
            "Its weights are next to zero: train longer.",
        )
    if dense.weights.min() < -127:
        raise ModelError(
            f"Tensor '{dense.name}' has a weight of -128, expected -127 to 127.",
            "TFLite's converter never makes one; convert the model again.",
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
    groups = layout.padded_rows // ROWS_TOGETHER
    bias = np.zeros(layout.padded_rows, "<i4")
    bias[: layout.rows] = dense.bias.astype(np.int64) * ACCUMULATOR_FACTOR
    rows = np.zeros((layout.padded_rows, 4 * layout.row_words), np.int8)
    taken, start = 0, 0
    for part in layout.parts:
        rows[: layout.rows, start : start + part] = dense.weights[:, taken : taken + part]
        taken += part
        start += 4 * words(part)
    weights = pack_lanes(rows).reshape(groups, ROWS_TOGETHER, layout.row_words).swapaxes(1, 2)
    together = np.concatenate([bias.view("<u4").reshape(groups, 1, ROWS_TOGETHER), weights], axis=1)
    section[layout.rows_offset : layout.end] = together.astype("<u4").tobytes()
