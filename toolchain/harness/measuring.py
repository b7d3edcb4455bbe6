"""The measure stage: latency and power of a run's firmware, into measure.json and onto the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from toolchain.board import Board, EmulatorName
from toolchain.errors import BuildError, ConfigError, ModelError
from toolchain.files import read_json, write_json
from toolchain.harness.emulated import Emulated
from toolchain.harness.feed import Feed, build_feed, chosen
from toolchain.harness.latency import STAGES
from toolchain.harness.measure import Measurement, Step, duty_emulated, measure_emulated, measure_port
from toolchain.ltc.modelspec import load_spec
from toolchain.power.battery import Cell
from toolchain.power.estimate import SOURCE, Estimate, estimate
from toolchain.power.files import read_csv
from toolchain.power.ppk2 import Mode, find_ppk2
from toolchain.power.ppk2 import measure as measure_ppk2
from toolchain.power.readings import Readings, check, energy_of_marks
from toolchain.recordings.catalog import load_set
from toolchain.runs import Run
from toolchain.wire.messages import Hello

_MARGIN = 400
"""Samples fed beyond those that are timed: the device boots and is asked while the sensor runs."""


@dataclass(frozen=True)
class Asked:
    """What to measure with. ``ppk2``: its port, or an empty string for the only one; ``meter``: a CSV file."""

    samples: int
    port: str | None = None
    emulator: EmulatorName | None = None
    ppk2: str | None = None
    mode: Mode = "source"
    volt: float = 3.0
    meter: Path | None = None
    seconds: float = 10.0
    mark_bit: int = 0
    cell: Cell | None = None


def measure(run: Run, board: Board, asked: Asked, console: Console) -> None:
    """Measure, write measure.json, print it. Raises BuildError without an image, LinkError, MeterError."""
    elf = run.firmware / "firmware.elf"
    if not elf.exists():
        raise BuildError(f"{elf} does not exist.", f"Run `tinyltc build --run {run.path.name}` first.")
    built = read_json(run.firmware / "build.json", BuildError, f"Run `tinyltc build --run {run.path.name}` first.")
    if built["board"] != board.name:
        raise BuildError(
            f"The firmware of {run.path} was built for board '{built['board']}', not '{board.name}'.",
            f"Run `tinyltc build --run {run.path.name} --board {board.name}`.",
        )
    if asked.ppk2 is not None and asked.meter is not None:
        raise ConfigError("--ppk2 and --meter are two meters.", "Give one of them.")
    if asked.port is not None:
        with _progress(console, f"timing {asked.samples} samples") as step:
            found = measure_port(asked.port, board, lambda hello: _accept(hello, run), asked.samples, step)
        duty = None
    else:
        feed = _feed(run, board, asked.samples)
        with (
            Emulated(run, board, feed, asked.emulator) as device,
            _progress(console, f"timing {asked.samples} samples") as step,
        ):
            found = measure_emulated(device, board, asked.samples, step)
        _accept(found.hello, run)
        duty = None
        if asked.ppk2 is None and asked.meter is None and board.currents is not None:
            with Emulated(run, board, feed, asked.emulator) as device:
                duty = duty_emulated(device, board) if "sleep_s" in device.measured() else None
    power: dict[str, Any] | None = None
    if asked.ppk2 is not None or asked.meter is not None:
        readings = check(_readings(asked, console))
        power = _measured_power(readings, asked)
    elif duty is not None and board.currents is not None:
        power = _estimated_power(estimate(board.currents, duty, board.clock_hz))
    if power is not None and asked.cell is not None:
        power["days"] = asked.cell.days(power["value"])
        power["cell"] = f"{asked.cell.capacity_mah:g} mAh at {asked.cell.volt:g} V"
    values = {
        "board": board.name,
        "model_sha256": found.hello.model_sha256.hex(),
        "latency_us": found.to_dict(board.imu.rate_hz),
        "power_mw": power,
    }
    write_json(run.measure_json, values)
    _show(values, found, console)
    if power is None:
        console.print(
            "No power: it is estimated with an emulator that tells its sleep, or measured with --ppk2 or --meter."
        )
    console.print(f"Written: {run.measure_json}", highlight=False)


def _accept(hello: Hello, run: Run) -> None:
    if hello.model_status or hello.model_sha256 != run.image.read_bytes()[-32:]:
        raise ModelError(
            f"The device '{hello.board}' does not run the model of {run.path.name}.",
            f"Flash it: `tinyltc flash --run {run.path.name}`.",
        )


def _feed(run: Run, board: Board, samples: int) -> Feed:
    spec, project = load_spec(run.model_json), run.project()
    data = load_set(project.data, project.task, spec.rate_hz)
    background = spec.decision.background if spec.decision else -1
    recordings = list(chosen(data.test, (samples + _MARGIN) / board.imu.rate_hz, background))
    have = sum(len(r.t_us) for r in recordings)
    # A small set is worn again from its beginning.
    return build_feed(recordings * (1 + (samples + _MARGIN) // have), board.imu, spec)


@contextmanager
def _progress(console: Console, title: str) -> Iterator[Step]:
    with Progress(TextColumn(title), BarColumn(), TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task(title, total=1.0)
        yield lambda fraction: bar.update(task, completed=fraction)


def _readings(asked: Asked, console: Console) -> Readings:
    if asked.meter is not None:
        return read_csv(asked.meter, asked.volt)
    port = find_ppk2(asked.ppk2 or None)
    with _progress(console, f"current for {asked.seconds:g} s") as step:
        return measure_ppk2(port, asked.mode, asked.volt, asked.seconds, lambda s: step(s / asked.seconds))


def _measured_power(readings: Readings, asked: Asked) -> dict[str, Any]:
    energy = energy_of_marks(readings, asked.mark_bit)
    said = [f"{readings.volt:g} V, {readings.seconds:g} s, {readings.lost} readings lost."]
    if energy is not None:
        said.append(
            f"The mark pin was high {energy.times} times, on average {energy.width_us:.0f} us and "
            f"{energy.energy_uj:.2f} uJ."
        )
    value = readings.average_mw
    return {"value": value, "low": value, "high": value, "source": readings.source, "assumptions": said, "parts": []}


def _estimated_power(found: Estimate) -> dict[str, Any]:
    parts = [
        {"name": part.name, "share": part.share, "ua": part.typ_ua, "from": part.current.source} for part in found.parts
    ]
    return {
        "value": found.value_mw,
        "low": found.low_mw,
        "high": found.high_mw,
        "source": SOURCE,
        "assumptions": [f"Mode: {found.mode}.", *found.assumptions],
        "parts": parts,
    }


def _show(values: dict[str, Any], found: Measurement, console: Console) -> None:
    latency = values["latency_us"]
    table = Table(title=f"{found.samples} samples, {found.source}", title_justify="left", box=box.SIMPLE_HEAD)
    for name in ("microseconds", "p50", "p95", "p99", "p99.9", "max"):
        table.add_column(name, justify="left" if name == "microseconds" else "right")
    keys = ("p50", "p95", "p99", "p99_9", "max")
    for stage in STAGES:
        table.add_row(stage, *(f"{latency['stage_percentiles'][stage][key]:.1f}" for key in keys))
    table.add_row("[bold]data-ready to command[/bold]", *(f"{latency[key]:.1f}" for key in keys))
    total_ms = (latency["p99_9"] + latency["pipeline_delay"]) / 1000
    table.add_row("pipeline delay", f"{latency['pipeline_delay']:.1f}", "", "", "", "")
    console.print(table)
    console.print(f"p99.9 with the pipeline's delay: {total_ms:.3f} ms", highlight=False)
    power = values["power_mw"]
    if power is not None:
        shown = Table(title=f"Average power, {power['source']}", title_justify="left", box=box.SIMPLE_HEAD)
        for name in ("what", "share of time", "uA"):
            shown.add_column(name, justify="left" if name == "what" else "right")
        for part in power["parts"]:
            shown.add_row(part["name"], f"{part['share']:.4f}", f"{part['ua']:.1f}")
        console.print(shown)
        console.print(
            f"[bold]{power['value']:.2f} mW[/bold] ({power['low']:.2f} to {power['high']:.2f}), {power['source']}",
            highlight=False,
        )
        for text in power["assumptions"]:
            console.print(f"  {text}", highlight=False, markup=False)
        if "days" in power:
            console.print(
                f"A cell of {power['cell']} lasts {power['days']:.0f} days ({power['source']}).", highlight=False
            )
    for warning in found.warnings:
        console.print(f"[yellow]! {warning}[/yellow]", highlight=False)
