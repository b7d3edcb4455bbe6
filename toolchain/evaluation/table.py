"""The table that ``tinyltc evaluate`` prints."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

ROWS = (
    ("accuracy", "accuracy, last decision of a recording", "{:.4f}"),
    ("accuracy_command", "the same, last command", "{:.4f}"),
    ("macro_f1", "macro-F1 of recordings", "{:.4f}"),
    ("quiet_background", "background windows without a command", "{:.4f}"),
    ("event_recall", "events answered (true positives)", "{:.4f}"),
    ("event_macro_f1", "macro-F1 of events", "{:.4f}"),
    ("sample_macro_f1", "macro-F1 of samples in streams", "{:.4f}"),
    ("false_per_hour", "false activations an hour", "{:.1f}"),
    ("delay_ms_median", "delay from gesture end, median (ms)", "{:.0f}"),
    ("delay_ms_p95", "delay from gesture end, p95 (ms)", "{:.0f}"),
)
FEW = 5


def print_result(result: dict[str, Any], console: Console) -> None:
    """Print one result of :func:`toolchain.evaluation.evaluate.evaluate`."""
    title = f"{', '.join(result['runs'])} on {result['on']} ({result['network']}, {result['source']})"
    table = Table(title=title)
    table.add_column("")
    table.add_column("value", justify="right")
    table.add_column("95 % interval", justify="right")
    for key, words, form in ROWS:
        estimate = result["figures"][key]
        if estimate["value"] is None:
            continue
        known = estimate["low"] is not None
        interval = f"{form.format(estimate['low'])} to {form.format(estimate['high'])}" if known else "-"
        table.add_row(words, form.format(estimate["value"]), interval)
    duty = result["duty_cycle"]
    if duty is not None:
        table.add_row("duty cycle of the processor", f"{duty['value']:.4f}", duty["source"])
    console.print(table)
    people = result["people"]
    console.print(
        f"{result['n_people']} people, {result['recordings']} recordings, {result['hours']:.2f} h of streams; these "
        f"people were scored {result['times_scored']} times so far.",
        highlight=False,
    )
    key = "accuracy" if any(one["accuracy"] is not None for one in people) else "event_recall"
    known_people = sorted((one for one in people if one[key] is not None), key=lambda one: one[key])
    if known_people:
        worst = ", ".join(f"{one['person']} {one[key]:.3f}" for one in known_people[:FEW])
        console.print(f"Worst of them by {key.replace('_', ' ')}: {worst}.", highlight=False)
    resets = sum(one["gap_resets"] for one in people)
    if resets:
        console.print(f"{resets} gaps between samples reset the state.", highlight=False)
    if result["trained_on"]:
        console.print(
            f"[red]The network was trained on {', '.join(result['trained_on'])}: no figures for strangers.[/red]"
        )
    for device, estimates in result["devices"].items():
        parts = [
            f"{words.split(',')[0]} {form.format(estimates[name]['value'])}"
            for name, words, form in ROWS
            if name in ("accuracy", "event_recall", "false_per_hour") and estimates[name]["value"] is not None
        ]
        console.print(f"Device {device}: {'; '.join(parts)}.", highlight=False)
