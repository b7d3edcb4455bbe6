"""Latency and cycles from the device's TIMING messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolchain.harness.record import Rows

COMMAND_FRAME_BYTES = 35
"""A DECISION frame on the line: 12 + 17 bytes of payload, 4 of CRC, one of COBS, the delimiter."""
BITS_PER_BYTE = 10
"""8N1."""
STAGES = (
    "data-ready to burst read",
    "prepare",
    "right-hand side",
    "solver",
    "decision",
    "transmit set-up",
    "decision to last bit",
)
PIPELINE_SAMPLES = 2
"""Layer 2 sees layer 1's state, and the head layer 2's, from before the update (design decision 2)."""


@dataclass(frozen=True)
class Latency:
    """``total_us`` (N,): data-ready to the command's last bit, for every timed sample, as ``definition`` says.

    ``command_us`` (K,): the samples that had a command. ``stages_us`` (N, 7): the stages of STAGES.
    """

    total_us: npt.NDArray[np.float64]
    command_us: npt.NDArray[np.float64]
    decision_us: npt.NDArray[np.float64]
    stages_us: npt.NDArray[np.float64]
    definition: str

    def to_dict(self, pipeline_delay_us: float) -> dict[str, Any]:
        """Return JSON values; raises ValueError without a timed sample."""
        if not len(self.total_us):
            raise ValueError("no TIMING message came")
        return {
            **percentiles(self.total_us),
            "stages": dict(zip(STAGES, np.median(self.stages_us, axis=0).tolist(), strict=True)),
            "pipeline_delay": pipeline_delay_us,
            "samples": len(self.total_us),
            "definition": self.definition,
            "data_ready_to_decision": percentiles(self.decision_us),
            "commands": {"count": len(self.command_us), **percentiles(self.command_us)},
        }


def percentiles(values: npt.NDArray[np.float64]) -> dict[str, float]:
    """Return p50, p95, p99, p99_9 and max of values (N,); empty for none."""
    if not len(values):
        return {}
    names = {"p50": 50, "p95": 95, "p99": 99, "p99_9": 99.9, "max": 100}
    # "higher": a percentile is a latency that a sample really had, never less than the fraction says.
    return {name: float(np.percentile(values, q, method="higher")) for name, q in names.items()}


def latency(timings: Rows, clock_hz: int, baud: int) -> Latency:
    """Work out latencies in microseconds from rows of TIMING; cycles are turned by the core clock."""
    decision = timings["decision_us"].astype(np.float64)
    had_command = timings["command_us"] > 0
    command = timings["command_us"][had_command].astype(np.float64)
    definition = (
        "data-ready to the last bit of the command's frame; measured for samples with a command; for samples without "
        "one, data-ready to decision plus "
    )
    if len(command):
        # The worst decision-to-last-bit time, so that a sample that would have had to wait is not made faster.
        wire = float((command - decision[had_command]).max())
        definition += "the longest time from decision to last bit measured on the commands"
    else:
        wire = COMMAND_FRAME_BYTES * BITS_PER_BYTE * 1e6 / baud
        definition += "a command frame's time on the wire (computed: there was no command)"
    total = np.where(had_command, timings["command_us"].astype(np.float64), decision + wire)
    last = np.where(had_command, timings["command_us"].astype(np.float64) - decision, wire)
    cycles_us = timings["cycles"].astype(np.float64) * (1e6 / clock_hz)
    stages = np.column_stack([timings["burst_us"].astype(np.float64), cycles_us, last])
    return Latency(total, command, decision, stages, definition)


def step_cycles(timings: Rows) -> dict[str, Any]:
    """Return median and maximum of the cycles of one step: prepare, right-hand side, solver and decision."""
    cycles = timings["cycles"][:, :4].sum(axis=1, dtype=np.int64)
    return {
        "median": float(np.median(cycles)),
        "max": float(cycles.max()),
        "definition": "prepare, right-hand side, solver and decision; transmit set-up and IMU burst are apart",
    }
