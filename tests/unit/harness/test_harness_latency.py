"""Latency from TIMING messages."""

from __future__ import annotations

import numpy as np
import pytest

from toolchain.harness.latency import STAGES, latency, step_cycles
from toolchain.harness.record import TIMING

CLOCK, BAUD = 64_000_000, 1_000_000


def _rows(*rows: tuple[int, int]) -> np.ndarray:
    """Rows of (decision_us, command_us)."""
    made = np.zeros(len(rows), TIMING)
    made["index"] = np.arange(len(rows))
    made["burst_us"] = 40
    made["cycles"] = [640, 6400, 1280, 64, 128]
    made["decision_us"] = [row[0] for row in rows]
    made["command_us"] = [row[1] for row in rows]
    return made


def test_samples_without_a_command_get_the_longest_measured_way_out() -> None:
    result = latency(_rows((100, 0), (110, 500), (120, 470), (90, 0)), CLOCK, BAUD)
    assert result.total_us.tolist() == [490, 500, 470, 480]
    assert result.command_us.tolist() == [500, 470]
    assert "measured on the commands" in result.definition


def test_without_any_command_the_wire_time_is_computed() -> None:
    result = latency(_rows((100, 0), (200, 0)), CLOCK, BAUD)
    assert result.total_us.tolist() == [450, 550]
    assert "computed" in result.definition


def test_json() -> None:
    result = latency(_rows((100, 0), (110, 460), (120, 470)), CLOCK, BAUD).to_dict(9615.4)
    assert result["stages"] == dict(zip(STAGES, [40, 10, 100, 20, 1, 2, 350], strict=True))
    assert (result["p50"], result["p99_9"], result["max"]) == (460, 470, 470)
    assert (result["pipeline_delay"], result["samples"]) == (9615.4, 3)
    assert result["commands"] == {"count": 2, "p50": 470, "p95": 470, "p99": 470, "p99_9": 470, "max": 470}


def test_one_slow_sample_in_a_thousand_shows() -> None:
    rows = _rows(*[(100, 450)] * 999, (4000, 4350))
    result = latency(rows, CLOCK, BAUD).to_dict(0)
    assert (result["p99"], result["p99_9"], result["max"]) == (450, 4350, 4350)


def test_step_cycles_leave_out_the_transmit_set_up() -> None:
    rows = _rows((100, 0), (100, 0), (100, 0))
    rows["cycles"][2, 1] += 1000
    cycles = step_cycles(rows)
    assert (cycles["median"], cycles["max"]) == (8384, 9384)


def test_no_timing_at_all() -> None:
    with pytest.raises(ValueError, match="no TIMING"):
        latency(np.zeros(0, TIMING), CLOCK, BAUD).to_dict(0)
