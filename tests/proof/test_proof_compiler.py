"""CBMC on what the compiler makes of small models, and on the arithmetic that it inlines."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cbmc_tool import Proof, assert_holds, check, spoil
from small_nets import NETS, write_net

SUMS = ("tl_multiply_add", "any_multiply_add")
PRODUCTS = ("tl_doubling_high_product", "any_high_product")
RECIPROCAL = ("tl_one_over_one_plus", "any_reciprocal")
INSTEAD = {
    "dense_bytes": (SUMS, PRODUCTS),
    "dense_halves": (SUMS,),
    "bytes": (PRODUCTS, RECIPROCAL),
    "halves": (PRODUCTS,),
}
SCALARS = tuple(
    Proof("scalar", name, (), 5)
    for name in ("scale", "scale_down", "scale_short", "scale_reduced", "scale_wide", "high_product")
)
MOVES = tuple(Proof("scalar", name, (), 5) for name in ("bytes", "halves_and_bytes", "bytes_and_halves"))


KERNELS = [pytest.param(name, marks=[pytest.mark.slow] * (name == "halves")) for name in NETS]


def invoke(name: str) -> Proof:
    return Proof("invoke", "invoke", ("net.c", "instead.c"), 18, instead=INSTEAD[name])


@pytest.mark.parametrize("proof", SCALARS, ids=str)
def test_arithmetic(cbmc: str, proof: Proof) -> None:
    assert_holds(cbmc, proof)


@pytest.mark.slow
@pytest.mark.parametrize("proof", MOVES, ids=str)
def test_sums_of_products(cbmc: str, proof: Proof) -> None:
    assert_holds(cbmc, proof)


@pytest.mark.parametrize("name", KERNELS)
def test_kernels(cbmc: str, name: str, tmp_path: Path) -> None:
    assert_holds(cbmc, invoke(name), (write_net(name, tmp_path),))


@pytest.mark.slow
def test_kernels_with_their_own_arithmetic(cbmc: str, tmp_path: Path) -> None:
    """All but the reciprocal of SOFTMAX."""
    proof = replace(invoke("halves"), instead=())
    assert_holds(cbmc, proof, (write_net("halves", tmp_path),))


MUTANTS = {
    "dense_bytes": ("tl_widen_int8(in->t0, 5u", "tl_widen_int8(in->t0, 6u"),
    "dense_halves": ("weights[TL_DENSE_ROWS * k]", "weights[TL_DENSE_ROWS * (k + 1u)]"),
    "bytes": ("output[i] = table[input[i] + 128];", "output[i] = table[input[i] + 129];"),
    "halves": ("if (index >= 255u) {", "if (index > 255u) {"),
}
"""What each proof must refute: text of net.c, text in its place."""


@pytest.mark.parametrize("name", KERNELS)
def test_refutes_a_mistake(cbmc: str, name: str, tmp_path: Path) -> None:
    folder = write_net(name, tmp_path)
    spoil(folder / "net.c", *MUTANTS[name])
    assert check(cbmc, invoke(name), (folder,)).failed != ()


def test_refutes_a_sum_without_a_bound(cbmc: str, firmware_copy: Path) -> None:
    """Of the arithmetic: a scaling that would double a sum of 31 bits."""
    spoil(firmware_copy / "engine" / "kernels" / "dense.h", "tl_high_product(2 * sum, ", "tl_high_product(4 * sum, ")
    (proof,) = [proof for proof in SCALARS if proof.name == "scale_short"]
    failed = check(cbmc, proof, firmware=firmware_copy).failed
    assert any("overflow" in each for each in failed)
