"""The report as a table on the terminal."""

from __future__ import annotations

from rich import box
from rich.markup import escape
from rich.table import Table

from toolchain.report.rows import rows
from toolchain.report.schema import Report

_MARKS = {None: "", True: "[green]ok[/green]", False: "[bold red]FAIL[/bold red]"}


def summary_table(report: Report) -> Table:
    """Make the table that ends `make demo`: what, value, limit, and whether it holds; a heading names the source.

    Fits 80 columns: rows that follow each other and have one source stand under it, instead of each repeating it.
    """
    missing = f" (without: {', '.join(report.missing)})" if report.missing else ""
    table = Table(title=f"Run {escape(report.run)}{missing}", title_justify="left", box=box.SIMPLE_HEAD)
    for name in ("what", "value", "limit", ""):
        table.add_column(name, justify="right" if name in ("value", "limit") else "left")
    source = ""
    for row in rows(report):
        if row.source != source:
            source = row.source
            table.add_row(f"[italic]{escape(source)}:[/italic]")
        table.add_row(row.what, row.text, row.limit, _MARKS[row.ok])
    return table
