"""The compiled engine's requantization equals TFLM's where rounding decides: sums on and beside the boundaries."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from toolchain.int8.ops.fixed_point import multiply_by_quantized_multiplier

LARGEST = 2**22 - 1
"""No accumulator is larger: times 512 it is an int32 (toolchain/codegen/topology.py)."""
FIRMWARE = Path(__file__).resolve().parents[3] / "firmware"
SOURCE = """
#include "engine/compiled/requantize.h"
void all(const int32_t *acc, const int32_t *multiplier, const int32_t *shift, const int32_t *zero, int8_t *out, int n);
void all(const int32_t *acc, const int32_t *multiplier, const int32_t *shift, const int32_t *zero, int8_t *out, int n) {
    for (int i = 0; i < n; ++i) {
        const tl_requantization record = {multiplier[i], shift[i], zero[i], 0};
        const int32_t offset = tl_requantize_offset(&record);
        out[i] = (int8_t)tl_requantize(acc[i] * 2, multiplier[i], (unsigned)-shift[i], offset);
    }
}
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no host C compiler")
    folder = tmp_path_factory.mktemp("requantize")
    (folder / "all.c").write_text(SOURCE)
    flags = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-shared", "-fPIC"]
    command = [compiler, *flags, "-I", str(FIRMWARE), str(folder / "all.c"), "-o", str(folder / "all.so")]
    subprocess.run(command, check=True)
    return ctypes.CDLL(str(folder / "all.so"))


def boundaries(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Accumulators within three of the sum at which the result moves from one int8 to the next."""
    multiplier = rng.integers(1 << 30, 1 << 31, n)
    shift = -rng.integers(1, 21, n)
    factor = multiplier / 2.0**31 * 2.0**shift
    accumulator = np.rint((rng.integers(-130, 130, n) + 0.5) / factor).astype(np.int64) + rng.integers(-3, 4, n)
    return np.clip(accumulator, -LARGEST, LARGEST), multiplier, shift, rng.integers(-128, 128, n)


def requantize(library: ctypes.CDLL, *arrays: np.ndarray) -> np.ndarray:
    got = np.empty(len(arrays[0]), np.int8)
    words = [np.ascontiguousarray(array, np.int32) for array in arrays]
    library.all(
        *(word.ctypes.data_as(ctypes.c_void_p) for word in words), got.ctypes.data_as(ctypes.c_void_p), len(got)
    )
    return got


def test_sums_on_the_boundaries(library: ctypes.CDLL) -> None:
    arrays = boundaries(np.random.default_rng(1), 200_000)
    accumulator, multiplier, shift, zero = arrays
    expected = np.clip(multiply_by_quantized_multiplier(accumulator, multiplier, shift) + zero, -128, 127)

    np.testing.assert_array_equal(requantize(library, *arrays), expected)

    single = (accumulator * multiplier + (np.int64(1) << (30 - shift))) >> (31 - shift)
    assert (np.clip(single + zero, -128, 127) != expected).any(), "these sums do not tell two roundings from one"


@pytest.mark.parametrize("shift", [-1, -2, -7, -12, -20])
@pytest.mark.parametrize("multiplier", [1 << 30, (1 << 30) + 1, 1518500250, (1 << 31) - 1])
def test_every_sum_about_zero_and_at_both_ends(library: ctypes.CDLL, multiplier: int, shift: int) -> None:
    """The two roundings differ for the two signs; no sum near zero and none at the ends of the range may be missed."""
    near, end = np.arange(-40_000, 40_001), np.arange(LARGEST - 2_000, LARGEST + 1)
    accumulator = np.concatenate([-end, near, end])
    for zero in (-128, 0, 127):
        expected = np.clip(multiply_by_quantized_multiplier(accumulator, multiplier, shift) + zero, -128, 127)
        same = (np.full_like(accumulator, value) for value in (multiplier, shift, zero))
        np.testing.assert_array_equal(requantize(library, accumulator, *same), expected)
