"""``tinyltc listen``: every gesture of a device does something, for as long as it takes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Protocol

from rich.console import Console
from rich.markup import escape

from toolchain.listen.follow import Connected, Event, Gone, Heard
from toolchain.listen.gesture import Gesture, Labels
from toolchain.wire.messages import Decision, Health, Log

Act = Callable[[Gesture], None]


class Idle(Protocol):
    """Something that has to be looked after while nothing comes."""

    def __call__(self) -> None:
        """Do it; must return at once."""


def listen(
    events: Iterable[Event],
    labels: Labels,
    actions: Iterable[Act],
    console: Console,
    *,
    idle: Iterable[Idle] = (),
    limit: int | None = None,
    stop: threading.Event | None = None,
) -> int:
    """Give every gesture to every action and print it; return how many came.

    ``limit`` ends it after so many gestures by setting ``stop``. Losses on the line, health counters that moved and
    the device's own warnings are printed as they come: a gesture that may have been lost must be known.
    """
    actions, idle = tuple(actions), tuple(idle)
    count, lost, health = 0, 0, None
    for event in events:
        match event:
            case Connected():
                lost, health = 0, None
                console.print(escape(introduction(event)), highlight=False)
            case Gone():
                console.print(f"[yellow]{escape(event.why)}[/yellow] Trying again.", highlight=False)
            case Heard():
                if event.counters.lost > lost:
                    console.print(f"[yellow]{event.counters.lost - lost} frames were lost on the line.[/yellow]")
                    lost = event.counters.lost
                body = event.message.body
                if isinstance(body, Decision):
                    gesture = labels.gesture(body)
                    count += 1
                    console.print(_line(gesture), highlight=False)
                    for act in actions:
                        act(gesture)
                elif isinstance(body, Health):
                    for warning in worsened(health, body):
                        console.print(f"[yellow]{warning}[/yellow]", highlight=False)
                    health = body
                elif isinstance(body, Log) and body.severity:
                    console.print(f"[yellow]The device says: {escape(printable(body.text))}[/yellow]", highlight=False)
        for look in idle:
            look()
        if limit is not None and count >= limit:
            if stop is not None:
                stop.set()
            break
    return count


def introduction(event: Connected) -> str:
    """Say in a line who was found where."""
    hello = event.hello
    who = f"{printable(hello.board)} on {event.url}, firmware {printable(hello.firmware)}, {hello.rate_mhz / 1000:g} Hz"
    return who if not hello.imu_status else f"{who}, its IMU is {'missing' if hello.imu_status == 1 else 'mute'}"


def printable(text: str) -> str:
    """Return text from a wire without what could steer a terminal."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def _line(gesture: Gesture) -> str:
    clock = gesture.at.astimezone().strftime("%H:%M:%S")
    return f"{clock}  [bold]{escape(gesture.label)}[/bold]  margin {gesture.margin / 256:.1f}"


_TOLD = {
    "overruns": "sample periods were overrun",
    "lost_samples": "samples were lost on the device",
    "imu_faults": "faults of the IMU",
    "dropped_commands": "commands did not fit the device's queue",
    "engine_errors": "engine errors",
    "stuck": "sensor channels stood still",
    "odd_gravity": "times gravity was implausible",
}


def worsened(before: Health | None, now: Health) -> list[str]:
    """Return a sentence for each counter that a listener must know of and that moved since ``before``."""
    rows = ((getattr(now, key) - (getattr(before, key) if before else 0), text) for key, text in _TOLD.items())
    return [f"{moved} {text}." for moved, text in rows if moved > 0]
