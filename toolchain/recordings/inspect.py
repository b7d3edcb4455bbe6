"""Any file of recordings with a verdict on each: what ``tinyltc data inspect`` and the data card show."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from toolchain.board import Imu
from toolchain.errors import DataError
from toolchain.files import replacing
from toolchain.recordings import csvset, storage
from toolchain.recordings.flat import read_flat
from toolchain.recordings.losses import drift_ppm
from toolchain.recordings.plot import COLOURS, trace
from toolchain.recordings.recording import UNKNOWN, Collection, Recording
from toolchain.recordings.verdict import Verdict, judge

SHOWN = 200
"""Recordings that the table lists; good ones beyond are left out, all others are listed."""
VIRTUAL = "virtual"
"""The port of the virtual board."""
_COLOUR = {"good": "green", "suspect": "yellow", "bad": "red"}


@dataclass(frozen=True)
class Inspected:
    """Recordings of one file or folder with their verdicts; ``labels``: what each holds, in words.

    ``facts``: one dictionary for each capture (docs/SPEC.md, 6, key ``capture``), ``drifts`` its clock drift.
    """

    name: str
    collection: Collection
    verdicts: tuple[Verdict, ...]
    labels: tuple[str, ...]
    facts: tuple[dict[str, Any], ...]
    drifts: tuple[tuple[float, float] | None, ...]


def inspect(path: Path, imu: Imu) -> Inspected:
    """Read recordings of any kind and judge each: captured (the verdict of the capture), ours, flat, text, or a folder.

    ``imu``: the board's, for the range. Raises DataError for anything else.
    """
    if path.is_dir():
        parts = [inspect(f, imu) for f in sorted([*path.glob("*.npz"), *path.glob("*.csv")])]
        if not parts:
            raise DataError(f"{path} holds no .npz and no .csv file.", "Give a file of recordings.")
        return _together(path.name, parts)
    if path.suffix.lower() == ".csv":
        return _judged(path, csvset.load(path, cut=False), imu)
    if storage.is_captured(path):
        return _captured(path)
    if "format" in storage.keys_of(path):
        return _judged(path, storage.load_collection(path), imu)
    return _flat(path, imu)


def _captured(path: Path) -> Inspected:
    captured = storage.load_captured(path)
    try:
        facts = json.loads(captured.facts)
    except ValueError:
        raise DataError(f"{path}: key 'capture' is not JSON.", "Capture it again.") from None
    takes = captured.takes
    device = np.concatenate([take.raw.device_us for take in takes])
    host = np.concatenate([take.raw.host_us for take in takes])
    rising = bool((np.diff(device) > 0).all())
    collection = captured.collection()
    held = [words(take.recording, collection) for take in takes]
    labels = tuple(
        word if word == take.prompt else f"{word} ({take.prompt} asked for)"
        for word, take in zip(held, takes, strict=True)
    )
    verdicts = tuple(take.verdict for take in takes)
    drift = drift_ppm(device, host) if rising else None
    return Inspected(path.name, collection, verdicts, labels, (facts,), (drift,))


def _judged(path: Path, collection: Collection, imu: Imu) -> Inspected:
    found = tuple(judge(r.samples, r.t_us, imu=imu, gravity=collection.gravity) for r in collection.recordings)
    labels = tuple(words(r, collection) for r in collection.recordings)
    return Inspected(path.name, collection, found, labels, (), ())


def _flat(path: Path, imu: Imu) -> Inspected:
    flat = read_flat(path)
    recordings = []
    for i, (rows, person) in enumerate(zip(flat, flat.subject, strict=True)):
        length = len(flat.t_us[rows])
        if flat.y_sample is not None:
            labels = flat.y_sample[rows].astype(np.int16)
        else:
            assert flat.label is not None
            labels = np.full(length, flat.label[i], np.int16)
        kind = "window" if flat.y_sample is None else "stream"
        recordings.append(Recording(flat.samples[rows], flat.t_us[rows], labels, person, "", "", kind))  # type: ignore[arg-type]
    background = csvset.BACKGROUND
    classes = flat.classes if background in flat.classes else (*flat.classes, background)
    collection = Collection(path.stem, classes, background, tuple(recordings), gravity=flat.gravity)
    return _judged(path, collection, imu)


def _together(name: str, parts: Sequence[Inspected]) -> Inspected:
    background = parts[0].collection.background
    classes = tuple(dict.fromkeys([background, *(c for part in parts for c in part.collection.classes)]))
    recordings: list[Recording] = []
    for part in parts:
        of = np.array([*(classes.index(c) for c in part.collection.classes), UNKNOWN], np.int16)
        recordings += [Recording(**{**vars(r), "labels": of[r.labels]}) for r in part.collection.recordings]
    source = ", ".join(dict.fromkeys(part.collection.source for part in parts))
    gravity = all(part.collection.gravity for part in parts)
    collection = Collection(name, classes, background, tuple(recordings), source, "", gravity=gravity)
    return Inspected(
        name,
        collection,
        tuple(v for part in parts for v in part.verdicts),
        tuple(label for part in parts for label in part.labels),
        tuple(facts for part in parts for facts in part.facts),
        tuple(drift for part in parts for drift in part.drifts),
    )


def words(recording: Recording, collection: Collection) -> str:
    """Return what a recording holds: its gesture, how many in a stream, or the background."""
    background = collection.classes.index(collection.background)
    inside = recording.labels[(recording.labels != background) & (recording.labels != UNKNOWN)]
    names = [collection.classes[label] for label in np.unique(inside).tolist()]
    if recording.kind == "window":
        return " ".join(names) or collection.background
    starts = (np.diff(recording.labels, prepend=background) != 0) & (recording.labels > UNKNOWN)
    count = int((starts & (recording.labels != background)).sum())
    return f"stream, {count} gestures" if count else collection.background


def to_json(inspected: Inspected) -> str:
    """Return everything as JSON text."""
    rows = [
        {"recording": i, "person": r.person, "session": r.session, "label": label} | verdict.to_dict()
        for i, (r, label, verdict) in enumerate(
            zip(inspected.collection.recordings, inspected.labels, inspected.verdicts, strict=True)
        )
    ]
    drifts = [None if d is None else list(d) for d in inspected.drifts]
    value = {"name": inspected.name, "recordings": rows, "captures": list(inspected.facts), "drift_ppm": drifts}
    return json.dumps(value, indent=2)


def show(inspected: Inspected, console: Console) -> None:
    """Print a table of the recordings, then what is true of the whole."""
    table = Table(title=f"{inspected.name} ({inspected.collection.source or 'source unknown'})")
    for title in ("", "person", "session", "holds", "verdict", "s", "Hz", "jitter us", "lost", "g", "what"):
        table.add_column(title, justify="right" if title in ("s", "Hz", "jitter us", "lost", "g", "") else "left")
    counts = dict.fromkeys(_COLOUR, 0)
    for i, (r, label, v) in enumerate(
        zip(inspected.collection.recordings, inspected.labels, inspected.verdicts, strict=True)
    ):
        counts[v.level] += 1
        if i < SHOWN or v.level != "good":
            level = f"[{_COLOUR[v.level]}]{v.level}[/]"
            figures = (
                f"{v.seconds:.2f}",
                f"{v.rate_hz:.2f}",
                f"{v.jitter_us[0]:.0f}",
                str(v.lost),
                f"{v.gravity_g:.2f}",
            )
            table.add_row(str(i), r.person, r.session, label, level, *figures, "; ".join(v.reasons))
    console.print(table)
    lost = sum(v.lost for v in inspected.verdicts)
    say = [f"{count} {level}" for level, count in counts.items()]
    seconds = sum(v.seconds for v in inspected.verdicts)
    console.print(
        f"{len(inspected.verdicts)} recordings, {seconds:.0f} s: {', '.join(say)}; {lost} samples lost", highlight=False
    )
    for facts, drift in zip(inspected.facts, inspected.drifts, strict=True):
        console.print(_capture_line(facts, drift), highlight=False)


def _capture_line(facts: dict[str, Any], drift: tuple[float, float] | None) -> str:
    clock = "too short for a clock drift" if drift is None else f"host's clock {drift[0]:+.0f} ± {drift[1]:.0f} ppm"
    if facts.get("port") == VIRTUAL:
        clock = "an emulated clock, which runs as fast as this computer lets it"
    end = "" if facts.get("finished") else "; it was cut"
    return (
        f"Captured on {facts.get('board', '?')} ({facts.get('port', '?')}), {facts.get('started', '?')}: "
        f"{facts.get('samples', '?')} samples came, {facts.get('lost', '?')} lost on the way, "
        f"{facts.get('device_lost', '?')} in the device, {facts.get('duplicates', '?')} twice; {clock}{end}"
    )


def draw(inspected: Inspected, path: Path, most: int = 48) -> None:
    """Draw at most ``most`` recordings, the worst first, with their labels shaded, losses as red lines."""
    order = sorted(
        range(len(inspected.verdicts)), key=lambda i: ("bad", "suspect", "good").index(inspected.verdicts[i].level)
    )
    chosen = order[:most]
    columns = min(4, len(chosen))
    rows = -(-len(chosen) // columns)
    figure = Figure(figsize=(4.2 * columns, 3.4 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(2 * rows, columns)
    background = inspected.collection.classes.index(inspected.collection.background)
    for place, i in enumerate(chosen):
        recording, verdict = inspected.collection.recordings[i], inspected.verdicts[i]
        for half, (first, unit) in enumerate(((0, "m/s²"), (3, "rad/s"))):
            axes: Any = figure.add_subplot(grid[2 * (place // columns) + half, place % columns])
            trace(axes, recording, first, background)
            for loss in verdict.losses:
                axes.axvline(loss.seconds, color=COLOURS[0], linestyle=":", linewidth=1)
            if place % columns == 0:
                axes.set_ylabel(unit)
            if half == 0:
                title = f"{i}: {inspected.labels[i]}, {verdict.level}"
                axes.set_title(title if not verdict.reasons else f"{title}\n{verdict.reasons[0][:52]}", fontsize=8)
                axes.set_xticklabels([])
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=90)
