"""``tinyltc search``."""

from __future__ import annotations

from typing import Annotated

import typer

from toolchain.board import load_board
from toolchain.commands.options import BoardName, DataName, DataPath, ProjectFile, console
from toolchain.project import load_project, project_for_data, with_options
from toolchain.runs import open_run

app = typer.Typer()


@app.command(epilog="Example: tinyltc search --data wrist --run search --trials 12 --cycles 26k --flash 48KB")
def search(
    run: Annotated[str, typer.Option("--run", help="Name of the search: the folder runs/NAME.")] = "search",
    data: DataName = None,
    path: DataPath = None,
    project: ProjectFile = None,
    trials: Annotated[int, typer.Option(min=1, help="So many networks are trained.")] = 16,
    folds: Annotated[int, typer.Option(min=2, help="Folds by person of the training people.")] = 3,
    epochs: Annotated[int | None, typer.Option(min=1, help="Of each training; default: the project's.")] = None,
    cycles: Annotated[
        str | None, typer.Option(help="Most cycles of a step, such as 26k; default: the project's latency.")
    ] = None,
    flash: Annotated[str | None, typer.Option(help="Most flash, such as 48KB; default: the project's budget.")] = None,
    ram: Annotated[str | None, typer.Option(help="Most RAM, such as 6KB; default: the project's budget.")] = None,
    seed: Annotated[int, typer.Option(help="Of the order in which networks are tried.")] = 1,
    address: Annotated[
        str | None, typer.Option(help="A running Ray cluster, host:port or auto; default: this machine.")
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Trials side by side; default: cores.")] = None,
    board: BoardName = None,
) -> None:
    """Search size, wiring, solver, dt and preparation under the device's budgets; started again, it resumes."""
    from toolchain.recordings.catalog import resolved
    from toolchain.search.budget import Budget, parse_amount
    from toolchain.search.search import search as search_stage

    first = load_project(project) if project is not None else project_for_data(data or "wrist")
    if project is not None and data is not None:
        first = with_options(first, data=data)
    chosen = with_options(first, path=path, epochs=epochs, board=board)
    target = load_board(chosen.target.board)
    limits = chosen.budgets
    budget = Budget(
        parse_amount("--cycles", cycles) if cycles else int(limits.latency_ms * 1e-3 * target.clock_hz),
        parse_amount("--flash", flash) if flash else limits.flash_bytes,
        parse_amount("--ram", ram) if ram else limits.ram_bytes,
    )
    search_stage(
        open_run(run),
        resolved(chosen, target.imu.rate_hz),
        target,
        budget,
        console,
        trials=trials,
        folds=folds,
        seed=seed,
        address=address,
        jobs=jobs,
    )
