"""The shape of a network: its string, its hash, and where each part of the ``KERN`` section lies.

The generated code knows the shape only (docs/SPEC.md, 4). Everything here follows from the shape, so two models of
one shape share one firmware.

``KERN``, layout 4, all offsets multiples of 16:

* requantization: one record of four i32 per FULLY_CONNECTED (multiplier, shift, output zero point, 0), in the order
  drive 0, rate 0, drive 1, rate 1, ..., head;
* activation: i8[layers][256], tanh of the drive's int8 q at index q + 128;
* for each FULLY_CONNECTED in the same order, for each eight rows: i32 first[4][2]; u32 apart[4] for the pair of x, if
  there is one and it is read; then for each quad, four inputs, u32 weights[4][2]. Rows are padded with zeros to a
  multiple of eight, inputs to whole quads.

A word holds two rows of two inputs: as two int16 lanes, one per input, 256 * upper row + lower row. The four pairs of
words belong to rows (0, 1), (2, 3), (4, 5) and (6, 7) of the eight; the upper row is the even one. Of a quad's inputs
0..3 the first word of a pair has 0 and 2, the second 1 and 3.

Two sums go with each pair of rows, and what they start from is ``first``: 256 * upper bias + lower bias, and the lower
bias less the lower row's products of weights 0 with 1 and 2 with 3, of all quads
(firmware/engine/compiled/simd.h says what that is good for). Both are taken modulo 2**32.

The inputs of all of them are gathered into one *signal* vector: x, h of layer 0, h of layer 1, ..., each padded with
zeros to whole quads of four values. The drive of a layer reads two neighbours of it, the rate the first of these,
the head the last part; so each reads whole quads and nothing is gathered twice. Where x is the six values of an IMU and
layer 0 a multiple of 64 wide, its last two values stand apart as a *pair* instead of making a quad with two zeros.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from toolchain.errors import ModelError
from toolchain.ltc.prepare import Preparation
from toolchain.ltc.solvers import STABLE_UP_TO, TOGETHER, Solver

LAYOUT = 4
ALIGNMENT = 16
REQUANTIZE_BYTES = 16
TABLE_ENTRIES = 256
ROWS_TOGETHER = 8
PAIRED_INPUTS = 6
BLOCK_QUADS = 16
"""TL_DENSE_BLOCK."""
ACCUMULATOR_LIMIT = 2**22
"""Accumulators must stay below: the engine carries them times 512 in 32 bits."""
MAX_LAYERS = 8
MAX_UNITS = 256
MIN_OUTPUTS, MAX_OUTPUTS = 2, 32
PREPARATIONS: dict[Preparation, int] = {"raw": 0, "high_pass": 1, "difference": 2}
"""Values of TL_PREPARATION (firmware/core/difference.h)."""
KINDS = {"classes": 0}
"""Numbers of ``ModelSpec.kind`` in the image."""


def quads(values: int) -> int:
    """Quads that hold ``values`` int8."""
    return -(-values // 4)


def paired(inputs: int, units: int) -> bool:
    """Whether the last two values of x stand apart from the first four: the engine wants whole blocks behind them."""
    return inputs == PAIRED_INPUTS and quads(units) % BLOCK_QUADS == 0


def aligned(offset: int, to: int = ALIGNMENT) -> int:
    """``offset`` rounded up to a multiple of ``to``."""
    return -(-offset // to) * to


@dataclass(frozen=True)
class DenseLayout:
    """One FULLY_CONNECTED: its shape, what it reads of the signal, and where its parts lie in ``KERN`` (bytes).

    ``parts``: sizes (int8 values) of the pieces of the signal that one row multiplies, each padded to quads; the first
    of them is piece ``first_part``. ``pair``: two values of the first piece stand apart and count for no quad.
    """

    name: str
    index: int
    rows: int
    parts: tuple[int, ...]
    first_part: int
    pair: bool
    input_quad: int
    rows_offset: int

    @property
    def padded_rows(self) -> int:
        """Rows in ``KERN``."""
        return aligned(self.rows, ROWS_TOGETHER)

    @property
    def signal_parts(self) -> range:
        """Numbers of the pieces of the signal: x is 0, h of layer l is l + 1."""
        return range(self.first_part, self.first_part + len(self.parts))

    @property
    def row_quads(self) -> int:
        """Quads of inputs that one row multiplies."""
        return sum(quads(part) for part in self.parts) - self.pair

    @property
    def group_bytes(self) -> int:
        """Bytes of eight rows, first sums and weights."""
        return 4 * ROWS_TOGETHER * (1 + self.row_quads) + 2 * ROWS_TOGETHER * self.pair

    @property
    def inputs(self) -> int:
        """Inputs without padding."""
        return sum(self.parts)

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
    """Inputs, layer widths, outputs, and the solver that the code integrates with.

    ``rate_tables``: one that all layers share, or one for each.

    Raises ModelError for a shape that the engines do not support.
    """

    inputs: int
    units: tuple[int, ...]
    outputs: int
    kind: str = "classes"
    solver: Solver = "semi_implicit"
    preparation: Preparation = "raw"
    rate_tables: int = 1

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
        if self.rate_tables not in (1, len(self.units)):
            raise ModelError(f"The model has {self.rate_tables} rate tables for {len(self.units)} layers.")
        if self.kind not in KINDS:
            raise ModelError(f"A model of kind '{self.kind}' cannot be generated, expected one of {sorted(KINDS)}.")

    @property
    def string(self) -> str:
        """The topology string of docs/SPEC.md."""
        units = ",".join(map(str, self.units))
        preparation = "" if self.preparation == "raw" else f";preparation={self.preparation}"
        rates = "" if self.rate_tables == 1 else f";rates={self.rate_tables}"
        return (
            f"tinyltc-topology-1;inputs={self.inputs};units={units};outputs={self.outputs}"
            f";solver={self.solver};layout={LAYOUT}{preparation}{rates}"
        )

    @property
    def hash(self) -> bytes:
        """First 8 bytes of the string's SHA-256."""
        return hashlib.sha256(self.string.encode()).digest()[:8]

    @property
    def solved(self) -> tuple[int, ...]:
        """Widths of what the solver may take as one layer: neighbours with one rate table, by whole groups of units."""
        if self.rate_tables == 1 and all(width % TOGETHER == 0 for width in self.units[:-1]):
            return (self.states,)
        return self.units

    @property
    def stable_up_to(self) -> float | None:
        """Largest dt * r that the solver is stable for; None: any."""
        return STABLE_UP_TO.get(self.solver)

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
    def pair(self) -> bool:
        """Whether the last two values of x stand apart."""
        return paired(self.inputs, self.units[0])

    @property
    def signal_offsets(self) -> tuple[int, ...]:
        """First quad of x, h of layer 0, h of layer 1, ... in the signal vector; then its length in quads."""
        offsets = [0]
        for width in (self.inputs, *self.units):
            offsets.append(offsets[-1] + quads(width))
            if len(offsets) == 2:
                offsets[1] -= self.pair
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
        for name, rows, parts, first in self._shapes():
            pair = first == 0 and self.pair
            quad = self.signal_offsets[first]
            result.append(DenseLayout(name, len(result), rows, parts, first, pair, quad, aligned(offset)))
            offset = result[-1].end
        return tuple(result)

    @property
    def broken(self) -> int:
        """How many of ``denses`` have rows that are no whole groups."""
        return sum(dense.rows != dense.padded_rows for dense in self.denses)

    def _shapes(self) -> Iterator[tuple[str, int, tuple[int, ...], int]]:
        for layer, (width, units) in enumerate(zip(self.layer_inputs, self.units, strict=True)):
            yield f"drive{layer}", units, (width, units), layer
            yield f"rate{layer}", units, (width,), layer
        yield "head", self.outputs, (self.units[-1],), self.layers

    @property
    def kern_bytes(self) -> int:
        """Size of the ``KERN`` section."""
        return aligned(self.denses[-1].end)
