"""Inline SVG from matplotlib figures, with the page's colours and font, the same bytes for the same input."""

from __future__ import annotations

import io
import re
from typing import Any

import matplotlib
from matplotlib.figure import Figure

# Colours that stand for the page's own (CSS variables), so that a figure follows the light and the dark scheme.
INK, RULE = "#010203", "#040506"
BLUE, ORANGE, GREEN, RED, GREY = "#0a0b01", "#0a0b02", "#0a0b03", "#0a0b04", "#0a0b05"
SERIES = ("#0a0c01", "#0a0c02", "#0a0c03", "#0a0c04", "#0a0c05", "#0a0c06", "#0a0c07")
_CSS = {INK: "currentColor", RULE: "var(--rule)", BLUE: "var(--blue)", ORANGE: "var(--orange)"}
_CSS |= {GREEN: "var(--green)", RED: "var(--red)", GREY: "var(--grey)"}
_CSS |= {colour: f"var(--s{index})" for index, colour in enumerate(SERIES, 1)}

_STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "font.size": 9,
    "text.parse_math": False,
    "text.color": INK,
    "axes.edgecolor": RULE,
    "axes.labelcolor": INK,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": RULE,
    "grid.linewidth": 0.5,
    "legend.frameon": False,
}
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))


def style() -> Any:
    """Return a context in which figures are made and exported."""
    return matplotlib.rc_context(_STYLE)


def new_figure(width: float, height: float) -> Figure:
    """Make a figure of ``width`` by ``height`` in inches (100 units of the page each), outside pyplot."""
    return Figure(figsize=(width, height), layout="constrained")


def to_svg(figure: Figure, name: str, description: str) -> str:
    """Export to an <svg> element that scales with its box; ``name`` keeps its ids apart from other figures'."""
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", transparent=True, metadata=_NO_METADATA)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    text = text.replace("<svg", f'<svg role="img" aria-label="{_attribute(description)}"', 1)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'href="#', f'href="#{name}-', text)
    text = re.sub(r"url\(#", f"url(#{name}-", text)
    text = re.sub(r"(font: [0-9.]+px) [^;\"]*", r"\1 var(--font)", text)
    for colour, css in _CSS.items():
        text = text.replace(colour, css)
    return text


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
