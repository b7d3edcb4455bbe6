"""``report.json``: every figure of a run, each measured block with its source.

Fractions, not percent; bytes, microseconds and cycles are in the names. A block that no stage has measured yet is
null, and ``missing`` names the stage that would measure it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Source = Annotated[
    str, Field(pattern=r"^(measured on \S.*|emulated \(cycle estimate\)|estimated \(data sheet\))$", max_length=120)
]
"""Where a figure comes from (design decision 10)."""

Fraction = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Block(BaseModel):
    """A block of report.json: no unknown key, no missing one."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class ModelBlock(Block):
    """The int8 right-hand side."""

    tflite_bytes: Count
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    layers: Count
    units: list[Count]
    parameters: Count
    source: Source


class DataBlock(Block):
    """The data set; people are counted here and listed in data.json."""

    name: str
    classes: list[str]
    background: str
    people_train: Count
    people_validation: Count
    people_test: Count
    rate_hz: Amount


class TrainingBlock(Block):
    """How the training went."""

    seconds: Amount
    epochs: Count
    stopped: str
    seed: int
    source: Source


class AccuracyBlock(Block):
    """End-of-window accuracy on people the model never saw; ``device`` has its own source."""

    float_: Fraction = Field(alias="float")
    int8: Fraction
    device: Fraction | None
    source: Source
    device_source: Source | None


class StreamBlock(Block):
    """Streaming scores; null where the data set has no streams or nothing was hit."""

    event_recall: Fraction | None
    false_per_hour: Amount | None
    delay_ms_median: float | None
    events: Count
    hours: Amount
    source: Source


class HostParityBlock(Block):
    """The int8 step against the float step (seconds of all streams together), and against the TFLM interpreter."""

    float_streams: Count
    float_seconds: Amount
    float_agreement: Fraction
    max_state_error_lsb: Amount
    tflm_samples: Count
    tflm_mismatches: Count
    source: Source


class ParityBlock(Block):
    """The device's answers against the reference, sample by sample; all mismatches must be 0.

    ``samples`` of the ``samples_fed`` were compared.
    """

    samples_fed: Count
    samples: Count
    code_mismatches: Count
    timing_mismatches: Count
    int8_mismatches: Count
    state_mismatches: Count
    decision_mismatches: Count
    command_mismatches: Count
    source: Source


class DeviceBlock(Block):
    """What ran; ``model_sha256`` ends the model image, which was made from the .tflite of ``tflite_sha256``."""

    board: str
    engine: str
    emulator: str | None
    clock_hz: Count
    rate_hz: Amount
    model_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    tflite_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    source: Source


class StepCyclesBlock(Block):
    """CPU cycles of one whole step."""

    median: Amount
    max: Amount
    definition: str
    source: Source


class LatencyBlock(Block):
    """Data-ready to the last bit of the command, in microseconds.

    ``stages`` holds the median of each stage; ``pipeline_delay`` is the model's own delay, not in the percentiles.
    """

    p50: Amount
    p95: Amount
    p99: Amount
    p99_9: Amount
    max: Amount
    stages: dict[str, Amount]
    pipeline_delay: Amount
    samples: Count
    definition: str
    source: Source


class MemoryBlock(Block):
    """The firmware image with its model image: flash, and RAM with the reserved stack."""

    flash_bytes: Count
    ram_bytes: Count
    stack_bytes: Count
    engine_flash_bytes: Count
    model_flash_bytes: Count
    source: Source


class StackBlock(Block):
    """Deepest use of the stack during the run."""

    used_bytes: Count
    source: Source


class SpeedBlock(Block):
    """How fast the emulator ran: ``ratio`` is virtual over wall time."""

    virtual_s: Amount
    wall_s: Amount
    ratio: Amount
    hook: str
    source: Source


class PowerPartBlock(Block):
    """One consumer of an estimate: share of time, and average current in microampere."""

    name: str
    share: Fraction
    ua: Amount


class PowerBlock(Block):
    """Average power in mW, with its bounds where it is an estimate; ``days``: how long the named cell lasts."""

    value: Amount
    low: Amount
    high: Amount
    source: Source
    assumptions: list[str]
    parts: list[PowerPartBlock]
    days: Amount | None
    cell: str | None


class StageTimesBlock(Block):
    """Every stage of a sample in microseconds: p50, p95, p99, p99_9 and max (`tinyltc measure`)."""

    percentiles: dict[str, dict[str, Amount]]
    samples: Count
    lost: Count
    warnings: list[str]
    source: Source


class CaptureBlock(Block):
    """Samples that the host received during the run, those that were lost on the way or in the device, and their rate
    by the device's clock."""

    samples: Count
    lost: Count
    rate_hz: Amount
    source: Source


class ConfusionBlock(Block):
    """Test windows; rows are the truth, columns the answer, both in the order of ``data.classes``."""

    of: Literal["int8 on the host", "device"]
    counts: list[list[Count]]
    source: Source


class BudgetBlock(Block):
    """A limit of the project file: ``ok`` where ``value`` is at most ``limit``."""

    name: str
    limit: Amount
    value: Amount
    unit: str
    ok: bool
    source: Source

    @model_validator(mode="after")
    def _ok_is_what_it_says(self) -> BudgetBlock:
        if self.ok != (self.value <= self.limit):
            raise ValueError("'ok' must say whether value is at most limit")
        return self


class Report(Block):
    """Everything in a report.json."""

    format: Literal[1] = 1
    run: str
    missing: list[Literal["build", "run"]] = Field(description="stages that did not run yet")
    model: ModelBlock
    data: DataBlock
    training: TrainingBlock
    accuracy: AccuracyBlock
    stream: StreamBlock | None = Field(description="on the device; on the host while the device did not run")
    stream_host: StreamBlock | None
    confusion: ConfusionBlock
    parity_host: HostParityBlock
    parity: ParityBlock | None
    device: DeviceBlock | None
    step_cycles: StepCyclesBlock | None
    latency_us: LatencyBlock | None
    stages_us: StageTimesBlock | None = None
    power_mw: PowerBlock | None = None
    capture: CaptureBlock | None = None
    memory: MemoryBlock | None
    stack: StackBlock | None
    speed: SpeedBlock | None
    health: dict[str, Count] | None
    errors: list[str] = Field(description="what the run found wrong, in sentences")
    budgets: list[BudgetBlock]
    versions: dict[str, str]
    reproduce: list[str]

    @model_validator(mode="after")
    def _blocks_match_missing(self) -> Report:
        built = {"memory": self.memory}
        ran = {
            "parity": self.parity,
            "device": self.device,
            "step_cycles": self.step_cycles,
            "latency_us": self.latency_us,
        }
        for stage, blocks in (("build", built), ("run", ran)):
            for name, block in blocks.items():
                if (block is None) != (stage in self.missing):
                    raise ValueError(f"block '{name}' must be null exactly when 'missing' names '{stage}'")
        classes = len(self.data.classes)
        if len(self.confusion.counts) != classes or any(len(row) != classes for row in self.confusion.counts):
            raise ValueError(f"confusion.counts must be {classes} by {classes}")
        return self
