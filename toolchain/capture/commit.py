"""From a journal to recordings: the one way, whether the capture ended well or was killed."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from toolchain.board import Imu
from toolchain.capture.assemble import Assembler, holes
from toolchain.capture.journal import EVENT, PAYLOAD, JournalRead, read_journal
from toolchain.errors import DataError
from toolchain.recordings.captured import Captured, Raw, Take
from toolchain.recordings.codes import to_si
from toolchain.recordings.losses import drift_ppm, timing
from toolchain.recordings.recording import UNKNOWN, Recording
from toolchain.recordings.segment import find_gesture
from toolchain.recordings.storage import load_captured, save_captured
from toolchain.recordings.verdict import NO_MOTION, judge
from toolchain.wire.messages import BadBodyError, Health, UnknownMessageError, decode

Rows = npt.NDArray[np.void]
CUT_SHORT = "cut: the capture ended in the middle of it"
_STREAM_S = 6.0
"""A background recording this long is a stream."""
_LEAST_ROWS = 16


@dataclass
class Span:
    """A take as the journal tells it, in the device's time; ``end_us`` None: it never ended."""

    label: str
    epoch: int
    begin_us: int
    go_us: int | None = None
    end_us: int | None = None


@dataclass
class Replayed:
    """What a journal holds: sample rows, takes by number that were not dropped, and HEALTH before and after."""

    rows: Rows
    spans: dict[int, Span]
    health: list[tuple[int, Health]]
    finished: bool
    received: int
    facts: dict[str, Any] = field(default_factory=dict)


