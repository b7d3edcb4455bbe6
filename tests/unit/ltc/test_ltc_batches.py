"""Targets, variations and batches."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from toolchain.errors import DataError
from toolchain.ltc.augment import rotation, stretch, vary
from toolchain.ltc.batches import Batches, Preparer
from toolchain.ltc.prepare import inputs_of
from toolchain.ltc.step import network_input, timing
from toolchain.ltc.targets import targets
from toolchain.project import Augmentation, Training
from toolchain.recordings.codes import to_codes

T_US = np.arange(400) * 5000
LABELS = np.zeros(400, np.int16)
LABELS[100:200] = 2
TRAINING = Training(batch=8, rate_hz=208.0, motion_weight=1.0, hold_s=0.25)
CALM = Augmentation(clipped=0.0, dropped=0.0, half_turns=0.0)


def test_a_gesture_is_asked_for_from_its_late_part_until_shortly_after_its_end():
    wanted, weight = targets(LABELS, T_US, 0, False, TRAINING)
    assert (wanted[:100] == 0).all()
    assert (weight[:100] == 1).all()
    assert (weight[100:160] == 0).all()
    assert (wanted[160:250] == 2).all()
    assert (weight[160:200] == 1).all()
    assert (weight[200:250] > 1).all()
    assert (wanted[250:] == 0).all()
    assert (weight[250:330] == 0).all()
    assert (weight[330:] == 1).all()


def test_gestures_in_quick_succession_leave_time_for_background():
    labels = LABELS.copy()
    labels[260:300] = 2
    quick = TRAINING.model_copy(update={"hold_s": 0.1, "release_s": 0.1})
    wanted, weight = targets(labels, T_US, 0, False, quick)
    assert (wanted[200:220] == 2).all()
    assert (weight[220:240] == 0).all()
    assert (wanted[240:260] == 0).all()
    assert (weight[240:260] == 1).all()
    slow = targets(labels, T_US, 0, False, TRAINING)
    assert not (slow[1][200:260] * (slow[0][200:260] == 0)).any()


def test_a_window_ends_with_its_class_and_its_late_part_asks_for_nothing_else():
    wanted, weight = targets(LABELS, T_US, 0, True, TRAINING)
    assert (wanted[-10:] == 2).all()
    assert (weight[-10:] > 1).all()
    assert (weight[250:380] == 0).all()


def test_unknown_samples_weigh_nothing():
    labels = LABELS.copy()
    labels[340:360] = -1
    _, weight = targets(labels, T_US, 0, False, TRAINING)
    assert (weight[330:340] == 1).all()
    assert (weight[340:360] == 0).all()
    assert (weight[360:] == 1).all()


def test_a_gesture_that_follows_at_once_keeps_its_own_target():
    labels = LABELS.copy()
    labels[200:300] = 1
    wanted, weight = targets(labels, T_US, 0, False, TRAINING)
    assert (wanted[160:200] == 2).all()
    assert (weight[200:260] == 0).all()
    assert (wanted[260:350] == 1).all()
    assert (weight[260:350] > 0).all()


def test_rotations_are_rotations():
    turn = rotation(np.array([0.0, 0.0, 1.0]), np.pi / 2)
    assert turn @ [1, 0, 0] == pytest.approx([0, 1, 0])
    turn = rotation(np.array([0.6, 0.0, 0.8]), 1.1)
    assert turn @ turn.T == pytest.approx(np.eye(3))
    assert np.linalg.det(turn) == pytest.approx(1)


def test_stretch_plays_faster_and_slower_at_the_same_spacing():
    t_us = np.cumsum(np.tile([2000, 3000, 13_000], 100))
    seconds = (t_us - t_us[0]) * 1e-6
    samples = np.repeat(np.sin(seconds)[:, None], 6, axis=1).astype(np.float32)
    for speed in (0.8, 1.0, 1.25):
        stamps, source, part = stretch(t_us, speed)
        played = samples[source] * (1 - part[:, None]) + samples[source + 1] * part[:, None]
        assert played[:, 0] == pytest.approx(np.sin(stamps * 1e-6 * speed), abs=1e-4)
        assert stamps[-1] == pytest.approx((t_us[-1] - t_us[0]) / speed, abs=13_000)
        assert np.isin(np.diff(stamps), [2000, 3000, 13_000]).all()
        assert (np.abs(seconds[source] - stamps * 1e-6 * speed) <= 0.0131).all()
    short = stretch(t_us[:1], 1.2)
    assert len(short[0]) == len(short[1]) == len(short[2]) == 1


def test_one_variation_holds_for_the_whole_recording():
    samples = np.zeros((300, 6), np.float32)
    samples[:, 2] = 9.81
    drawn = vary(samples, np.arange(300) * 5000, np.random.default_rng(1), CALM)
    varied = drawn.at(np.arange(len(drawn.t_us)))
    gravity = varied[:, :3].mean(axis=0)
    assert np.linalg.norm(gravity) == pytest.approx(9.81, rel=0.2)
    assert np.abs(varied[:, :3] - gravity).max() < 6 * 0.15
    other = vary(samples, np.arange(300) * 5000, np.random.default_rng(2), CALM).at(np.arange(200))
    assert np.linalg.norm(other[:, :3].mean(axis=0) - gravity) > 0.05


@pytest.fixture
def prepare(spec, board):
    return Preparer(spec, board.imu, 0, TRAINING)


@pytest.mark.parametrize("preparation", ["raw", "difference", "high_pass"])
def test_inputs_are_prepared_from_every_sample_and_then_left_out(spec, board, tiny_set, preparation):
    gain = np.resize(spec.input_gain, inputs_of(preparation)).tolist()
    changed = spec.model_copy(update={"preparation": preparation, "inputs": inputs_of(preparation), "input_gain": gain})
    prepare = Preparer(changed, board.imu, 0, TRAINING.model_copy(update={"rate_hz": 52.0}))
    assert prepare.stride > 1
    recording = tiny_set.train[0]
    whole = network_input(to_codes(recording.samples, board.imu), timing(recording.t_us, changed), changed)
    taken = slice((len(whole) - 1) % prepare.stride, None, prepare.stride)
    assert (prepare(recording, None).x == whole[taken]).all()


def batches(recordings, prepare, **changes):
    options = {"settings": TRAINING, "length": 50, "seed": 1, "varied": False} | changes
    return Batches(recordings, prepare, 0, **options)


def test_windows_start_from_rest_and_end_with_their_class(tiny_set, prepare):
    made = batches(tiny_set.train, prepare, length=70)
    ends = set()
    for _ in range(6):
        batch = made.next_batch()
        assert (batch.keep[:4] == 0).all()
        assert (batch.dt[:4, :8] == 0).all(), "windows of 62 samples are padded in front"
        assert (batch.dt[:4, 8:] > 0).all()
        assert (batch.weight[:4, -1] > 0).all()
        ends |= set(batch.target[:4, -1].tolist())
    assert ends == {0, 1, 2}


def test_streams_go_on_without_losing_a_sample(tiny_set, prepare):
    made = batches(tiny_set.train, prepare)
    streams = [prepare(r, None).x for r in tiny_set.train if r.kind == "stream"]
    chunks = [made.next_batch() for _ in range(40)]
    for row in range(4, 8):
        pieces = []
        for batch in chunks:
            if not batch.keep[row, 0]:
                pieces.append([])
            assert ((batch.weight[row] == 0) | (batch.dt[row] > 0)).all(), "padding weighs nothing"
            pieces[-1].append(batch.x[row, batch.dt[row] > 0])
        assert len(pieces) >= 3
        for piece in pieces[1:-1]:
            whole = np.concatenate(piece)
            assert any(len(whole) == len(stream) and np.array_equal(whole, stream) for stream in streams)
        first = np.concatenate(pieces[0])
        assert any(np.array_equal(first, stream[-len(first) :]) for stream in streams)


def test_a_gap_ends_a_chunk_and_the_state(tiny_set, prepare):
    torn = []
    for recording in tiny_set.train:
        t_us = recording.t_us + np.where(np.arange(len(recording.t_us)) >= 30, 500_000, 0)
        torn.append(dataclasses.replace(recording, t_us=t_us))
    made = batches(torn, prepare, settings=Training(batch=2, rate_hz=208.0))
    batch = made.next_batch()
    assert (batch.dt[0, :18] == 0).all(), "of a window only what follows the gap is used: 32 samples"
    assert (batch.dt[0, 18:] > 0).all()
    starts = []
    for _ in range(40):
        batch = made.next_batch()
        starts.append((float(batch.keep[1, 0]), int((batch.dt[1] > 0).sum())))
    at = starts.index((0.0, 30))
    assert starts[at + 1] == (0.0, 50), "30 samples, the gap, a fresh start"


def test_the_seed_decides_and_variations_vary(tiny_set, prepare):
    one, same, other = (batches(tiny_set.train, prepare, seed=s, varied=True).next_batch() for s in (1, 1, 2))
    assert np.array_equal(one.x, same.x)
    assert not np.array_equal(one.x, other.x)
    assert np.abs(one.x).max() <= 4.0


@pytest.mark.parametrize("kind", ["window", "stream"])
def test_both_kinds_are_needed(tiny_set, prepare, kind):
    with pytest.raises(DataError, match="hold no"):
        batches([r for r in tiny_set.train if r.kind == kind], prepare)


def test_a_stride_leaves_out_samples_but_no_time(tiny_set, spec, board):
    window = next(r for r in tiny_set.train if r.kind == "window")
    whole, half = (Preparer(spec, board.imu, 0, Training(rate_hz=hz))(window, None) for hz in (208.0, 104.0))
    assert np.array_equal(half.x, whole.x[1::2])
    assert np.array_equal(half.target[-4:], whole.target[-7::2])
    assert half.dt[1:] == pytest.approx(2 * whole.dt[1], rel=1e-3)
