"""``tinyltc boards``."""

from __future__ import annotations

from typing import Annotated

import typer

from toolchain.board import BOARDS, board_names, load_board
from toolchain.commands.options import console

app = typer.Typer()


@app.command(epilog="Example: tinyltc boards --json")
def boards(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="The table of README.md.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Bring the tables of the READMEs up to date.")] = False,
    build_all: Annotated[
        bool, typer.Option("--build", help="Build each with a random network; fails if one does.")
    ] = False,
) -> None:
    """Every board: MCU, sensor, how it is flashed, which emulators run its image."""
    from toolchain.bench.boards import build_boards
    from toolchain.board import listing

    # The tables of this repository are of its own boards, whatever TINYLTC_BOARDS adds.
    folder = BOARDS if write or as_markdown else None
    known = [load_board(name, folder) for name in board_names(folder)]
    if write:
        listing.write_documents(known, BOARDS.parent / "README.md", console)
    elif build_all:
        build_boards(known, console)
    elif as_json:
        typer.echo(listing.to_json(known))
    elif as_markdown:
        typer.echo(listing.markdown(known), nl=False)
    else:
        listing.show(known, console)
