"""Verdicts: rate, jitter, losses, clipping, stuck axes, gravity, drift; and the motion that is found by its energy."""

from __future__ import annotations

import json

import numpy as np
import pytest

from toolchain.board import STANDARD_GRAVITY, load_board
from toolchain.recordings.codes import to_codes, to_si
from toolchain.recordings.losses import drift_ppm, timing
from toolchain.recordings.segment import find_gesture
from toolchain.recordings.verdict import NO_MOTION, Verdict, judge, labelled, verdict_of
from toolchain.recordings.wearer import Wearer

IMU = load_board("nrf52840").imu


def _rest(count: int = 800, rate_hz: float = 208.0, seed: int = 1):
    rng = np.random.default_rng(seed)
    samples = rng.normal(0, 0.02, (count, 6))
    samples[:, 2] += STANDARD_GRAVITY
    codes = to_codes(samples.astype(np.float32), IMU)
    t_us = np.rint(np.arange(count) * 1e6 / rate_hz).astype(np.int64)
    return codes, t_us


def _judge(codes, t_us, **more) -> Verdict:
    return judge(to_si(codes, IMU), t_us, codes=codes, imu=IMU, **more)


def test_a_good_one() -> None:
    verdict = _judge(*_rest())
    assert (verdict.level, verdict.reasons, verdict.lost) == ("good", (), 0)
    assert verdict_of(json.dumps(verdict.to_dict())) == verdict


@pytest.mark.parametrize("rate_hz", [25.0, 104.37, 207.0, 209.97, 833.0])
def test_the_true_rate_to_a_thousandth(rate_hz: float) -> None:
    _codes, t_us = _rest(rate_hz=rate_hz)
    jitter = np.random.default_rng(0).normal(0, 0.02e6 / rate_hz, len(t_us)).astype(np.int64)
    assert abs(timing(t_us + jitter).rate_hz / rate_hz - 1) < 1e-3
    # Losses do not change it.
    kept = np.delete(np.arange(len(t_us)), [50, 51, 400])
    found = timing(t_us[kept])
    assert abs(found.rate_hz / rate_hz - 1) < 1e-3
    assert [(loss.row, loss.count) for loss in found.losses] == [(50, 2), (398, 1)]


def test_jitter_is_measured() -> None:
    _, t_us = _rest()
    moved = t_us + np.random.default_rng(0).normal(0, 300, len(t_us)).astype(np.int64)
    rms, largest = timing(moved).jitter_us
    assert 250 < rms < 350
    assert largest > 500
    assert timing(t_us).jitter_us[0] < 1


def test_losses_by_index_at_their_place_and_at_the_edges() -> None:
    codes, t_us = _rest()
    index = np.arange(len(t_us), dtype=np.int64) + 1000
    keep = np.delete(np.arange(len(t_us)), [300, 301, 302, 303])
    verdict = _judge(codes[keep], t_us[keep], index=index[keep], around=(998, 1803))
    assert verdict.lost == 1 + 4 + 3
    assert [(x.row, x.count, x.where) for x in verdict.losses] == [(0, 1, "link"), (300, 4, "link"), (796, 3, "link")]


def test_a_long_hole_is_bad_a_short_one_is_not() -> None:
    codes, t_us = _rest(1600)
    few, many = np.delete(np.arange(1600), [700, 701]), np.delete(np.arange(1600), range(700, 712))
    assert _judge(codes[few], t_us[few]).level == "suspect"
    verdict = _judge(codes[many], t_us[many])
    assert verdict.bad
    assert verdict.reasons[0].startswith("12 samples lost (12 at 3.42 s)")


def test_irregular_stamps_are_said_and_no_loss_is_invented() -> None:
    codes, t_us = _rest()
    gaps = np.random.default_rng(0).uniform(0.3, 3.0, len(t_us)) * 4808
    verdict = _judge(codes, np.cumsum(gaps).astype(np.int64))
    assert verdict.lost == 0
    assert "irregular stamps: what was lost cannot be told" in verdict.reasons


def test_clipping() -> None:
    codes, t_us = _rest()
    codes[100:103, 3] = 32767
    assert _judge(codes, t_us).clipped == (0, 0, 0, 3, 0, 0)
    assert _judge(codes, t_us).level == "suspect"
    codes[100:140, 3] = 28580
    assert _judge(codes, t_us).bad, "2,000 degrees a second are 28,571 codes"
    codes[100:140, 3] = 28000
    assert _judge(codes, t_us).level == "good"


def test_stuck_axes() -> None:
    codes, t_us = _rest(1200)
    codes[500:, 4] = 7
    verdict = _judge(codes, t_us)
    assert verdict.bad
    assert [name for name, _ in verdict.stuck] == ["gy"]
    assert "gy stuck for 3.4 s" in verdict.reasons
    codes, t_us = _rest(1200)
    codes[500:700, 4] = 7
    assert not _judge(codes, t_us).stuck, "a second at rest may give one code"


