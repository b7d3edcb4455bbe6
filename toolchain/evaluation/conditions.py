"""Under which conditions a set is fed: rate, lost samples, and what the network believes about time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from toolchain.errors import ConfigError
from toolchain.ltc.modelspec import ModelSpec
from toolchain.recordings.recording import Recording
from toolchain.recordings.resample import resample

MOST_DROPPED = 0.95


@dataclass(frozen=True)
class Conditions:
    """``rate_hz``: a uniform grid of this rate; None: the model's; ``native``: the recording's own stamps.

    ``drop``: fraction of samples lost at random. ``fixed_rate``: the network is told one period of the rate that it was
    trained at for every sample, whatever the stamps say: what a network without dt does.
    """

    rate_hz: float | None = None
    native: bool = False
    drop: float = 0.0
    fixed_rate: bool = False
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be fed."""
        if not 0 <= self.drop <= MOST_DROPPED:
            raise ConfigError(f"--drop {self.drop:g} is not a fraction of lost samples.", f"Give 0 to {MOST_DROPPED}.")
        if self.native and self.rate_hz is not None:
            raise ConfigError("--native and --rate contradict each other.", "Give one of them.")
        if self.rate_hz is not None and not 5 <= self.rate_hz <= 2000:
            raise ConfigError(f"--rate {self.rate_hz:g} Hz is not a rate of an IMU.", "Give 5 to 2000.")

    @property
    def label(self) -> str:
        """Name of what differs from the usual; empty for the usual."""
        parts = [
            "native stamps" if self.native else "",
            f"{self.rate_hz:g} Hz" if self.rate_hz else "",
            f"{self.drop:g} dropped" if self.drop else "",
            "fixed rate" if self.fixed_rate else "",
        ]
        return ", ".join(part for part in parts if part)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"rate_hz": self.rate_hz, "native": self.native, "drop": self.drop, "fixed_rate": self.fixed_rate}


@dataclass(frozen=True)
class Fed:
    """A recording as it is fed: with its true stamps, and with those that the network is told."""

    true: Recording
    told: Recording


def feed(recordings: Sequence[Recording], conditions: Conditions, spec: ModelSpec, simulated: bool) -> list[Fed]:
    """Apply ``conditions`` to recordings with native stamps; ``simulated`` ones have the model's rate already."""
    random = np.random.default_rng(conditions.seed)
    fed = []
    for recording in recordings:
        one = recording
        if not conditions.native and not (simulated and conditions.rate_hz is None):
            one = resample(recording, conditions.rate_hz or spec.rate_hz)
        if conditions.drop:
            kept = random.random(len(one.t_us)) >= conditions.drop
            kept[0] = True
            one = _taken(one, kept)
        told = one
        if conditions.fixed_rate:
            told = replace(one, t_us=np.arange(len(one.t_us), dtype=np.int64) * spec.period_us)
        fed.append(Fed(one, told))
    return fed


def _taken(recording: Recording, kept: npt.NDArray[np.bool_]) -> Recording:
    return replace(recording, samples=recording.samples[kept], t_us=recording.t_us[kept], labels=recording.labels[kept])
