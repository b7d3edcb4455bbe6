"""The compiled engine's requantization equals TFLM's where rounding decides: sums on and beside the boundaries."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from toolchain.int8.kernels import multiply_by_quantized_multiplier

FIRMWARE = Path(__file__).resolve().parents[3] / "firmware"
SOURCE = """
#include "engine/compiled/requantize.h"
void all(const int32_t *acc, const int32_t *multiplier, const int32_t *shift, const int32_t *zero, int8_t *out, int n);
void all(const int32_t *acc, const int32_t *multiplier, const int32_t *shift, const int32_t *zero, int8_t *out, int n) {
    for (int i = 0; i < n; ++i) {
        out[i] = tl_requantize(acc[i], multiplier[i], (unsigned)-shift[i], zero[i]);
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
    shift = -rng.integers(2, 24, n)
    factor = multiplier / 2.0**31 * 2.0**shift
    accumulator = np.rint((rng.integers(-130, 130, n) + 0.5) / factor).astype(np.int64) + rng.integers(-3, 4, n)
    return np.clip(accumulator, -(2**31) + 1, 2**31 - 1), multiplier, shift, rng.integers(-128, 128, n)


def test_sums_on_the_boundaries(library: ctypes.CDLL) -> None:
    arrays = boundaries(np.random.default_rng(1), 200_000)
    accumulator, multiplier, shift, zero = arrays
    expected = np.clip(multiply_by_quantized_multiplier(accumulator, multiplier, shift) + zero, -128, 127)

    got = np.empty(len(accumulator), np.int8)
    words = [np.ascontiguousarray(array, np.int32) for array in arrays]
    library.all(
        *(word.ctypes.data_as(ctypes.c_void_p) for word in words), got.ctypes.data_as(ctypes.c_void_p), len(got)
    )
    np.testing.assert_array_equal(got, expected)

    single = (accumulator * multiplier + (np.int64(1) << (30 - shift))) >> (31 - shift)
    assert (np.clip(single + zero, -128, 127) != expected).any(), "these sums do not tell two roundings from one"
