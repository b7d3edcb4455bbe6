"""Runs of one small network under each solver, with time constants and gaps for which every solver is stable."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from codegen_runs import SHAPES, Made, make_spec, quiet, random_tflite, write_run

from toolchain.board import Board
from toolchain.codegen.generate import generate
from toolchain.ltc.modelspec import ModelSpec
from toolchain.ltc.prepare import inputs_of
from toolchain.ltc.solvers import Solver

CALM: dict[str, Any] = {"tau_epsilon": 0.4, "time_scale": 8.0, "dt_max_us": 99_000}
"""dt * r reaches 1.98 at most: long steps come close to what explicit Euler bears."""


def solver_spec(board: Board, solver: Solver, shape: str, tflite: bytes, **changes: Any) -> ModelSpec:
    units, outputs, preparation = SHAPES[shape]
    spec = make_spec(board, units, outputs, tflite, preparation)
    return ModelSpec.model_validate(spec.model_dump() | CALM | {"solver": solver} | changes)


def solver_run(folder: Path, board: Board, solver: Solver, shape: str = "three", **changes: Any) -> Made:
    """Generate the network of ``shape`` for ``solver``; ``changes`` are fields of model.json."""
    units, outputs, preparation = SHAPES[shape]
    tflite = random_tflite(units, outputs, seed=5, inputs=inputs_of(preparation))
    spec = solver_spec(board, solver, shape, tflite, **changes)
    run = write_run(folder / f"{solver}-{shape}", spec, tflite)
    generate(run, board, "compiled", quiet())
    return Made(run, run, board, spec, tflite, run.image.read_bytes(), folder / "libraries")
