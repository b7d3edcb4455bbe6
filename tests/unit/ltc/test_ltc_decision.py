"""The decision stage against a slow transcription of docs/SPEC.md, section 3."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolchain.ltc.decision import Decision, decide_all, decision_spec
from toolchain.ltc.modelspec import DecisionSpec
from toolchain.project import Decision as DecisionProject


class Plain:
    """SPEC's lines, one by one."""

    def __init__(self, spec, outputs):
        self.p, self.n = spec, outputs
        self.last_us, self.fired_once = 0, False
        self.reset()

    def reset(self):
        self.s, self.latched, self.seen_us = [0] * self.n, self.p.background, 0
        self.candidate, self.held_us = -1, 0

    def step(self, y, t_us, delta_us):
        delta = min(delta_us, 2**20 - 1)
        weight = (delta << 12) // (self.p.smoothing_us + delta)
        for c in range(self.n):
            product = (int(y[c]) * 2048 - self.s[c]) * weight
            assert -(2**31) <= product < 2**31
            self.s[c] += product >> 12
        self.seen_us = min(self.seen_us + delta_us, 2**30)
        winner = max(range(self.n), key=lambda c: (self.s[c], -c))
        margin = (self.s[winner] - max(s for c, s in enumerate(self.s) if c != winner)) >> 3
        if winner == self.p.background:
            self.latched = self.p.background
        if winner == self.p.background or margin < self.p.thresholds(self.n)[winner]:
            self.candidate = -1
            return winner, margin, False
        self.held_us = min(self.held_us + delta_us, 2**30) if winner == self.candidate else 0
        self.candidate = winner
        fire = (
            winner != self.latched
            and self.held_us >= self.p.confirm_us
            and self.seen_us > self.p.warmup_us
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
        smoothing_us=draw(st.sampled_from([0, 1, 3000, 60_000, 2**20 - 1])),
        confirm_us=draw(st.sampled_from([0, 1, 9000, 20_000])),
        holdoff_us=draw(st.sampled_from([0, 1, 9000, 40_000])),
        warmup_us=draw(st.sampled_from([0, 9000, 30_000])),
        threshold=draw(st.sampled_from([0, 1, 300, 5000])),
        threshold_of=draw(st.dictionaries(st.integers(0, outputs - 1), st.sampled_from([0, 900]), max_size=2)),
    )
    length = draw(st.integers(1, 80))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    # Held levels, so that winners stay and change; few levels, so that ties happen.
    levels = random.choice([-128, -3, 0, 3, 40, 127], (length, outputs))
    y = levels[np.maximum.accumulate(np.arange(length) * (random.random(length) < 0.3))].astype(np.int8)
    delta_us = random.integers(1, 9000, length)
    delta_us[random.random(length) < 0.02] = 2**23
    t_us = np.cumsum(delta_us).astype(np.uint64)
    return spec, y, t_us, delta_us, random.random(length) < 0.05


@settings(deadline=None, max_examples=150)
@given(runs())
def test_every_output_equals_the_plain_model(run):
    spec, y, t_us, delta_us, reset = run
    plain = Plain(spec, y.shape[1])
    expected = []
    for row, stamp, delta, restart in zip(y, t_us.tolist(), delta_us.tolist(), reset, strict=True):
        if restart:
            plain.reset()
        expected.append(plain.step(row, stamp, delta))
    made = Decision(spec, y.shape[1]).run(y, t_us, delta_us, reset)
    assert made.margin.dtype == np.int32
    assert list(zip(made.winner.tolist(), made.margin.tolist(), made.fired.tolist(), strict=True)) == expected


@settings(deadline=None, max_examples=50)
@given(runs(), st.integers(0, 80))
def test_the_state_goes_on_between_calls(run, cut):
    spec, y, t_us, delta_us, reset = run
    whole = Decision(spec, y.shape[1]).run(y, t_us, delta_us, reset)
    decision = Decision(spec, y.shape[1])
    parts = [
        decision.run(y[part], t_us[part], delta_us[part], reset[part]) for part in (slice(None, cut), slice(cut, None))
    ]
    for name in ("winner", "margin", "fired"):
        assert np.array_equal(np.concatenate([getattr(part, name) for part in parts]), getattr(whole, name))


