"""``tinyltc listen`` and ``tinyltc monitor``."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolchain.board import load_board
from toolchain.commands.options import BoardName, RunName, console
from toolchain.runs import open_run

if TYPE_CHECKING:
    from toolchain.listen.follow import Target
    from toolchain.listen.gesture import Labels
    from toolchain.wire.messages import Stream

app = typer.Typer()

DRAW_S = 0.2
"""Wall time between two pictures of the monitor."""

Port = Annotated[
    str | None, typer.Option("--port", help="Serial port or pyserial URL; default: the only USB serial port.")
]


class Emulator(StrEnum):
    """Emulators that can stand in for a board on a port."""

    VIRTUAL = "virtual"


EmulatorName = Annotated[
    Emulator | None, typer.Option("--emulator", help="Without hardware: the run's image, fed with its test people.")
]
For = Annotated[float, typer.Option("--for", min=1.0, help="With --emulator: at most so many seconds of recordings.")]


def _target(
    run: str, board: str | None, port: str | None, emulator: Emulator | None, seconds: float, streams: Stream
) -> tuple[contextlib.AbstractContextManager[Target], Labels]:
    from toolchain.errors import ConfigError
    from toolchain.listen.gesture import Labels
    from toolchain.listen.source import emulated_target, port_target

    if port is not None and emulator is not None:
        raise ConfigError("--port and --emulator exclude each other.", "Give one of them.")
    target = open_run(run)
    labels = Labels(target)
    described = load_board(board or target.project().target.board)
    if emulator is not None:
        return emulated_target(target, described, labels, streams, seconds), labels
    return port_target(port, described, labels, streams), labels


@app.command(epilog="Example: tinyltc listen --run demo --exec 'echo {label}' --mqtt mqtt://localhost/wrist")
def listen(
    run: RunName = "demo",
    port: Port = None,
    execute: Annotated[
        str | None, typer.Option("--exec", help="Run this for every gesture, without a shell; {label} is its name.")
    ] = None,
    mqtt: Annotated[
        str | None, typer.Option("--mqtt", help="Publish every gesture: mqtt[s]://[user@]host[:port][/topic].")
    ] = None,
    log: Annotated[
        Path | None, typer.Option("--log", help="Append every gesture to this file as a line of JSON.")
    ] = None,
    count: Annotated[int | None, typer.Option("--count", min=1, help="End after so many gestures.")] = None,
    emulator: EmulatorName = None,
    seconds: For = 60.0,
    board: BoardName = None,
) -> None:
    """Let a device's gestures do something; finds the device and the broker again when they go away. Ctrl-C ends it."""
    from toolchain.listen.command import CommandLine
    from toolchain.listen.follow import follow
    from toolchain.listen.journal import Journal
    from toolchain.listen.listen import Act, Idle
    from toolchain.listen.listen import listen as listen_to
    from toolchain.listen.mqtt import PASSWORD_VARIABLE, Publisher, parse_broker
    from toolchain.wire.messages import Stream

    opened, labels = _target(run, board, port, emulator, seconds, Stream.NONE)
    stop = threading.Event()

    def say(text: str) -> None:
        console.print(text, style="yellow", markup=False, highlight=False)

    with contextlib.ExitStack() as stack:
        actions: list[Act] = []
        idle: list[Idle] = []
        if log is not None:
            actions.append(stack.enter_context(Journal(log)))
        if execute is not None:
            command = CommandLine(execute, say)
            stack.callback(command.close)
            actions.append(command)
            idle.append(command.reap)
        if mqtt is not None:
            publisher = stack.enter_context(Publisher(parse_broker(mqtt), os.environ.get(PASSWORD_VARIABLE), say))
            actions.append(publisher)
            idle.append(publisher.flush)
        target = stack.enter_context(opened)
        stack.enter_context(_ctrl_c_ends())
        listen_to(follow(target, stop), labels, actions, console, idle=idle, limit=count, stop=stop)


@app.command(epilog="Example: tinyltc monitor --run demo --emulator virtual")
def monitor(
    run: RunName = "demo",
    port: Port = None,
    emulator: EmulatorName = None,
    seconds: For = 60.0,
    board: BoardName = None,
) -> None:
    """Show a device live: its signal, the decision's state, rates and losses. Ctrl-C ends it."""
    from rich.live import Live

    from toolchain.listen.follow import follow
    from toolchain.listen.monitor import Monitor
    from toolchain.listen.screen import draw
    from toolchain.wire.messages import Stream

    opened, labels = _target(run, board, port, emulator, seconds, Stream.SAMPLE | Stream.STEP)
    state, drawn = Monitor(labels), 0.0
    with opened as target, Live(draw(state), console=console, auto_refresh=False) as live, _ctrl_c_ends():
        for event in follow(target, threading.Event()):
            state.take(event)
            if time.monotonic() - drawn > DRAW_S:
                drawn = time.monotonic()
                live.update(draw(state), refresh=True)
        live.update(draw(state), refresh=True)


def _ctrl_c_ends() -> contextlib.AbstractContextManager[None]:
    """Ctrl-C is how these commands are meant to end."""
    return contextlib.suppress(KeyboardInterrupt)
