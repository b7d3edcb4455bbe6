"""The ``KERN`` section: weights, requantization and tables of the `compiled` engine, laid out as topology.py says."""

from __future__ import annotations

import struct

import numpy as np

from toolchain.codegen.topology import DenseLayout, Topology
from toolchain.errors import ModelError
from toolchain.int8.network import Dense, Network

BIAS_LIMIT = 1 << 30
"""Biases stay below this, so that no int32 accumulator can overflow: 512 inputs add less than 2**23."""


def topology_of(network: Network, kind: str = "classes") -> Topology:
    """Return the shape of ``network``; raises ModelError for one that the engines do not support."""
    return Topology(network.inputs, tuple(network.units), network.outputs, kind)


def pack(network: Network) -> bytes:
    """Return the section's bytes; raises ModelError for a bias that the engine's arithmetic does not cover."""
    topology = topology_of(network)
    section = bytearray(topology.kern_bytes)
    for index, layer in enumerate(network.layers):
        start = topology.activation_offset + len(layer.tanh) * index
        section[start : start + len(layer.tanh)] = layer.tanh.tobytes()
    denses = [dense for layer in network.layers for dense in (layer.drive, layer.gate)] + [network.head]
    for layout, dense in zip(topology.denses, denses, strict=True):
        _pack_dense(section, layout, dense)
    return bytes(section)


def _pack_dense(section: bytearray, layout: DenseLayout, dense: Dense) -> None:
    if np.abs(dense.bias.astype(np.int64)).max() >= BIAS_LIMIT:
        raise ModelError(
            f"Tensor '{dense.name}' has a bias of {int(np.abs(dense.bias.astype(np.int64)).max())} steps, "
            f"expected less than {BIAS_LIMIT}.",
            "Its weights are next to zero: train longer.",
        )
    record = (dense.multiplier, dense.shift, dense.output_zero_point, 0)
    struct.pack_into("<4i", section, layout.requantize_offset, *record)
    bias = dense.bias.astype("<i4").tobytes()
    section[layout.bias_offset : layout.bias_offset + len(bias)] = bias
    rows = np.zeros((layout.padded_rows, 4 * layout.row_words), np.int8)
    taken, start = 0, 0
    for part in layout.parts:
        rows[: layout.rows, start : start + part] = dense.weights[:, taken : taken + part]
        taken += part
        start += -(-part // 4) * 4
    section[layout.weights_offset : layout.end] = rows.tobytes()
