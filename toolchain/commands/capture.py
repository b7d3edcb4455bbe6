"""``tinyltc capture``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from toolchain.board import load_board
from toolchain.commands.options import DEFAULT_BOARD, BoardName, console
from toolchain.errors import ConfigError
from toolchain.runs import open_run

app = typer.Typer()

CAPTURES = Path("captures")


@app.command(epilog="Example: tinyltc capture --board nrf52840 --labels swipe_left,tap --person p1")
def capture(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="[JOURNAL]...", help="With --recover: journals, or folders of them.")
    ] = None,
    board: BoardName = None,
    labels: Annotated[
        str | None, typer.Option("--labels", "--label", help="Gestures, such as swipe_left,tap; none is background.")
    ] = None,
    person: Annotated[str, typer.Option("--person", help="Who moves: sets are split by person.")] = "p1",
    repeat: Annotated[int, typer.Option("--repeat", min=1, max=1000, help="How often each gesture is asked for.")] = 5,
    set_name: Annotated[str, typer.Option("--set", help="The folder captures/NAME that the file goes to.")] = "mine",
    session: Annotated[str, typer.Option("--session", help="Name of the session; default: date and time.")] = "",
    mounting: Annotated[str, typer.Option("--mounting", help="How it is worn, such as 'left wrist'.")] = "",
    port: Annotated[str | None, typer.Option("--port", help="A serial port; default: the only USB one.")] = None,
    emulator: Annotated[
        str | None, typer.Option("--emulator", help="virtual: no hardware, a simulated person moves.")
    ] = None,
    run: Annotated[
        str, typer.Option("--run", help="Virtual board: the run whose firmware it has; without one it is built.")
    ] = "demo",
    seconds: Annotated[float, typer.Option("--seconds", min=0.5, max=60.0, help="For each gesture.")] = 2.5,
    background_seconds: Annotated[
        float, typer.Option("--background-seconds", min=2.0, max=3600.0, help="For each recording of 'none'.")
    ] = 10.0,
    plot: Annotated[bool, typer.Option("--plot", help="Live view in the browser.")] = False,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open it, or only print its address.")] = True,
    recover: Annotated[bool, typer.Option("--recover", help="Make recordings of what killed captures left.")] = False,
) -> None:
    """Record gestures from the board, or from the virtual one: prompts, live signal, a verdict on every recording."""
    from toolchain.capture.run import Asked, journals_of
    from toolchain.capture.run import capture as capture_stage
    from toolchain.capture.run import recover as recover_stage
    from toolchain.capture.session import Rhythm

    if recover:
        recover_stage(journals_of(paths or [CAPTURES]), console)
        return
    if paths:
        raise ConfigError(f"What shall be done with {paths[0]}?", "Journals belong to --recover.")
    if labels is None:
        raise ConfigError("Which gesture?", "Name it: --labels swipe_left,tap (or make capture LABEL=swipe_left).")
    if "/" in set_name or set_name.startswith("."):
        raise ConfigError(f"'{set_name}' is not a name for a set.", "It becomes the folder captures/NAME.")
    asked = Asked(
        board=load_board(board or DEFAULT_BOARD),
        labels=tuple(label.strip() for label in labels.split(",")),
        person=person,
        folder=CAPTURES / set_name,
        repeat=repeat,
        session=session,
        mounting=mounting,
        port=port,
        emulator=emulator,
        run=open_run(run),
        plot=plot,
        browser=browser,
        rhythm=Rhythm(gesture_s=seconds, background_s=background_seconds),
    )
    capture_stage(asked, console)
