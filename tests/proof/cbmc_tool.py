"""CBMC on a harness: finds the tool, runs one proof, reads its verdict."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = ROOT / "firmware"
HARNESSES = Path(__file__).resolve().parent / "harness"
CHECKS = (
    "--bounds-check",
    "--pointer-check",
    "--pointer-primitive-check",
    "--pointer-overflow-check",
    "--div-by-zero-check",
    "--undefined-shift-check",
    "--unwinding-assertions",
    # Every unrolled local is an object; the default of 8 bits is too few for the solver's.
    "--object-bits",
    "12",
)
"""Beside --signed-overflow-check, which some proofs leave to another."""


@dataclass(frozen=True)
class Proof:
    """One ``proof_<name>`` of ``harness``, with the firmware sources under it.

    ``unwind``: iterations that no loop exceeds, ``loops`` those of single loops; CBMC proves that they are enough.
    ``overflow``: whether signed overflow is looked for.
    """

    harness: str
    name: str
    sources: tuple[str, ...]
    unwind: int
    loops: tuple[str, ...] = ()
    defines: tuple[str, ...] = ()
    overflow: bool = True

    def __str__(self) -> str:
        return f"{self.harness}-{self.name}"


@dataclass(frozen=True)
class Verdict:
    """``failed``: the properties that were refuted; ``properties``: how many were looked at."""

    failed: tuple[str, ...]
    properties: int


def find_cbmc() -> str:
    """Return CBMC 6 as .ci/cbmc left it, or of PATH; skips the test when there is none."""
    for found in (ROOT / "build" / "cbmc" / "cbmc", shutil.which("cbmc")):
        if found is not None and Path(found).is_file():
            said = subprocess.run([str(found), "--version"], capture_output=True, text=True, check=False).stdout
            if said.startswith("6."):
                return str(found)
    pytest.skip("CBMC 6 is not there: .ci/cbmc fetches it, `make test` calls that")


def check(
    cbmc: str, proof: Proof, includes: tuple[Path, ...] = (), extra: tuple[str, ...] = (), firmware: Path = FIRMWARE
) -> Verdict:
    """Run ``proof``; ``firmware`` may be a changed copy. ``includes`` hold generated headers and sources.

    Raises AssertionError with what CBMC said when it gives no verdict.
    """
    folders = (firmware, HARNESSES, *includes)
    sources = [next(path for path in (folder / name for folder in folders) if path.is_file()) for name in proof.sources]
    overflow = "--signed-overflow-check" if proof.overflow else "--no-signed-overflow-check"
    command = [cbmc, "--c11", "--slice-formula", *CHECKS, overflow, "--function", f"proof_{proof.name}"]
    command += ["--unwind", str(proof.unwind), *(("--unwindset", ",".join(proof.loops)) if proof.loops else ())]
    command += [f"-I{folder}" for folder in folders] + [f"-D{name}" for name in proof.defines] + list(extra)
    command += [str(HARNESSES / f"{proof.harness}.c"), *map(str, sources)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    summary = re.search(r"^\*\* (\d+) of (\d+) failed", done.stdout, re.MULTILINE)
    assert done.returncode in (0, 10), f"{' '.join(command)}\n{done.stdout[-2000:]}{done.stderr}"
    assert summary is not None, f"{done.stdout[-2000:]}{done.stderr}"
    failed = tuple(re.findall(r"^\[(\S+)\].*: FAILURE$", done.stdout, re.MULTILINE))
    assert len(failed) == int(summary[1])
    assert (done.returncode == 0) == (not failed) == ("VERIFICATION SUCCESSFUL" in done.stdout)
    return Verdict(failed, int(summary[2]))


def assert_holds(cbmc: str, proof: Proof, includes: tuple[Path, ...] = ()) -> None:
    """Assert that every property holds, and that the proof's end can be reached: contradictory assumptions would make
    everything true."""
    verdict = check(cbmc, proof, includes)
    assert verdict.failed == ()
    assert verdict.properties >= 2
    end = check(cbmc, proof, includes, ("-DPROOF_END",))
    (refuted,) = end.failed
    assert ".assertion." in refuted
