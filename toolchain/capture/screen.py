"""The terminal screen of a capture: what to do now, the signal, what was taken, the keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from toolchain.capture.session import Phase, Session
from toolchain.recordings.verdict import CHANNELS, Verdict

KEYS = "u undo the last   p pause   q quit and keep what is done"
STRIP_S = 4.0
_BLOCKS = " ▁▂▃▄▅▆▇█"
_COLUMNS = 64
_SCALE = np.repeat([20.0, 6.0], 3)
"""m/s^2 and rad/s at the strip's edges; more is drawn at the edge."""
_COLOUR = {"good": "green", "suspect": "yellow", "bad": "red"}
_SHOWN = 6


@dataclass
class Facts:
    """What the screen shows beside the session."""

    title: str
    rate_hz: float = 0.0
    samples: int = 0
    lost: int = 0
    seconds: float = 0.0
    message: str = ""
    done: list[tuple[str, Verdict]] = field(default_factory=list)


def strip(samples: npt.NDArray[np.floating], columns: int = _COLUMNS) -> list[str]:
    """Return six lines of ``columns`` characters for samples (n, 6), oldest first; the middle is the median."""
    if len(samples) < columns:
        return [" " * columns] * 6
    parts = np.array_split(np.asarray(samples, np.float64) - np.median(samples, axis=0), columns)
    # Of each stretch what is farthest from the middle: a tap is short.
    peaks = np.stack([part[np.abs(part).argmax(axis=0), np.arange(6)] for part in parts])
    # The root spreads small movements: a swipe turns at a tenth of what a blow does.
    level = np.clip((np.sign(peaks) * np.sqrt(np.abs(peaks) / _SCALE) + 1) / 2 * 8, 0, 8)
    return ["".join(_BLOCKS[round(float(v))] for v in level[:, c]) for c in range(6)]


def verdict_line(label: str, verdict: Verdict) -> Text:
    """Return a recording's verdict as one line."""
    text = Text()
    text.append(f" {verdict.level:<8}", style=_COLOUR[verdict.level])
    text.append(f"{label:<16}{verdict.rate_hz:8.2f} Hz  {verdict.lost} lost  ")
    text.append("; ".join(verdict.reasons[:2]))
    return text


def what_to_do(session: Session) -> tuple[str, str]:
    """Return the big line, and its style."""
    prompt = session.prompt
    if session.phase is Phase.DONE or prompt is None:
        return "done, thank you", "bold green"
    count = f"{prompt.label}   ({prompt.number} of {prompt.of})"
    if session.phase is Phase.PAUSED:
        return f"paused; next: {count}", "bold yellow"
    if session.phase is Phase.GO:
        return f"NOW  {count}", "bold white on green"
    if session.phase is Phase.READY:
        return f"get ready  {count}   {session.left_s:.1f}", "bold cyan"
    return "waiting for samples", "bold yellow"


def render(session: Session, facts: Facts, signal: Sequence[str]) -> RenderableType:
    """Return the whole screen."""
    words, style = what_to_do(session)
    bar = ProgressBar(total=max(session.length_s, 1e-9), completed=max(session.length_s - session.left_s, 0), width=72)
    lines = Table.grid(padding=(0, 1))
    for name, line in zip(CHANNELS, signal, strict=True):
        lines.add_row(Text(name, style="dim"), Text(line, style="cyan" if name[0] == "a" else "magenta", no_wrap=True))
    state = (
        f"{len(session.taken)} of {session.total} taken   {facts.seconds:.0f} s   {facts.samples} samples   "
        f"{facts.rate_hz:.2f} Hz   "
    )
    counts = Text(state)
    counts.append(f"{facts.lost} lost", style="red" if facts.lost else "green")
    body = Group(
        Text(f" {words} ", style=style),
        bar,
        Text(""),
        lines,
        Text(""),
        counts,
        *(verdict_line(label, verdict) for label, verdict in facts.done[-_SHOWN:]),
        Text(facts.message, style="yellow"),
        Text(KEYS, style="dim"),
    )
    return Panel(body, title=facts.title, width=84)
