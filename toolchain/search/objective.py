"""How well a network does: cross-validation by person inside the training people; nobody else is looked at."""

from __future__ import annotations

from dataclasses import replace

from rich.console import Console

from toolchain.board import Board
from toolchain.errors import DataError
from toolchain.ltc.decision import decision_spec
from toolchain.ltc.evaluate import FLOAT_Y_SCALE, evaluate_streams, evaluate_windows, float_logits
from toolchain.ltc.step import FloatNetwork
from toolchain.ltc.train import fit_network, model_spec
from toolchain.project import Project
from toolchain.recordings.catalog import load_set
from toolchain.recordings.recording import DataSet
from toolchain.recordings.splits import fold_people

FOLD_SEED = 1


def fold_of(data: DataSet, k: int, folds: int) -> DataSet:
    """Return fold ``k`` of ``folds`` (from 0) of the training people of ``data``: they are the test people of it.

    The others are trained on; one of them counts as validation, whom `everyone` trains on like the rest.
    Raises DataError for too few training people.
    """
    people = {recording.person: recording.mounting for recording in data.train}
    tested = set(fold_people(people, folds, FOLD_SEED)[k])
    others = sorted(set(people) - tested)
    if len(others) < 2:
        raise DataError(
            f"{len(people)} training people leave {len(others)} to train on in {folds} folds.",
            "Ask for more folds, or record more people.",
        )
    parts = (set(others[1:]), set(others[:1]), tested)
    train, validation, test = (tuple(r for r in data.train if r.person in part) for part in parts)
    return replace(data, train=train, validation=validation, test=test)


def fold_score(project: Project, board: Board, k: int, folds: int) -> float:
    """Train ``project`` on all but fold ``k`` and return its score on the fold's people, in float.

    The score is the accuracy at the windows' ends; of a set of streams alone the event recall.
    """
    data = fold_of(load_set(project.data, project.task, board.imu.rate_hz), k, folds)
    project = project.model_copy(update={"training": project.training.model_copy(update={"everyone": True})})
    spec = model_spec(project, board, data)
    made = fit_network(project, board, data, spec, Console(quiet=True))
    logits = float_logits(FloatNetwork(made.weights, spec.tau_epsilon, spec.solver), spec, board.imu)
    decision = decision_spec(project.decision, data.background, FLOAT_Y_SCALE)
    windows = evaluate_windows(data.test, logits, spec, decision)
    if windows.windows:
        return windows.accuracy
    return evaluate_streams(data.test, logits, spec, decision).event_recall
