"""A small network in place of a trained one, and a device that says what it computes."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np

from toolchain.harness.feed import Feed
from toolchain.harness.record import Record, Recorder
from toolchain.ltc.decision import Decision as DecisionStage
from toolchain.ltc.modelspec import DecisionSpec, ModelSpec
from toolchain.recordings.recording import Recording
from toolchain.wire.messages import Body, Decision, Message, Sample, Step, Timing

OUTPUTS, STATES, PERIOD = 3, 4, 5000
CLOCK_OFFSET_US = 137
FIRST_INDEX = 7
"""Samples that the device saw before the feed's first one."""

SPEC = ModelSpec(
    classes=["none", "left", "right"],
    units=[STATES],
    rate_hz=200.0,
    period_us=PERIOD,
    time_scale=40.0,
    dt_max_us=100_000,
    acc_lsb=0.0024,
    gyro_lsb=0.0012,
    input_gain=[1e-4] * 6,
    input_clip=4.0,
    tau_epsilon=0.1,
    decision=DecisionSpec(
        background=0, smoothing_us=15_000, confirm_us=0, holdoff_us=100_000, warmup_us=15_000, threshold=500
    ),
)


class SmallReference:
    """What compare uses of Int8Reference, with dynamics of its own that depend on every sample since the reset."""

    spec = SPEC
    network = SimpleNamespace(outputs=OUTPUTS)

    def prepare(self, codes, delta_us, reset):
        return np.clip(codes >> 8, -127, 127).astype(np.int8)

    def step(self, x, dt, h):
        """One sample of any number of streams: x (..., 6), dt (...), h (..., STATES)."""
        drive = x[..., :STATES].astype(np.float32) * np.float32(0.02)
        after = ((h + dt[..., None] * drive) / (np.float32(1) + dt[..., None])).astype(np.float32)
        logits = np.clip(np.rint(h[..., :OUTPUTS] * np.float32(40)), -128, 127).astype(np.int8)
        return np.where(dt[..., None] == 0, h, after), logits

    def integrate(self, x_q, dt, reset, *, state_crc):
        assert not reset.any()
        h = np.zeros((len(x_q), STATES), np.float32)
        y = np.empty((*dt.shape, OUTPUTS), np.int8)
        for t in range(dt.shape[1]):
            h, y[:, t] = self.step(x_q[:, t], dt[:, t], h)
            state_crc[:, t] = [zlib.crc32(row.tobytes()) for row in h]
        return y, None


def recording(kind: str, length: int, label: int, seed: int) -> Recording:
    """Noise with a push to one side in its middle third, which is labelled."""
    chance = np.random.default_rng(seed)
    samples = chance.normal(0, 1, (length, 6)).astype(np.float32)
    labels = np.zeros(length, np.int16)
    if label:
        middle = slice(length // 3, 2 * length // 3)
        samples[middle, label] += 30
        labels[middle] = label
    t_us = np.arange(length, dtype=np.int64) * PERIOD + 1_000_000
    return Recording(samples, t_us, labels, person=f"p{seed}", kind=kind)


@dataclass
class FakeDevice:
    """Computes the steps one by one, in plain order, and keeps its messages by sample index for planting faults."""

    feed: Feed
    skipped: set[int] = field(default_factory=set)
    """Positions in the feed that the sensor lost."""
    steps: dict[int, Step] = field(default_factory=dict)
    samples: dict[int, tuple[int, tuple[int, ...]]] = field(default_factory=dict)
    decisions: dict[int, Decision] = field(default_factory=dict)
    timings: dict[int, Timing] = field(default_factory=dict)
    index_of: dict[int, int] = field(default_factory=dict)

    def run(self) -> FakeDevice:
        reference = SmallReference()
        stage = DecisionStage(SPEC.decision, OUTPUTS)
        h, last, index = np.zeros(STATES, np.float32), None, FIRST_INDEX
        for place, (code, edge) in enumerate(zip(self.feed.codes, self.feed.t_us.tolist(), strict=True)):
            if place in self.skipped:
                continue
            stamp = edge + CLOCK_OFFSET_US
            reset = last is None or stamp - last > SPEC.dt_max_us
            delta = PERIOD if reset else stamp - last
            if reset:
                h = np.zeros(STATES, np.float32)
                stage.reset()
            dt = np.float32(delta) * np.float32(SPEC.time_scale * 1e-6)
            x_q = reference.prepare(code[None], np.array([delta]), np.array([reset]))[0]
            h, y = reference.step(x_q, np.asarray(dt), h)
            winner, margin, fired = stage.step(y, stamp, delta)
            crc = zlib.crc32(h.tobytes())
            self.steps[index] = Step(index, delta, reset, fired, winner, margin, crc, tuple(y.tolist()))
            self.samples[index] = (stamp, tuple(code.tolist()))
            if fired:
                self.decisions[index] = Decision(index, winner, margin, stamp)
            self.timings[index] = Timing(index, 40, (10, 2000, 300, 90, 5), 80, 450 if fired else 0)
            self.index_of[place] = index
            last, index = stamp, index + 1
        return self

    def messages(self, start: int = 0) -> list[Message]:
        """Everything from sample index ``start`` on."""
        bodies: list[tuple[int, int, Body]] = []
        for index, (stamp, code) in self.samples.items():
            bodies.append((index, stamp, Sample(index, (25,), (code,))))
        for table in (self.steps, self.decisions, self.timings):
            bodies += [(index, 0, body) for index, body in table.items()]
        chosen = sorted((b for b in bodies if b[0] >= start), key=lambda b: b[0])
        return [Message(n & 0xFFFF, stamp + 25, body) for n, (_, stamp, body) in enumerate(chosen)]

    def record(self, start: int = 0) -> Record:
        recorder = Recorder(OUTPUTS)
        recorder.add(self.messages(start))
        return recorder.record()
