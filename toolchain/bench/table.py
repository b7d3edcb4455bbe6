"""The figures as a table on the terminal, as markdown for the README, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from toolchain.bench.figures import CYCLES_SOURCE, SIZES_SOURCE, Figures

HEADINGS = (
    *("engine", "option", "cycles", "with 2 wait states", "instructions"),
    *("engine flash", "model flash", "RAM", "boot cycles"),
)
NOTES = (
    f"Cycles: {CYCLES_SOURCE}. Instructions: counted in emulation, exactly. Bytes: {SIZES_SOURCE}. The outputs of "
    "every step of every row were the reference's, bit for bit; those of an int16 graph under tflm within one step, as "
    "CMSIS-NN's roundings are not those of TFLM's reference kernels.",
    "cycles: the slowest of the stored inputs, zero wait states. One whole step: IMU codes in, state and logits out, "
    "without the decision stage; of a whole graph: inputs copied in, one call. With 2 wait states (2 ws): two more "
    "for each word that a data read fetches from flash; none for instruction fetches, which the nRF52840 caches.",
    "engine flash: the engine, the step around it, the solver, all tables in code, TFLM and the C library as far as "
    "linked; of a whole graph, the bench's call of it too. Not in it: vector table, start-up code, decision stage, the "
    "rest of the bench, and what checks the model image.",
    "model flash: the whole model image (weights, multipliers, rate tables, decision parameters, labels, SHA-256), or "
    "the .tflite.",
    "aot: the C that `tinyltc generate` makes of the .tflite. Model flash: weights as packed, biases, multipliers, "
    "shifts; engine flash: code, tables, parameters per operator; RAM: context, arena, inputs and outputs.",
    "RAM: engine context with its arena, state, view of the model, and the weights where they are copied; no stack.",
    "boot cycles: opening the model and starting the engine, without the SHA-256 check.",
    "Flags: -O2 -mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=hard -ffp-contract=off (firmware/platform/flags.toml).",
)
FUNCTIONS = 10


def to_json(rows: Sequence[Figures]) -> str:
    """Return the list of objects of ``--json``."""
    return json.dumps([row.to_dict() for row in rows], indent=2, allow_nan=False)


def _cells(row: Figures) -> tuple[str, ...]:
    numbers = (
        *(row.worst.cycles, row.cycles_2ws, row.worst.instructions),
        *(row.sizes.engine, row.sizes.model, row.ram_bytes, row.boot_cycles),
    )
    return (row.image.engine, row.image.option, *(f"{number:,}" for number in numbers))


def markdown(rows: Sequence[Figures]) -> str:
    """Return the table and its notes as markdown."""
    lines = [f"| {' | '.join(HEADINGS)} |", "|---|---|" + "---:|" * (len(HEADINGS) - 2)]
    lines += [f"| {' | '.join(_cells(row))} |" for row in rows]
    return "\n".join([*lines, "", *(f"* {note}" for note in NOTES)]) + "\n"


def show(rows: Sequence[Figures], console: Console) -> None:
    """Print the table, what it counts, and for each row where its cycles go."""
    table = Table(title=f"One step, {CYCLES_SOURCE}", title_justify="left", box=box.SIMPLE_HEAD, padding=0)
    # Fits 80 columns, names of files unbroken up to 22 letters: engine and option share a column, one space
    # stands between the numbers, and the notes say what the short names mean.
    table.add_column("engine, option", overflow="fold")
    for name in ("cycles", "2 ws", "instr.", "engine\nflash", "model\nflash", "RAM", "boot\ncycles"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        engine, option, *numbers = map(escape, _cells(row))
        table.add_row(f"[bold]{engine}[/bold] {option}", *numbers)
    console.print(table)
    for note in NOTES:
        console.print(note, style="dim", highlight=False)
    for row in rows:
        console.print(
            f"\n{row.image.engine}, {row.image.option}: self time, {CYCLES_SOURCE}", style="italic", markup=False
        )
        console.print(_functions(row))
        stack = max(call.stack_bytes for call in row.steps)
        console.print(
            f"spread over {len(row.steps)} inputs {row.spread:.4f}; stack {stack:,} bytes, set-up "
            f"{row.setup.stack_bytes:,}; SHA-256 check {row.hash_cycles:,} cycles; {row.image.elf}",
            markup=False,
            soft_wrap=True,
        )


def _functions(row: Figures) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("function", no_wrap=True, max_width=38)
    for name in ("cycles", "2 ws", "instr.", "calls"):
        table.add_column(name, justify="right", no_wrap=True)
    for function in row.functions[:FUNCTIONS]:
        numbers = (function.cycles, function.cycles_2ws, function.instructions, function.calls)
        table.add_row(escape(function.name), *(f"{number:,}" for number in numbers))
    rest = row.functions[FUNCTIONS:]
    if rest:
        table.add_row(
            f"{len(rest)} others",
            f"{sum(function.cycles for function in rest):,}",
            f"{sum(function.cycles_2ws for function in rest):,}",
            f"{sum(function.instructions for function in rest):,}",
            "",
        )
    return table
