"""The data card of a set: who, how long, how good, how many of each class; as data, markdown and a piece of HTML."""

from __future__ import annotations

import html
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.markdown import Markdown

from toolchain.board import Imu
from toolchain.files import write_text
from toolchain.recordings.inspect import Inspected, inspect
from toolchain.recordings.recording import UNKNOWN

LEVELS = ("good", "suspect", "bad")


def set_card(inspected: Inspected) -> dict[str, Any]:
    """Return the card as JSON values: people with sessions, seconds, verdicts and gestures; classes; what was lost.

    ``gestures`` count motions, one for each run of a label, in recordings that are not bad; ``seconds`` of a class is
    the time that its label covers there; ``balance`` is the rarest gesture's count over the commonest's.
    """
    collection = inspected.collection
    people: dict[str, dict[str, Any]] = {}
    gestures: dict[str, int] = dict.fromkeys(collection.classes, 0)
    covered: dict[str, float] = dict.fromkeys(collection.classes, 0.0)
    reasons: dict[str, int] = defaultdict(int)
    background = collection.classes.index(collection.background)
    for recording, verdict in zip(collection.recordings, inspected.verdicts, strict=True):
        fresh: dict[str, Any] = {"sessions": [], "mountings": [], "recordings": 0, "seconds": 0.0}
        person = people.setdefault(recording.person, fresh | {"verdicts": dict.fromkeys(LEVELS, 0), "gestures": {}})
        for key, value in (("sessions", recording.session), ("mountings", recording.mounting)):
            if value and value not in person[key]:
                person[key].append(value)
        person["recordings"] += 1
        person["seconds"] += recording.seconds
        person["verdicts"][verdict.level] += 1
        for reason in verdict.reasons[: verdict.faults]:
            reasons["".join(c for c in reason if not c.isdigit()).split(" (")[0].strip()] += 1
        if verdict.bad:
            continue
        share = recording.seconds / len(recording.labels)
        starts = np.flatnonzero(np.diff(recording.labels, prepend=UNKNOWN - 1) != 0)
        for label in recording.labels[starts].tolist():
            if label not in (UNKNOWN, background):
                name = collection.classes[label]
                gestures[name] += 1
                person["gestures"][name] = person["gestures"].get(name, 0) + 1
        for label in range(len(collection.classes)):
            covered[collection.classes[label]] += share * int((recording.labels == label).sum())
    rates = sorted(v.rate_hz for v in inspected.verdicts)
    counts = sorted(count for name, count in gestures.items() if name != collection.background)
    verdicts = {level: sum(p["verdicts"][level] for p in people.values()) for level in LEVELS}
    return {
        "name": inspected.name,
        "source": collection.source,
        "people": {name: people[name] | {"seconds": round(people[name]["seconds"], 1)} for name in sorted(people)},
        "recordings": len(collection.recordings),
        "seconds": round(sum(r.seconds for r in collection.recordings), 1),
        "verdicts": verdicts,
        "kept_out": verdicts["bad"],
        "why": dict(sorted(reasons.items(), key=lambda item: -item[1])),
        "lost": sum(v.lost for v in inspected.verdicts),
        "rate_hz": [round(rates[0], 3), round(rates[-1], 3)],
        "background": collection.background,
        "gestures": {name: count for name, count in gestures.items() if name != collection.background},
        "class_seconds": {name: round(seconds, 1) for name, seconds in covered.items()},
        "balance": round(counts[0] / counts[-1], 3) if counts and counts[-1] else None,
    }


def _tables(card: dict[str, Any]) -> tuple[list[tuple[str, str]], list[list[str]]]:
    """Return the facts as (what, value), and a table of the people with its header first."""
    verdicts = ", ".join(f"{count} {level}" for level, count in card["verdicts"].items())
    low, high = card["rate_hz"]
    facts = [
        ("source", card["source"] or "unknown"),
        ("recordings", f"{card['recordings']} of {len(card['people'])} people, {card['seconds'] / 60:.1f} minutes"),
        ("verdicts", f"{verdicts}; bad ones are kept out of training"),
        ("samples lost", str(card["lost"])),
        ("true rate", f"{low:.2f} to {high:.2f} Hz"),
        (
            "balance",
            "no gestures" if card["balance"] is None else f"{card['balance']:.2f} (rarest / commonest gesture)",
        ),
        (card["background"], f"{card['class_seconds'][card['background']]:.0f} s"),
    ]
    facts += [(f"why bad: {reason}", str(count)) for reason, count in card["why"].items()]
    names = list(card["gestures"])
    rows = [["person", "sessions", "minutes", *LEVELS, *names]]
    for name, person in card["people"].items():
        levels = [str(person["verdicts"][level]) for level in LEVELS]
        made = [str(person["gestures"].get(gesture, 0)) for gesture in names]
        rows.append([name, str(len(person["sessions"]) or 1), f"{person['seconds'] / 60:.1f}", *levels, *made])
    rows.append(["all", "", f"{card['seconds'] / 60:.1f}", *(str(card["verdicts"][level]) for level in LEVELS)])
    rows[-1] += [str(card["gestures"][gesture]) for gesture in names]
    return facts, rows


def to_markdown(card: dict[str, Any]) -> str:
    """Return the card as markdown."""

    def cell(text: str) -> str:
        return text.replace("|", "\\|")

    facts, rows = _tables(card)
    lines = [f"## {card['name']}", "", "| | |", "|---|---|", *(f"| {cell(a)} | {cell(b)} |" for a, b in facts), ""]
    lines += ["| " + " | ".join(map(cell, rows[0])) + " |", "|" + "---|" * len(rows[0])]
    lines += ["| " + " | ".join(map(cell, row)) + " |" for row in rows[1:]]
    return "\n".join(lines) + "\n"


def to_html(card: dict[str, Any]) -> str:
    """Return the card as a piece of HTML (one section, no style of its own) that a report can include."""
    facts, rows = _tables(card)
    parts = ['<section class="data-card">', f"<h2>{html.escape(card['name'])}</h2>", "<table>"]
    parts += [f"<tr><th>{html.escape(a)}</th><td>{html.escape(b)}</td></tr>" for a, b in facts]
    parts += ["</table>", "<table>", "<tr>" + "".join(f"<th>{html.escape(c)}</th>" for c in rows[0]) + "</tr>"]
    parts += ["<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in row) + "</tr>" for row in rows[1:]]
    return "\n".join([*parts, "</table>", "</section>"]) + "\n"


def show_card(
    path: Path, imu: Imu, console: Console, *, html: Path | None, markdown: Path | None, as_json: bool
) -> dict[str, Any]:
    """Print the card of the recordings in ``path``, write it where asked to, and return it."""
    card = set_card(inspect(path, imu))
    if as_json:
        console.print_json(json.dumps(card))
    else:
        console.print(Markdown(to_markdown(card)))
    for target, text in ((html, to_html(card)), (markdown, to_markdown(card))):
        if target is not None:
            write_text(target, text)
    return card
