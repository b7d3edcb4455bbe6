"""The project file ``tinyltc.toml``: task, data, model, training, decision, budgets and board of one recognizer."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from toolchain.errors import ConfigError
from toolchain.files import read_json, validated
from toolchain.ltc.modelspec import Cell
from toolchain.ltc.prepare import Preparation
from toolchain.ltc.solvers import Solver

DATASETS = Path(__file__).resolve().parent.parent / "datasets"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Task(_Strict):
    """What is recognized. ``background`` is the class that means 'no gesture'."""

    name: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,32}$")
    kind: Literal["classes"] = "classes"
    classes: Annotated[list[str], Field(min_length=2, max_length=32)]
    background: str = "none"

    @model_validator(mode="after")
    def _classes_are_sound(self) -> Task:
        if len(set(self.classes)) != len(self.classes):
            raise ValueError("classes must not repeat")
        if self.background not in self.classes:
            raise ValueError(f"background '{self.background}' must be one of the classes")
        return self


class Data(_Strict):
    """Which data set, and how it is split (always by person)."""

    set: str
    path: str | None = Field(default=None, description="the file, for sets that are read from one")
    also: list[str] = Field(default=[], description="sets that are mixed in, brought to the same device first")
    fold: str | None = Field(
        default=None, pattern=r"^[1-9][0-9]*/[1-9][0-9]*$", description="k/n: test people are fold k"
    )
    mine: str | None = Field(
        default=None, description="a file of your own recordings, all trained on: new classes, or your way of old ones"
    )
    with_bad: bool = Field(default=False, description="train on captured recordings too whose verdict is bad")
    people: int | None = Field(default=None, ge=6, description="simulated people, for simulated sets")
    validation_people: float = Field(
        default=0.15, gt=0, lt=0.5, description="fraction: training people held out for early stopping and the decision"
    )
    test_people: float = Field(default=0.25, gt=0, lt=0.5, description="fraction of the people")
    seed: int = 1


class Model(_Strict):
    """The network: its cell, layer widths, model time per second, the longest gap, and the solver."""

    cell: Cell = Field(default="ltc", description="every other than ltc is for comparison only (docs/cells.md)")
    layers: Annotated[list[Annotated[int, Field(ge=1, le=256)]], Field(min_length=1, max_length=8)] = [64, 64]
    density: float = Field(
        default=1.0, gt=0, le=1, description="share of the drives' weights that is wired, at random; of cell ltc"
    )
    time_scale: float = Field(default=7.0, gt=0, description="model time units per second")
    dt_max_s: float = Field(default=0.1, gt=0, description="a longer gap between samples resets the state")
    tau_epsilon: float = Field(default=0.05, gt=0, description="smallest time constant in model time units")
    solver: Solver = "semi_implicit"
    preparation: Preparation = Field(
        default="raw", description="of the inputs: as they are, without their mean, or with their rate of change"
    )

    @model_validator(mode="after")
    def _belong_together(self) -> Model:
        if self.cell != "ltc" and (self.density != 1 or self.solver != "semi_implicit"):
            raise ValueError(f"density and solver belong to cell ltc; cell {self.cell} has neither")
        return self


Fraction = Annotated[float, Field(ge=0, le=1)]


class Augmentation(_Strict):
    """What a wearer could have done, or a sensor, differently: standard deviations, ranges and fractions.

    A fraction is that of the recordings, in training only, that are changed so.
    """

    roll_degrees: float = Field(default=20.0, ge=0, description="turn about the forearm: straps slip that way most")
    tilt_degrees: float = Field(default=12.0, ge=0, description="turn about a random axis")
    half_turns: Fraction = Field(default=0.07, description="strap worn the other way round: half a turn about z")
    mirrored: Fraction = Field(default=0.0, description="worn on the other hand: see mirror_classes")
    mirror_classes: dict[str, str] = Field(default={}, description="what a class becomes on the other hand")
    speed: float = Field(default=1.25, ge=1, description="time is stretched by up to this factor, both ways")
    gain: float = Field(default=0.05, ge=0, description="gain error of each channel")
    amplitude: float = Field(default=0.1, ge=0, description="how much more or less the hand turns, in logarithm")
    bias: tuple[float, float] = Field(default=(0.2, 0.03), description="m/s^2, rad/s")
    noise: tuple[float, float] = Field(default=(0.15, 0.02), description="largest white noise: m/s^2, rad/s")
    clipped: Fraction = Field(default=0.1, description="seen by a sensor of +-2 g and +-250 deg/s")
    dropped: Fraction = Field(default=0.0, description="up to half of the samples lost")


class Training(_Strict):
    """How long and how the training runs."""

    seed: int = 1
    epochs: int = Field(default=15, ge=1)
    steps_per_epoch: int = Field(default=80, ge=1)
    batch: int = Field(default=64, ge=2, multiple_of=2)
    learning_rate: float = Field(default=5e-3, gt=0)
    weight_decay: float = Field(default=1e-4, ge=0)
    label_smoothing: float = Field(default=0.1, ge=0, lt=1)
    average: float = Field(default=0.99, ge=0, lt=1, description="decay of the moving average of the weights")
    streams: float = Field(default=0.5, ge=0, lt=1, description="fraction of the batch that walks along streams")
    balanced: bool = Field(default=True, description="every class as often as any other among the windows")
    known_from: Fraction = Field(default=0.6, description="fraction of its motion from which a gesture is asked for")
    motion_weight: float = Field(default=0.2, ge=0, description="weight of that part")
    ended_weight: float = Field(default=3.0, ge=0, description="weight of the hold after the motion's end")
    hold_s: float = Field(default=0.4, ge=0, description="so long after its motion a gesture is still asked for")
    release_s: float = Field(default=0.4, ge=0, description="then nothing is asked, while the states forget")
    background_weight: float = Field(default=1.0, ge=0, description="weight of what is no gesture")
    chunk_s: float = Field(default=3.0, gt=0, description="longest stretch of signal that a gradient runs through")
    rate_hz: float = Field(default=52.0, gt=0, description="training leaves out samples down to this rate")
    augmentation: Augmentation = Augmentation()
    everyone: bool = Field(
        default=False, description="train on the validation people too, for all epochs; the decision is tuned on them"
    )
    patience: int = Field(default=6, ge=1, description="epochs without improvement before it stops")
    max_seconds: float = Field(default=900.0, gt=0, description="training stops after this many seconds")


class Decision(_Strict):
    """The decision stage in physical terms; the int8 stage turns it into integers."""

    smoothing_s: float = Field(default=0.04, ge=0, le=1, description="time constant of the smoothed logits")
    confirm_s: float = Field(default=0.0, ge=0, le=2, description="so long a class must win by the threshold")
    threshold: float = Field(default=1.0, ge=0, description="margin over the runner-up, in logits")
    holdoff_s: float = Field(default=0.6, ge=0, le=60, description="no second command within this time")
    target_false_per_hour: float | None = Field(
        default=None, ge=0, description="convert tunes for the best recall at no more false activations than this"
    )
    target_delay_s: float | None = Field(
        default=None, description="convert tunes for a median from gesture end to command of no more than this"
    )


class Budgets(_Strict):
    """Limits that the report checks."""

    latency_ms: float = 15.0
    power_mw: float = 200.0
    ram_bytes: int = 256 * 1024
    flash_bytes: int = 1024 * 1024
    arena_bytes: int = Field(default=40 * 1024, description="RAM of the engine: TFLM's arena, or what stands for it")


class Target(_Strict):
    """Where it runs."""

    board: str = "nrf52840"
    engine: Literal["compiled", "tflm"] = "compiled"


class Project(_Strict):
    """Everything in a tinyltc.toml."""

    task: Task
    data: Data
    model: Model = Model()
    training: Training = Training()
    decision: Decision = Decision()
    budgets: Budgets = Budgets()
    target: Target = Target()


def load_project(path: Path) -> Project:
    """Read and check a tinyltc.toml, or the project.json of a run; a wrong key raises ConfigError that names it."""
    if path.suffix == ".json":
        value = read_json(path, ConfigError, "Give a tinyltc.toml or the project.json of a run with --project.")
        return validated(Project, value, path)
    try:
        value = tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist.", "Give a tinyltc.toml with --project.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as reason:
        raise ConfigError(f"{path} is not valid TOML ({reason}).", "Mend the line it names.") from None
    return validated(Project, value, path)


def project_for_data(name: str) -> Project:
    """Return the project file that comes with a built-in data set: ``datasets/<name>/tinyltc.toml``."""
    known = sorted(path.parent.name for path in DATASETS.glob("*/tinyltc.toml"))
    if name not in known:
        raise ConfigError(f"There is no data set '{name}'.", f"Data sets: {', '.join(known)}.")
    return load_project(DATASETS / name / "tinyltc.toml")


def with_options(
    project: Project,
    *,
    data: str | None = None,
    path: Path | None = None,
    fold: str | None = None,
    with_bad: bool = False,
    layers: str | None = None,
    epochs: int | None = None,
    seed: int | None = None,
    max_seconds: float | None = None,
    board: str | None = None,
    solver: str | None = None,
    cell: str | None = None,
    density: float | None = None,
) -> Project:
    """Return a copy of ``project`` with the options that were given; a wrong one raises ConfigError."""
    value = project.model_dump()
    if data is not None:
        value["data"]["set"] = data
    if path is not None:
        value["data"]["path"] = str(path)
    if fold is not None:
        value["data"]["fold"] = fold
    if with_bad:
        value["data"]["with_bad"] = True
    if layers is not None:
        try:
            value["model"]["layers"] = [int(width) for width in layers.split(",")]
        except ValueError:
            raise ConfigError(f"--layers '{layers}' is not a list of widths.", "Write it as 64,64.") from None
    for key, option in (("epochs", epochs), ("seed", seed), ("max_seconds", max_seconds)):
        if option is not None:
            value["training"][key] = option
    if board is not None:
        value["target"]["board"] = board
    for key, choice in (("solver", solver), ("cell", cell), ("density", density)):
        if choice is not None:
            value["model"][key] = choice
    return validated(Project, value, "options")
