"""The decision stage against a slow transcription of docs/SPEC.md, section 3."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolchain.ltc.decision import Decision, decision_spec
from toolchain.ltc.modelspec import DecisionSpec
from toolchain.project import Decision as DecisionProject


class Plain:
    """SPEC's lines, one by one."""

    def __init__(self, spec, outputs):
        self.p, self.n = spec, outputs
        self.last_us, self.fired_once = 0, False
        self.reset()

    def reset(self):
        self.s, self.latched, self.seen = [0] * self.n, self.p.background, 0

    def step(self, y, t_us):
        for c in range(self.n):
            self.s[c] += ((int(y[c]) * 65536) - self.s[c]) >> self.p.smoothing_shift
            assert -(2**31) <= self.s[c] < 2**31
        self.seen = min(self.seen + 1, 65535)
        winner = max(range(self.n), key=lambda c: (self.s[c], -c))
        margin = (self.s[winner] - max(s for c, s in enumerate(self.s) if c != winner)) >> 8
        if winner == self.p.background:
            self.latched = self.p.background
        fire = (
            winner != self.p.background
            and margin >= self.p.threshold
            and winner != self.latched
            and self.seen > self.p.warmup_samples
            and (not self.fired_once or (t_us - self.last_us) % 2**64 >= self.p.holdoff_us)
        )
        if fire:
            self.latched, self.last_us, self.fired_once = winner, t_us, True
        return winner, margin, fire


@st.composite
def runs(draw):
    outputs = draw(st.integers(2, 6))
    spec = DecisionSpec(
        background=draw(st.integers(-1, outputs - 1)),
        smoothing_shift=draw(st.integers(0, 8)),
        threshold=draw(st.sampled_from([0, 1, 300, 5000])),
        holdoff_us=draw(st.sampled_from([0, 1, 9000, 40_000])),
        warmup_samples=draw(st.integers(0, 6)),
    )
    length = draw(st.integers(1, 80))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    # Held levels, so that winners stay and change; few levels, so that ties happen.
    levels = random.choice([-128, -3, 0, 3, 40, 127], (length, outputs))
    y = levels[np.maximum.accumulate(np.arange(length) * (random.random(length) < 0.3))].astype(np.int8)
    t_us = np.cumsum(random.integers(1, 9000, length)).astype(np.uint64)
    return spec, y, t_us, random.random(length) < 0.05


@settings(deadline=None, max_examples=150)
@given(runs())
def test_every_output_equals_the_plain_model(run):
    spec, y, t_us, reset = run
    plain = Plain(spec, y.shape[1])
    expected = []
    for row, stamp, restart in zip(y, t_us.tolist(), reset, strict=True):
        if restart:
            plain.reset()
        expected.append(plain.step(row, stamp))
    made = Decision(spec, y.shape[1]).run(y, t_us, reset)
    assert made.margin.dtype == np.int32
    assert list(zip(made.winner.tolist(), made.margin.tolist(), made.fired.tolist(), strict=True)) == expected


@settings(deadline=None, max_examples=50)
@given(runs(), st.integers(0, 80))
def test_the_state_goes_on_between_calls(run, cut):
    spec, y, t_us, reset = run
    whole = Decision(spec, y.shape[1]).run(y, t_us, reset)
    decision = Decision(spec, y.shape[1])
    parts = [decision.run(y[part], t_us[part], reset[part]) for part in (slice(None, cut), slice(cut, None))]
    for name in ("winner", "margin", "fired"):
        assert np.array_equal(np.concatenate([getattr(part, name) for part in parts]), getattr(whole, name))


SPEC = DecisionSpec(background=0, smoothing_shift=0, threshold=256, holdoff_us=50_000, warmup_samples=2)
GESTURE, REST = np.array([0, 10], np.int8), np.array([10, 0], np.int8)


def fire_times(decision, rows, start=0):
    return [i for i, row in enumerate(rows) if decision.step(row, start + i * 10_000)[2]]


def test_a_held_gesture_fires_once_and_again_after_background_and_hold_off():
    rows = [REST] * 3 + [GESTURE] * 8 + [REST] + [GESTURE] * 3
    assert fire_times(Decision(SPEC, 2), rows) == [3, 12]
    slow = SPEC.model_copy(update={"holdoff_us": 100_000})
    assert fire_times(Decision(slow, 2), rows) == [3, 13]


def test_nothing_fires_while_the_stage_warms_up_but_the_hold_off_survives_a_reset():
    decision = Decision(SPEC, 2)
    assert fire_times(decision, [GESTURE] * 4) == [2]
    decision.reset()
    # Third sample after the reset: warm, but 30 ms after the command of before; the hold-off ends at 50 ms.
    assert fire_times(decision, [GESTURE] * 6, start=30_000) == [4]


def test_reset_clears_everything_but_the_hold_off():
    decision = Decision(SPEC, 2)
    fire_times(decision, [GESTURE] * 4)
    decision.reset()
    winner, margin, _ = decision.step(np.array([0, 0], np.int8), 10**9)
    assert (winner, margin) == (0, 0)


def test_physical_terms_become_integers():
    spec = decision_spec(DecisionProject(smoothing_shift=4, threshold=2.0, holdoff_s=0.5), 3, 0.125, 200.0)
    assert (spec.background, spec.smoothing_shift, spec.holdoff_us) == (3, 4, 500_000)
    assert spec.threshold == 2.0 / 0.125 * 256
    assert spec.warmup_samples == 20
    huge = decision_spec(DecisionProject(threshold=1e9), 0, 1e-3, 200.0)
    assert huge.threshold == 2**24 - 1


def test_one_output_is_refused():
    with pytest.raises(ValueError, match="two"):
        Decision(SPEC, 1)
