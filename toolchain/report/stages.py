"""What the stages of a run wrote, checked for the keys that the report needs; other keys are ignored."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field

from toolchain.errors import ModelError
from toolchain.files import read_json, sha256_of, validated
from toolchain.ltc.modelspec import ModelSpec
from toolchain.project import Project
from toolchain.runs import Run


class _Stage(BaseModel):
    model_config = ConfigDict(extra="ignore", populate_by_name=True)


class People(_Stage):
    """Names per split."""

    train: list[str]
    validation: list[str]
    test: list[str]


class DataCard(_Stage):
    """data.json; counts and seconds are per split."""

    name: str
    source: str
    licence: str
    classes: list[str]
    background: str
    rate_hz: float
    people: People
    windows: dict[str, int]
    streams: dict[str, int]
    seconds: dict[str, float]


class Epoch(_Stage):
    """One epoch of the training."""

    epoch: int
    loss: float
    validation_accuracy: float
    validation_loss: float | None = None


class Training(_Stage):
    """training.json."""

    source: str
    seconds: float
    stopped: str
    seed: int
    parameters: int
    weights_sha256: str
    epochs: list[Epoch]
    confusion: list[list[int]]


class Stream(_Stage):
    """Streaming scores."""

    event_recall: float | None
    false_per_hour: float | None
    delay_ms_median: float | None
    events: int
    hours: float


class Accuracies(_Stage):
    """End-of-window accuracy on the test people."""

    float_: float = Field(alias="float")
    int8: float


class FloatParity(_Stage):
    """int8 step against float step."""

    streams: int
    seconds: float
    agreement: float
    max_state_error_lsb: float


class TflmParity(_Stage):
    """int8 step against TFLM."""

    samples: int
    mismatches: int


class Int8Parity(_Stage):
    """Both proofs of the int8 stage."""

    float_: FloatParity = Field(alias="float")
    tflm: TflmParity


class Int8(_Stage):
    """int8.json."""

    source: str
    tflite_bytes: int
    sha256: str
    weights_sha256: str
    parameters: int
    accuracy: Accuracies
    confusion: list[list[int]]
    stream: Stream | None = None
    parity: Int8Parity


class Section(_Stage):
    """A section of the image."""

    name: str
    bytes: int


class Symbol(_Stage):
    """A function or object of the image."""

    name: str
    bytes: int
    section: str


class Build(_Stage):
    """build.json."""

    source: str
    board: str
    engine: str
    compiler: str
    flash_bytes: int
    ram_bytes: int
    stack_bytes: int
    engine_flash_bytes: int
    model_flash_bytes: int
    sections: list[Section]
    symbols: list[Symbol]


class Parity(_Stage):
    """Device against reference: samples fed, and samples of them that could be compared."""

    samples_fed: int
    samples: int
    code_mismatches: int
    timing_mismatches: int
    int8_mismatches: int
    state_mismatches: int
    decision_mismatches: int
    command_mismatches: int


class DeviceInfo(_Stage):
    """What ran."""

    board: str
    engine: str
    emulator: str | None
    clock_hz: int
    rate_hz: float
    model_sha256: str
    tflite_sha256: str
    engine_ram_bytes: int | None = None


class StepCycles(_Stage):
    """Cycles of one step; ``definition`` says what counts."""

    median: float
    max: float
    definition: str


class Latency(_Stage):
    """Data-ready to command, microseconds; stages are medians, ``definition`` says what counts."""

    p50: float
    p95: float
    p99: float
    p99_9: float
    max: float
    stages: dict[str, float]
    pipeline_delay: float
    samples: int
    definition: str


class Received(_Stage):
    """Samples that came, those lost on the way or in the device, and the rate by the device's stamps."""

    samples: int
    lost: int
    rate_hz: float


class Speed(_Stage):
    """Emulation speed."""

    virtual_s: float
    wall_s: float
    ratio: float
    hook: str | bool


class Pty(_Stage):
    """The session over the pty, at the pace of a real port."""

    samples: int
    ping_ms: float
    virtual_s: float


class Function(_Stage):
    """Cycles of one function over the whole run."""

    name: str
    cycles: int
    share: float


class Gesture(_Stage):
    """A true gesture of a timeline, seconds from its start."""

    class_: str = Field(alias="class")
    start_s: float
    end_s: float
    hit: bool


class Command(_Stage):
    """A command that the device sent; ``correct`` where it answers a true gesture."""

    class_: str = Field(alias="class")
    t_s: float
    correct: bool


class Signal(_Stage):
    """Magnitudes at a fixed rate, thinned for drawing: m/s^2 and rad/s."""

    rate_hz: float = Field(gt=0)
    acc: list[float]
    gyro: list[float]


