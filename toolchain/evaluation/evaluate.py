"""The stage ``evaluate``: score finished runs on any set, by person, in the stream, with intervals."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from toolchain.board import Board, load_board
from toolchain.errors import ConfigError, DataError, ModelError
from toolchain.evaluation import pictures
from toolchain.evaluation.conditions import Conditions, feed
from toolchain.evaluation.intervals import bootstrap
from toolchain.evaluation.ledger import count_scoring
from toolchain.evaluation.recognizer import Recognizer
from toolchain.evaluation.score import Heard, PersonScore, figures, merged, person_dict
from toolchain.evaluation.table import print_result
from toolchain.files import read_json, sha256_of, write_json
from toolchain.ltc.modelspec import load_spec
from toolchain.project import Data, Task
from toolchain.recordings.catalog import load_native, select
from toolchain.recordings.recording import Collection, Recording
from toolchain.runs import Run

SOURCE = "measured on host"


@dataclass(frozen=True)
class Asked:
    """What is scored. ``data``: a set's name, default the run's own; ``people``: numbers or names."""

    data: str | None = None
    path: Path | None = None
    people: tuple[str, ...] = ()
    conditions: Conditions = field(default_factory=Conditions)
    use_float: bool = False


@dataclass(frozen=True)
class _One:
    """One run scored."""

    scores: list[PersonScore]
    heard: list[Heard]
    classes: list[str]
    background: int
    looks: int
    trained_on: list[str]
    set_name: str
    weights_sha256: str


def evaluate(runs: Sequence[Run], asked: Asked, console: Console, board: Board | None = None) -> dict[str, Any]:
    """Score ``runs`` (folds or seeds of one recognizer: their people are added up), print and write the result.

    One run's evaluate.json and figures lie in its folder; those of several in ``evaluate/<their names>`` beside them.
    Raises ModelError for a run that is not finished, DataError for data that cannot be scored.
    """
    if not runs:
        raise ConfigError("There is no run to evaluate.", "Name one: tinyltc evaluate RUN.")
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    parts = []
    with Progress(*columns, console=console, transient=True) as bar:
        for run in runs:
            parts.append(_score(run, asked, bar, board))
    first = parts[0]
    if any(part.classes != first.classes for part in parts):
        raise ModelError("The runs do not recognize the same classes.", "Evaluate them one by one.")
    scores = merged([score for part in parts for score in part.scores])
    folder = _folder(runs)
    label = " ".join(part for part in (first.set_name, *_what(asked)) if part)
    result = {
        "source": SOURCE,
        "runs": [run.path.name for run in runs],
        "weights_sha256": [part.weights_sha256 for part in parts],
        "on": first.set_name,
        "network": "float" if asked.use_float else "int8",
        "conditions": asked.conditions.to_dict(),
        "classes": first.classes,
        "n_people": len(scores),
        "recordings": int(sum(score.answers.sum() for score in scores)),
        "hours": sum(score.microseconds for score in scores) / 3.6e9,
        "times_scored": max(part.looks for part in parts),
        "trained_on": sorted({person for part in parts for person in part.trained_on}),
        "figures": {name: value.to_dict() for name, value in figures(scores, first.background).items()},
        "duty_cycle": _duty_cycle(runs[0]),
        "people": [person_dict(score, first.background) for score in scores],
        "confusion": np.sum([score.answers for score in scores], axis=0).tolist(),
        "false_activations": _by_class(np.sum([score.false_activations for score in scores], axis=0), first.classes),
        "misses": _by_class(np.sum([score.misses for score in scores], axis=0), first.classes),
        "devices": _devices(scores, first.background),
    }
    _write(folder, label, result, parts)
    print_result(result, console)
    console.print(f"Figures: {folder / 'evaluate.json'} and evaluate-*.png beside it", highlight=False, soft_wrap=True)
    return result


def _score(run: Run, asked: Asked, bar: Progress, board: Board | None) -> _One:
    project = run.project()
    target = board or load_board(project.target.board)
    recognizer = Recognizer(run, target.imu, use_float=asked.use_float)
    own = asked.data is None or asked.data == project.data.set
    data = Data(set=asked.data or project.data.set)
    if own:
        data = project.data.model_copy(update={"also": [], "fold": None})
    if asked.path is not None or not own:
        data = data.model_copy(update={"path": str(asked.path) if asked.path else None})
    task = Task(name="evaluate", classes=recognizer.spec.classes, background=project.task.background)
    collection = select(load_native(data, recognizer.spec.rate_hz, whole=True), task, lenient=True)
    people, trained_on = _people(run, collection, asked, own)
    chosen = [r for r in collection.recordings if r.person in people]
    background = task.classes.index(task.background)
    fed = feed(chosen, asked.conditions, recognizer.spec, collection.name == "wrist")
    task_id = bar.add_task(run.path.name, total=sum(len(one.told.t_us) for one in fed))
    heard = recognizer.hear(fed, bar, task_id)
    grouped: dict[str, PersonScore] = {}
    for one in heard:
        person = one.recording.person
        score = grouped.setdefault(person, PersonScore(person, len(task.classes)))
        score.add(one, background)
    looks = count_scoring(run.path.parent, data.set, people)
    sha = sha256_of(run.weights) if run.weights.exists() else ""
    scores = [grouped[name] for name in sorted(grouped)]
    return _One(scores, heard, task.classes, background, looks, trained_on, collection.name, sha)


def evaluated(run: Run) -> tuple[Recording, ...]:
    """Return what ``run`` is scored on by itself: its test people's recordings, whole, with their own stamps."""
    project = run.project()
    spec = load_spec(run.model_json)
    data = project.data.model_copy(update={"also": [], "fold": None})
    collection = select(load_native(data, spec.rate_hz, whole=True), project.task, lenient=True)
    people, _ = _people(run, collection, Asked(), own=True)
    chosen = [r for r in collection.recordings if r.person in people]
    # The joined streams of a set of whole recordings hold the same motions again, and so do its rests.
    background = collection.classes.index(collection.background)
    if _whole(collection):
        return tuple(r for r in chosen if r.kind == "window" and r.label(background) != background)
    return tuple(r for r in chosen if r.kind == "stream")


