"""How figures are written: fractions, KB of 1,024 bytes, thousands separated by commas, and a plain dash for none."""

from __future__ import annotations

NONE = "–"


def fraction(value: float | None) -> str:
    """0.97321 -> '0.973'; a fraction just below 1 is not rounded up to it."""
    if value is None:
        return NONE
    text = f"{value:.3f}"
    return f"{value:.6f}".rstrip("0") if text == "1.000" and value < 0.9999995 else text


def count(value: float | None) -> str:
    """12345.6 -> '12,346'."""
    return NONE if value is None else f"{value:,.0f}"


def kilobytes(value: float | None) -> str:
    """22648 bytes -> '22.1 KB'; below 1,024 bytes '812 bytes'."""
    if value is None:
        return NONE
    return f"{value:,.0f} bytes" if value < 1024 else f"{value / 1024:,.1f} KB"


def decimal(value: float | None, digits: int = 1) -> str:
    """1234.56 -> '1,234.6'."""
    return NONE if value is None else f"{value:,.{digits}f}"


def milliseconds(microseconds: float | None) -> str:
    """1234 us -> '1.234 ms'."""
    return NONE if microseconds is None else f"{microseconds / 1000:.3f} ms"


def number(value: float) -> str:
    """208.0 -> '208', 0.25 -> '0.25'."""
    return f"{value:,.6g}"
