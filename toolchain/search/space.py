"""What a search varies: size, wiring, solver, time and preparation of the network."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from toolchain.board import Imu
from toolchain.ltc.prepare import Preparation
from toolchain.ltc.solvers import STABLE_UP_TO, Solver
from toolchain.project import Project

SIZES: tuple[tuple[int, ...], ...] = (
    *((24,), (32,), (48,), (64,), (96,), (128,)),
    *((16, 16), (24, 24), (32, 32), (48, 48), (64, 32), (64, 64), (96, 64), (96, 96)),
    *((24, 24, 24), (32, 32, 32), (48, 48, 48)),
)
"""Widths of the layers. Every layer costs a sample of delay."""
DENSITIES = (1.0, 0.5, 0.25)
"""Shares of the drives' weights that are wired. The engine multiplies by the zeros, too: wiring saves nothing."""
SOLVERS: tuple[Solver, ...] = ("semi_implicit", "exponential", "euler", "rk4")
TIME_FACTORS = (0.5, 0.7, 1.0, 1.4, 2.0)
"""Of the project's time_scale: model time per second, and with it dt."""
PREPARATIONS: tuple[Preparation, ...] = ("raw", "high_pass", "difference")
EXPLICIT_PERIODS = 3
"""The longest step of an explicit solver, in samples: beyond, its state would be reset instead of integrated."""
STABILITY_MARGIN = 1.02


@dataclass(frozen=True)
class Candidate:
    """One network of the space. ``time_scale``: model time per second."""

    layers: tuple[int, ...]
    density: float
    solver: Solver
    time_scale: float
    preparation: Preparation

    @property
    def name(self) -> str:
        """A short name, such as ``64x64 semi_implicit raw t40`` with ``d0.5`` where it is sparse."""
        sparse = "" if self.density == 1 else f" d{self.density:g}"
        widths = "x".join(map(str, self.layers))
        return f"{widths}{sparse} {self.solver} {self.preparation} t{self.time_scale:g}"

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self) | {"layers": list(self.layers)}


def candidate(value: dict[str, Any]) -> Candidate:
    """Return the candidate that :meth:`Candidate.to_dict` gave."""
    return Candidate(**(value | {"layers": tuple(value["layers"])}))


def own(project: Project) -> Candidate:
    """Return the project's own network."""
    model = project.model
    return Candidate(tuple(model.layers), model.density, model.solver, model.time_scale, model.preparation)


def candidates(project: Project, seed: int) -> Iterator[Candidate]:
    """Give the project's own network, then every other one of the space in a random order that ``seed`` fixes."""
    first = own(project)
    yield first
    scales = [float(f"{project.model.time_scale * factor:.3g}") for factor in TIME_FACTORS]
    every = list(itertools.product(SIZES, DENSITIES, SOLVERS, scales, PREPARATIONS))
    for index in np.random.default_rng(seed).permutation(len(every)).tolist():
        one = Candidate(*every[index])
        if one != first:
            yield one


def applied(project: Project, one: Candidate, imu: Imu) -> Project:
    """Return ``project`` with the network of ``one``.

    An explicit solver is stable up to some dt / tau only: it comes with the longest step and the smallest tau for which
    it is.
    """
    model: dict[str, Any] = one.to_dict()
    limit = STABLE_UP_TO.get(one.solver)
    if limit is not None and one != own(project):
        longest_s = EXPLICIT_PERIODS * imu.period_us * 1e-6
        smallest = STABILITY_MARGIN * longest_s * one.time_scale / limit
        model["dt_max_s"] = longest_s
        model["tau_epsilon"] = max(project.model.tau_epsilon, math.ceil(smallest * 1000) / 1000)
    return Project.model_validate(project.model_dump() | {"model": project.model.model_dump() | model})
