"""What a study trains and scores on: folds of the training people; the held-out people are never touched."""

from __future__ import annotations

from dataclasses import dataclass

from toolchain.board import Board
from toolchain.errors import DataError
from toolchain.evaluation.score import Heard, PersonScore
from toolchain.ltc.decision import decision_spec
from toolchain.ltc.evaluate import FLOAT_Y_SCALE, Logits, decide_recordings
from toolchain.ltc.modelspec import ModelSpec
from toolchain.project import Decision, Project
from toolchain.recordings.catalog import at_rate, load_native, select
from toolchain.recordings.recording import Collection, DataSet, Recording
from toolchain.recordings.splits import fold_people

FOLD_SEED = 1


@dataclass(frozen=True)
class Material:
    """``even``: windows and streams at the board's rate; ``whole``: uncut recordings with their own stamps."""

    even: Collection
    whole: Collection

    @property
    def people(self) -> dict[str, str]:
        """The training people (name: how they wear it): all whom the set's makers did not hold out."""
        return {r.person: r.mounting for r in self.even.recordings if r.person not in self.even.test_people}

    def fold(self, k: int, folds: int) -> tuple[DataSet, tuple[Recording, ...]]:
        """Return the data of fold ``k`` of ``folds`` (from 1), and the whole recordings of its test people."""
        if not 1 <= k <= folds:
            raise DataError(f"There is no fold {k} of {folds}.", "Folds count from 1.")
        test = set(fold_people(self.people, folds, FOLD_SEED)[k - 1])
        others = sorted(set(self.people) - test)
        # A data set has validation people; with [training] everyone they are trained on like the others.
        parts = (set(others[1:]), set(others[:1]), test)
        train, validation, tested = (tuple(r for r in self.even.recordings if r.person in part) for part in parts)
        background = self.even.classes.index(self.even.background)
        whole = tuple(r for r in self.whole.recordings if r.person in test and r.kind == "window")
        return DataSet(self.even.name, self.even.classes, background, train, validation, tested), whole


def load_material(project: Project, board: Board) -> Material:
    """Load the set of ``project``; raises DataError when it is missing."""
    rate_hz = board.imu.rate_hz
    even = at_rate(select(load_native(project.data, rate_hz), project.task), rate_hz)
    return Material(even, select(load_native(project.data, rate_hz, whole=True), project.task, lenient=True))


def answers_whole(
    logits: Logits, recordings: tuple[Recording, ...], spec: ModelSpec, decision: Decision, background: int
) -> dict[str, PersonScore]:
    """Return each person's table of answers: a recording's answer is its last decision other than none.

    ``logits`` in steps of FLOAT_Y_SCALE.
    """
    stage = decision_spec(decision, background, FLOAT_Y_SCALE)
    people: dict[str, PersonScore] = {}
    decided = decide_recordings(recordings, logits(recordings), spec, stage)
    for recording, made in zip(recordings, decided, strict=True):
        score = people.setdefault(recording.person, PersonScore(recording.person, len(spec.classes)))
        score.add(Heard(recording, (), made.winner), background)
    return dict(sorted(people.items()))


def score_whole(
    logits: Logits, recordings: tuple[Recording, ...], spec: ModelSpec, decision: Decision, background: int
) -> dict[str, float]:
    """Return each person's accuracy over the gestures; as :func:`answers_whole`."""
    gestures = [c for c in range(len(spec.classes)) if c != background]
    return {
        name: float(score.answers[gestures, gestures].sum() / max(score.answers[gestures].sum(), 1))
        for name, score in answers_whole(logits, recordings, spec, decision, background).items()
    }
