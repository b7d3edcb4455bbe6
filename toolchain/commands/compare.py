"""``tinyltc compare``."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from toolchain.commands.options import console
from toolchain.runs import open_run

app = typer.Typer()


@app.command(epilog="Example: tinyltc compare main mine --allow accuracy=0.02 --allow step_cycles=5%")
def compare(
    before: Annotated[str, typer.Argument(metavar="A", help="The run to hold it against.")],
    after: Annotated[str, typer.Argument(metavar="B", help="The run that must not be worse.")],
    allow: Annotated[
        list[str] | None, typer.Option("--allow", metavar="KEY=AMOUNT", help="How much worse a figure may get.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a list of objects and nothing else.")] = False,
) -> None:
    """Show two runs side by side; fails where the second is worse than the first by more than is allowed."""
    from toolchain.report import regression
    from toolchain.report.make import load_report

    allowed = regression.parse_thresholds(allow or [])
    reports = load_report(open_run(before)), load_report(open_run(after))
    changes = regression.compare(*reports, allowed)
    if as_json:
        typer.echo(json.dumps([asdict(change) for change in changes], indent=2))
    else:
        console.print(regression.table(*reports, changes))
    worse = regression.regressions(changes)
    if worse:
        names = ", ".join(f"{c.what} ({c.before} -> {c.after or 'not there'})" for c in worse)
        raise regression.RegressionError(
            f"{after} is worse than {before}: {names}.", "Mend it, or allow it by name with --allow KEY=AMOUNT."
        )