class Timeline(_Stage):
    """One streamed recording."""

    person: str
    seconds: float
    truth: list[Gesture]
    commands: list[Command]
    signal: Signal


class Device(_Stage):
    """device.json."""

    source: str
    accuracy: float | None
    confusion: list[list[int]] | None = None
    stream: Stream | None = None
    parity: Parity
    device: DeviceInfo
    step_cycles: StepCycles
    latency_us: Latency
    speed: Speed
    functions: list[Function]
    stack_used_bytes: int
    health: dict[str, int]
    link: dict[str, int]
    capture: Received | None = None
    pty: Pty
    errors: list[str]
    timelines: list[Timeline]


class PowerPart(_Stage):
    """One consumer of an estimate: share of time, and average current in microampere."""

    name: str
    share: float
    ua: float


class Power(_Stage):
    """Average power in mW; an estimate has bounds and parts."""

    value: float
    low: float
    high: float
    source: str
    assumptions: list[str]
    parts: list[PowerPart]
    days: float | None = None
    cell: str | None = None


class StageTimes(_Stage):
    """The latencies of measure.json: percentiles of each stage in microseconds."""

    source: str
    samples: int
    lost: int
    stage_percentiles: dict[str, dict[str, float]]
    warnings: list[str]


class Measured(_Stage):
    """measure.json."""

    model_sha256: str
    latency_us: StageTimes
    power_mw: Power | None


_T = TypeVar("_T", bound=BaseModel)


@dataclass(frozen=True)
class Stages:
    """Everything that the stages of one run wrote; ``build`` and ``device`` are None until they ran."""

    name: str
    project: Project
    spec: ModelSpec
    data: DataCard
    training: Training
    int8: Int8
    build: Build | None
    device: Device | None
    measured: Measured | None = None


def _read(model: type[_T], path: Path, command: str) -> _T:
    value = read_json(path, ModelError, f"Run `{command}` first.")
    return validated(model, value, path, ModelError)


def read_stages(run: Run) -> Stages:
    """Read and check the files of a run.

    Raises ModelError that names the command to run: when train or convert did not run, when a later stage ran but its
    predecessor's file is gone, or when model.tflite
    or model.bin is not the one that int8.json or device.json was made with.
    """
    name = run.path.name
    train, convert = f"tinyltc train --run {name}", f"tinyltc convert --run {name}"
    build, device, measured = run.firmware / "build.json", run.device_json, run.measure_json
    stages = Stages(
        name=name,
        project=run.project(),
        data=_read(DataCard, run.data_json, train),
        training=_read(Training, run.training_json, train),
        spec=_read(ModelSpec, run.model_json, train),
        int8=_read(Int8, run.int8_json, convert),
        build=_read(Build, build, f"tinyltc build --run {name}") if build.exists() or device.exists() else None,
        device=_read(Device, device, f"tinyltc run --run {name}") if device.exists() else None,
        measured=_read(Measured, measured, f"tinyltc measure --run {name}") if measured.exists() else None,
    )
    if not run.weights.exists() or sha256_of(run.weights) != stages.training.weights_sha256:
        raise ModelError(f"{run.weights} is not what {run.training_json.name} describes.", f"Run `{train}` again.")
    if stages.int8.weights_sha256 != stages.training.weights_sha256:
        raise ModelError(f"{run.int8_json} belongs to older weights than {run.weights.name}.", f"Run `{convert}`.")
    if not run.tflite.exists() or sha256_of(run.tflite) != stages.int8.sha256:
        raise ModelError(
            f"{run.tflite} is not the model that {run.int8_json.name} describes.", f"Run `{convert}` again."
        )
    device_info = stages.device.device if stages.device else None
    if device_info and (_image_hash(run), stages.int8.sha256) != (device_info.model_sha256, device_info.tflite_sha256):
        raise ModelError(
            f"{run.image} is not the model image that {device.name} was measured with.",
            f"Run `tinyltc generate --run {name}`, `tinyltc build --run {name}` and `tinyltc run --run {name}` again.",
        )
    if stages.measured and stages.measured.model_sha256 != _image_hash(run):
        raise ModelError(
            f"{run.measure_json} was measured with another model image than {run.image}.",
            f"Run `tinyltc measure --run {name}` again, or delete it.",
        )
    return stages


def _image_hash(run: Run) -> str:
    """Return the SHA-256 that ends the model image (docs/SPEC.md, 4), in hexadecimal; empty without an image."""
    return run.image.read_bytes()[-32:].hex() if run.image.exists() else ""
