"""The device's answers against the reference, sample by sample.

The reference runs on exactly the codes and stamps that the device reported. A sample can be compared when the state
before it is known: every sample since the last reset (or since sample 0) was reported.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toolchain.harness.feed import Feed
from toolchain.harness.record import Record, Rows
from toolchain.int8.reference import Int8Reference
from toolchain.ltc.decision import Decision, Decisions
from toolchain.ltc.modelspec import ModelSpec
from toolchain.ltc.step import Timing, model_dt, timing

_TOGETHER = 64


@dataclass(frozen=True)
class Expected:
    """The reference's answers to T samples that begin with a reset."""

    y: npt.NDArray[np.int8]
    state_crc: npt.NDArray[np.uint32]
    when: Timing
    decisions: Decisions


def expect(reference: Int8Reference, codes: npt.NDArray[np.integer], t_us: npt.NDArray[np.integer]) -> Expected:
    """Run the reference over codes (T, 6) with stamps (T,), as one device would: state and decision go on."""
    spec = reference.spec
    if spec.decision is None:
        raise ValueError("the spec has no decision part")
    when = timing(t_us, spec)
    starts = np.flatnonzero(when.reset)
    ends = np.append(starts[1:], len(t_us))
    x_q, dt = reference.prepare(codes, when.delta_us, when.reset), model_dt(when.delta_us, spec)
    y = np.empty((len(t_us), reference.network.outputs), np.int8)
    crc = np.empty(len(t_us), np.uint32)
    # Between two resets nothing flows but time: like lengths run side by side, padded in front with dt 0.
    order = np.argsort(ends - starts, kind="stable")
    for first in range(0, len(order), _TOGETHER):
        parts = [(int(starts[i]), int(ends[i])) for i in order[first : first + _TOGETHER]]
        longest = max(end - start for start, end in parts)
        some_x = np.zeros((len(parts), longest, x_q.shape[1]), np.int8)
        some_dt = np.zeros((len(parts), longest), np.float32)
        some_crc = np.empty((len(parts), longest), np.uint32)
        for row, (start, end) in enumerate(parts):
            some_x[row, start - end :] = x_q[start:end]
            some_dt[row, start - end :] = dt[start:end]
        no_reset = np.zeros(some_dt.shape, bool)
        some_y, _ = reference.integrate(some_x, some_dt, no_reset, state_crc=some_crc)
        for row, (start, end) in enumerate(parts):
            y[start:end] = some_y[row, start - end :]
            crc[start:end] = some_crc[row, start - end :]
    decisions = Decision(spec.decision, reference.network.outputs).run(y, t_us, when.delta_us, when.reset)
    return Expected(y, crc, when, decisions)


def match_feed(samples: Rows, feed: Feed, spec: ModelSpec) -> npt.NDArray[np.int64]:
    """Return the position in the feed of every reported sample, int64 (M,); -1 for one that was not fed.

    Edges and stamps run on one clock but may start apart; the first silence (between lead-in and recordings) on both
    sides gives the difference.
    """
    none = np.full(len(samples), -1, np.int64)
    stamps = samples["t_us"].astype(np.int64)
    said = np.flatnonzero(np.diff(stamps) > spec.dt_max_us)
    fed = np.flatnonzero(np.diff(feed.t_us) > spec.dt_max_us)
    if not len(said) or not len(fed):
        return none
    edges = feed.t_us + (stamps[said[0] + 1] - feed.t_us[fed[0] + 1])
    place = np.clip(np.searchsorted(edges, stamps), 1, len(edges) - 1)
    place -= np.abs(edges[place - 1] - stamps) <= np.abs(edges[place] - stamps)
    near = np.abs(edges[place] - stamps) < spec.period_us // 4
    return np.where(near, place, none)


def known_state(samples: Rows, spec: ModelSpec) -> npt.NDArray[np.bool_]:
    """Tell of every reported sample, bool (M,), whether the device's state before it can be computed."""
    if not len(samples):
        return np.zeros(0, bool)
    reset = timing(samples["t_us"], spec).reset.copy()
    reset[0] = samples["index"][0] == 0
    hole = np.ones(len(samples), bool)
    hole[1:] = np.diff(samples["index"].astype(np.int64)) != 1
    # The last event before (or at) each sample decides: after a hole the state is unknown until a reset.
    place = np.arange(len(samples))
    last_reset = np.maximum.accumulate(np.where(reset, place, -1))
    last_hole = np.maximum.accumulate(np.where(hole & ~reset, place, -1))
    known: npt.NDArray[np.bool_] = last_reset > last_hole
    return known


