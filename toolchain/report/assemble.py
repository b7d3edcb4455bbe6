"""From the files of the stages to the blocks of report.json."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import Any, Literal

from toolchain.report.budgets import check_budgets
from toolchain.report.schema import (
    AccuracyBlock,
    CaptureBlock,
    ConfusionBlock,
    DataBlock,
    DeviceBlock,
    HostParityBlock,
    LatencyBlock,
    MemoryBlock,
    ModelBlock,
    ParityBlock,
    PowerBlock,
    PowerPartBlock,
    Report,
    SpeedBlock,
    StackBlock,
    StageTimesBlock,
    StepCyclesBlock,
    StreamBlock,
    TrainingBlock,
)
from toolchain.report.stages import Device, Measured, Stages, Stream

_HOST = "measured on host"
_PACKAGES = ("tinyltc", "numpy", "tensorflow-cpu", "tensorflow", "tflite-micro", "unicorn")


def _versions(compiler: str | None) -> dict[str, str]:
    versions = {"Python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    if compiler is not None:
        versions["compiler"] = compiler
    return versions


def _reproduce(stages: Stages) -> list[str]:
    run = f"--run {stages.name}"
    target = f"--board {stages.device.device.board} --engine {stages.device.device.engine}" if stages.device else ""
    options = {"generate": target, "build": target}
    later = ["convert", "generate", "build", "run", *(["measure"] if stages.measured else []), "report"]
    commands = [f"tinyltc {stage} {run} {options.get(stage, '')}".rstrip() for stage in later]
    return [f"tinyltc train --project runs/{stages.name}/project.json {run}", *commands]


def _stream(stream: Stream | None, source: str) -> StreamBlock | None:
    if stream is None:
        return None
    values = stream.model_dump()
    # Without events or time the scores say 0, which would read as a failure; nothing was measured.
    values["event_recall"] = stream.event_recall if stream.events else None
    values["false_per_hour"] = stream.false_per_hour if stream.hours else None
    return StreamBlock(**values, source=source)


def _device_blocks(device: Device) -> dict[str, Any]:
    source = device.source
    speed = device.speed.model_dump()
    if isinstance(device.speed.hook, bool):
        speed["hook"] = "C" if device.speed.hook else "Python"
    return {
        "parity": ParityBlock(**device.parity.model_dump(), source=source),
        "device": DeviceBlock(**device.device.model_dump(exclude={"engine_ram_bytes"}), source=source),
        "step_cycles": StepCyclesBlock(**device.step_cycles.model_dump(), source=source),
        "latency_us": LatencyBlock(**device.latency_us.model_dump(), source=source),
        "stack": StackBlock(used_bytes=device.stack_used_bytes, source=source),
        "speed": SpeedBlock(**speed, source=_HOST),
        "health": device.health,
        "capture": CaptureBlock(**device.capture.model_dump(), source=source) if device.capture else None,
    }


def _measured_blocks(measured: Measured) -> dict[str, Any]:
    times, power = measured.latency_us, measured.power_mw
    blocks: dict[str, Any] = {
        "stages_us": StageTimesBlock(
            percentiles=times.stage_percentiles,
            samples=times.samples,
            lost=times.lost,
            warnings=times.warnings,
            source=times.source,
        )
    }
    if power is not None:
        parts = [PowerPartBlock(**part.model_dump()) for part in power.parts]
        blocks["power_mw"] = PowerBlock(**(power.model_dump() | {"parts": parts}))
    return blocks


def _confusion(stages: Stages) -> ConfusionBlock:
    if stages.device and stages.device.confusion:
        return ConfusionBlock(of="device", counts=stages.device.confusion, source=stages.device.source)
    return ConfusionBlock(of="int8 on the host", counts=stages.int8.confusion, source=stages.int8.source)


def assemble(stages: Stages) -> Report:
    """Make the report of a run; the stages that did not run are named in ``missing`` and their blocks are null."""
    data, training, int8, build, device = stages.data, stages.training, stages.int8, stages.build, stages.device
    blocks: dict[str, Any] = dict.fromkeys(
        ("parity", "device", "step_cycles", "latency_us", "stack", "speed", "health", "memory")
    )
    missing: list[Literal["build", "run"]] = []
    if build:
        sizes = {name: getattr(build, name) for name in MemoryBlock.model_fields if name != "source"}
        blocks["memory"] = MemoryBlock(**sizes, source=build.source)
    else:
        missing.append("build")
    if device:
        blocks |= _device_blocks(device)
    else:
        missing.append("run")
    if stages.measured:
        blocks |= _measured_blocks(stages.measured)
    host_stream = _stream(int8.stream, int8.source)
    return Report(
        run=stages.name,
        missing=missing,
        model=ModelBlock(
            tflite_bytes=int8.tflite_bytes,
            sha256=int8.sha256,
            layers=len(stages.spec.units),
            units=stages.spec.units,
            parameters=int8.parameters,
            source=int8.source,
        ),
        data=DataBlock(
            name=data.name,
            classes=data.classes,
            background=data.background,
            people_train=len(data.people.train),
            people_validation=len(data.people.validation),
            people_test=len(data.people.test),
            rate_hz=data.rate_hz,
        ),
        training=TrainingBlock(
            seconds=training.seconds,
            epochs=len(training.epochs),
            stopped=training.stopped,
            seed=training.seed,
            source=training.source,
        ),
        accuracy=AccuracyBlock.model_validate(
            {
                "float": int8.accuracy.float_,
                "int8": int8.accuracy.int8,
                "device": device.accuracy if device else None,
                "source": int8.source,
                "device_source": device.source if device else None,
            }
        ),
        stream=_stream(device.stream, device.source) if device and device.stream else host_stream,
        stream_host=host_stream,
        confusion=_confusion(stages),
        parity_host=HostParityBlock(
            float_streams=int8.parity.float_.streams,
            float_seconds=int8.parity.float_.seconds,
            float_agreement=int8.parity.float_.agreement,
            max_state_error_lsb=int8.parity.float_.max_state_error_lsb,
            tflm_samples=int8.parity.tflm.samples,
            tflm_mismatches=int8.parity.tflm.mismatches,
            source=int8.source,
        ),
        **blocks,
        errors=device.errors if device else [],
        budgets=check_budgets(
            stages.project.budgets,
            blocks["latency_us"],
            blocks["memory"],
            blocks.get("power_mw"),
            device.device.engine_ram_bytes if device else None,
        ),
        versions=_versions(build.compiler if build else None),
        reproduce=_reproduce(stages),
    )
