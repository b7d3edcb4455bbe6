"""An estimate of the average power: data-sheet currents times measured duty, with its assumptions and its error bar."""

from __future__ import annotations

from dataclasses import dataclass

from toolchain.board.currents import Current, Currents
from toolchain.errors import ConfigError
from toolchain.power.duty import Duty

SOURCE = "estimated (data sheet)"
SPREAD = 0.2
"""A typical value without bounds is taken to hold within this fraction: data sheets rarely give a spread."""
SPREAD_UNVERIFIED = 0.4
"""The same for a figure that nobody has looked up yet."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one consumer takes: average current in microampere, typical and bounds, and the share of time behind it."""

    name: str
    share: float
    typ_ua: float
    low_ua: float
    high_ua: float
    current: Current


@dataclass(frozen=True, slots=True)
class Estimate:
    """Average power of one mode. The bar adds the bounds of all parts, as if all erred the same way: it is wide."""

    mode: str
    supply_v: float
    parts: tuple[Part, ...]
    assumptions: tuple[str, ...]

    @property
    def value_mw(self) -> float:
        """Typical."""
        return sum(part.typ_ua for part in self.parts) * self.supply_v / 1000

    @property
    def low_mw(self) -> float:
        """Every part at its lower bound."""
        return sum(part.low_ua for part in self.parts) * self.supply_v / 1000

    @property
    def high_mw(self) -> float:
        """Every part at its upper bound."""
        return sum(part.high_ua for part in self.parts) * self.supply_v / 1000

    @property
    def average_ua(self) -> float:
        """Typical current in microampere."""
        return sum(part.typ_ua for part in self.parts)


def estimate(currents: Currents, duty: Duty, clock_hz: int) -> Estimate:
    """Return the power of a mode at the supply voltage of ``currents``.

    Raises ConfigError when the board file gives no current for something that the device spent time on: a part that
    is left out would make the sum look better than it is.
    """
    run = "cpu_run" if duty.regulator == "dcdc" else "cpu_run_ldo"
    wanted: list[tuple[str, str, float]] = [
        (run, "processor running", duty.cpu),
        ("sleep", "processor asleep", 1 - duty.cpu),
        ("hf_clock", "high-frequency clock kept in sleep", duty.hf_asleep),
        ("rtc", "low-frequency clock and counter", duty.lf),
        ("uart", "UART sending", duty.uart),
        ("uart_receive", "UART receiver waiting", duty.receiver),
        ("bus", "sensor bus", duty.bus),
        *((mode, f"sensor, {mode.removeprefix('imu_').replace('_', ' ')}", share) for mode, share in duty.imu.items()),
    ]
    parts = [_part(currents, key, name, share, clock_hz) for key, name, share in wanted if share > 0]
    return Estimate(duty.mode, currents.supply_v, tuple(parts), tuple(_assumptions(duty, currents, parts)))


def _part(currents: Currents, key: str, name: str, share: float, clock_hz: int) -> Part:
    current: Current | None = getattr(currents, key)
    if current is None:
        raise ConfigError(
            f"The board file gives no current for '{key}', but the device spends {share:.3g} of its time on it.",
            f"Add [currents.{key}] with value, unit and the page of the data sheet.",
        )
    typical = current.amperes(clock_hz)
    low, high = bounds(current, clock_hz)
    micro = share * 1e6
    return Part(name, share, typical * micro, low * micro, high * micro, current)


def bounds(current: Current, clock_hz: int) -> tuple[float, float]:
    """Return lower and upper bound in ampere: the data sheet's where it gives them, else a stated spread."""
    spread = SPREAD if current.verified else SPREAD_UNVERIFIED
    typical = current.amperes(clock_hz)
    scale = typical / next(v for v in (current.typ, current.max, current.min) if v is not None) if typical else 0.0
    low = current.min * scale if current.min is not None else typical * (1 - spread)
    high = current.max * scale if current.max is not None else typical * (1 + spread)
    return low, high


def _assumptions(duty: Duty, currents: Currents, parts: list[Part]) -> list[str]:
    unverified = [part.name for part in parts if not part.current.verified]
    said = [
        f"Supply {currents.supply_v:g} V; no radio, no regulator in front of the board, no LED.",
        f"Shares of time: {duty.source}, over {duty.seconds:g} s.",
        f"A current without bounds in the data sheet is taken to hold within {SPREAD:.0%}; all bounds add up.",
    ]
    if unverified:
        said.append(
            f"Not looked up in the data sheet yet, taken to hold within {SPREAD_UNVERIFIED:.0%}: "
            f"{', '.join(unverified)}."
        )
    return said