def _whole(collection: Collection) -> bool:
    """Tell whether the streams of a set are joined from its recordings."""
    return any(r.kind == "stream" and r.session == "joined" for r in collection.recordings)


def _people(run: Run, collection: Collection, asked: Asked, own: bool) -> tuple[set[str], list[str]]:
    """Choose whom to score: those asked for; else the run's test people; else whoever the run has never seen."""
    everyone = {r.person for r in collection.recordings}
    card = read_json(run.data_json, ModelError, f"Run `tinyltc train --run {run.path.name}` first.")
    parts = card.get("people", {}) if isinstance(card, dict) else {}
    seen = {*parts.get("train", []), *parts.get("validation", [])}
    if asked.people:
        chosen = {name for wanted in asked.people for name in _named(wanted, everyone, collection.name)}
    elif own and asked.path is None:
        chosen = everyone & set(parts.get("test", []))
    else:
        chosen = everyone - seen
    if not chosen:
        raise DataError(
            f"'{collection.name}' holds nobody whom '{run.path.name}' was not trained on.",
            "Name people with --people to score them all the same; the result says so.",
        )
    return chosen, sorted(chosen & seen)


def _named(wanted: str, everyone: set[str], set_name: str) -> list[str]:
    """Find a person by name, or by what follows the set's name in it: 13 is grwd13."""
    found = [name for name in everyone if wanted in (name, name.removeprefix(set_name).lstrip("-"))]
    if not found and wanted.isdecimal():
        numbers = {name: name.removeprefix(set_name).lstrip("-") for name in everyone}
        found = [name for name, rest in numbers.items() if rest.isdecimal() and int(rest) == int(wanted)]
    if not found:
        some = ", ".join(sorted(everyone)[:40])
        raise DataError(f"'{set_name}' has no person '{wanted}' with recordings of these classes.", f"People: {some}.")
    return found


