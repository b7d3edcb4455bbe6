"""The monitor's screen, drawn with rich: nothing here knows a link or a clock."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from toolchain.listen.listen import printable, worsened
from toolchain.listen.monitor import Monitor
from toolchain.wire.messages import Health

CHANNELS = ("ax", "ay", "az", "gx", "gy", "gz")
_BARS = "▁▂▃▄▅▆▇█"
_STRIP = 60
_METER = 30
_FLOOR = 64
"""Codes: a strip's full height is at least this, so that a sensor at rest does not look like a storm."""


def draw(monitor: Monitor) -> RenderableType:
    """Return the whole screen."""
    return Group(
        Panel(_head(monitor), title="TinyLTC monitor", title_align="left"),
        Panel(_signal(monitor), title="signal, last seconds (codes)", title_align="left"),
        Panel(_decision(monitor), title="decision", title_align="left"),
        Panel(_losses(monitor), title="rates and losses", title_align="left"),
    )


def _head(monitor: Monitor) -> Text:
    if monitor.hello is None:
        return Text("waiting for the device")
    hello = monitor.hello
    engine = {0: "compiled", 1: "tflm"}.get(hello.engine, str(hello.engine))
    text = Text(
        f"{printable(hello.board)} on {monitor.url}   firmware {printable(hello.firmware)}, engine {engine}   "
        f"model {hello.model_sha256.hex()[:12]}   {hello.states} states"
    )
    if monitor.gone:
        text.append(f"\n{monitor.gone} Trying again.", "bold red")
    elif hello.imu_status:
        text.append(f"\nThe IMU is {'missing' if hello.imu_status == 1 else 'mute'}.", "bold red")
    return text


def strip(values: npt.NDArray[np.int16], width: int = _STRIP) -> str:
    """Return the last values as a line of bars, ``width`` at most; each bar is the extreme of its share.

    Zero is in the middle; the height is the largest value seen, at least 64 codes.
    """
    if not len(values):
        return ""
    parts = np.array_split(values.astype(np.int64), min(width, len(values)))
    peaks = np.array([part[np.abs(part).argmax()] for part in parts])
    height = max(int(np.abs(peaks).max()), _FLOOR)
    levels = np.clip(((peaks + height) * len(_BARS)) // (2 * height), 0, len(_BARS) - 1)
    return "".join(_BARS[level] for level in levels)


def _signal(monitor: Monitor) -> Table:
    table = Table.grid(padding=(0, 1))
    signal = monitor.signal
    for channel, name in enumerate(CHANNELS):
        last = f"{signal[-1, channel]:>6}" if len(signal) else ""
        table.add_row(name, strip(signal[:, channel]), last)
    return table


def _decision(monitor: Monitor) -> Table:
    table = Table.grid(padding=(0, 1))
    step, classes = monitor.step, monitor.labels.classes
    if step is not None and len(step.y) == len(classes):
        for index, (name, logit) in enumerate(zip(classes, step.y, strict=True)):
            style = "bold green" if index == step.winner else ""
            filled = round((logit + 128) * _METER / 255)
            table.add_row(Text(name, style), Text("█" * filled + "·" * (_METER - filled), style), f"{logit:>5}")
    for gesture in monitor.gestures:
        clock = gesture.at.astimezone().strftime("%H:%M:%S")
        table.add_row(clock, Text(gesture.label, "bold"), f"margin {gesture.margin / 256:.1f}")
    return table


def _losses(monitor: Monitor) -> Text:
    rate, counters = monitor.rate_hz, monitor.counters
    text = Text(f"{rate:.2f} samples a second" if rate else "no samples yet")
    text.append(f", {monitor.total} seen, ")
    text.append(f"{monitor.missing} missing", "bold red" if monitor.missing else "")
    if counters is not None:
        text.append(f"\nline: {counters.frames} frames, ")
        text.append(f"{counters.lost} lost", "bold red" if counters.lost else "")
        bad = counters.faults - counters.lost - counters.restarts
        text.append(", ")
        text.append(f"{bad} damaged", "bold red" if bad else "")
        text.append(f", {counters.restarts} restarts")
    if monitor.health is not None:
        text.append(f"\ndevice: {_health(monitor.health)}")
    for line in monitor.logs:
        text.append(f"\nlog: {line}")
    return text


def _health(health: Health) -> str:
    wrong = worsened(None, health)
    return f"{health.samples} samples worked on; " + (" ".join(wrong) if wrong else "nothing wrong")
