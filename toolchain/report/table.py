"""The report as a table on the terminal."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from toolchain.report.rows import rows
from toolchain.report.schema import Report


def summary_table(report: Report) -> Table:
    """Make the table that ends `make demo`: what, value, limit, source, and whether it holds."""
    missing = f" (without: {', '.join(report.missing)})" if report.missing else ""
    table = Table(title=f"Run {escape(report.run)}{missing}", title_justify="left")
    for name in ("what", "value", "limit", "source", "ok"):
        table.add_column(name, justify="right" if name in ("value", "limit") else "left")
    marks = {None: "", True: "[green]ok[/green]", False: "[bold red]FAIL[/bold red]"}
    for row in rows(report):
        table.add_row(row.what, row.text, row.limit, escape(row.source), marks[row.ok])
    return table
