"""Scores and timelines from the device's own words, and the feed they belong to."""

from __future__ import annotations

import numpy as np
import pytest
from harness_fakes import PERIOD, SPEC, recording

from toolchain.errors import DataError
from toolchain.harness.compare import match_feed
from toolchain.harness.feed import build_feed, chosen
from toolchain.harness.scores import Heard, hear, stream_score, timelines, window_score

CLASSES = SPEC.classes


@pytest.fixture
def heard(device, feed) -> list[Heard]:
    record = device.record()
    return hear(record, feed, match_feed(record.samples, feed, SPEC))


def test_every_sample_and_command_finds_its_recording(heard, device, feed) -> None:
    assert [len(one.winner) for one in heard] == [len(r.t_us) for r in feed.recordings]
    for which, one in enumerate(heard):
        indices = [device.index_of[feed.first(which) + row] for row in range(len(one.winner))]
        assert one.winner.tolist() == [device.steps[i].winner for i in indices]
        rows = [row for row, i in enumerate(indices) if i in device.decisions]
        expected = [(int(one.recording.t_us[row]), int(one.winner[row])) for row in rows]
        assert list(one.commands) == expected


def test_window_score(heard) -> None:
    score, missing = window_score(heard, 0, 3)
    assert missing == 0
    assert score is not None
    assert score.windows == 3
    ends = {one.recording.label(0): int(one.winner[-1]) for one in heard if one.recording.kind == "window"}
    assert [score.confusion[truth, ends[truth]] for truth in (0, 1, 2)] == [1, 1, 1]


def test_a_window_without_its_last_step_is_missing(device, feed) -> None:
    del device.steps[device.index_of[feed.first(1) + 89]]
    record = device.record()
    score, missing = window_score(hear(record, feed, match_feed(record.samples, feed, SPEC)), 0, 3)
    assert missing == 1
    assert score is not None
    assert score.windows == 2


def _stream(commands: list[tuple[float, int]]) -> Heard:
    """A stream of 300 samples whose gesture 1 spans samples 100 to 199; commands at seconds from its start."""
    one = recording("stream", 300, 1, 9)
    stamps = tuple((int(one.t_us[0] + second * 1e6), command) for second, command in commands)
    return Heard(one, stamps, np.zeros(300, np.int16), np.zeros(300, np.int32))


@pytest.mark.parametrize(
    ("commands", "hits", "false"),
    [
        ([(0.8, 1)], 1, 0),
        ([(1.4, 1)], 1, 0),
        ([(0.2, 1)], 0, 1),
        ([(0.8, 2)], 0, 1),
        ([(0.8, 1), (0.9, 1)], 1, 1),
        ([], 0, 0),
    ],
)
def test_timeline_and_score_agree(commands, hits: int, false: int) -> None:
    one = _stream(commands)
    score = stream_score([one], 0)
    assert score is not None
    assert (len(score.delays_ms), score.events, score.false_activations) == (hits, 1, false)
    drawn = timelines([one], 0, CLASSES, 200.0)[0]
    assert [gesture["hit"] for gesture in drawn["truth"]] == [bool(hits)]
    assert sum(not command["correct"] for command in drawn["commands"]) == false


def test_timeline_figures() -> None:
    drawn = timelines([_stream([(0.8, 1)])], 0, CLASSES, 200.0)[0]
    assert drawn["truth"] == [{"class": "left", "start_s": 0.5, "end_s": 0.995, "hit": True}]
    assert drawn["commands"] == [{"class": "left", "t_s": 0.8, "correct": True}]
    assert (drawn["seconds"], drawn["signal"]["rate_hz"]) == (1.495, 20.0)
    assert len(drawn["signal"]["acc"]) == len(drawn["signal"]["margin"]) == 30


def test_the_worst_streams_come_first() -> None:
    bad, good = _stream([(0.1, 2)]), _stream([(0.8, 1)])
    drawn = timelines([good] * 5 + [bad], 0, CLASSES, 200.0)
    assert len(drawn) == 4
    assert not drawn[0]["commands"][0]["correct"]


def test_nothing_to_score() -> None:
    assert stream_score([], 0) is None
    assert window_score([], 0, 3) == (None, 0)


def test_feed_separates_recordings_by_more_than_the_longest_step(feed) -> None:
    silences = np.flatnonzero(np.diff(feed.t_us) > SPEC.dt_max_us) + 1
    assert silences.tolist() == [feed.first(i) for i in range(5)]
    assert (np.diff(feed.t_us) > 0).all()
    assert (feed.recording[: feed.first(0)] == -1).all()
    assert feed.first(0) * PERIOD == 1_000_000
    assert (feed.recording[-200:] == 5).all()
    assert feed.wanted.sum() == feed.samples == 870
    assert feed.seconds == pytest.approx(feed.t_us[-201] * 1e-6)
    inside = np.diff(feed.t_us)[np.setdiff1d(np.arange(len(feed.t_us) - 1), silences - 1)]
    assert (inside == PERIOD).all()


def test_nothing_to_feed(imu) -> None:
    with pytest.raises(DataError, match="no test recordings"):
        build_feed([], imu, SPEC)


def test_a_short_run_sees_both_kinds() -> None:
    streams = [recording("stream", 1000, 1, n) for n in range(4)]
    windows = [recording("window", 200, 2, n) for n in range(40)]
    assert len(chosen(streams + windows, None, 0)) == 44
    some = chosen(streams + windows, 30.0, 0)
    assert 29 <= sum(r.seconds for r in some) <= 30
    kinds = [r.kind for r in some]
    assert (kinds.count("stream"), kinds.count("window")) == (3, 20)
    assert "stream" in kinds[:12]
    assert "stream" in kinds[12:]


@pytest.mark.parametrize(("seconds", "rows"), [(1.2, 241), (2.0, 333), (3.0, 333), (3.4, 681)])
def test_a_stream_is_not_cut_inside_a_gesture(seconds: float, rows: int) -> None:
    """The gesture spans samples 333 to 665 of 1000."""
    cut = chosen([recording("stream", 1000, 1, 1)], seconds, 0)
    assert [len(r.t_us) for r in cut] == [rows]


def test_something_is_always_fed() -> None:
    windows = [recording("window", length, 2, 1) for length in (300, 200, 400)]
    assert [len(r.t_us) for r in chosen(windows, 0.1, 0)] == [200]
