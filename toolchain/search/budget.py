"""The limits of the device: cycles of a step, flash and RAM."""

from __future__ import annotations

import re
from dataclasses import dataclass

from toolchain.errors import ConfigError

_UNITS = {"": 1, "k": 1000, "m": 1_000_000, "b": 1, "kb": 1024, "mb": 1024 * 1024}
NAMES = ("cycles", "flash_bytes", "ram_bytes")


@dataclass(frozen=True)
class Budget:
    """Most that a step may take and the recognizer occupy; None: no limit."""

    cycles: int | None = None
    flash_bytes: int | None = None
    ram_bytes: int | None = None

    def exceeded(self, cycles: int, flash_bytes: int, ram_bytes: int) -> list[str]:
        """Return the names of the limits that a network breaks."""
        spent = (cycles, flash_bytes, ram_bytes)
        limits = (self.cycles, self.flash_bytes, self.ram_bytes)
        return [
            name for name, used, limit in zip(NAMES, spent, limits, strict=True) if limit is not None and used > limit
        ]


def parse_amount(option: str, text: str) -> int:
    """Return the number in ``text``, such as 26000, 26k or 48KB (1,024 bytes each); raises ConfigError."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)", text.strip())
    unit = _UNITS.get(found[2].lower()) if found else None
    if found is None or unit is None or float(found[1]) * unit < 1:
        raise ConfigError(f"{option} '{text}' is no budget.", "Write a number above 0, such as 26000, 26k or 48KB.")
    return int(float(found[1]) * unit)
