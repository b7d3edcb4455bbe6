"""What the firmware has for a board: a HAL for its SoC, a driver for its sensor."""

from __future__ import annotations

from pathlib import Path

from toolchain.board.schema import Board
from toolchain.errors import ConfigError

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
SHARED_HAL = "common"
"""The folder of firmware/hal that belongs to every SoC."""


def known_socs() -> list[str]:
    """Folders of firmware/hal, sorted."""
    return sorted({path.name for path in (FIRMWARE / "hal").iterdir() if path.is_dir()} - {SHARED_HAL})


def known_sensors() -> list[str]:
    """Drivers of firmware/sensors, sorted."""
    return sorted({path.stem for path in (FIRMWARE / "sensors").glob("*.c")} - {"watch"})


def require_parts(board: Board) -> None:
    """Raise ConfigError unless the firmware has a HAL for the board's SoC and a driver for its IMU."""
    for key, value, names in (("soc", board.soc, known_socs()), ("imu.part", board.imu.part, known_sensors())):
        if value not in names:
            raise ConfigError(
                f"{board.folder / 'board.toml'}: key '{key}': there is no '{value}'.", f"Known: {', '.join(names)}."
            )


def has_parts(board: Board) -> bool:
    """Whether the firmware has what the board asks for, so that it can be built."""
    return board.soc in known_socs() and board.imu.part in known_sensors()
