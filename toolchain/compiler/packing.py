"""Weights as the kernels of firmware/engine/kernels read them, and the proof of which kernel may."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toolchain.int8.ops.fully_connected import DenseParameters

Weights = npt.NDArray[np.int8]
Words = npt.NDArray[np.uint32]
Sums = npt.NDArray[np.int64]
ROWS_TOGETHER = 4
INPUTS_TOGETHER = 4
_PAIR_SUM_LIMIT = 2**23
_SHORT_SUM_LIMIT = 2**30
_WORD_SUM_LIMIT = 2**31


@dataclass(frozen=True)
class Kernel:
    """``function`` of firmware/engine/kernels/``header``.h."""

    function: str
    header: str


PAIRS = Kernel("tl_dense_pairs", "dense_pairs")
WORDS_INT8 = Kernel("tl_dense_words_int8", "dense_words")
WORDS_INT16 = Kernel("tl_dense_words_int16", "dense_words")
WIDE = Kernel("tl_dense_wide", "dense_wide")
LONG = Kernel("tl_dense_long", "dense_long")


def sum_range(weights: Weights, type_: str) -> tuple[Sums, Sums]:
    """Return the (smallest, largest) sum of products of each row over all inputs of ``type_``; int64 (rows,)."""
    low, high = (-128, 127) if type_ == "INT8" else (-32768, 32767)
    wide = weights.astype(np.int64)
    positive, negative = np.maximum(wide, 0).sum(axis=1), np.minimum(wide, 0).sum(axis=1)
    return positive * low + negative * high, positive * high + negative * low


def choose_kernel(weights: Weights, bias: Sums, p: DenseParameters, type_: str) -> Kernel:
    """Return the fastest kernel whose arithmetic is exact for all inputs. ``bias``: the zero point folded in.

    PAIRS: a row's sum fits 24 bits, no weight is -128 (256 * -128 - 1 fits no lane), twice the biased sum fits 32 bits
    and every row is scaled down. WIDE: a row's biased sum fits 32 bits, and its scaling is a shift of 1 to 31 bits.
    """
    low, high = sum_range(weights, type_)
    if type_ == "INT8":
        fits = low.min() >= -_PAIR_SUM_LIMIT and high.max() < _PAIR_SUM_LIMIT and weights.min() > -128
        short = (low + bias).min() > -_SHORT_SUM_LIMIT and (high + bias).max() < _SHORT_SUM_LIMIT
        return PAIRS if fits and short and max(p.shifts) < 0 else WORDS_INT8
    if not p.wide:
        return WORDS_INT16
    # Products are summed before the bias is added, so both must fit.
    ends = np.concatenate([low, high, low + bias, high + bias])
    fits = ends.min() >= -_WORD_SUM_LIMIT and ends.max() < _WORD_SUM_LIMIT
    return WIDE if fits and all(1 <= right <= 31 for right in reduced_rights(p)) else LONG


def reduced_multipliers(p: DenseParameters) -> list[int]:
    """Return the upper 15 bits of each multiplier, as TFLM's wide scaling rounds them."""
    return [(m + (1 << 15)) >> 16 if m < 0x7FFF0000 else 0x7FFF for m in p.multipliers]


def reduced_rights(p: DenseParameters) -> list[int]:
    """Return the shifts to the right that belong to :func:`reduced_multipliers`."""
    return [15 - shift for shift in p.shifts]


def groups(depth: int) -> int:
    """Groups of inputs in a row of ``depth``."""
    return -(-depth // INPUTS_TOGETHER)


def _padded(weights: Weights) -> npt.NDArray[np.int32]:
    rows, depth = weights.shape
    full = np.zeros((-(-rows // ROWS_TOGETHER) * ROWS_TOGETHER, groups(depth) * INPUTS_TOGETHER), np.int32)
    full[:rows, :depth] = weights
    return full


def pack_pairs(weights: Weights) -> Words:
    """Return uint32 words as dense_pairs.h says; no weight may be -128."""
    full = _padded(weights)
    # Rows: group, pair, which of the pair. Inputs: group, lane, even or odd.
    parts = full.reshape(full.shape[0] // 4, 2, 2, full.shape[1] // 4, 2, 2)
    lanes = (256 * parts[:, :, 0] + parts[:, :, 1]) & 0xFFFF
    ordered = lanes.transpose(0, 2, 4, 1, 3).astype(np.uint32)
    return (ordered[..., 0] | ordered[..., 1] << np.uint32(16)).reshape(-1)


def pack_words(weights: Weights, type_: str) -> Words:
    """Return uint32 words as dense_words.h says, for inputs of ``type_``."""
    full = _padded(weights)
    parts = full.reshape(full.shape[0] // 4, 4, full.shape[1] // 4, 4)
    order = [0, 1, 2, 3] if type_ == "INT8" else [0, 2, 1, 3]
    ordered = (parts.transpose(0, 2, 1, 3)[..., order] & 0xFF).astype(np.uint32)
    shifts = np.array([0, 8, 16, 24], np.uint32)
    words: Words = np.bitwise_or.reduce(ordered << shifts, axis=-1).reshape(-1)
    return words
