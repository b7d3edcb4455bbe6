"""``tinyltc flash`` and ``tinyltc doctor``."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from toolchain.board import board_names, load_board
from toolchain.commands.options import BoardName, EngineName, RunName, console
from toolchain.errors import ConfigError
from toolchain.runs import open_run

app = typer.Typer()


@app.command(epilog="Example: tinyltc flash --run demo --board nrf52840")
def flash(
    run: RunName = "demo",
    board: BoardName = None,
    port: Annotated[str | None, typer.Option("--port", help="The board's console; default: found by USB ids.")] = None,
    probe: Annotated[str | None, typer.Option("--probe", help="Part of the debug probe's unique id.")] = None,
    bootloader: Annotated[
        str | None, typer.Option("--bootloader", help="The bootloader's drive (a folder) or serial port.")
    ] = None,
    method: Annotated[
        str | None, typer.Option("--method", help="pyocd, uf2, dfu or bossa; default: board.toml.")
    ] = None,
    engine: EngineName = None,
    model_only: Annotated[bool, typer.Option("--model-only", help="Write the model's slot and nothing else.")] = False,
    build: Annotated[bool, typer.Option("--build/--no-build", help="Make what is flashed first.")] = True,
    hello: Annotated[bool, typer.Option("--hello/--no-hello", help="Wait for the firmware to say what it is.")] = True,
    read_back: Annotated[
        bool, typer.Option("--read-back", help="UF2: wait for a second start of the bootloader, and compare.")
    ] = False,
    mass_erase: Annotated[
        bool, typer.Option("--mass-erase", help="Erase everything on the chip first, a lock included.")
    ] = False,
) -> None:
    """Flash a board and prove it: write, read back, wait for the firmware's own word. Builds what is missing."""
    from toolchain.flash.method import Wishes
    from toolchain.flash.stage import Asked
    from toolchain.flash.stage import flash as flash_stage

    if probe is not None and bootloader is not None:
        raise ConfigError("--probe and --bootloader are two ways.", "Give the one of the method.")
    target = open_run(run)
    named = board or (target.project().target.board if target.project_json.exists() else "nrf52840")
    asked = Asked(
        method=method,
        place=probe or bootloader,
        port=port,
        engine=str(engine) if engine else None,
        model_only=model_only,
        build=build,
        hello=hello,
        wishes=Wishes(mass_erase=mass_erase, read_back=read_back),
    )
    flash_stage(target, load_board(named), asked, console)


@app.command(epilog="Example: tinyltc doctor, or tinyltc doctor --udev | sudo tee /etc/udev/rules.d/60-tinyltc.rules")
def doctor(
    board: Annotated[str, typer.Option("--board", help="The board that is to be built and flashed.")] = "nrf52840",
    as_json: Annotated[bool, typer.Option("--json", help="Print a list of objects and nothing else.")] = False,
    udev: Annotated[bool, typer.Option("--udev", help="Print the udev rules for all boards and nothing else.")] = False,
) -> None:
    """Look whether there is what building, emulating and flashing need, and say what to do; 1: something is missing."""
    from toolchain.flash.doctor import examine, healthy
    from toolchain.flash.doctor import report as report_findings
    from toolchain.flash.udev import rules

    boards = [load_board(name) for name in board_names()]
    if udev:
        typer.echo(rules(boards), nl=False)
        return
    lines = examine(load_board(board), boards)
    if as_json:
        typer.echo(json.dumps([asdict(line) for line in lines], indent=2))
    else:
        report_findings(lines, console)
    if not healthy(lines):
        raise SystemExit(1)