def replay(read: JournalRead) -> Replayed:
    """Go through a journal as the capture did. Raises DataError for events that make no sense."""
    assembler = Assembler()
    spans: dict[int, Span] = {}
    health: list[tuple[int, Health]] = []
    finished = False
    for entry in read.entries:
        if entry.type == PAYLOAD:
            with contextlib.suppress(UnknownMessageError, BadBodyError):
                message = decode(entry.body)
                assembler.add(message, entry.host_ns // 1000)
                if isinstance(message.body, Health):
                    health.append((assembler.epoch, message.body))
        elif entry.type == EVENT:
            try:
                event = entry.event()
                finished |= event["event"] == "finish"
                _apply(event, spans)
            except (KeyError, ValueError, TypeError) as reason:
                raise DataError(f"The journal holds an event that makes no sense ({reason}).") from None
    return Replayed(assembler.rows(), spans, health, finished, assembler.received)


def _apply(event: dict[str, Any], spans: dict[int, Span]) -> None:
    match event["event"]:
        case "begin":
            spans[int(event["take"])] = Span(str(event["label"]), int(event["epoch"]), int(event["device_us"]))
        case "go":
            spans[int(event["take"])].go_us = int(event["device_us"])
        case "end":
            spans[int(event["take"])].end_us = int(event["device_us"])
        case "drop":
            spans.pop(int(event["take"]), None)


def commit(journal: Path, target: Path) -> Captured:
    """Make ``target`` of ``journal``, look whether it can be read again, and remove the journal.

    A take that never ended is marked as cut, and bad. Raises DataError when the journal holds no take at all (it
    stays), OSError when ``target`` cannot be written (the journal stays then too).
    """
    captured = assemble(read_journal(journal), target.stem)
    save_captured(target, captured)
    back = load_captured(target)
    if len(back.takes) != len(captured.takes):
        raise DataError(f"{target} was not written as it should.", f"Everything is still in {journal}.")
    journal.unlink()
    return captured


def assemble(read: JournalRead, name: str) -> Captured:
    """Return the captured set of a journal; raises DataError when it holds no take."""
    about = read.about
    try:
        imu = Imu.model_validate(about["imu"])
        background, labels = str(about["background"]), [str(label) for label in about["labels"]]
        person, session, mounting = (str(about[key]) for key in ("person", "session", "mounting"))
        source = str(about["source"])
    except (KeyError, TypeError, ValidationError) as reason:
        raise DataError(f"The journal's header lacks something ({reason}).") from None
    replayed = replay(read)
    classes = (background, *(label for label in labels if label != background))
    takes = []
    spans = sorted(replayed.spans.items())
    for place, (_, span) in enumerate(spans):
        follower = spans[place + 1][1] if place + 1 < len(spans) else None
        take = cut_take(replayed.rows, span, follower, imu, classes, (person, session, mounting))
        if take is not None:
            takes.append(take)
    if not takes:
        raise DataError("The capture holds no recording: it ended before the first prompt.", "Start it again.")
    facts = {key: about[key] for key in about if key not in ("labels", "background")} | _facts(replayed, read)
    return Captured(name, classes, background, tuple(takes), source, facts=json.dumps(facts))


def cut_take(
    rows: Rows,
    span: Span,
    follower: Span | None,
    imu: Imu,
    classes: tuple[str, ...],
    who: tuple[str, str, str],
) -> Take | None:
    """Cut one take out of all rows, label it and judge it; None when next to nothing of it came."""
    life = np.flatnonzero(rows["epoch"] == span.epoch)
    stamps = rows["device_us"][life]
    first = int(np.searchsorted(stamps, span.begin_us, side="right"))
    last = len(life) if span.end_us is None else int(np.searchsorted(stamps, span.end_us, side="right"))
    if last - first < _LEAST_ROWS:
        return None
    part = rows[life[first:last]]
    # A hole at the border of two takes that touch belongs to the second.
    touching = follower is not None and follower.epoch == span.epoch and follower.begin_us == span.end_us
    before = int(rows["index"][life[first - 1]]) if first else None
    after = int(rows["index"][life[last]]) if last < len(life) and not touching else None
    raw = Raw(part["code"].astype(np.int16), part["device_us"], part["host_us"], part["index"])
    rising = np.concatenate([[True], np.diff(raw.device_us) > 0])
    raw = Raw(raw.codes[rising], raw.device_us[rising], raw.host_us[rising], raw.index[rising])
    samples = to_si(raw.codes, imu)
    t_us = raw.device_us - raw.device_us[0]
    faults = [] if rising.all() else [f"{int((~rising).sum())} stamps did not increase and were left out"]
    label, background = classes.index(span.label), 0
    labels = np.full(len(t_us), background, np.int16)
    if span.end_us is None:
        faults.append(CUT_SHORT)
    if label != background and span.go_us is not None:
        found = find_gesture(raw.device_us, samples, span.go_us)
        if found is None:
            faults.append(NO_MOTION)
            labels[:] = UNKNOWN
        else:
            labels[slice(*found)] = label
    elif label != background:
        labels[:] = UNKNOWN
    verdict = judge(samples, t_us, codes=raw.codes, index=raw.index, around=(before, after), imu=imu, faults=faults)
    stream = label == background and verdict.seconds > _STREAM_S
    recording = Recording(samples, t_us, labels, *who, "stream" if stream else "window")
    return Take(recording, raw, verdict, span.label)


def _facts(replayed: Replayed, read: JournalRead) -> dict[str, Any]:
    """What is true of the whole capture: losses by place, duplicates, rate, drift, the device's own counters."""
    rows = replayed.rows
    ends = {epoch: health.samples for epoch, health in replayed.health}
    missing = holes(rows, ends)
    longest = np.argmax(np.bincount(rows["epoch"])) if len(rows) else 0
    life = rows[rows["epoch"] == longest]
    times = timing(life["device_us"], life["index"])
    drift = drift_ppm(life["device_us"], life["host_us"])
    facts: dict[str, Any] = {
        "finished": replayed.finished,
        "damaged_bytes": read.damaged,
        "samples": len(rows),
        "duplicates": replayed.received - len(rows),
        "lost": sum(hole.count for hole in missing),
        "holes": [[hole.epoch, hole.first, hole.count] for hole in missing[:1000]],
        "device_lost": sum(loss.count for loss in times.losses if loss.where == "device"),
        "rate_hz": times.rate_hz,
        "jitter_us": list(times.jitter_us),
        "drift_ppm": None if drift is None else list(drift),
        "restarts": int(rows["epoch"].max()) if len(rows) else 0,
    }
    if len(replayed.health) >= 2:
        first, last = replayed.health[0][1], replayed.health[-1][1]
        facts["health"] = {
            key: getattr(last, key) - getattr(first, key)
            for key in ("overruns", "lost_samples", "imu_faults", "dropped_others", "received_bad", "stuck")
        }
    return facts
