"""The kernels' headers for the target: no warning, no library call, nothing writable."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from c_kernels import SOURCE

from toolchain.codegen.hostlib import FIRMWARE, FLAGS

COMPILER = "arm-none-eabi-gcc"
TARGET = ("-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard")
USES = {
    "dense_long.h": "void use(const tl_dense *d, const uint32_t *x, int16_t *y) { tl_dense_long(d, x, y); }",
    "dense_pairs.h": "void use(const tl_dense *d, const uint32_t *x, int8_t *y) { tl_dense_pairs(d, x, y); }",
    "dense_wide.h": "void use(const tl_dense *d, const uint32_t *x, int16_t *y) { tl_dense_wide(d, x, y); }",
    "dense_words.h": "void use(const tl_dense *d, const uint32_t *x, int8_t *y, int16_t *z) "
    "{ tl_dense_words_int8(d, x, y); tl_dense_words_int16(d, x, z); }",
    "lanes.h": "void use(const int8_t *x, const int16_t *y, uint32_t *z) "
    "{ tl_widen_int8(x, 9, z); tl_widen_int16(y, 9, z); }",
    "elementwise.h": "void use(const tl_sum_parameters *p, const tl_multiply_parameters *q, const tl_loops *l, "
    "int8_t *x, int16_t *y) { tl_add_int8(p, l, x, x, x); tl_subtract_int16(p, l, y, y, y); "
    "tl_multiply_int8(q, l, x, x, x); }",
    "fixed_point.h": "int32_t use(int64_t x) { return tl_scale_wide(x, 1 << 30, -3) - tl_scale((int32_t)x, 9, 3); }",
    "lookup.h": "void use(const int8_t *t, int8_t *x) { tl_lookup_int8(t, x, x, 9); }",
    "quantize.h": "void use(const tl_quantize_parameters *p, int8_t *x, int16_t *y, int32_t *z) "
    "{ tl_quantize_int8_int16(p, x, y, 9); tl_quantize_int32_int8(p, z, x, 9); }",
    "sigmoid16.h": "void use(const tl_sigmoid16_parameters *p, const uint16_t *t, int16_t *x) "
    "{ tl_tanh_int16(p, t, x, x, 9); tl_logistic_int16(p, t, x, x, 9); }",
    "softmax.h": "void use(const tl_softmax16_parameters *p, const int32_t *e, const int16_t *t, int8_t *x, "
    "int16_t *y) { tl_softmax_int8(e, 9, x, x, 2); tl_softmax_int8_int16(e, 9, x, y, 2); "
    "tl_softmax_int16(p, t, t, 9, y, y, 2); }",
}

pytestmark = pytest.mark.skipif(shutil.which(COMPILER) is None, reason=f"{COMPILER} is not installed")


@pytest.mark.parametrize("header", sorted(USES))
def test_header_alone_makes_code_without_calls_and_writable_data(header: str, tmp_path: Path) -> None:
    source, made = tmp_path / "use.c", tmp_path / "use.o"
    source.write_text(f'#include "engine/kernels/{header}"\n{USES[header]}\n')
    subprocess.run([COMPILER, *FLAGS, *TARGET, f"-I{FIRMWARE}", "-c", str(source), "-o", str(made)], check=True)
    symbols = subprocess.run(["arm-none-eabi-nm", str(made)], check=True, capture_output=True, text=True).stdout
    kinds = {line.split()[-2] for line in symbols.splitlines()}
    assert "T" in kinds
    # U would be a library's division or shift; d, b, D and B would be writable.
    assert kinds <= {"T", "t", "r"}, symbols


def test_all_kernels_compile_for_the_target(tmp_path: Path) -> None:
    command = [COMPILER, *FLAGS, *TARGET, f"-I{FIRMWARE}", "-c", str(SOURCE), "-o", str(tmp_path / "all.o")]
    subprocess.run(command, check=True)
