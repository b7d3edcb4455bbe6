"""TANH, LOGISTIC and QUANTIZE for every input of their types: interpreter, numpy and C give the same bits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from c_kernels import Case, Kernels, numbers
from single_op import Tflm, every, f32, log_uniform, model_of, tflm

from toolchain.errors import ModelError
from toolchain.int8.ops.lookup import logistic_table_of, lookup, quantize_table, tanh_table_of
from toolchain.int8.ops.quantize import PAIRS, quantize, quantize_parameters
from toolchain.int8.ops.quantized import Quantized
from toolchain.int8.ops.sigmoid16 import (
    SIGMOID_TABLE,
    Sigmoid16Parameters,
    logistic16,
    logistic16_parameters,
    tanh16,
    tanh16_parameters,
)

TABLES = {
    "TANH": (tanh_table_of, Quantized("INT8", 1 / 128)),
    "LOGISTIC": (logistic_table_of, Quantized("INT8", 1 / 256, -128)),
}
WIDE: dict[str, tuple[Callable[..., Sigmoid16Parameters], Callable[..., np.ndarray]]] = {
    "TANH": (tanh16_parameters, tanh16),
    "LOGISTIC": (logistic16_parameters, logistic16),
}
OUTPUT16 = Quantized("INT16", 1 / 32768)


@pytest.mark.parametrize("operator", TABLES)
def test_int8_functions_equal_tflm(kernels: Kernels, effort: int, operator: str) -> None:
    rng = np.random.default_rng([effort, len(operator)])
    make, output = TABLES[operator]
    cases = []
    for k in range(30 * effort):
        zero_point = int(rng.choice([-128, 0, 127, rng.integers(-128, 128)]))
        source = Quantized("INT8", log_uniform(rng, *((1e-6, 1e2) if k % 2 else (0.01, 0.2))), zero_point)
        table, x = make(source, output), every(source)
        told = tflm(operator, [(source, x)], output)
        np.testing.assert_array_equal(lookup(table, x), told, err_msg=str(source))
        cases.append(Case("tl_lookup_int8", told, (x,), tables=(table,)))
    kernels.check(cases)


@pytest.mark.parametrize("operator", TABLES)
@pytest.mark.parametrize("scale", [2.0**-28, 7.5, 15.0, 16.0, 1e3, 2.0**33])
def test_int8_functions_at_the_ends_of_their_scales_equal_tflm(operator: str, scale: float) -> None:
    make, output = TABLES[operator]
    for zero_point in (-128, 3, 127):
        source = Quantized("INT8", scale, zero_point)
        x = every(source)
        np.testing.assert_array_equal(make(source, output), tflm(operator, [(source, x)], output)[0])


@pytest.mark.parametrize("operator", WIDE)
def test_int16_functions_equal_tflm(kernels: Kernels, effort: int, operator: str) -> None:
    """Scales that are powers of two take other arithmetic, and so do those that are almost."""
    rng = np.random.default_rng([effort, len(operator)])
    parameters, run = WIDE[operator]
    scales = [2.0**k for k in (-14, -13, -12, -11, -10)] + [f32(2.0**-12 * f) for f in (0.9994, 1.0006, 0.999, 1.001)]
    scales += [log_uniform(rng, 1e-6, 2.6) for _ in range(6 * effort)] + [log_uniform(rng, 2.6, 1e2) for _ in range(3)]
    cases = []
    for scale in scales:
        source = Quantized("INT16", scale)
        p, x = parameters(source, OUTPUT16), every(source)
        told = tflm(operator, [(source, x)], OUTPUT16)
        np.testing.assert_array_equal(run(p, x), told, err_msg=str(source))
        cases.append(Case(f"tl_{operator.lower()}_int16", told, (x,), numbers(p), tables=(SIGMOID_TABLE,)))
    kernels.check(cases)


def test_int16_functions_are_close_to_the_real_ones() -> None:
    source = Quantized("INT16", f32(8 / 32768))
    x = every(source)[0]
    real = x * source.scale
    assert np.abs(tanh16(tanh16_parameters(source, OUTPUT16), x) / 32768 - np.tanh(real)).max() < 2e-4
    logistic = logistic16(logistic16_parameters(source, OUTPUT16), x) / 32768
    assert np.abs(logistic - 1 / (1 + np.exp(-real))).max() < 1e-4


def _quantization(rng: np.random.Generator, type_: str, wide_zero: bool) -> Quantized:
    limits = np.iinfo(type_.lower())
    free = type_ in ("INT8", "UINT8") or wide_zero
    zero_point = int(rng.choice([limits.min, limits.max, rng.integers(limits.min, limits.max)])) if free else 0
    return Quantized(type_, log_uniform(rng, 1e-6, 1e2), zero_point)


@pytest.mark.parametrize("types", PAIRS, ids="-".join)
def test_quantize_equals_tflm(kernels: Kernels, effort: int, types: tuple[str, str]) -> None:
    """Scales whose ratio goes from 1e-8 to 1e8: the arithmetic wraps at the far end, as TFLM's does."""
    rng = np.random.default_rng([effort, *types[0].encode(), *types[1].encode()])
    cases = []
    for k in range(6 * effort):
        source, output = (_quantization(rng, type_, k % 2 == 1) for type_ in types)
        if k % 3 == 0:
            output = Quantized(types[1], f32(source.scale * (1, 0.5, 3)[k // 3 % 3]), output.zero_point)
        p = quantize_parameters(source, output)
        small = source.type != "INT32"
        x = every(source) if small else rng.integers(-(2**31), 2**31, (1, 20_000)).astype(np.int32)
        told = tflm("QUANTIZE", [(source, x)], output)
        np.testing.assert_array_equal(quantize(p, x, output.dtype), told, err_msg=f"{source} {output}")
        cases.append(Case(f"tl_quantize_{types[0]}_{types[1]}".lower(), told, (x,), numbers(p)))
        if types == ("INT8", "INT8"):
            table = quantize_table(source, output)
            cases.append(Case("tl_lookup_int8", told, (x,), tables=(table,)))
    kernels.check(cases)


S8, S16 = Quantized("INT8", 0.5), Quantized("INT16", 0.5)


@pytest.mark.parametrize(
    ("operator", "make", "source", "output"),
    [
        ("TANH", tanh_table_of, S8, OUTPUT16),
        ("LOGISTIC", logistic_table_of, S8, Quantized("INT8", 1 / 256, 0)),
        ("LOGISTIC", logistic_table_of, S8, OUTPUT16),
        ("TANH", tanh16_parameters, Quantized("INT16", 0.5, 1), OUTPUT16),
        ("TANH", tanh16_parameters, S16, Quantized("INT16", 1 / 32768, 1)),
        ("TANH", tanh16_parameters, S16, Quantized("INT16", 1 / 16384)),
        ("LOGISTIC", logistic16_parameters, S16, Quantized("INT16", f32(1.1 / 32768))),
        ("QUANTIZE", quantize_parameters, Quantized("UINT8", 0.5), S16),
        ("QUANTIZE", quantize_parameters, Quantized("INT32", 0.5), Quantized("INT32", 0.5)),
    ],
)
def test_what_tflm_refuses_is_refused(
    operator: str, make: Callable[..., object], source: Quantized, output: Quantized
) -> None:
    with pytest.raises(ModelError, match=operator):
        make(source, output)
    # Some kernels refuse when they run and not before.
    with pytest.raises((ModelError, RuntimeError)):
        Tflm(model_of(operator, [(source, (1, 4))], (output, (1, 4))))(np.zeros((1, 4), source.dtype))


@pytest.mark.parametrize(
    ("make", "source", "output"),
    [
        (tanh_table_of, Quantized("INT8", 2.0**-29), S8),
        (tanh_table_of, Quantized("INT8", 2.0**36), S8),
        (tanh16_parameters, Quantized("INT16", 1e-15), OUTPUT16),
        (logistic16_parameters, Quantized("INT16", 1e6), OUTPUT16),
        (quantize_parameters, Quantized("INT16", 1e3), Quantized("INT16", 1e-7)),
    ],
)
def test_scales_beyond_tflms_arithmetic_are_refused(
    make: Callable[..., object], source: Quantized, output: Quantized
) -> None:
    with pytest.raises(ModelError, match="TFLM's arithmetic"):
        make(source, output)
