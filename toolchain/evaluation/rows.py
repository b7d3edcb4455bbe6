"""The table of figures as data: what each row is on, which runs it needs, and how its value is had from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

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
    difference of accuracy, ``against`` minus ``measure``; ``parity`` the ``statistic`` of int8 beside float
    (toolchain.evaluation.parity); ``file`` the number under ``statistic`` (dots go down) in ``path``, which another
    command writes, with the interval under ``interval``. ``target``: the figure to reach, ``at_least`` or at most it;
    None: for comparison. ``board_s``: so many seconds of each run go through the virtual board as well, which has to
    say the same as the reference, bit for bit.
    """

    key: str
    on: str
    figure: str
    target: float | None = None
    at_least: bool = True
    needs: tuple[Need, ...] = ()
    kind: Literal["figure", "worst", "lost", "parity", "file"] = "figure"
    statistic: str = "accuracy"
    measure: Measure = field(default_factory=Measure)
    against: Measure | None = None
    path: str = ""
    interval: str = ""
    command: str = ""
    board_s: float = 0.0


def _toml(name: str) -> Path:
    return DATASETS / name / "tinyltc.toml"


def _folds(name: str, project: Path, count: int) -> tuple[Need, ...]:
    return tuple(Need(f"{name}-fold{k}of{count}", project, fold=f"{k}/{count}") for k in range(1, count + 1))


GRWD = tuple(Need(f"grwd-seed{seed}", _toml("grwd"), seed) for seed in SEEDS)
GRWD_FOLDS = _folds("grwd", _toml("grwd"), FOLDS)
FIVE_FOLDS = _folds("five", DATASETS / "grwd" / "five.toml", FOLDS)
UHH_FOLDS = _folds("uhh", _toml("uhh"), 5)
BACKGROUND_FOLDS = _folds("background", _toml("spsw"), FOLDS)
BOARD_S = 60.0
_ON_UHH = "uhh, leave one person out, continuous"
_ON_MINUTE = "grwd validation people, streams of 60 s"
HALF = Measure(conditions=Conditions(drop=0.5))
HALF_FIXED = Measure(conditions=Conditions(drop=0.5, fixed_rate=True))

_BENCH = "runs/bench/train.json"
_ON_VALIDATION = "grwd validation people, 10 classes"
_ON_FOLDS = "grwd, 4 folds by person"
_ON_HALF = "grwd validation people, half of the samples dropped"
_ON_STEP = "training step, batch 64"


def _at(on: str, key: str, **conditions: Any) -> Row:
    """Accuracy of one run under other conditions, for comparison: what time as it really is is worth."""
    measure = Measure(conditions=Conditions(**conditions))
    return Row(f"time-{key}", f"grwd validation people, {on}", "accuracy, seed 1", needs=GRWD[:1], measure=measure)


ROWS = (
    Row("grwd", _ON_VALIDATION, "accuracy, int8, mean of 3 seeds", 0.975, True, GRWD, board_s=BOARD_S),
    Row("grwd-folds", _ON_FOLDS, "accuracy, int8", 0.965, True, GRWD_FOLDS),
    Row("grwd-worst", _ON_FOLDS, "worst person, int8", 0.80, True, GRWD_FOLDS, "worst"),
    Row("five-folds", "the 5 classes, 4 folds by person", "accuracy, int8", 0.985, True, FIVE_FOLDS),
    Row(
        "half-true-dt",
        f"{_ON_HALF}, true dt",
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
        f"{_ON_HALF}, a fixed rate pretended",
        "accuracy lost",
        needs=GRWD,
        kind="lost",
        measure=HALF_FIXED,
        against=Measure(),
    ),
    Row("uhh", _ON_UHH, "macro-F1 of events", 0.90, True, UHH_FOLDS, statistic="event_macro_f1"),
    Row(
        "spsw-false",
        "spsw, 4 folds over its 23 people, 5-class model",
        "false activations an hour",
        6.0,
        False,
        BACKGROUND_FOLDS,
        statistic="false_per_hour",
        measure=Measure("spsw"),
    ),
    Row(
        "spsw-recall",
        "grwd, 4 folds by person, the same 5-class models",
        "event recall",
        0.95,
        True,
        BACKGROUND_FOLDS,
        statistic="event_recall",
        measure=Measure("grwd"),
    ),
    Row(
        "int8-float",
        _ON_VALIDATION,
        "accuracy lost by int8, paired",
        0.003,
        False,
        GRWD,
        "lost",
        measure=Measure(),
        against=Measure(use_float=True),
    ),
    Row("int8-agreement", _ON_MINUTE, "samples where int8 and float agree", 0.995, True, GRWD, "parity", "agreement"),
    Row(
        "int8-growth", _ON_MINUTE, "state error around 57 s over that around 5 s", 1.25, False, GRWD, "parity", "growth"
    ),
    Row(
        "delay-wrist",
        "wrist (simulated people)",
        "median delay from gesture end (ms)",
        100,
        False,
        (Need("wrist-seed1", _toml("wrist")),),
        statistic="delay_ms_median",
    ),
    Row("delay-uhh", _ON_UHH, "median delay from gesture end (ms)", 100, False, UHH_FOLDS, statistic="delay_ms_median"),
    Row(
        "train-ncps-ltc",
        f"{_ON_STEP}, T=50 (ncps LTC at 250 needs 16 GB)",
        "times as fast as ncps LTC",
        50,
        True,
        kind="file",
        statistic="pairs.LTC.ratio",
        interval="pairs.LTC.ratio_interval",
        path=_BENCH,
        command="make bench-train",
    ),
    Row(
        "train-ncps-cfc",
        f"{_ON_STEP}, T=250",
        "times as fast as ncps CfC",
        4,
        True,
        kind="file",
        statistic="pairs.CfC.ratio",
        interval="pairs.CfC.ratio_interval",
        path=_BENCH,
        command="make bench-train",
    ),
    _at("their own irregular stamps, true dt", "native", native=True),
    _at("their own irregular stamps, a fixed rate pretended", "native-fixed", native=True, fixed_rate=True),
    _at("100 Hz", "100hz", rate_hz=100.0),
    _at("50 Hz", "50hz", rate_hz=50.0),
    _at("0.2 of the samples dropped, true dt", "fifth", drop=0.2),
    _at("0.2 of the samples dropped, a fixed rate pretended", "fifth-fixed", drop=0.2, fixed_rate=True),
)
