"""What one run of the device amounts to: device.json and device.npz."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from toolchain.board import Board
from toolchain.errors import EmulatorError
from toolchain.files import replacing
from toolchain.harness import latency, scores, verdict
from toolchain.harness.compare import Comparison, match_feed
from toolchain.harness.feed import Feed
from toolchain.harness.record import Record, Rows
from toolchain.ltc.modelspec import ModelSpec
from toolchain.recordings.recording import DataSet
from toolchain.wire.capture import Counters

ENGINES = ("compiled", "tflm", "callback")
_LOGS = 50


@dataclass(frozen=True)
class Pass:
    """One pass over the feed: what was heard, in how much virtual and wall time, and where the cycles went."""

    record: Record
    counters: Counters
    virtual_s: float
    wall_s: float
    functions: list[tuple[str, int]]
    measured: dict[str, Any]
    """What the emulator measured beside: Emulator.measured."""
    emulator: str
    hook: str
    source: str

    @property
    def ratio(self) -> float:
        """Virtual over wall time."""
        return self.virtual_s / max(self.wall_s, 1e-9)


@dataclass(frozen=True)
class Result:
    """``values`` for device.json, ``arrays`` for device.npz."""

    values: dict[str, Any]
    arrays: dict[str, Any]


def assemble(
    board: Board, spec: ModelSpec, data: DataSet, feed: Feed, outcome: Pass, comparison: Comparison, pty: dict[str, Any]
) -> Result:
    """Work out every figure of a pass.

    Raises EmulatorError when the device did not say who it is, how it is, or how long anything took.
    """
    record = outcome.record
    hello, health = record.hello, record.health
    if hello is None or health is None or not len(record.timings):
        missing = [name for name, there in (("HELLO", hello), ("HEALTH", health)) if there is None] or ["TIMING"]
        raise EmulatorError(f"The device sent no {missing[0]} message.", "Build the firmware again: `tinyltc build`.")
    place = match_feed(record.samples, feed, spec)
    heard = scores.hear(record, feed, place)
    windows, unscored = scores.window_score(heard, data.background, len(data.classes))
    streams = scores.stream_score(heard, data.background)
    timed = latency.latency(record.timings, hello.clock_hz, board.console.baud)
    errors = verdict.mismatches(comparison) + verdict.losses(comparison, outcome.counters, record)
    errors += verdict.ailments(record, len(feed.recordings))
    if unscored:
        errors.append(f"{unscored} windows were not scored: their last sample did not come.")
    cycles = max(sum(count for _, count in outcome.functions), 1)
    values = {
        "source": outcome.source,
        "accuracy": windows.accuracy if windows else None,
        "windows": windows.windows if windows else 0,
        "confusion": windows.confusion.tolist() if windows else None,
        "stream": streams.to_dict() if streams else None,
        "parity": asdict(comparison),
        "errors": errors,
        "device": {
            "board": hello.board,
            "engine": ENGINES[hello.engine] if hello.engine < len(ENGINES) else str(hello.engine),
            "emulator": outcome.emulator,
            "clock_hz": hello.clock_hz,
            "rate_hz": hello.rate_mhz / 1000,
            "firmware": hello.firmware,
            "model_sha256": hello.model_sha256.hex(),
            "engine_ram_bytes": hello.engine_ram,
        },
        "step_cycles": latency.step_cycles(record.timings),
        "latency_us": timed.to_dict(latency.PIPELINE_SAMPLES * 1e6 / spec.rate_hz),
        "speed": {
            "virtual_s": outcome.virtual_s,
            "wall_s": outcome.wall_s,
            "ratio": outcome.ratio,
            "hook": outcome.hook,
        },
        "functions": [{"name": name, "cycles": count, "share": count / cycles} for name, count in outcome.functions],
        "stack_used_bytes": board.memory.stack_bytes - health.stack_unused,
        "measured": outcome.measured,
        "health": asdict(health),
        "link": asdict(outcome.counters),
        "capture": {
            "samples": len(record.samples),
            "lost": health.lost_samples + outcome.counters.lost,
            "rate_hz": _rate_hz(record.samples),
        },
        "pty": pty,
        "logs": [{"severity": log.severity, "text": log.text} for log in record.logs[:_LOGS]],
        "timelines": scores.timelines(heard, data.background, list(data.classes), spec.rate_hz),
    }
    return Result(values, _arrays(record, place, timed))


def _rate_hz(samples: Rows) -> float:
    """Samples a second by the device's clock: the median interval, for a feed has gaps; 0 of fewer than two."""
    steps = np.diff(samples["t_us"].astype(np.int64))
    return 1e6 / float(np.median(steps)) if len(steps) else 0.0


def _arrays(record: Record, place: npt.NDArray[np.int64], timed: latency.Latency) -> dict[str, Any]:
    """Every field of every message, with the position in the feed, and the latencies for histograms."""
    tables = {"sample": record.samples, "step": record.steps, "timing": record.timings, "decision": record.decisions}
    return {
        **{f"{name}_{key}": rows[key] for name, rows in tables.items() for key in rows.dtype.names or ()},
        "sample_fed": place,
        "latency_us": timed.command_us,
        "latency_all_us": timed.total_us,
        "stages": np.array(latency.STAGES),
        "stages_us": timed.stages_us.astype(np.float32),
    }


def write_arrays(path: Path, arrays: dict[str, Any]) -> None:
    """Write device.npz whole or not at all."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)
