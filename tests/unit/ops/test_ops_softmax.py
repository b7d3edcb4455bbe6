"""SOFTMAX: interpreter, numpy and C give the same bits."""

from __future__ import annotations

import numpy as np
import pytest
from c_kernels import Case, Kernels, numbers
from single_op import f32, log_uniform, tflm

from toolchain.errors import ModelError
from toolchain.int8.ops.quantized import Quantized
from toolchain.int8.ops.softmax import (
    EXP_TABLE,
    RECIPROCAL_TABLE,
    Softmax16Parameters,
    softmax8,
    softmax8_parameters,
    softmax16,
    softmax16_parameters,
)

OUTPUTS = {"INT8": Quantized("INT8", 1 / 256, -128), "INT16": Quantized("INT16", 1 / 65536, -32768)}
OUTPUT16 = Quantized("INT16", 1 / 32768)


def _case8(source: Quantized, output: Quantized, x: np.ndarray, beta: float) -> Case:
    p = softmax8_parameters(source, output, x.shape[-1], beta)
    told = tflm("SOFTMAX", [(source, x)], output, beta=beta)
    np.testing.assert_array_equal(softmax8(p, x, output.dtype), told, err_msg=f"{source} {x.shape} {beta}")
    name = "tl_softmax_int8" if output.type == "INT8" else "tl_softmax_int8_int16"
    return Case(name, told, (x,), tables=(p.exponentials,), count=x.shape[-1], rows=x.size // x.shape[-1])


def _case16(source: Quantized, x: np.ndarray, beta: float) -> Case:
    p = softmax16_parameters(source, OUTPUT16, x.shape[-1], beta)
    told = tflm("SOFTMAX", [(source, x)], OUTPUT16, beta=beta)
    np.testing.assert_array_equal(softmax16(p, x), told, err_msg=f"{source} {x.shape} {beta}")
    parameters = numbers(p)[:2]
    tables = (EXP_TABLE, RECIPROCAL_TABLE)
    return Case(
        "tl_softmax_int16", told, (x,), parameters, tables=tables, count=x.shape[-1], rows=x.size // x.shape[-1]
    )


@pytest.mark.parametrize("type_", OUTPUTS)
def test_softmax_of_int8_equals_tflm(kernels: Kernels, effort: int, type_: str) -> None:
    rng = np.random.default_rng([effort, len(type_)])
    cases = []
    for k in range(20 * effort):
        depth = (1, 2, 3, 5, 17, 130, 511)[k % 7]
        zero_point = int(rng.choice([-128, 0, 127, rng.integers(-128, 128)]))
        source = Quantized("INT8", log_uniform(rng, *((1e-6, 1e2) if k % 2 else (0.01, 0.3))), zero_point)
        x = rng.integers(-128, 128, (max(2, 3000 // depth), depth)).astype(np.int8)
        x[0] = -128
        cases.append(_case8(source, OUTPUTS[type_], x, (1.0, 0.5, 3.7)[k % 3]))
    kernels.check(cases)


@pytest.mark.parametrize("type_", OUTPUTS)
def test_softmax_of_all_pairs_of_int8_equals_tflm(kernels: Kernels, type_: str) -> None:
    values = np.arange(-128, 128).astype(np.int8)
    x = np.stack([np.repeat(values, 256), np.tile(values, 256)], axis=-1)[None]
    kernels.check([_case8(Quantized("INT8", f32(scale), 7), OUTPUTS[type_], x, 1.0) for scale in (0.02, 0.11, 9.0)])


def test_softmax_of_int16_equals_tflm(kernels: Kernels, effort: int) -> None:
    rng = np.random.default_rng(effort)
    cases = []
    for k in range(20 * effort):
        depth = (1, 2, 3, 5, 17, 130, 1000)[k % 7]
        source = Quantized("INT16", log_uniform(rng, *((1e-6, 1e2) if k % 2 else (1e-4, 1e-2))))
        x = rng.integers(-32768, 32768, (max(2, 3000 // depth), depth)).astype(np.int16)
        x[0] = 32767
        x[1, 1:] = x[1, 0] // 2 - rng.integers(0, 3, depth - 1)
        cases.append(_case16(source, x, (1.0, 0.5, 3.7)[k % 3]))
    kernels.check(cases)


def test_softmax_of_every_difference_of_int16_equals_tflm(kernels: Kernels) -> None:
    """Each entry of the exponential's table and each place between two."""
    below = np.arange(65536)
    x = np.stack([np.full(65536, 32767), 32767 - below], axis=-1).astype(np.int16)[None]
    kernels.check([_case16(Quantized("INT16", f32(10 / 65535)), x, 1.0)])


def test_softmax_of_int16_over_every_length_equals_tflm(kernels: Kernels) -> None:
    """Equal inputs: the sum of exponentials goes through the whole table of reciprocals."""
    source = Quantized("INT16", f32(1e-3))
    rng = np.random.default_rng(8)
    cases = []
    for depth in (2, 4, 7, 8, 63, 64, 65, 1024, 20_000):
        x = (rng.integers(-3000, 3000, (40 if depth < 2000 else 1, depth)) // 4).astype(np.int16)
        cases.append(_case16(source, x, 1.0))
    kernels.check(cases)


def test_softmax_sums_to_about_one() -> None:
    x = np.array([[10, 20, 30, 40]], np.int16)
    p = softmax16_parameters(Quantized("INT16", f32(0.05)), OUTPUT16, 4)
    assert isinstance(p, Softmax16Parameters)
    real = np.exp(x * 0.05)
    assert np.abs(softmax16(p, x) / 32768 - real / real.sum()).max() < 5e-4


@pytest.mark.parametrize(
    ("source", "output", "depth", "beta", "says"),
    [
        (Quantized("INT8", 0.1), Quantized("INT8", 1 / 256, 0), 4, 1.0, "output scale"),
        (Quantized("INT8", 0.1), Quantized("INT8", 1 / 128, -128), 4, 1.0, "output scale"),
        (Quantized("INT8", 0.1), Quantized("INT16", 1 / 32768, -32768), 4, 1.0, "output scale"),
        (Quantized("INT8", 0.1), OUTPUTS["INT8"], 512, 1.0, "rows of 512"),
        (Quantized("INT8", 0.1), OUTPUTS["INT8"], 4, 0.0, "beta"),
        (Quantized("INT8", 2.0**-27), OUTPUTS["INT8"], 4, 1.0, "ends at 2"),
        (Quantized("INT16", 0.1), OUTPUTS["INT8"], 4, 1.0, "from INT16 to INT8"),
    ],
)
def test_int8_softmax_refuses(source: Quantized, output: Quantized, depth: int, beta: float, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        softmax8_parameters(source, output, depth, beta)


@pytest.mark.parametrize(
    ("source", "output", "depth"),
    [
        (Quantized("INT16", 0.1, 1), OUTPUT16, 4),
        (Quantized("INT16", 0.1), Quantized("INT16", 1 / 65536), 4),
        (Quantized("INT16", 0.1), Quantized("INT16", 1 / 32768, 3), 4),
        (Quantized("INT16", 0.1), OUTPUTS["INT8"], 4),
        (Quantized("INT16", 0.1), OUTPUT16, 65_536),
        (Quantized("INT16", 1e9), OUTPUT16, 4),
    ],
)
def test_int16_softmax_refuses(source: Quantized, output: Quantized, depth: int) -> None:
    with pytest.raises(ModelError, match="SOFTMAX"):
        softmax16_parameters(source, output, depth)