def _duty_cycle(run: Run) -> dict[str, Any] | None:
    """Share of the time that the processor works on samples: cycles of a step times rate over clock.

    From the run's device.json, with its source; None before the run was on a device.
    """
    if not run.device_json.exists():
        return None
    device = read_json(run.device_json, ModelError, f"Run `tinyltc run --run {run.path.name}` again.")
    try:
        cycles, info = float(device["step_cycles"]["median"]), device["device"]
        share = cycles * float(info["rate_hz"]) / float(info["clock_hz"])
        return {"value": share, "source": str(device["source"])}
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        raise ModelError(f"{run.device_json} lacks cycles, rate or clock.", "Run `tinyltc run` again.") from None


def _devices(scores: Sequence[PersonScore], background: int) -> dict[str, Any]:
    """Figures of the people of each device: of each set, where sets are mixed."""
    groups: dict[str, list[PersonScore]] = defaultdict(list)
    for score in scores:
        groups[score.person.rstrip("0123456789").rstrip("-") or score.person].append(score)
    if len(groups) < 2 or len(groups) > 6:
        return {}
    return {
        name: {key: value.to_dict() for key, value in figures(group, background).items()}
        for name, group in sorted(groups.items())
    }


def _what(asked: Asked) -> tuple[str, ...]:
    """Name what differs from the run's own set as it comes: results under different names stand side by side."""
    file = asked.path.name if asked.path is not None else ""
    people = f"people {','.join(asked.people)}" if asked.people else ""
    return file, people, asked.conditions.label, "float" if asked.use_float else ""


def _by_class(counts: Any, classes: Sequence[str]) -> dict[str, int]:
    return dict(zip(classes, (int(count) for count in counts), strict=True))


def _folder(runs: Sequence[Run]) -> Path:
    if len(runs) == 1:
        return runs[0].path
    return runs[0].path.parent / "evaluate" / "+".join(run.path.name for run in runs)


def _write(folder: Path, label: str, result: dict[str, Any], parts: Sequence[_One]) -> None:
    path = folder / "evaluate.json"
    before = read_json(path, DataError, "Move it away.") if path.exists() else {}
    known = before.get("results", {}) if isinstance(before, dict) else {}
    write_json(path, {"format": 1, "latest": label, "results": {**known, label: result}})
    first = parts[0]
    slug = re.sub(r"[^A-Za-z0-9.]+", "-", label)
    if sum(map(sum, result["confusion"])):
        table = np.array(result["confusion"])
        pictures.draw_confusion(table, first.classes, label, folder / f"evaluate-{slug}-confusion.png")
    pictures.draw_people(result["people"], label, folder / f"evaluate-{slug}-people.png")
    heard = [one for part in parts for one in part.heard]
    telling = pictures.most_telling(heard, first.background)
    if telling is not None:
        pictures.draw_timeline(telling, first.background, first.classes, folder / f"evaluate-{slug}-timeline.png")


def paired_difference(one: dict[str, Any], other: dict[str, Any]) -> dict[str, float | None]:
    """Return accuracy of ``one`` minus that of ``other`` (results on the same people), with a bootstrap over them."""
    pairs = {person["person"]: person for person in other["people"]}
    rows = []
    for person in one["people"]:
        partner = pairs.get(person["person"])
        if partner is None or partner["recordings"] != person["recordings"]:
            raise DataError("The two results are not of the same people and recordings.", "Evaluate both again.")
        if person["recordings"]:
            count = person["recordings"]
            rows.append([count * (person["accuracy"] - partner["accuracy"]), count])
    table = np.array(rows).reshape(-1, 2)
    return bootstrap(table, lambda sums: sums[:, 0] / np.maximum(sums[:, 1], 1)).to_dict()
