"""How long a cell lasts."""

from __future__ import annotations

from dataclasses import dataclass

from toolchain.errors import ConfigError

USABLE = 0.85
"""Of the printed capacity: the last part lies below what the regulator needs, and cells age."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A battery: printed capacity in mAh, nominal voltage, and the efficiency from its terminals to the supply."""

    capacity_mah: float
    volt: float
    efficiency: float

    @property
    def usable_mwh(self) -> float:
        """Energy that reaches the supply."""
        return self.capacity_mah * self.volt * self.efficiency * USABLE

    def days(self, power_mw: float) -> float:
        """Days at this average power."""
        return self.usable_mwh / power_mw / 24


def parse_cell(text: str) -> Cell:
    """Read ``100mAh@3.7V`` (a Li-ion cell behind a linear regulator or a DC/DC of 0.85); raises ConfigError."""
    try:
        capacity, _, volt = text.lower().partition("@")
        cell = Cell(float(capacity.removesuffix("mah")), float(volt.removesuffix("v") or 3.7), 0.85)
    except ValueError:
        cell = Cell(0.0, 0.0, 0.85)
    if not (0 < cell.capacity_mah < 1e6 and 0 < cell.volt < 60):
        raise ConfigError(f"'{text}' is not a cell.", "Give capacity and voltage, such as 100mAh@3.7V.")
    return cell
