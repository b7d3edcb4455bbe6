"""The report stage: reads a run, writes report.json and report.html."""

from __future__ import annotations

from rich.console import Console

from toolchain.errors import ModelError
from toolchain.files import read_json, validated, write_json, write_text
from toolchain.report.assemble import assemble
from toolchain.report.page import render_page
from toolchain.report.schema import Report
from toolchain.report.stages import read_stages
from toolchain.report.table import summary_table
from toolchain.report.traces import read_traces
from toolchain.runs import Run


def make_report(run: Run, console: Console) -> None:
    """Write report.json and report.html of a run and print its table.

    Needs train and convert; says plainly what is missing when build or run did not run yet. Raises ModelError that
    names the command to run, and writes both files only after both could be made.
    """
    stages = read_stages(run)
    report = assemble(stages)
    page = render_page(report, stages, read_traces(run.device_npz))
    write_json(run.report_json, report.model_dump(by_alias=True))
    write_text(run.report_html, page)
    console.print(summary_table(report))
    for error in report.errors:
        console.print(f"The run found: {error}", markup=False)
    for stage in report.missing:
        console.print(f"Not measured yet: run `tinyltc {stage} --run {report.run}`.", markup=False)
    console.print(f"Report: {run.report_html}", markup=False, soft_wrap=True)


def load_report(run: Run) -> Report:
    """Read and check report.json; raises ModelError when it is missing or not what this version writes."""
    value = read_json(run.report_json, ModelError, f"Run `tinyltc report --run {run.path.name}` first.")
    return validated(Report, value, run.report_json, ModelError)
