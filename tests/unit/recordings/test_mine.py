"""One's own recordings in the training part of a set."""

from __future__ import annotations

import numpy as np
import pytest

from toolchain.errors import DataError
from toolchain.recordings.mine import gestures_of, with_mine
from toolchain.recordings.recording import UNKNOWN, Collection, Recording


def recording(label, person="p", kind="window", labels=None):
    if labels is None:
        labels = np.zeros(30, np.int16)
        labels[10:20] = label
    return Recording(np.ones((30, 6), np.float32), np.arange(30) * 5000, np.array(labels, np.int16), person, kind=kind)


def mine(counts, classes=("none", "wave", "up")):
    windows = [recording(label) for label, count in counts.items() for _ in range(count)]
    return Collection("mine", classes, "none", tuple(windows))


def test_what_one_recorded_is_found():
    assert gestures_of(mine({1: 5, 0: 3})) == ("wave",)
    assert gestures_of(mine({1: 5, 2: 6})) == ("wave", "up")


def test_four_recordings_are_too_few():
    with pytest.raises(DataError, match="has 4 recordings of 'up', expected at least 5"):
        gestures_of(mine({1: 5, 2: 4}))
    with pytest.raises(DataError, match="holds no recording of a gesture"):
        gestures_of(mine({0: 9}))


def test_a_new_class_is_added_and_an_old_one_replaced():
    classes = ("none", "up", "down", "wave")
    stream = recording(0, "q", "stream", [0] * 5 + [1] * 5 + [2] * 5 + [0] * 15)
    base = (recording(1, "q"), recording(2, "q"), recording(0, "q"), stream)
    train = with_mine(base, classes, mine({1: 5, 2: 5}))
    old = [r for r in train if r.person == "q"]
    assert [r.label(0) for r in old if r.kind == "window"] == [2, 0], "others' 'up' gave way to one's own"
    assert np.unique(old[-1].labels).tolist() == [UNKNOWN, 0, 2]
    new = [r for r in train if r.person == "mine-p"]
    assert sorted(r.label(0) for r in new) == [1] * 5 + [3] * 5


def test_a_class_that_the_task_lacks_is_told():
    with pytest.raises(DataError, match="no class 'wave'"):
        with_mine((), ("none", "up"), mine({1: 5}))