SPEC = DecisionSpec(background=0, smoothing_us=0, confirm_us=0, holdoff_us=50_000, warmup_us=20_000, threshold=256)
GESTURE, REST = np.array([0, 10], np.int8), np.array([10, 0], np.int8)


def fire_times(decision, rows, start=0):
    return [i for i, row in enumerate(rows) if decision.step(row, start + i * 10_000, 10_000)[2]]


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
    winner, margin, _ = decision.step(np.array([0, 0], np.int8), 10**9, 10_000)
    assert (winner, margin) == (0, 0)


def test_physical_terms_become_integers():
    spec = decision_spec(DecisionProject(smoothing_s=0.1, confirm_s=0.05, threshold=2.0, holdoff_s=0.5), 3, 0.125)
    assert (spec.background, spec.smoothing_us, spec.confirm_us, spec.holdoff_us) == (3, 100_000, 50_000, 500_000)
    assert spec.threshold == 2.0 / 0.125 * 256
    assert spec.warmup_us == 100_000
    huge = decision_spec(DecisionProject(threshold=1e9), 0, 1e-3)
    assert huge.threshold == 2**24 - 1


def test_a_class_must_win_for_the_confirmation_time_without_a_break():
    slow = SPEC.model_copy(update={"confirm_us": 30_000})
    assert fire_times(Decision(slow, 2), [REST] * 3 + [GESTURE] * 8) == [6]
    assert fire_times(Decision(slow, 2), [REST] * 3 + [GESTURE] * 3 + [REST] + [GESTURE] * 8) == [10]


def test_a_class_may_have_a_threshold_of_its_own():
    strict = SPEC.model_copy(update={"threshold_of": {1: 20 * 256}})
    assert fire_times(Decision(strict, 2), [REST] * 3 + [GESTURE] * 4) == []
    lax = SPEC.model_copy(update={"threshold": 20 * 256, "threshold_of": {1: 256}})
    assert fire_times(Decision(lax, 2), [REST] * 3 + [GESTURE] * 4) == [3]


def test_smoothing_is_real_time_at_any_rate():
    """The same second of logits at 208 and at 50 Hz crosses the threshold within one slow sample of the same moment."""
    spec = SPEC.model_copy(update={"smoothing_us": 150_000, "threshold": 256 * 5})
    when = []
    for rate in (208, 50):
        delta = np.full(rate, round(1e6 / rate), np.uint32)
        y = np.tile(GESTURE, (rate, 1))
        y[: rate // 4] = REST
        made = Decision(spec, 2).run(y, np.cumsum(delta, dtype=np.uint64), delta)
        when.append(int(np.flatnonzero(made.fired)[0]) / rate)
    assert abs(when[0] - when[1]) < 1 / 50 + 0.002


@settings(deadline=None, max_examples=30)
@given(st.lists(runs(), min_size=1, max_size=5), st.integers(0, 60_000))
def test_many_recordings_at_once_are_each_alone(several, smoothing_us):
    outputs = min(run[1].shape[1] for run in several)
    spec = SPEC.model_copy(update={"smoothing_us": smoothing_us, "confirm_us": 5000})
    y, t_us, delta, reset = ([run[i] for run in several] for i in (1, 2, 3, 4))
    y = [one[:, :outputs] for one in y]
    for i, made in enumerate(decide_all(y, t_us, delta, reset, spec)):
        alone = Decision(spec, outputs).run(y[i], t_us[i], delta[i], reset[i])
        for name in ("winner", "margin", "fired"):
            assert np.array_equal(getattr(made, name), getattr(alone, name))


def test_one_output_is_refused():
    with pytest.raises(ValueError, match="two"):
        Decision(SPEC, 1)
