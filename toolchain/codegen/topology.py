"""The shape of a network: its string, its hash, and where each part of the ``KERN`` section lies.

The generated code knows the shape only (docs/SPEC.md, 4). Everything here follows from the shape, so two models of
one shape share one firmware.

``KERN``, layout 2, all offsets multiples of 16:

* requantization: one record of four i32 per FULLY_CONNECTED (multiplier, shift, output zero point, 0), in the order
  drive 0, rate 0, drive 1, rate 1, ..., head;
* activation: i8[layers][256], tanh of the drive's int8 q at index q + 128;
* for each FULLY_CONNECTED in the same order, for each four rows: i32 bias[4], then u32 weights[row_words][4]. Rows are
  padded to a multiple of four with zeros. A bias stands there times 256.

A word holds the weights w0..w3 of four inputs of one row: as two int16 lanes 256 * w0 + w1 and 256 * w2 + w3, the
first in the lower half (firmware/engine/compiled/simd.h says what that is good for). So accumulators carry the factor
256, and the words of four rows for the same inputs stand side by side.

The inputs of all of them are gathered into one *signal* vector: x, h of layer 0, h of layer 1, ..., each padded with
zeros to an even number of words of four values. The drive of a layer reads two neighbours of it, the rate the first of
these, the head the last part; so each reads whole words and nothing is gathered twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from toolchain.errors import ModelError
from toolchain.ltc.prepare import Preparation

LAYOUT = 2
ALIGNMENT = 16
REQUANTIZE_BYTES = 16
TABLE_ENTRIES = 256
ROWS_TOGETHER = 4
WORDS_TOGETHER = 2
ACCUMULATOR_FACTOR = 256
MAX_LAYERS = 8
MAX_UNITS = 256
MIN_OUTPUTS, MAX_OUTPUTS = 2, 32
PREPARATIONS: dict[Preparation, int] = {"raw": 0, "high_pass": 1, "difference": 2}
"""Values of TL_PREPARATION (firmware/core/difference.h)."""
KINDS = {"classes": 0}
"""Numbers of ``ModelSpec.kind`` in the image."""


def words(values: int) -> int:
    """Words of four int8 that hold ``values``, an even number of them."""
    return aligned(-(-values // 4), WORDS_TOGETHER)


def aligned(offset: int, to: int = ALIGNMENT) -> int:
    """``offset`` rounded up to a multiple of ``to``."""
    return -(-offset // to) * to


@dataclass(frozen=True)
class DenseLayout:
    """One FULLY_CONNECTED: its shape, what it reads of the signal, and where its parts lie in ``KERN`` (bytes).

    ``parts``: sizes (int8 values) of the pieces of the signal that one row multiplies, each padded to words.
    """

    name: str
    index: int
    rows: int
    parts: tuple[int, ...]
    input_word: int
    rows_offset: int

    @property
    def padded_rows(self) -> int:
        """Rows in ``KERN``."""
        return aligned(self.rows, ROWS_TOGETHER)

    @property
    def row_words(self) -> int:
        """Words of one row."""
        return sum(words(part) for part in self.parts)

    @property
    def group_bytes(self) -> int:
        """Bytes of four rows, biases and weights."""
        return 4 * ROWS_TOGETHER * (1 + self.row_words)

    @property
    def inputs(self) -> int:
        """Inputs without padding."""
        return sum(self.parts)

    @property
    def bias_limit(self) -> int:
        """Largest magnitude of a bias with which no accumulator can overflow, whatever the weights."""
        return (2**31 - 1) // ACCUMULATOR_FACTOR - 128 * 127 * self.inputs

    @property
    def requantize_offset(self) -> int:
        """Where its requantization record lies in ``KERN``."""
        return self.index * REQUANTIZE_BYTES

    @property
    def end(self) -> int:
        """First byte of ``KERN`` after it."""
        return self.rows_offset + self.group_bytes * (self.padded_rows // ROWS_TOGETHER)


@dataclass(frozen=True)
class Topology:
    """Inputs, layer widths and outputs. Raises ModelError for a shape that the engines do not support."""

    inputs: int
    units: tuple[int, ...]
    outputs: int
    kind: str = "classes"
    preparation: Preparation = "raw"

    def __post_init__(self) -> None:
        """Refuse shapes outside the bounds that the image format and the engine's arithmetic were proven for."""
        if not 1 <= len(self.units) <= MAX_LAYERS:
            raise ModelError(f"The model has {len(self.units)} layers, expected 1 to {MAX_LAYERS}.")
        if any(not 1 <= width <= MAX_UNITS for width in (self.inputs, *self.units)):
            raise ModelError(
                f"The model has widths {(self.inputs, *self.units)}, expected each within 1 to {MAX_UNITS}.",
                "Change [model] layers.",
            )
        if not MIN_OUTPUTS <= self.outputs <= MAX_OUTPUTS:
            raise ModelError(f"The model has {self.outputs} outputs, expected {MIN_OUTPUTS} to {MAX_OUTPUTS}.")
        if self.kind not in KINDS:
            raise ModelError(f"A model of kind '{self.kind}' cannot be generated, expected one of {sorted(KINDS)}.")

    @property
    def string(self) -> str:
        """The topology string of docs/SPEC.md."""
        units = ",".join(map(str, self.units))
        preparation = "" if self.preparation == "raw" else f";preparation={self.preparation}"
        return (
            f"tinyltc-topology-1;inputs={self.inputs};units={units};outputs={self.outputs}"
            f";solver=semi_implicit;layout={LAYOUT}{preparation}"
        )

    @property
    def hash(self) -> bytes:
        """First 8 bytes of the string's SHA-256."""
        return hashlib.sha256(self.string.encode()).digest()[:8]

    @property
    def layers(self) -> int:
        """Number of layers."""
        return len(self.units)

    @property
    def states(self) -> int:
        """Number of state variables."""
        return sum(self.units)

    @property
    def layer_inputs(self) -> tuple[int, ...]:
        """Width of what each layer reads besides its own state."""
        return (self.inputs, *self.units[:-1])

    @property
    def macs(self) -> int:
        """Multiplications of one right-hand side, padding left out."""
        return sum(dense.rows * dense.inputs for dense in self.denses)

    @property
    def signal_offsets(self) -> tuple[int, ...]:
        """First word of x, h of layer 0, h of layer 1, ... in the signal vector; then its length in words."""
        offsets = [0]
        for width in (self.inputs, *self.units):
            offsets.append(offsets[-1] + words(width))
        return tuple(offsets)

    @property
    def activation_offset(self) -> int:
        """Where the activation tables lie in ``KERN``."""
        return REQUANTIZE_BYTES * (2 * self.layers + 1)

    @cached_property
    def denses(self) -> tuple[DenseLayout, ...]:
        """Every FULLY_CONNECTED in the order of ``KERN``: drive 0, rate 0, drive 1, rate 1, ..., head."""
        offset = self.activation_offset + TABLE_ENTRIES * self.layers
        result: list[DenseLayout] = []
        for name, rows, parts, word in self._shapes():
            result.append(DenseLayout(name, len(result), rows, parts, word, aligned(offset)))
            offset = result[-1].end
        return tuple(result)

    def _shapes(self) -> Iterator[tuple[str, int, tuple[int, ...], int]]:
        words_at = self.signal_offsets
        for layer, (width, units) in enumerate(zip(self.layer_inputs, self.units, strict=True)):
            yield f"drive{layer}", units, (width, units), words_at[layer]
            yield f"rate{layer}", units, (width,), words_at[layer]
        yield "head", self.outputs, (self.units[-1],), words_at[self.layers]

    @property
    def kern_bytes(self) -> int:
        """Size of the ``KERN`` section."""
        return aligned(self.denses[-1].end)
