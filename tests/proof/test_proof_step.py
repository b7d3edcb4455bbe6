"""CBMC on what a sample goes through: the solvers, the compiled engine, the whole step."""

from __future__ import annotations

import pytest
from cbmc_tool import Networks, Proof, assert_holds

from toolchain.ltc.solvers import SOLVERS, Solver

FLOATS = (
    ("tl_solve_element", "any_element"),
    ("tl_quantize_element", "any_quantized"),
)
KERNELS = (
    ("tl_dual_multiply", "any_sum"),
    ("tl_add_bytes", "any_lanes"),
    ("tl_requantize", "any_requantized"),
)
ACCEPTED = (("numbers_are_sound", "accepted"),)
SCALARS = tuple(Proof("scalar_engine", name, (), 5) for name in ("requantize", "offset", "products"))
ENGINE = ("engine_compiled.c", "instead.c", "accepted.c")
INIT = Proof("engine", "init", ("engine_compiled.c",), 20)
RHS = Proof("engine", "rhs", ENGINE, 10, instead=KERNELS + ACCEPTED)
STEP = ("core/recognizer.c", "core/difference.c", "core/prepare.c", "core/solver.c", "core/decision.c", "instead.c")
"""The step with every solver's source but one."""


def integrate(solver: Solver) -> Proof:
    """The proof of one solver; stand-ins for the floats that it has."""
    instead = {
        "semi_implicit": FLOATS,
        "exponential": (*FLOATS[1:], ("one_minus_exp", "any_exponential")),
        "euler": FLOATS[1:],
        "rk4": FLOATS[1:],
    }[solver]
    sources = (f"core/integrate_{solver}.c", "core/solver.c", "core/prepare.c", "instead.c")
    rates = ("proof_integrate.0:513",) if solver == "exponential" else ()
    return Proof("solver", "integrate", sources, 10, rates, instead=instead)


def step(solver: Solver = "semi_implicit") -> Proof:
    """The whole step around any engine."""
    proof = integrate(solver)
    sources = (f"core/integrate_{solver}.c", *STEP)
    return Proof("recognizer", "step", sources, 10, defines=("PROOF_ANY_ENGINE",), instead=proof.instead)


ADVANCE = Proof(
    "recognizer",
    "advance",
    ("core/integrate_semi_implicit.c", *STEP, *(name for name in ENGINE if name != "instead.c")),
    10,
    instead=FLOATS + KERNELS + ACCEPTED,
)


@pytest.mark.parametrize("proof", SCALARS, ids=str)
def test_arithmetic(cbmc: str, proof: Proof, networks: Networks) -> None:
    assert_holds(cbmc, proof, networks("small"))


@pytest.mark.parametrize("solver", SOLVERS)
def test_solver(cbmc: str, solver: Solver, networks: Networks) -> None:
    assert_holds(cbmc, integrate(solver), networks("small", solver))
