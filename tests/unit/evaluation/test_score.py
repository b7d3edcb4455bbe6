"""Recordings by their last decision, streams by their commands, and the people's sums."""

from __future__ import annotations

import numpy as np
import pytest
from evaluation_fakes import heard

from toolchain.evaluation.score import PersonScore, figures, judge, merged, person_dict
from toolchain.ltc.evaluate import score_stream


def score_of(*several, person: str = "a", classes: int = 3) -> PersonScore:
    score = PersonScore(person, classes)
    for one in several:
        score.add(one, 0)
    return score


def test_the_last_decision_counts_whatever_came_before(gesture: list[int]) -> None:
    winner = [0] * 25 + [2] * 10 + [1] * 5 + [0] * 40
    score = score_of(heard(gesture, [(30, 2), (38, 1)], winner))
    assert score.answers[1, 1] == 1
    assert score.commanded[1, 1] == 1
    other = score_of(heard(gesture, [(30, 1), (70, 2)], [0] * 25 + [1] * 40 + [2] * 15))
    assert other.answers[1, 2] == other.commanded[1, 2] == 1


def test_no_decision_is_wrong_and_a_quiet_rest_is_right(gesture: list[int]) -> None:
    score = score_of(heard(gesture), heard([0] * 50))
    made = figures([score], 0)
    assert made["accuracy"].value == 0.0
    assert made["quiet_background"].value == 1.0
    assert person_dict(score, 0)["recordings"] == 1


def test_a_winner_that_never_fires_is_a_decision_but_no_command(gesture: list[int]) -> None:
    score = score_of(heard(gesture, (), [0] * 30 + [1] * 50))
    made = figures([score], 0)
    assert (made["accuracy"].value, made["accuracy_command"].value) == (1.0, 0.0)


def stream(commands, labels=None):
    return heard(
        labels or ([0] * 100 + [1] * 50 + [0] * 250 + [-1] * 50 + [2] * 50 + [0] * 100), commands, kind="stream"
    )


def test_streams_count_hits_misses_false_activations_and_delays() -> None:
    one = stream([(50, 2), (160, 1), (170, 1), (420, 1)])
    verdicts = judge(one, 0)
    assert [(v.event, v.false) for v in verdicts] == [(None, True), (0, False), (None, True), (None, False)]
    score = score_of(one)
    assert score.hits.tolist() == [0, 1, 0]
    assert score.misses.tolist() == [0, 0, 1]
    assert score.false_activations.tolist() == [0, 1, 1]
    assert score.delays_ms == [110.0]
    made = figures([score], 0)
    assert made["event_recall"].value == 0.5
    assert made["false_per_hour"].value == pytest.approx(2 / (score.microseconds / 3.6e9))
    assert made["event_macro_f1"].value == pytest.approx((2 / 3 + 0) / 2)


def test_a_command_too_late_or_of_another_class_is_false() -> None:
    assert score_of(stream([(149 + 61, 1)])).false_activations.sum() == 1
    assert score_of(stream([(149 + 60, 1)])).hits.sum() == 1
    assert score_of(stream([(120, 2)])).false_activations.tolist() == [0, 0, 1]


def test_it_agrees_with_the_training_s_own_score() -> None:
    random = np.random.default_rng(3)
    for _ in range(50):
        labels = np.repeat(random.choice([0, 0, 1, 2, -1], 20), 25).tolist()
        commands = [(int(at), int(random.integers(1, 3))) for at in np.sort(random.integers(0, 500, 12))]
        one = stream(commands, labels)
        theirs = score_stream(list(one.commands), one.recording.labels, one.recording.t_us, 0)
        mine = score_of(one)
        assert theirs.events == mine.hits.sum() + mine.misses.sum()
        assert theirs.false_activations == mine.false_activations.sum()
        assert list(theirs.delays_ms) == mine.delays_ms
        assert theirs.microseconds == mine.microseconds


def test_macro_f1_is_the_mean_over_the_classes_that_occur(gesture: list[int]) -> None:
    right = heard(gesture, (), [0] * 30 + [1] * 50)
    wrong = heard(gesture, (), [0] * 30 + [2] * 50)
    made = figures([score_of(right, right, wrong)], 0)
    assert made["accuracy"].value == pytest.approx(2 / 3)
    assert made["macro_f1"].value == pytest.approx(0.8)


def test_folds_and_seeds_of_one_person_add_up(gesture: list[int]) -> None:
    right, wrong = heard(gesture, (), [0] * 30 + [1] * 50), heard(gesture)
    both = merged([score_of(right, person="b"), score_of(wrong, person="b"), score_of(right, person="a")])
    assert [one.person for one in both] == ["a", "b"]
    assert person_dict(both[1], 0)["accuracy"] == 0.5
    assert figures(both, 0)["accuracy"].value == pytest.approx(2 / 3)


def test_nothing_scored_has_no_value() -> None:
    made = figures([PersonScore("a", 3)], 0)
    assert all(estimate.value is None for estimate in made.values())
