"""``report.html``: one file without scripts or anything from outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from toolchain.report import numbers
from toolchain.report.charts import latency_chart, stage_chart, training_chart
from toolchain.report.rows import rows
from toolchain.report.schema import Report
from toolchain.report.stages import Device, Stages
from toolchain.report.timeline import drawn_s, errors, timeline_chart
from toolchain.report.traces import Traces

TIMELINES = 4
LARGEST = 15
"""Symbols and functions that the page lists."""


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("toolchain.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "fraction": numbers.fraction,
        "count": numbers.count,
        "kb": numbers.kilobytes,
        "decimal": numbers.decimal,
        "ms": numbers.milliseconds,
        "number": numbers.number,
    }
    return environment


def _timelines(device: Device | None) -> list[dict[str, Any]]:
    """Draw the streams with the most errors, the worst first; the caption says so."""
    chosen = sorted(device.timelines, key=lambda t: -errors(t))[:TIMELINES] if device else []
    return [
        {
            "person": timeline.person,
            "seconds": timeline.seconds,
            "shown_s": drawn_s(timeline),
            "gestures": len(timeline.truth),
            "missed": sum(not gesture.hit for gesture in timeline.truth),
            "false": sum(not command.correct for command in timeline.commands),
            # The figure is our own SVG; every text in it was escaped when it was made.
            "svg": Markup(timeline_chart(timeline, f"timeline{index}")),
        }
        for index, timeline in enumerate(chosen)
    ]


def _shares(values: dict[str, float]) -> list[tuple[str, float, float]]:
    """Return (name, value, share of the sum), in the given order."""
    total = sum(values.values()) or 1.0
    return [(name, value, value / total) for name, value in values.items()]


def _top(items: Sequence[Any], key: str) -> tuple[list[Any], int]:
    """Return the LARGEST largest items, and how many are left out."""
    ordered = sorted(items, key=lambda item: (-getattr(item, key), item.name))
    return ordered[:LARGEST], max(0, len(ordered) - LARGEST)


def render_page(report: Report, stages: Stages, traces: Traces) -> str:
    """Render report.html: autoescaped, complete in itself, the same for the same input."""
    build, device, table = stages.build, stages.device, rows(report)
    charts = {"training": Markup(training_chart(stages.training.epochs)) if stages.training.epochs else None}
    charts["latency"] = (
        Markup(latency_chart(traces.latency_us, report.latency_us.p99_9))
        if traces.latency_us is not None and report.latency_us
        else None
    )
    charts["stages"] = Markup(stage_chart(traces.stages_us)) if traces.stages_us else None
    text = (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            rows=table,
            failed=[row for row in table if row.ok is False],
            data=stages.data,
            device=device,
            timelines=_timelines(device),
            charts=charts,
            stage_shares=_shares(report.latency_us.stages) if report.latency_us else [],
            sections=_shares({section.name: section.bytes for section in build.sections}) if build else [],
            symbols=_top(build.symbols, "bytes") if build else ([], 0),
            functions=_top(device.functions, "cycles") if device else ([], 0),
        )
    )
    return str(text)
