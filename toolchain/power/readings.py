"""Readings of a current meter: checked before anything is made of them, because meters and their drivers lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toolchain.errors import MeterError

NOISE_A = 2e-6
"""Negative readings down to here are the meter's noise."""
CEILING_A = 1.0
"""More than a wearable's supply can give. Misread frames of a PPK2 show as thousands of ampere."""
LOST_MAX = 0.001
"""Fraction of samples that may be missing; more and the average is no average."""
FLAT_S = 0.5
"""A processor that works 208 times a second never draws one and the same current for so long."""


@dataclass(frozen=True)
class Readings:
    """``current_a`` float64 (N,), evenly every ``period_s``; ``marks`` uint8 (N,) or None: digital inputs, bit 0 first.

    ``lost``: samples that the meter sent and that did not come; they are left out, not filled in. ``volt``: the supply.
    ``source`` is printed beside every figure: ``measured on ...``.
    """

    current_a: npt.NDArray[np.float64]
    period_s: float
    volt: float
    source: str
    marks: npt.NDArray[np.uint8] | None = None
    lost: int = 0

    @property
    def seconds(self) -> float:
        """Time that the readings cover, lost ones left out."""
        return len(self.current_a) * self.period_s

    @property
    def average_mw(self) -> float:
        """Mean power."""
        return float(self.current_a.mean()) * self.volt * 1000

    @property
    def energy_mj(self) -> float:
        """Energy over the whole time."""
        return self.average_mw * self.seconds


def check(readings: Readings) -> Readings:
    """Return sound readings as they are; raises MeterError, one sentence, for what cannot be true."""
    current, name = readings.current_a, readings.source.removeprefix("measured on ")
    if not np.isfinite(readings.volt) or not 0.5 <= readings.volt <= 6:
        raise MeterError(f"{name}: a supply of {readings.volt:g} V is not a board's.", "Say --volt.")
    if len(current) < 2 or readings.seconds <= 0:
        raise MeterError(f"{name} gave {len(current)} readings.", "Is it connected, and the board switched on?")
    if not np.isfinite(current).all():
        raise MeterError(f"{name}: {int((~np.isfinite(current)).sum())} readings are no numbers.", "Measure again.")
    if current.max() > CEILING_A:
        where = int(current.argmax()) * readings.period_s
        raise MeterError(
            f"{name} reads {current.max():.3g} A after {where:.3f} s, more than {CEILING_A:g} A.",
            "Its bytes were misread or it lost its calibration: unplug it, plug it in, measure again.",
        )
    if current.min() < -NOISE_A - 0.01 * float(np.abs(current).mean()):
        raise MeterError(
            f"{name} reads {current.min() * 1e6:.1f} uA, less than nothing.", "Are its leads the right way round?"
        )
    fraction = readings.lost / (readings.lost + len(current))
    if fraction > LOST_MAX:
        raise MeterError(
            f"{name} lost {readings.lost} of {readings.lost + len(current)} readings.",
            "Use a USB port of the machine itself and close what else uses the processor.",
        )
    if float(np.abs(current).mean()) < NOISE_A / 20:
        raise MeterError(f"{name} reads nothing ({current.mean() * 1e9:.1f} nA).", "Is the board supplied through it?")
    flat = _longest_run(current) * readings.period_s
    if flat >= FLAT_S:
        raise MeterError(f"{name} gave one and the same reading for {flat:.2f} s.", "It hangs: unplug it, plug it in.")
    return readings


def _longest_run(values: npt.NDArray[np.float64]) -> int:
    changes = np.flatnonzero(np.diff(values) != 0)
    edges = np.concatenate([[-1], changes, [len(values) - 1]])
    return int(np.diff(edges).max())


@dataclass(frozen=True, slots=True)
class MarkedEnergy:
    """Energy while a mark was high, per time it was high: microjoule as mean, and microseconds as mean."""

    times: int
    energy_uj: float
    width_us: float


def energy_of_marks(readings: Readings, bit: int) -> MarkedEnergy | None:
    """Return what one pulse of the mark pin costs; None when there is no whole pulse.

    The board's mark pin is high from data-ready to the decision, so this is the energy of a step. Pulses that began
    before the first reading or end after the last are left out.
    """
    if readings.marks is None:
        return None
    high = (readings.marks >> bit) & 1
    edges = np.diff(high.astype(np.int8))
    rises, falls = np.flatnonzero(edges == 1) + 1, np.flatnonzero(edges == -1) + 1
    falls = falls[falls > rises[0]] if len(rises) else falls[:0]
    count = min(len(rises), len(falls))
    if not count:
        return None
    total = np.concatenate([[0.0], np.cumsum(readings.current_a)]) * readings.period_s * readings.volt
    energy = total[falls[:count]] - total[rises[:count]]
    width = (falls[:count] - rises[:count]) * readings.period_s
    return MarkedEnergy(count, float(energy.mean()) * 1e6, float(width.mean()) * 1e6)
