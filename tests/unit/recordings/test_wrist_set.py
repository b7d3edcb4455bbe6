from __future__ import annotations

import numpy as np
import pytest

from toolchain.board import Imu
from toolchain.errors import DataError
from toolchain.recordings import wrist
from toolchain.recordings.codes import clipped_fraction
from toolchain.recordings.everyday import bump, slow_sweep
from toolchain.recordings.gestures import GESTURES, perform, tap
from toolchain.recordings.people import draw_person
from toolchain.recordings.recording import Collection, Recording

RATE_HZ = 208.0


def _motions(recording: Recording) -> list[tuple[int, int, int]]:
    marked = np.concatenate([[0], recording.labels, [0]])
    starts = np.flatnonzero((marked[1:-1] != 0) & (marked[:-2] == 0))
    ends = np.flatnonzero((marked[1:-1] != 0) & (marked[2:] == 0))
    return [(a, b, int(recording.labels[a])) for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]


def test_the_same_seed_gives_the_same_bits_in_any_order(simulated: Collection) -> None:
    again = wrist.simulate_person(5, 3, RATE_HZ)
    before = [r for r in simulated.recordings if r.person == "sim005"]
    assert len(again) == len(before) == 62
    for a, b in zip(again, before, strict=True):
        assert np.array_equal(a.samples, b.samples)
        assert np.array_equal(a.labels, b.labels)
    other = wrist.simulate_person(5, 4, RATE_HZ)
    assert not np.array_equal(other[0].samples, again[0].samples)


def test_windows_end_shortly_after_their_one_gesture(simulated: Collection) -> None:
    windows = [r for r in simulated.recordings if r.kind == "window"]
    counts = np.bincount([r.label(0) for r in windows], minlength=5) / 8
    assert counts.tolist() == [20, 10, 10, 10, 10]
    for window in windows:
        assert len(window.t_us) == 260
        motions = _motions(window)
        assert len(motions) == (window.label(0) != 0)
        for start, end, _ in motions:
            assert start > 0
            assert 0.02 < (window.t_us[-1] - window.t_us[end]) * 1e-6 < 0.27


def test_streams_hold_every_gesture_at_moments_that_never_touch(simulated: Collection) -> None:
    streams = [r for r in simulated.recordings if r.kind == "stream"]
    assert len(streams) == 16
    for stream in streams:
        motions = _motions(stream)
        assert 10 <= len(motions) <= 14
        assert {label for _, _, label in motions} == {1, 2, 3, 4}
        starts = stream.t_us[[start for start, _, _ in motions]] * 1e-6
        assert np.diff(starts).min() > 1.5
        for start, end, label in motions:
            seconds = (stream.t_us[end] - stream.t_us[start]) * 1e-6
            low, high = {1: (0.28, 0.81), 2: (0.28, 0.81), 3: (0.15, 0.55), 4: (0.35, 1.0)}[label]
            assert low < seconds < high


def test_gravity_is_seen_at_rest(simulated: Collection) -> None:
    calm = []
    for r in simulated.recordings:
        if r.kind == "window" and np.abs(r.samples[:, 3:] - r.samples[:, 3:].mean(0)).max() < 0.06:
            calm.append(np.linalg.norm(r.samples[:, :3].mean(axis=0)))
    assert len(calm) > 10
    assert np.allclose(calm, 9.80665, atol=0.9)  # zero-g error and scale of the sensors


def test_a_swipe_turns_the_way_it_is_called_however_it_is_worn(simulated: Collection) -> None:
    for r in simulated.recordings:
        label = r.label(0) if r.kind == "window" else 0
        if label in (1, 2):
            moving = r.labels == label
            force = r.samples[:, :3].mean(axis=0)
            about_up = r.samples[moving, 3:] @ force / np.linalg.norm(force)
            turned = about_up.sum() / RATE_HZ
            assert np.sign(turned) == (1 if label == 1 else -1)
            assert np.radians(8) < abs(turned) < np.radians(110)


def test_a_rotate_rolls_out_and_comes_back(simulated: Collection) -> None:
    for r in simulated.recordings:
        if r.kind == "window" and r.label(0) == 4:
            roll = np.cumsum(r.samples[r.labels == 4, 3]) / RATE_HZ
            assert np.abs(roll).max() > np.radians(25)
            assert abs(roll[-1]) < 0.35 * np.abs(roll).max()


def test_confusables_are_near_but_not_the_same() -> None:
    rng = np.random.default_rng(7)
    people = [draw_person(str(i), rng) for i in range(50)]
    for person in people:
        assert bump(person, rng).jolts[0].hz < 15 < tap(person, rng).jolts[0].hz
        sweep = slow_sweep(person, rng)
        swipes = [perform(name, person, rng).duration for name in GESTURES[:2]]
        assert max(swipes) <= 0.8 < min(s.duration for s in sweep.strokes)


def test_people_differ_and_some_wear_it_otherwise() -> None:
    rng = np.random.default_rng(0)
    people = [draw_person(str(i), rng) for i in range(400)]
    assert 0.13 < np.mean([p.turned for p in people]) < 0.24
    assert 0.14 < np.mean([p.side < 0 for p in people]) < 0.27
    for p in people:
        assert np.allclose(p.mounting.T @ p.mounting, np.eye(3))
        assert (p.mounting[0, 0] < 0) == p.turned
    assert np.std([p.amplitude for p in people]) > 0.1
    assert np.std([p.tempo for p in people]) > 0.08


def test_little_is_clipped_by_the_board_s_sensor(simulated: Collection, imu: Imu) -> None:
    assert max(clipped_fraction(r, imu) for r in simulated.recordings) < 0.01


@pytest.mark.parametrize("rate_hz", [104.0, 416.0])
def test_the_rate_changes_sampling_not_the_motion(rate_hz: float) -> None:
    a, b = wrist.simulate_person(1, 1, RATE_HZ)[0], wrist.simulate_person(1, 1, rate_hz)[0]
    assert abs(a.seconds - b.seconds) < 0.02
    assert a.label(0) == b.label(0)


def test_a_rate_that_cannot_carry_gestures_is_refused() -> None:
    with pytest.raises(DataError, match="5 Hz"):
        wrist.simulate(2, 1, 5.0)
