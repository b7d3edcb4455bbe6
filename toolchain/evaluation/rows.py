"""The table of figures as data: what each row is on, which runs it needs, and how its value is had from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from toolchain.evaluation.conditions import Conditions
from toolchain.project import DATASETS

FOLDS = 4
SEEDS = (1, 2, 3)


@dataclass(frozen=True)
class Need:
    """One run that must exist, trained and converted: its name and how it is made."""

    name: str
    project: Path
    seed: int = 1
    fold: str | None = None


@dataclass(frozen=True)
class Measure:
    """One evaluation of the runs of a row: on which set, under which conditions."""

    data: str | None = None
    people: Literal["own", "all"] = "own"
    conditions: Conditions = field(default_factory=Conditions)
    use_float: bool = False


@dataclass(frozen=True)
class Row:
    """One figure.

    ``kind``: ``figure`` takes ``statistic`` from the measure; ``worst`` the worst person's; ``lost`` the paired
    difference of accuracy, ``against`` minus ``measure``; ``file`` the number under ``statistic`` (dots go down) in
    ``path``, which another command writes. ``target``: the figure to reach, ``at_least`` or at most it.
    """

    key: str
    on: str
    figure: str
    target: float
    at_least: bool
    needs: tuple[Need, ...] = ()
    kind: Literal["figure", "worst", "lost", "file"] = "figure"
    statistic: str = "accuracy"
    measure: Measure = field(default_factory=Measure)
    against: Measure | None = None
    path: str = ""
    command: str = ""


def _toml(name: str) -> Path:
    return DATASETS / name / "tinyltc.toml"


def _folds(name: str, project: Path, count: int) -> tuple[Need, ...]:
    return tuple(Need(f"{name}-fold{k}of{count}", project, fold=f"{k}/{count}") for k in range(1, count + 1))


GRWD = tuple(Need(f"grwd-seed{seed}", _toml("grwd"), seed) for seed in SEEDS)
GRWD_FOLDS = _folds("grwd", _toml("grwd"), FOLDS)
FIVE_FOLDS = _folds("five", DATASETS / "grwd" / "five.toml", FOLDS)
UHH_FOLDS = _folds("uhh", _toml("uhh"), 5)
BACKGROUND_FOLDS = _folds("background", _toml("spsw"), FOLDS)
HALF = Measure(conditions=Conditions(drop=0.5))
HALF_FIXED = Measure(conditions=Conditions(drop=0.5, fixed_rate=True))

ROWS = (
    Row("grwd", "grwd validation people, 10 classes", "accuracy, int8, 3 seeds", 0.975, True, GRWD),
    Row("grwd-folds", "grwd, 4 folds by person", "accuracy, int8", 0.965, True, GRWD_FOLDS),
    Row("grwd-worst", "grwd, 4 folds by person", "worst person, int8", 0.80, True, GRWD_FOLDS, "worst"),
    Row("five-folds", "the 5 classes, 4 folds by person", "accuracy, int8", 0.985, True, FIVE_FOLDS),
    Row(
        "half-true-dt",
        "grwd, half of the samples dropped, true dt",
        "accuracy lost",
        0.01,
        False,
        GRWD,
        "lost",
        measure=HALF,
        against=Measure(),
    ),
    Row(
        "half-fixed-rate",
        "grwd, half of the samples dropped, a pretended fixed rate",
        "accuracy lost (for comparison)",
        1.0,
        False,
        GRWD,
        "lost",
        measure=HALF_FIXED,
        against=Measure(),
    ),
    Row(
        "uhh",
        "uhh, leave one person out, continuous",
        "macro-F1 of events",
        0.90,
        True,
        UHH_FOLDS,
        "figure",
        "event_macro_f1",
    ),
    Row(
        "spsw-false",
        "spsw, folds over its 23 people, 5-class model",
        "false activations an hour",
        6.0,
        False,
        BACKGROUND_FOLDS,
        "figure",
        "false_per_hour",
        Measure("spsw"),
    ),
    Row(
        "spsw-recall",
        "grwd events, the same 5-class models",
        "event recall",
        0.95,
        True,
        BACKGROUND_FOLDS,
        "figure",
        "event_recall",
        Measure("grwd"),
    ),
    Row(
        "int8-float",
        "grwd validation people, paired",
        "accuracy lost by int8",
        0.003,
        False,
        GRWD,
        "lost",
        measure=Measure(),
        against=Measure(use_float=True),
    ),
    Row(
        "int8-agreement",
        "grwd validation people, streams",
        "per-step agreement of int8 with float",
        0.995,
        True,
        GRWD[:1],
        "file",
        "parity.float.agreement",
        path="runs/grwd-seed1/int8.json",
        command="tinyltc convert --run grwd-seed1",
    ),
    Row(
        "delay-wrist",
        "wrist",
        "median delay from gesture end (ms)",
        100,
        False,
        (Need("wrist-seed1", _toml("wrist")),),
        "figure",
        "delay_ms_median",
    ),
    Row(
        "delay-uhh",
        "uhh, leave one person out",
        "median delay from gesture end (ms)",
        100,
        False,
        UHH_FOLDS,
        "figure",
        "delay_ms_median",
    ),
    Row(
        "train-ncps-ltc",
        "training step, batch 64, T=250",
        "times faster than ncps LTC",
        50,
        True,
        kind="file",
        statistic="speedup.ncps_ltc",
        path="runs/bench-train/bench.json",
        command="make bench-train",
    ),
    Row(
        "train-ncps-cfc",
        "training step, batch 64, T=250",
        "times faster than ncps CfC",
        4,
        True,
        kind="file",
        statistic="speedup.ncps_cfc",
        path="runs/bench-train/bench.json",
        command="make bench-train",
    ),
)