@pytest.mark.parametrize(
    ("scale", "level"), [(1.0, "good"), (1.05, "good"), (0.85, "suspect"), (0.1, "bad"), (2, "bad")]
)
def test_gravity(scale: float, level: str) -> None:
    codes, t_us = _rest()
    samples = to_si(codes, IMU)
    samples[:, :3] *= scale
    verdict = judge(samples, t_us)
    assert verdict.level == level
    assert judge(samples, t_us, gravity=False).level == "good"


def test_another_rate_than_was_set_is_suspect() -> None:
    assert _judge(*_rest(rate_hz=104.0)).level == "suspect"


@pytest.mark.parametrize("ppm", [-3000.0, -40.0, 0.0, 120.0])
def test_clock_drift(ppm: float) -> None:
    rng = np.random.default_rng(5)
    device = np.rint(np.arange(208 * 60) * 1e6 / 208).astype(np.int64)
    delay = 900 + rng.exponential(3000, len(device))
    host = np.maximum.accumulate(device * (1 + ppm * 1e-6) + delay).astype(np.int64) + 77_000_000
    found, error = drift_ppm(device, host)
    assert abs(found - ppm) < max(4 * error, 10)
    assert error < 20
    assert drift_ppm(device[:1000], host[:1000]) is None, "five seconds tell nothing"


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"level": "fine"}', "null"])
def test_a_verdict_is_not_trusted(text: str) -> None:
    with pytest.raises(ValueError):
        verdict_of(text)


def test_a_label_by_hand_forgives_that_no_motion_was_found() -> None:
    codes, t_us = _rest()
    verdict = _judge(codes, t_us, faults=[NO_MOTION])
    assert verdict.bad
    assert labelled(verdict).level == "good"
    codes[100:140, 3] = 32767
    assert labelled(_judge(codes, t_us, faults=[NO_MOTION])).bad


def test_a_tiny_recording_is_judged_too() -> None:
    codes, t_us = _rest(2)
    assert _judge(codes, t_us).rate_hz == 0.0


def _performances(name: str, labels: list[str]):
    """A wearer who answers prompts: codes, stamps, the prompts' times, and the truth."""
    wearer, now, codes, stamps, goes = Wearer(name, IMU, seed=3), 0.0, [], [], []

    def go_on(seconds: float) -> None:
        nonlocal now
        for _ in range(round(seconds / 0.05)):
            now += 0.05
            made = wearer.more(now)
            codes.append(made[0])
            stamps.append(made[1])

    go_on(2.0)
    for label in labels:
        goes.append(now)
        wearer.perform(label, now)
        go_on(3.5)
    return np.concatenate(codes), np.concatenate(stamps), goes, wearer


def test_the_motion_is_found_in_every_performance() -> None:
    labels = ["swipe_left", "swipe_right", "tap", "rotate", "a gesture of one's own"]
    errors = []
    for person in range(6):
        codes, stamps, goes, wearer = _performances(f"p{person}", labels)
        samples = to_si(codes, IMU)
        for go, (_, start, end) in zip(goes, wearer.performed, strict=True):
            part = (stamps >= (go - 1.2) * 1e6) & (stamps < (go + 2.5) * 1e6)
            found = find_gesture(stamps[part], samples[part], round(go * 1e6))
            assert found is not None
            times = stamps[part][[found[0], found[1] - 1]] * 1e-6
            errors.append((times[0] - start, times[1] - end))
    assert np.abs(errors).max() < 0.16
    assert np.median(np.abs(errors)) < 0.03


def test_rest_holds_no_motion() -> None:
    codes, stamps, _, _ = _performances("p1", [])
    assert find_gesture(stamps, to_si(codes, IMU), 500_000) is None


def test_the_pieces_of_a_wearer_fit_together() -> None:
    """Fed in pieces of any size, the signal has no seams: its steps are those of rest."""
    wearer = Wearer("p2", IMU)
    rng = np.random.default_rng(0)
    now, codes, stamps, seams = 0.0, [], [], []
    while now < 6.0:
        now += rng.uniform(0.004, 0.2)
        made = wearer.more(now)
        codes.append(made[0])
        stamps.append(made[1])
        seams.append(sum(map(len, codes)))
    joined = np.concatenate(codes).astype(float)
    times = np.concatenate(stamps)
    assert abs(1e6 / np.diff(times).mean() / wearer.rate_hz - 1) < 1e-4
    step = np.abs(np.diff(joined, axis=0))
    at = np.array(seams[:-1]) - 1
    assert step[at].mean() < 1.3 * step.mean()
