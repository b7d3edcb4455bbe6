"""Scores of windows and streams."""

from __future__ import annotations

import json

import numpy as np
import pytest

from toolchain.ltc.decision import decision_spec
from toolchain.ltc.evaluate import (
    FLOAT_Y_SCALE,
    NO_STREAM,
    evaluate_streams,
    evaluate_windows,
    float_logits,
    motions,
    score_stream,
    score_windows,
)
from toolchain.ltc.step import FloatNetwork
from toolchain.project import Decision
from toolchain.recordings.codes import to_codes

MS = 1000
T_US = np.arange(500) * 10 * MS
LABELS = np.zeros(500, np.int16)
LABELS[100:150] = 1  # 1000..1490 ms
LABELS[150:160] = 2  # at once after it, 1500..1590 ms
LABELS[300:350] = 1  # 3000..3490 ms


def test_motions_are_runs_of_one_gesture():
    assert motions(LABELS, 0) == [(100, 150, 1), (150, 160, 2), (300, 350, 1)]
    assert motions(np.array([-1, 2, 2, -1, 0]), 0) == [(1, 3, 2)]
    assert motions(np.array([3]), 3) == []


def scored(*fired, labels=LABELS):
    return score_stream([(ms * MS, label) for ms, label in fired], labels, T_US, 0)


def test_a_command_answers_from_the_motions_start_until_600_ms_after_its_end():
    for ms, right in ((999, False), (1000, True), (1490, True), (2090, True), (2091, False)):
        score = scored((ms, 1))
        assert (len(score.delays_ms), score.false_activations) == ((1, 0) if right else (0, 1)), ms
    assert scored((1590, 1)).delays_ms == (100.0,)
    assert scored((1290, 1)).delays_ms == (-200.0,)


def test_one_command_answers_one_event_and_every_other_one_is_false():
    score = scored((1200, 1), (1300, 1), (1600, 2), (3100, 2), (3200, 1), (4500, 1))
    assert score.events == 3
    assert score.event_recall == 1.0
    assert score.false_activations == 3


def test_unlabelled_time_counts_for_neither():
    labels = LABELS.copy()
    labels[400:] = -1
    score = scored((4500, 1), labels=labels)
    assert score.false_activations == 0
    assert score.hours == pytest.approx(3.99 / 3600)
    assert scored((4500, 1)).hours == pytest.approx(4.99 / 3600)


def test_scores_add_up_and_are_json():
    total = NO_STREAM + scored((1290, 1)) + scored((1390, 1), (2800, 2))
    assert total.event_recall == pytest.approx(2 / 6)
    assert total.delay_ms_median == pytest.approx(-150.0)
    assert total.false_per_hour == pytest.approx(1 / (2 * 4.99 / 3600))
    assert json.loads(json.dumps(total.to_dict(), allow_nan=False))["events"] == 6
    assert json.loads(json.dumps(NO_STREAM.to_dict(), allow_nan=False))["delay_ms_median"] is None


def test_confusion_has_the_truth_in_rows():
    score = score_windows([0, 1, 1, 2], [0, 1, 2, 2], 3)
    assert score.confusion.tolist() == [[1, 0, 0], [0, 1, 0], [0, 1, 1]]
    assert score.accuracy == 0.75
    assert json.loads(json.dumps(score.to_dict()))["windows"] == 4
    assert score_windows([], [], 3).accuracy == 0.0


def perfect(recordings):
    """Logits that say a motion's class from its middle on until 20 samples after its end."""
    result = []
    for recording in recordings:
        y = np.zeros((len(recording.labels), 3), np.int32)
        y[:, 0] = 20
        for start, end, label in motions(recording.labels, 0):
            y[(start + end) // 2 : end + 20] = 0
            y[(start + end) // 2 : end + 20, label] = 60
        result.append(y)
    return result


def test_perfect_logits_score_perfectly(tiny_set, spec):
    decision = decision_spec(Decision(smoothing_s=0.005, threshold=0.1, holdoff_s=0.1), 0, 0.01)
    windows = evaluate_windows(tiny_set.test, perfect, spec, decision)
    assert windows.accuracy == 1.0
    assert windows.confusion.sum(axis=1).tolist() == [8, 8, 8]
    streams = evaluate_streams(tiny_set.test, perfect, spec, decision)
    assert (streams.event_recall, streams.false_activations, streams.events) == (1.0, 0, 14)
    assert streams.delay_ms_median < 0


def test_float_logits_of_many_are_those_of_each(tiny_set, spec, board, make_weights):
    network = FloatNetwork(make_weights([5, 4], 3, 2), spec.tau_epsilon)
    chosen = [tiny_set.test[i] for i in (0, 12, 5)]
    for recording, y in zip(chosen, float_logits(network, spec, board.imu)(chosen), strict=True):
        alone, _ = network.run_codes(to_codes(recording.samples, board.imu), recording.t_us, spec)
        np.testing.assert_allclose(y * FLOAT_Y_SCALE, alone, atol=FLOAT_Y_SCALE)
