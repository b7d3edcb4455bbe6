"""Scores and timelines from what the device itself decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolchain.harness.feed import Feed
from toolchain.harness.record import Record
from toolchain.ltc.evaluate import (
    AFTER_END_US,
    NO_STREAM,
    StreamScore,
    WindowScore,
    motions,
    score_stream,
    score_windows,
)
from toolchain.recordings.recording import Recording

TIMELINE_HZ = 20.0
TIMELINES = 4


@dataclass(frozen=True)
class Heard:
    """What the device said about one recording.

    ``commands``: (stamp in the recording's microseconds, class). ``winner`` int16 and ``margin`` int32 per sample of
    the recording; winner -1 where no STEP came.
    """

    recording: Recording
    commands: tuple[tuple[int, int], ...]
    winner: npt.NDArray[np.int16]
    margin: npt.NDArray[np.int32]


def hear(record: Record, feed: Feed, place: npt.NDArray[np.int64]) -> list[Heard]:
    """Sort the device's steps and commands to the recordings; ``place`` is match_feed's answer for its samples."""
    fed = np.flatnonzero(place >= 0)
    by_index = dict(zip(record.samples["index"][fed].tolist(), place[fed].tolist(), strict=True))
    winner = np.full(len(feed.t_us), -1, np.int16)
    margin = np.zeros(len(feed.t_us), np.int32)
    at = np.array([by_index.get(index, -1) for index in record.steps["index"].tolist()], np.int64)
    there = at >= 0
    winner[at[there]] = record.steps["winner"][there]
    margin[at[there]] = record.steps["margin"][there]
    commands: dict[int, list[tuple[int, int]]] = {}
    wanted = feed.wanted
    for index, decided in zip(record.decisions["index"].tolist(), record.decisions["winner"].tolist(), strict=True):
        where = by_index.get(index, -1)
        if where >= 0 and wanted[where]:
            which = int(feed.recording[where])
            stamp = int(feed.recordings[which].t_us[feed.row[where]])
            commands.setdefault(which, []).append((stamp, decided))
    heard = []
    for which, recording in enumerate(feed.recordings):
        part = slice(feed.first(which), feed.first(which) + len(recording.t_us))
        heard.append(Heard(recording, tuple(commands.get(which, ())), winner[part], margin[part]))
    return heard


def window_score(heard: list[Heard], background: int, classes: int) -> tuple[WindowScore | None, int]:
    """Score the windows whose last sample the device answered; also returns how many it did not.

    None without a window.
    """
    windows = [one for one in heard if one.recording.kind == "window"]
    answered = [one for one in windows if one.winner[-1] >= 0]
    if not answered:
        return None, len(windows)
    winners = [int(one.winner[-1]) for one in answered]
    truths = [one.recording.label(background) for one in answered]
    return score_windows(winners, truths, classes), len(windows) - len(answered)


def stream_score(heard: list[Heard], background: int) -> StreamScore | None:
    """Score the streams by the commands that came; None without a stream."""
    streams = [one for one in heard if one.recording.kind == "stream"]
    total = NO_STREAM
    for one in streams:
        total += score_stream(one.commands, one.recording.labels, one.recording.t_us, background)
    return total if streams else None


def _thinned(values: npt.NDArray[np.floating], step: int) -> list[float]:
    """Mean of every ``step`` values."""
    usable = values[: len(values) // step * step].reshape(-1, step)
    return [round(float(value), 3) for value in usable.mean(axis=1)]


def timeline(heard: Heard, background: int, classes: list[str], rate_hz: float) -> dict[str, Any]:
    """Return one stream for the report: truth, commands, thinned magnitudes (m/s^2, rad/s) and margins."""
    recording = heard.recording
    start = int(recording.t_us[0])

    def second(stamp: int) -> float:
        return round((stamp - start) * 1e-6, 4)

    truth: list[dict[str, Any]] = [
        {
            "class": classes[label],
            "start_s": second(int(recording.t_us[first])),
            "end_s": second(int(recording.t_us[last - 1])),
            "hit": False,
        }
        for first, last, label in motions(recording.labels, background)
    ]
    commands = []
    for stamp, decided in sorted(heard.commands):
        # The same rule as score_stream: the first unanswered gesture of that class that the command falls to.
        answers = next(
            (
                gesture
                for gesture in truth
                if gesture["class"] == classes[decided]
                and not gesture["hit"]
                and gesture["start_s"] <= second(stamp) <= gesture["end_s"] + AFTER_END_US * 1e-6
            ),
            None,
        )
        if answers is not None:
            answers["hit"] = True
        commands.append({"class": classes[decided], "t_s": second(stamp), "correct": answers is not None})
    step = max(1, round(rate_hz / TIMELINE_HZ))
    return {
        "person": recording.person,
        "seconds": second(int(recording.t_us[-1])),
        "truth": truth,
        "commands": commands,
        "signal": {
            "rate_hz": rate_hz / step,
            "acc": _thinned(np.linalg.norm(recording.samples[:, :3], axis=1), step),
            "gyro": _thinned(np.linalg.norm(recording.samples[:, 3:], axis=1), step),
            "winner": heard.winner[step - 1 :: step].tolist(),
            "margin": heard.margin[step - 1 :: step].tolist(),
        },
    }


def timelines(heard: list[Heard], background: int, classes: list[str], rate_hz: float) -> list[dict[str, Any]]:
    """Return the TIMELINES streams with the most errors, the worst first."""
    all_of_them = [timeline(one, background, classes, rate_hz) for one in heard if one.recording.kind == "stream"]

    def errors(one: dict[str, Any]) -> int:
        return sum(not g["hit"] for g in one["truth"]) + sum(not c["correct"] for c in one["commands"])

    return sorted(all_of_them, key=lambda one: -errors(one))[:TIMELINES]
