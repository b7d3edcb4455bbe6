"""CBMC on a harness: finds the tool, runs one proof, reads its verdict."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
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
    "--signed-overflow-check",
)
OBJECTS = ("--object-bits", "12")
"""Every unrolled local is an object; the default of 8 bits is too few for the solver's."""


Networks = Callable[..., tuple[Path, ...]]
"""From a network's name (conftest.py), and a solver's if it matters, to its generated headers and sources."""


@dataclass(frozen=True)
class Proof:
    """One ``proof_<name>`` of ``harness``, with the firmware sources under it.

    ``unwind``: iterations that no loop exceeds, ``loops`` those of single loops; CBMC proves that they are enough.
    ``instead``: pairs of a function and the stand-in that is called in its place (harness/contracts.h).
    """

    harness: str
    name: str
    sources: tuple[str, ...]
    unwind: int
    loops: tuple[str, ...] = ()
    defines: tuple[str, ...] = ()
    instead: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"{self.harness}-{self.name}"


@dataclass(frozen=True)
class Verdict:
    """``failed``: the properties that were refuted; ``properties``: how many were looked at."""

    failed: tuple[str, ...]
    properties: int


def find_cbmc() -> str:
    """Return CBMC 6 as .ci/cbmc left it, or of PATH; goto-cc and goto-instrument stand beside it. Skips the test when
    there is none."""
    for found in (ROOT / "build" / "cbmc" / "cbmc", shutil.which("cbmc")):
        if found is not None and Path(found).with_name("goto-instrument").is_file():
            said = subprocess.run([str(found), "--version"], capture_output=True, text=True, check=False).stdout
            if said.startswith("6."):
                return str(found)
    pytest.skip("CBMC 6 is not there: .ci/cbmc fetches it, `make test` calls that")


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def _build(cbmc: str, proof: Proof, includes: tuple[Path, ...], defines: tuple[str, ...], folder: Path) -> Path:
    """Return the program to be proven: compiled, the stand-ins called in place of what they stand for."""
    program = folder / "program"
    sources = [next(path for path in (place / name for place in includes) if path.is_file()) for name in proof.sources]
    command = [str(Path(cbmc).with_name("goto-cc")), "-std=c11", "--function", f"proof_{proof.name}"]
    command += [f"-I{place}" for place in includes] + [f"-D{name}" for name in (*proof.defines, *defines)]
    _run([*command, str(HARNESSES / f"{proof.harness}.c"), *map(str, sources), "-o", str(program)])
    if not proof.instead:
        return program
    # A static function of a header is linked once for each source, under names that differ behind a $.
    listed = set(re.findall(r"/\* ([\w$]+) \*/$", _run([cbmc, str(program), "--list-goto-functions"]), re.MULTILINE))
    pairs = [(name, other) for real, other in proof.instead for name in listed if name.split("$")[0] == real]
    assert {name.split("$")[0] for name, _ in pairs} == {real for real, _ in proof.instead}, listed
    replaced = folder / "replaced"
    options = [word for name, other in pairs for word in ("--replace-calls", f"{name}:{other}")]
    _run([str(Path(cbmc).with_name("goto-instrument")), *options, str(program), str(replaced)])
    return replaced


def check(
    cbmc: str,
    proof: Proof,
    includes: tuple[Path, ...] = (),
    defines: tuple[str, ...] = (),
    firmware: Path = FIRMWARE,
    checks: tuple[str, ...] = CHECKS,
) -> Verdict:
    """Run ``proof``; ``firmware`` may be a changed copy. ``includes`` hold generated headers and sources.

    Raises AssertionError with what CBMC said when it gives no verdict.
    """
    compiled = firmware / "engine" / "compiled"
    with tempfile.TemporaryDirectory() as folder:
        program = _build(cbmc, proof, (firmware, HARNESSES, *includes, compiled), defines, Path(folder))
        command = [cbmc, str(program), "--slice-formula", *checks, *OBJECTS, "--unwind", str(proof.unwind)]
        command += ["--unwindset", ",".join(proof.loops)] if proof.loops else []
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
    end = check(cbmc, proof, includes, ("PROOF_END",), checks=("--no-standard-checks",))
    (refuted,) = end.failed
    assert ".assertion." in refuted


def spoil(path: Path, right: str, wrong: str) -> None:
    """Put a mistake into a file: ``wrong`` in place of ``right``, which stands there once."""
    text = path.read_text()
    assert text.count(right) == 1, "the mutant has lost its place"
    path.write_text(text.replace(right, wrong))