@dataclass(frozen=True)
class Comparison:
    """How many samples were compared, and how many differ in what."""

    samples_fed: int
    samples_reported: int
    """Samples of recordings whose codes came back."""
    samples: int
    """Samples compared with the reference."""
    code_mismatches: int
    """Reported codes that are not those that were fed."""
    timing_mismatches: int
    """Steps with another interval or another reset than the stamps ask for."""
    int8_mismatches: int
    state_mismatches: int
    decision_mismatches: int
    """Samples with another winner, margin or firing."""
    command_mismatches: int
    """Commands without a firing step, firing steps without their command, or commands that say something else."""
    first: dict[str, int]
    """Sample index of the first mismatch of each kind."""

    @property
    def mismatches(self) -> int:
        """Samples and commands that differ, summed over the kinds."""
        outputs = self.int8_mismatches + self.state_mismatches + self.decision_mismatches
        return self.code_mismatches + self.timing_mismatches + outputs + self.command_mismatches


def _wrong_commands(record: Record) -> tuple[npt.NDArray[np.uint32], int]:
    """Sample indices (of reported steps and samples) where step and command disagree."""
    fired = record.steps[record.steps["fired"]]
    _, step_at, command_at = np.intersect1d(
        fired["index"], record.decisions["index"], assume_unique=True, return_indices=True
    )
    commands, steps = record.decisions[command_at], fired[step_at]
    differ = (commands["winner"] != steps["winner"]) | (commands["margin"] != steps["margin"])
    _, sample_at, stamp_at = np.intersect1d(
        record.samples["index"], record.decisions["index"], assume_unique=True, return_indices=True
    )
    stamps = record.decisions[stamp_at]
    wrong_stamp = stamps["index"][stamps["stamp_us"] != record.samples["t_us"][sample_at]]
    # A command whose STEP was never asked for or was lost says nothing about the pair.
    told = np.isin(record.decisions["index"], record.steps["index"])
    alone = np.setdiff1d(record.decisions["index"][told], fired["index"])
    silent = np.setdiff1d(fired["index"], record.decisions["index"])
    wrong = np.unique(np.concatenate([commands["index"][differ], wrong_stamp, alone, silent]))
    return wrong, len(wrong)


def compare(record: Record, feed: Feed, reference: Int8Reference) -> Comparison:
    """Compare everything that the device said about the recordings of ``feed`` with ``reference``."""
    samples, spec = record.samples, reference.spec
    place = match_feed(samples, feed, spec)
    of_recording = (place >= 0) & feed.wanted[place]
    differ = (samples["code"] != feed.codes[place]).any(axis=1) & of_recording
    first: dict[str, int] = {}

    def count(kind: str, indices: npt.NDArray[np.uint32]) -> int:
        if len(indices):
            first[kind] = int(indices.min())
        return len(indices)

    code_mismatches = count("code", samples["index"][differ])
    # The reference starts at the first reset with a known state and skips what follows a hole.
    usable = known_state(samples, spec)
    kept = samples[usable]
    wrong: dict[str, npt.NDArray[np.bool_]] = {}
    compared = kept[:0]
    if len(kept):
        expected = expect(reference, kept["code"], kept["t_us"])
        wanted = of_recording[usable]
        _, at, step_at = np.intersect1d(kept["index"], record.steps["index"], assume_unique=True, return_indices=True)
        inside = wanted[at]
        at, steps = at[inside], record.steps[step_at[inside]]
        compared = kept[at]
        when, made = expected.when, expected.decisions
        wrong = {
            "timing": (steps["delta_us"] != when.delta_us[at]) | (steps["reset"] != when.reset[at]),
            "int8": (steps["y"] != expected.y[at]).any(axis=1),
            "state": steps["state_crc"] != expected.state_crc[at],
            "decision": (steps["winner"] != made.winner[at])
            | (steps["margin"] != made.margin[at])
            | (steps["fired"] != made.fired[at]),
        }
    counts = {kind: count(kind, compared["index"][wrong[kind]]) for kind in wrong}
    commands, _ = _wrong_commands(record)
    return Comparison(
        samples_fed=feed.samples,
        samples_reported=int(of_recording.sum()),
        samples=len(compared),
        code_mismatches=code_mismatches,
        timing_mismatches=counts.get("timing", 0),
        int8_mismatches=counts.get("int8", 0),
        state_mismatches=counts.get("state", 0),
        decision_mismatches=counts.get("decision", 0),
        command_mismatches=count("command", commands),
        first=first,
    )
