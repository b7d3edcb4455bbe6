"""``model.json``: what every later stage must know about a trained network besides its weights."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from toolchain.errors import ModelError
from toolchain.files import read_json, validated, write_json
from toolchain.ltc.prepare import Preparation, inputs_of
from toolchain.ltc.solvers import Solver

Cell = Literal["ltc", "ltc_state_tau", "ltc_2021", "cfc", "gru", "tcn"]
"""docs/cells.md has their equations; only ``ltc`` can be deployed."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DecisionSpec(_Strict):
    """Integer parameters of the decision stage (docs/SPEC.md, Decision)."""

    background: int = Field(ge=-1, description="index of the class that fires nothing; -1: none")
    smoothing_us: int = Field(ge=0, lt=2**20, description="time constant of the smoothing")
    confirm_us: int = Field(ge=0, lt=2**30, description="so long a class must win by its threshold before it fires")
    holdoff_us: int = Field(ge=0, lt=2**32)
    warmup_us: int = Field(ge=0, lt=2**30, description="after a reset nothing fires for this long")
    threshold: int = Field(ge=0, lt=2**24, description="margin in int8 logit steps * 256")
    threshold_of: dict[int, Annotated[int, Field(ge=0, lt=2**24)]] = {}
    """Classes (index) with a threshold of their own."""

    def thresholds(self, outputs: int) -> list[int]:
        """Return the threshold of every class."""
        return [self.threshold_of.get(c, self.threshold) for c in range(outputs)]


class Int8Spec(_Strict):
    """Quantization of the right-hand side; written by convert."""

    state_scale: float = Field(gt=0, description="common scale S of x, h1, h2, ...; zero point 0")
    z_scale: list[float]
    z_zero_point: list[int]
    y_scale: float = Field(gt=0)
    y_zero_point: int
    prepare_multiplier: list[int]
    """x_q = clamp((feature * multiplier + 2**15) >> 16, -127, 127), one per input, 1..32767."""


class ModelSpec(_Strict):
    """The contract between training, conversion, code generation and the device.

    ``preparation``: what becomes of the six IMU codes (toolchain.ltc.prepare); it decides the number of inputs.
    ``input_gain``: float input = prepared integer * input_gain[input], then clipped to +-input_clip.
    ``units``: width of each layer. ``time_scale``: model time per second.
    """

    format: Literal[1] = 1
    kind: Literal["classes"] = "classes"
    cell: Cell = "ltc"
    classes: list[str]
    preparation: Preparation = "raw"
    inputs: int = 6
    units: list[int]
    solver: Solver = "semi_implicit"
    rate_hz: float = Field(gt=0)
    period_us: int = Field(gt=0)
    time_scale: float = Field(gt=0)
    dt_max_us: int = Field(gt=0, lt=2**24)
    acc_lsb: float = Field(gt=0, description="m/s^2 per code that the model was trained for")
    gyro_lsb: float = Field(gt=0, description="rad/s per code")
    input_gain: list[float]
    input_clip: float = Field(gt=0)
    tau_epsilon: float = Field(gt=0)
    decision: DecisionSpec | None = None
    int8: Int8Spec | None = None

    @model_validator(mode="after")
    def _consistent(self) -> ModelSpec:
        if self.inputs != inputs_of(self.preparation):
            raise ValueError(f"inputs must be {inputs_of(self.preparation)} for preparation '{self.preparation}'")
        if len(self.input_gain) != self.inputs:
            raise ValueError("input_gain needs one entry per input")
        if self.int8 and len(self.int8.prepare_multiplier) != self.inputs:
            raise ValueError("int8.prepare_multiplier needs one entry per input")
        if self.decision and self.decision.background >= len(self.classes):
            raise ValueError("decision.background must be the index of a class")
        if self.int8 and not len(self.int8.z_scale) == len(self.int8.z_zero_point) == len(self.units):
            raise ValueError("int8.z_scale and z_zero_point need one entry per layer")
        return self

    @property
    def states(self) -> int:
        """Sum of the layer widths."""
        return sum(self.units)


def require_ltc(spec: ModelSpec) -> None:
    """Raise ModelError for a cell that only training knows: no engine and no reference step computes it."""
    if spec.cell != "ltc":
        raise ModelError(
            f"Cell '{spec.cell}' is for comparison only: its scores are in training.json, and no engine runs it.",
            "Train with --cell ltc what shall be converted.",
        )


def save_spec(path: Path, spec: ModelSpec) -> None:
    """Write model.json whole or not at all."""
    write_json(path, spec.model_dump())


def load_spec(path: Path) -> ModelSpec:
    """Read and check model.json; raises ModelError."""
    value = read_json(path, ModelError, "Train first: `tinyltc train`.")
    return validated(ModelSpec, value, path, ModelError)
