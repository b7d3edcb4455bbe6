"""CBMC on what a sample goes through: the solvers, the compiled engine, the whole step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cbmc_tool import Networks, Proof, assert_holds, check, spoil

from toolchain.ltc.solvers import SOLVERS, Solver

FLOATS = (
    ("tl_leak_over", "any_leak"),
    ("tl_solve_together", "any_together"),
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
STEP = (
    "core/recognizer.c",
    "core/difference.c",
    "core/prepare.c",
    "core/solver.c",
    "core/decision.c",
    "instead.c",
    "instead_element.c",
)
"""The step; the source of a solver comes to it."""


def integrate(solver: Solver) -> Proof:
    """The proof of one solver; stand-ins for the floats that it has."""
    instead = {
        "semi_implicit": FLOATS,
        "exponential": (*FLOATS[2:], ("one_minus_exp", "any_exponential")),
        "euler": FLOATS[2:],
        "rk4": FLOATS[2:],
    }[solver]
    sources = (f"core/integrate_{solver}.c", "core/solver.c", "core/prepare.c", "instead.c", "instead_element.c")
    return Proof("solver", "integrate", sources, 10, instead=instead)


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


ELEMENT = tuple(Proof("element", name, (), 9) for name in ("leak", "together"))


@pytest.mark.parametrize("proof", ELEMENT, ids=str)
def test_element(cbmc: str, proof: Proof, networks: Networks) -> None:
    assert_holds(cbmc, proof, networks("small"))


EXPONENTIAL = Proof("exponential", "exponential", ("core/prepare.c",), 20)


@pytest.mark.parametrize("solver", SOLVERS)
def test_solver(cbmc: str, solver: Solver, networks: Networks) -> None:
    assert_holds(cbmc, integrate(solver), networks("least", solver))


def test_exponential(cbmc: str, networks: Networks) -> None:
    assert_holds(cbmc, EXPONENTIAL, networks("least", "exponential"))


def test_engine_init(cbmc: str, networks: Networks) -> None:
    assert_holds(cbmc, INIT, networks("small"))


def test_engine(cbmc: str, networks: Networks) -> None:
    assert_holds(cbmc, RHS, networks("whole"))


def test_step(cbmc: str, networks: Networks) -> None:
    assert_holds(cbmc, step(), networks("least"))


def test_step_with_the_engine(cbmc: str, networks: Networks) -> None:
    assert_holds(cbmc, ADVANCE, networks("least"))


@pytest.mark.slow
@pytest.mark.parametrize("solver", SOLVERS)
def test_step_of_two_layers(cbmc: str, solver: Solver, networks: Networks) -> None:
    assert_holds(cbmc, step(solver), networks("small", solver))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["small", "larger"])
def test_step_with_a_larger_engine(cbmc: str, name: str, networks: Networks) -> None:
    assert_holds(cbmc, replace(ADVANCE, unwind=15), networks(name))


@pytest.mark.slow
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("name", ["small", "larger"])
def test_solver_of_a_larger_network(cbmc: str, name: str, solver: Solver, networks: Networks) -> None:
    assert_holds(cbmc, replace(integrate(solver), unwind=15), networks(name, solver))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["small", "larger"])
def test_engine_of_a_larger_network(cbmc: str, name: str, networks: Networks) -> None:
    assert_holds(cbmc, RHS, networks(name))


@pytest.mark.slow
def test_engine_with_a_pair(cbmc: str, networks: Networks) -> None:
    assert_holds(cbmc, replace(RHS, unwind=20, defines=("ANSWERS=1u",)), networks("paired"))


@pytest.mark.slow
def test_engine_with_its_own_arithmetic(cbmc: str, networks: Networks) -> None:
    assert_holds(cbmc, replace(RHS, instead=ACCEPTED, defines=("ANSWERS=1u",)), networks("whole"))


MUTANTS: dict[str, tuple[Proof, str, Solver, str, str, str]] = {
    "semi_implicit": (
        integrate("semi_implicit"),
        "least",
        "semi_implicit",
        "core/model.h",
        "256u * layer) + 128u",
        "256u * layer)",
    ),
    "euler": (
        integrate("euler"),
        "least",
        "euler",
        "core/model.h",
        "256u * layer) + 128u",
        "256u * layer)",
    ),
    "rk4": (integrate("rk4"), "least", "rk4", "core/integrate_rk4.c", "s < STAGES;", "s <= STAGES;"),
    "exponential": (
        EXPONENTIAL,
        "least",
        "exponential",
        "core/integrate_exponential.c",
        "bits > SATURATED_BITS ? SATURATED_BITS : bits",
        "bits",
    ),
    "together": (
        ELEMENT[1],
        "small",
        "semi_implicit",
        "core/element.h",
        "#define TL_DIVISOR_ONE 4194304",
        "#define TL_DIVISOR_ONE 8388608",
    ),
    "requantize": (
        SCALARS[0],
        "least",
        "semi_implicit",
        "engine/compiled/requantize.h",
        "value > INT8_MAX ? INT8_MAX : ",
        "",
    ),
    "step": (step(), "least", "semi_implicit", "core/recognizer.c", "delta > model->dt_max_us", "false"),
    "advance": (ADVANCE, "least", "semi_implicit", "core/recognizer.c", "int8_t x[TL_INPUTS];", "int8_t x[2];"),
}
"""What each proof must refute: proof, network, solver, file, text, text in its place."""


@pytest.mark.parametrize("name", MUTANTS)
def test_refutes_a_mistake(cbmc: str, name: str, networks: Networks, firmware_copy: Path) -> None:
    proof, network, solver, file, right, wrong = MUTANTS[name]
    spoil(firmware_copy / file, right, wrong)
    assert check(cbmc, proof, networks(network, solver), firmware=firmware_copy).failed != ()


def test_refutes_a_state_that_is_one_short(cbmc: str, networks: Networks) -> None:
    failed = check(cbmc, integrate("semi_implicit"), networks("least"), ("SOLVER_MISSING=1",)).failed
    assert any("pointer_dereference" in each for each in failed)


def test_refutes_a_section_that_was_not_checked(cbmc: str, networks: Networks) -> None:
    unchecked = (*KERNELS, ("numbers_are_sound", "unchecked"))
    failed = check(cbmc, replace(RHS, instead=unchecked, defines=("ANSWERS=1u",)), networks("whole")).failed
    assert any("undefined-shift" in each for each in failed)


def test_refutes_a_section_that_is_a_word_short(cbmc: str, networks: Networks) -> None:
    failed = check(cbmc, replace(RHS, defines=("ANSWERS=1u", "SECTION_MISSING=4")), networks("whole")).failed
    assert failed != ()
