"""ADD, SUB and MUL: interpreter, numpy and C give the same bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from c_kernels import Case, Kernels, elementwise
from single_op import f32, log_uniform, pairs, tflm

from toolchain.errors import ModelError
from toolchain.int8.ops.add import add, add_parameters, subtract, subtract_parameters
from toolchain.int8.ops.broadcast import broadcast_loops
from toolchain.int8.ops.multiply import multiply, multiply_parameters
from toolchain.int8.ops.quantized import Quantized

ACTIVATIONS = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")
OPERATORS: dict[str, tuple[Callable[..., Any], Callable[..., np.ndarray], str]] = {
    "ADD": (add_parameters, add, "tl_add_"),
    "SUB": (subtract_parameters, subtract, "tl_subtract_"),
    "MUL": (multiply_parameters, multiply, "tl_multiply_"),
}


def _operand(rng: np.random.Generator, type_: str, low: float, high: float, centred: bool) -> Quantized:
    limits = np.iinfo(type_.lower())
    zero_point = 0 if centred else int(rng.choice([limits.min, limits.max, rng.integers(limits.min, limits.max)]))
    return Quantized(type_, log_uniform(rng, low, high), zero_point)


def _check(operator: str, tensors: list[Quantized], activation: str, a: np.ndarray, b: np.ndarray) -> Case:
    parameters, run, function = OPERATORS[operator]
    p = parameters(*tensors, activation)
    told = tflm(operator, [(tensors[0], a), (tensors[1], b)], tensors[2], activation=activation)
    np.testing.assert_array_equal(run(p, a, b), told, err_msg=f"{operator} {tensors} {activation}")
    return elementwise(function + tensors[0].type.lower(), p, a, b, told)


@pytest.mark.parametrize("type_", ["INT8", "INT16"])
@pytest.mark.parametrize("operator", OPERATORS)
def test_all_pairs_equal_tflm(kernels: Kernels, effort: int, operator: str, type_: str) -> None:
    """Usual scales, and scales from 1e-6 to 1e2; zero points anywhere and at both ends; every fused activation."""
    rng = np.random.default_rng([effort, len(type_), *operator.encode()])
    cases: list[Case] = []
    refused = 0
    while len(cases) < 8 * effort:
        low, high = (1e-6, 1e2) if len(cases) % 2 else (0.005, 0.1)
        centred = operator == "MUL" and type_ == "INT16"
        tensors = [_operand(rng, type_, low, high, centred) for _ in range(3)]
        a, b = pairs(rng, tensors[0], 20_000)
        try:
            cases.append(_check(operator, tensors, ACTIVATIONS[len(cases) % 4], a, b))
        except ModelError:
            refused += 1
    assert refused <= len(cases)
    kernels.check(cases)


@pytest.mark.parametrize("type_", ["INT8", "INT16"])
def test_sum_at_the_ends_of_int32_equals_tflm(kernels: Kernels, type_: str) -> None:
    """Equal scales and the farthest zero points: the terms are at their largest."""
    limits = np.iinfo(type_.lower())
    ends = np.array([limits.min, limits.min + 1, 0, limits.max - 1, limits.max], type_.lower())
    a, b = np.repeat(ends, 5)[None], np.tile(ends, 5)[None]
    cases = []
    for first in (limits.min, limits.max):
        for second in (limits.min, limits.max):
            scales = (0.5, 0.5, f32(0.5001 * 2 / (2**20 if type_ == "INT8" else 2**15)))
            zero_points = (int(first), int(second), int(limits.max))
            tensors = [Quantized(type_, scale, zero) for scale, zero in zip(scales, zero_points, strict=True)]
            cases += [_check(operator, tensors, "NONE", a, b) for operator in ("ADD", "SUB")]
    kernels.check(cases)


SHAPES = [
    ((1, 7), (1,)),
    ((), (1, 7)),
    ((3, 5), (5,)),
    ((3, 1), (1, 5)),
    ((2, 3, 4, 5), (2, 3, 4, 5)),
    ((2, 3, 4, 5), (1, 3, 1, 5)),
    ((2, 1, 4, 1), (1, 3, 1, 5)),
    ((1, 3, 1, 5), (2, 1, 4, 1)),
    ((2, 3, 4, 5), (4, 1)),
    ((1, 1, 1, 1), (2, 2, 2, 2)),
]


@pytest.mark.parametrize("operator", ["ADD", "SUB"])
@pytest.mark.parametrize("type_", ["INT8", "INT16"])
def test_sum_into_a_far_smaller_scale_is_refused_where_tflm_aborts(operator: str, type_: str) -> None:
    limit = 2.0 ** (20 if type_ == "INT8" else 15)
    operand = Quantized(type_, 1.0)
    with pytest.raises(ModelError, match=f"{operator} scales by 1"):
        OPERATORS[operator][0](operand, operand, Quantized(type_, 2 / limit))
    x = np.arange(-5, 6).astype(type_.lower())[None]
    _check(operator, [operand, operand, Quantized(type_, f32(2 / limit * (1 + 1e-6)))], "NONE", x, x[:, ::-1].copy())


@pytest.mark.parametrize("operator", OPERATORS)
def test_operands_of_unlike_types_are_refused(operator: str) -> None:
    narrow, wide = Quantized("INT8", 0.1), Quantized("INT16", 0.1)
    for tensors in ([narrow, wide, narrow], [narrow, narrow, wide], [Quantized("INT32", 0.1)] * 3):
        with pytest.raises(ModelError, match="expected one type"):
            OPERATORS[operator][0](*tensors)


@pytest.mark.parametrize("place", range(3))
def test_product_of_int16_with_a_zero_point_is_refused_as_by_tflm(place: int) -> None:
    tensors = [Quantized("INT16", 0.1, int(k == place)) for k in range(3)]
    with pytest.raises(ModelError, match="zero point"):
        multiply_parameters(*tensors)
    x = np.zeros((1, 3), np.int16)
    with pytest.raises(ModelError, match="TFLM refuses"):
        tflm("MUL", [(tensors[0], x), (tensors[1], x)], tensors[2])


def test_product_beyond_tflms_arithmetic_is_refused() -> None:
    with pytest.raises(ModelError, match="MUL scales by"):
        multiply_parameters(Quantized("INT8", 1e5), Quantized("INT8", 1e5), Quantized("INT8", 1.0))


def test_activation_whose_limit_does_not_fit_is_refused() -> None:
    tiny = Quantized("INT8", 1e-9)
    with pytest.raises(ModelError, match="does not fit int32"):
        multiply_parameters(tiny, tiny, tiny, "RELU6")


@pytest.mark.parametrize(("scale", "zero_point"), [(0.0, 0), (-1.0, 0), (float("nan"), 0), (1.0, 128), (1.0, -129)])
def test_quantization_that_no_tensor_can_have_is_refused(scale: float, zero_point: int) -> None:
    with pytest.raises(ModelError, match="A tensor"):
        Quantized("INT8", scale, zero_point)


@pytest.mark.parametrize("type_", ["INT8", "INT16"])
def test_broadcasting_equals_tflm(kernels: Kernels, type_: str) -> None:
    rng = np.random.default_rng(3)
    cases = []
    for shapes in SHAPES:
        a, b = (rng.integers(-128, 128, shape).astype(type_.lower()) for shape in shapes)
        tensors = [Quantized(type_, f32(scale)) for scale in (0.03, 0.07, 0.05)]
        cases += [_check(operator, tensors, "NONE", a, b) for operator in OPERATORS]
    kernels.check(cases)


def test_neighbouring_dimensions_that_repeat_alike_are_one_loop() -> None:
    loops = broadcast_loops((2, 3, 4), (4,), (2, 3, 4))
    assert loops.extent == (1, 1, 6, 4)
    assert loops.stride1 == (0, 0, 4, 1)
    assert loops.stride2 == (0, 0, 0, 1)


@pytest.mark.parametrize(
    "shapes",
    [
        ((2, 3), (4,), (2, 3)),
        ((2, 3), (3,), (3,)),
        ((0, 3), (3,), (0, 3)),
        ((2, 1, 2, 1, 2), (1, 2, 1, 2, 1), (2,) * 5),
    ],
)
def test_shapes_that_do_not_combine_are_refused(shapes: tuple[tuple[int, ...], ...]) -> None:
    with pytest.raises(ModelError, match="combine"):
        broadcast_loops(*shapes)


def test_rank_above_that_of_tflm_is_refused() -> None:
    with pytest.raises(ModelError, match="7 dimensions"):
        broadcast_loops((1,) * 7, (1,), (1,) * 7)
