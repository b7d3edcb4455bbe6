"""Extremely randomized trees on features of windows: the baseline without a network, for comparison only.

Source: Geurts, Ernst and Wehenkel, "Extremely randomized trees" (Machine Learning 63, 2006), as scikit-learn has them
(the extra ``tinyltc[study]``). A window is WINDOW_S long and is classified at its end, HOP_S after the one before it;
so over a stream the trees answer like the networks, and a recording's answer is its last one other than none. Nobody
cuts the gesture out for them: a window of the background is one of the classes that they learn.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from toolchain.errors import MissingToolError
from toolchain.ltc.augment import vary
from toolchain.ltc.evaluate import FLOAT_Y_SCALE
from toolchain.ltc.modelspec import ModelSpec
from toolchain.project import Training
from toolchain.recordings.recording import UNKNOWN, Recording

WINDOW_S = 1.5
HOP_S = 0.1
TREES = 200
KNOWN = 0.6
"""A window is a gesture's when it holds this share of the gesture's motion."""
_SURE = 8.0
"""Logit of a class that every tree votes for; the decision stage takes differences of logits."""


def features(window: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Return the features of a window (T, 6): 81 numbers.

    Per channel: mean, standard deviation, extremes, mean in each of four quarters, energy of the differences, and where
    the extremes lie (fractions); then the correlations of all pairs of channels that are not constant, else 0.
    """
    centred = window - window.mean(axis=0)
    spread = window.std(axis=0)
    quarters = [part.mean(axis=0) for part in np.array_split(window, 4)]
    places = [window.argmax(axis=0) / len(window), window.argmin(axis=0) / len(window)]
    rough = np.sqrt(np.mean(np.diff(window, axis=0) ** 2, axis=0))
    scale = np.where(spread > 1e-6, spread, np.inf)
    pairs = (centred.T @ centred / len(window) / np.outer(scale, scale))[np.triu_indices(6, 1)]
    extremes = [window.max(axis=0), window.min(axis=0)]
    parts = [window.mean(axis=0), spread, *extremes, *quarters, rough, *places, pairs]
    return np.concatenate(parts).astype(np.float32)


def windows_of(recording: Recording, background: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Return the features (N, 81) of the windows of a recording and their classes; unlabelled windows are left out."""
    ends = _ends(recording)
    made, truths = [], []
    for end in ends:
        start = max(0, end - _length(recording))
        labels = recording.labels[start:end]
        here = labels[(labels != background) & (labels != UNKNOWN)]
        truth = background
        if len(here):
            label = int(np.bincount(here).argmax())
            if (labels == label).sum() < KNOWN * _motion(recording, end, label):
                continue
            truth = label
        elif (labels == UNKNOWN).any():
            continue
        made.append(features(recording.samples[start:end]))
        truths.append(truth)
    shape = (0, len(features(np.zeros((8, 6)))))
    return np.stack(made) if made else np.zeros(shape, np.float32), np.array(truths, np.int64)


class Trees:
    """The trees, trained on recordings and run over them."""

    def __init__(self, spec: ModelSpec, seed: int) -> None:
        """Raise MissingToolError without scikit-learn."""
        try:
            from sklearn.ensemble import ExtraTreesClassifier
        except ImportError:
            raise MissingToolError("The trees need scikit-learn.", "pip install 'tinyltc[study]'") from None
        self._classes = len(spec.classes)
        self._seed = seed
        self._forest: Any = ExtraTreesClassifier(
            TREES, class_weight="balanced_subsample", min_samples_leaf=2, n_jobs=1, random_state=seed
        )
        self.seconds = 0.0

    def train(self, recordings: Sequence[Recording], background: int, settings: Training, copies: int = 2) -> None:
        """Learn the windows of ``recordings`` as they are and of ``copies`` that the recipe's augmentation varies."""
        begin = time.monotonic()
        random = np.random.default_rng(self._seed)
        x, y = [], []
        for recording in recordings:
            for copy in range(copies + 1):
                one = recording
                if copy:
                    made = vary(recording.samples, recording.t_us, random, settings.augmentation, may_mirror=False)
                    labels = recording.labels[made.source]
                    samples = made.at(np.arange(len(made.t_us)))
                    one = Recording(samples, made.t_us, labels, recording.person, kind=recording.kind)
                some, truth = windows_of(one, background)
                x.append(some)
                y.append(truth)
        self._forest.fit(np.concatenate(x), np.concatenate(y))
        self.seconds = time.monotonic() - begin

    @property
    def nodes(self) -> int:
        """Nodes of all trees: each is a threshold or a leaf's votes, what parameters are to a network."""
        return int(sum(tree.tree_.node_count for tree in self._forest.estimators_))

    def logits(self, recordings: Sequence[Recording]) -> list[npt.NDArray[np.integer]]:
        """Return the votes as logits in steps of FLOAT_Y_SCALE, one row a sample; each holds until the next window."""
        result: list[npt.NDArray[np.integer]] = []
        for recording in recordings:
            ends = _ends(recording)
            starts = [max(0, end - _length(recording)) for end in ends]
            x = np.stack([features(recording.samples[a:b]) for a, b in zip(starts, ends, strict=True)])
            votes = np.zeros((len(ends), self._classes))
            votes[:, self._forest.classes_] = self._forest.predict_proba(x)
            rows = np.searchsorted(ends, np.arange(1, len(recording.t_us) + 1), side="right") - 1
            held = np.where(rows[:, None] >= 0, votes[np.maximum(rows, 0)], 0.0)
            result.append(np.rint(_SURE * held / FLOAT_Y_SCALE).astype(np.int32))
        return result


def _rate(recording: Recording) -> float:
    return (len(recording.t_us) - 1) / max(recording.seconds, 1e-9)


def _length(recording: Recording) -> int:
    return max(8, round(WINDOW_S * _rate(recording)))


def _ends(recording: Recording) -> npt.NDArray[np.int64]:
    """One past the last sample of each window: from half a window on, every HOP_S, and the recording's end."""
    hop = max(1, round(HOP_S * _rate(recording)))
    first = min(len(recording.t_us), _length(recording) // 2)
    return np.unique([*range(first, len(recording.t_us), hop), len(recording.t_us)]).astype(np.int64)


def _motion(recording: Recording, end: int, label: int) -> int:
    """Samples of the motion of ``label`` that reaches the furthest before ``end``."""
    own = np.flatnonzero(recording.labels[:end] == label)
    stop = int(own[-1])
    before = np.flatnonzero(recording.labels[:stop] != label)
    after = np.flatnonzero(recording.labels[stop:] != label)
    start = int(before[-1]) + 1 if len(before) else 0
    return stop + (int(after[0]) if len(after) else len(recording.labels) - stop) - start
