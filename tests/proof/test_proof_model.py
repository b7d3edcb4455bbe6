"""CBMC on the reader of model images, for any bytes in the slot."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cbmc_tool import Networks, Proof, assert_holds, check, spoil

LOOPS = ("table_is_sound.0:17", "table_is_sound.1:17", "find.0:17")
OPEN = Proof(
    "model",
    "open",
    (),
    34,
    LOOPS,
    instead=(
        ("rates_are_sound", "any_rates"),
        ("is_erased", "any_erased"),
        ("hash_matches", "any_hash"),
        ("read_u32", "word_at"),
        ("read_u16", "half_at"),
    ),
)
FEW = replace(OPEN, loops=tuple(f"{loop.split(':')[0]}:6" for loop in LOOPS), defines=("MODEL_SECTIONS=5u",))
RATES = Proof("model", "rates", (), 513)
HASH = Proof("model", "hash", (), 65)
ERASED = Proof("model", "erased", (), 41)


@pytest.mark.parametrize("proof", [RATES, HASH, ERASED], ids=str)
def test_holds(cbmc: str, proof: Proof, networks: Networks) -> None:
    assert_holds(cbmc, proof, networks("least"))


@pytest.mark.slow
@pytest.mark.parametrize("proof", [FEW, OPEN], ids=["few", "sixteen"])
def test_holds_for_any_image(cbmc: str, proof: Proof, networks: Networks) -> None:
    assert_holds(cbmc, proof, networks("least"))


MUTANTS = {
    "overlapping": (FEW, "size > end - offset", "size > end"),
    "labels": (FEW, "left < LABEL_BYTES_MAX + 1u ? left : LABEL_BYTES_MAX + 1u", "LABEL_BYTES_MAX + 1u"),
    "rates": (RATES, "RATE_RANGE_BITS 0x40000000u", "RATE_RANGE_BITS 0x60000000u"),
    "erased": (ERASED, "i < capacity", "i <= capacity"),
}
"""What each proof must refute: text of core/model.c, text in its place."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (proof is FEW)) for name, (proof, _, _) in MUTANTS.items()]
)
def test_refutes_a_mistake(cbmc: str, name: str, networks: Networks, firmware_copy: Path) -> None:
    proof, right, wrong = MUTANTS[name]
    spoil(firmware_copy / "core" / "model.c", right, wrong)
    assert check(cbmc, proof, networks("least"), firmware=firmware_copy).failed != ()
