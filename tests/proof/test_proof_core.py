"""CBMC on the portable core: ring, frames, checksums, decision, codes and state."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cbmc_tool import Networks, Proof, assert_holds, check, spoil

WIRE = ("core/cobs.c", "core/frame.c", "core/message.c")
RING_TAKE = Proof("ring", "take", ("core/ring.c",), 20)
BUILD = Proof("frame", "build", WIRE, 24)
UPDATE = Proof("sha256", "update", ("core/sha256.c",), 65, ("tl_sha256_update.1:5",))
SHORT = (
    Proof("ring", "push", ("core/ring.c",), 20),
    RING_TAKE,
    Proof("ring", "count_lost", ("core/ring.c",), 20),
    Proof("frame", "cobs_push", WIRE, 2),
    Proof("frame", "cobs_write", WIRE, 2),
    Proof("frame", "receive", WIRE, 2),
    Proof("frame", "request", WIRE, 2),
    BUILD,
    Proof("crc32", "crc32", ("core/crc32.c",), 246),
    Proof("decision", "decision", ("core/decision.c",), 10),
    Proof("state", "prepare_codes", ("core/prepare.c",), 10),
    Proof("state", "prepare_state", ("core/prepare.c",), 10),
)
"""Together about half a minute of one core."""
LONG = (
    replace(RING_TAKE, name="order"),
    replace(BUILD, unwind=250, defines=("FRAME_PAYLOAD=240u",)),
    UPDATE,
    Proof("sha256", "final", ("core/sha256.c",), 65, ("tl_sha256_update.1:5",)),
)


@pytest.mark.parametrize("proof", SHORT, ids=str)
def test_holds(cbmc: str, proof: Proof, networks: Networks) -> None:
    assert_holds(cbmc, proof, networks("small"))


@pytest.mark.slow
@pytest.mark.parametrize("proof", LONG, ids=str)
def test_holds_in_full(cbmc: str, proof: Proof, networks: Networks) -> None:
    assert_holds(cbmc, proof, networks("small"))


@pytest.mark.slow
@pytest.mark.parametrize("proof", [proof for proof in SHORT if proof.harness == "state"], ids=str)
def test_holds_for_a_larger_network(cbmc: str, proof: Proof, networks: Networks) -> None:
    assert_holds(cbmc, proof, networks("larger"))


MUTANTS = {
    "ring-push": ("core/ring.c", "written - taken >= TL_RING_SAMPLES", "written - taken > TL_RING_SAMPLES"),
    "ring-take": ("core/ring.c", "waiting < capacity ? waiting : capacity", "waiting"),
    "frame-cobs_push": ("core/cobs.c", "decoder->size < capacity", "decoder->size <= capacity"),
    "frame-cobs_write": ("core/cobs.c", "== FULL_BLOCK", "== FULL_BLOCK - 1u"),
    "frame-receive": ("core/frame.c", "size < TL_PAYLOAD_MIN + TL_FRAME_CRC", "size + 1u < TL_FRAME_CRC"),
    "frame-request": ("core/message.c", "body_size != 1 ||", ""),
    "crc32-crc32": ("core/crc32.c", "i < n;", "i <= n;"),
    "decision-decision": ("core/decision.c", "#define STEP 2048", "#define STEP 4096"),
    "state-prepare_codes": ("core/prepare.c", "value < -LIMIT ? -LIMIT : value", "value"),
}
"""What each proof must refute: file, text, text in its place."""


@pytest.mark.parametrize("name", MUTANTS)
def test_refutes_a_mistake(cbmc: str, name: str, networks: Networks, firmware_copy: Path) -> None:
    (proof,) = [proof for proof in (*SHORT, *LONG) if str(proof) == name]
    file, right, wrong = MUTANTS[name]
    spoil(firmware_copy / file, right, wrong)
    assert check(cbmc, proof, networks("small"), firmware=firmware_copy).failed != ()


def test_refutes_a_bound_that_cuts_a_loop(cbmc: str, networks: Networks) -> None:
    failed = check(cbmc, replace(RING_TAKE, unwind=10), networks("small")).failed
    assert any(".unwind." in each for each in failed)
