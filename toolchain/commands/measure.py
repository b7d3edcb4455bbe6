"""``tinyltc measure``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from toolchain.board import EmulatorName, load_board
from toolchain.commands.options import BoardName, EmulatorOption, RunName, console
from toolchain.errors import ConfigError
from toolchain.runs import open_run

app = typer.Typer()


class MeterMode(StrEnum):
    """How a PPK2 is wired."""

    SOURCE = "source"
    AMPERE = "ampere"


@app.command(epilog="Example: tinyltc measure --run demo, or tinyltc measure --port /dev/ttyACM0 --ppk2 ''")
def measure(
    run: RunName = "demo",
    board: BoardName = None,
    port: Annotated[str | None, typer.Option("--port", help="Serial port of a board; default: an emulator.")] = None,
    emulator: EmulatorOption = None,
    samples: Annotated[int, typer.Option("--samples", min=100, help="Samples to time.")] = 10_000,
    ppk2: Annotated[
        str | None, typer.Option("--ppk2", help="Measure the current with a PPK2: its port, or '' for the only one.")
    ] = None,
    mode: Annotated[
        MeterMode, typer.Option("--ppk2-mode", help="source: the PPK2 supplies the board; ampere: it is in its supply.")
    ] = MeterMode.SOURCE,
    volt: Annotated[float, typer.Option("--volt", min=0.8, max=5.0, help="Supply of the board.")] = 3.0,
    meter: Annotated[
        Path | None, typer.Option("--meter", help="Readings of another meter: a CSV file (docs/measure.md).")
    ] = None,
    seconds: Annotated[float, typer.Option("--power-seconds", min=1.0, help="Measure the current for so long.")] = 10.0,
    mark_bit: Annotated[int, typer.Option("--mark-bit", min=0, max=7, help="Digital input on the mark pin.")] = 0,
    cell: Annotated[str | None, typer.Option("--cell", help="Battery for the life line, such as 100mAh@3.7V.")] = None,
) -> None:
    """Latency of every stage, and power: measured with a meter, else estimated from data sheets and measured duty."""
    from toolchain.harness.measuring import Asked
    from toolchain.harness.measuring import measure as measure_stage
    from toolchain.power.battery import parse_cell

    if port is not None and emulator is not None:
        raise ConfigError("--port and --emulator exclude each other.", "Give one of them.")
    if port is None and ppk2 is not None:
        raise ConfigError("A PPK2 measures a board, not an emulator.", "Give the board's --port too.")
    target = open_run(run)
    name: EmulatorName | None = emulator.value if emulator else None
    asked = Asked(
        samples=samples,
        port=port,
        emulator=name,
        ppk2=ppk2,
        mode=mode.value,
        volt=volt,
        meter=meter,
        seconds=seconds,
        mark_bit=mark_bit,
        cell=parse_cell(cell) if cell else None,
    )
    measure_stage(target, load_board(board or target.project().target.board), asked, console)
