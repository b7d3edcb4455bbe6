"""Boards as data: ``boards/<name>/board.toml``, checked, and what the rest of the toolchain asks of it."""

from __future__ import annotations

import itertools
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from toolchain.errors import ConfigError
from toolchain.files import validated

BOARDS = Path(__file__).resolve().parent.parent / "boards"
STANDARD_GRAVITY = 9.80665
"""Standard gravity in m/s^2 (ISO 80000-3)."""
RAD_PER_DEGREE = 0.017453292519943295

Vector = Annotated[list[float], Field(min_length=3, max_length=3)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Memory(_Strict):
    """Flash and RAM regions in bytes."""

    flash_origin: int = Field(ge=0)
    flash_bytes: int = Field(gt=0)
    ram_origin: int = Field(ge=0)
    ram_bytes: int = Field(gt=0)
    page_bytes: int = Field(gt=0)
    stack_bytes: int = Field(gt=0, multiple_of=8)


class ModelSlot(_Strict):
    """One flash region that holds a model image."""

    name: str
    origin: int = Field(ge=0)
    bytes: int = Field(gt=0)


class Pins(_Strict):
    """Pins as port * 32 + pin."""

    uart_tx: int = Field(ge=0, le=63)
    uart_rx: int = Field(ge=0, le=63)
    spi_sck: int = Field(ge=0, le=63)
    spi_miso: int = Field(ge=0, le=63)
    spi_mosi: int = Field(ge=0, le=63)
    imu_cs: int = Field(ge=0, le=63)
    imu_int1: int = Field(ge=0, le=63)
    mark: int = Field(ge=0, le=63)

    @model_validator(mode="after")
    def _distinct(self) -> Pins:
        used: dict[int, str] = {}
        for name, pin in self.model_dump().items():
            if pin in used:
                raise ValueError(f"'{name}' and '{used[pin]}' are both pin {pin}")
            used[pin] = name
        return self


class Console(_Strict):
    """The serial port that the harness talks to."""

    baud: int = Field(gt=0)


class Imu(_Strict):
    """The inertial sensor: how it is wired, and what one code means."""

    part: str
    bus: Literal["spi"]
    bus_hz: int = Field(gt=0)
    rate_hz: float = Field(gt=0)
    clock: Literal["data-ready", "timer"]
    acc_range_g: float = Field(gt=0)
    acc_lsb_g: float = Field(gt=0)
    gyro_range_dps: float = Field(gt=0)
    gyro_lsb_dps: float = Field(gt=0)
    mounting: Annotated[list[Vector], Field(min_length=3, max_length=3)]

    @model_validator(mode="after")
    def _mounting_is_a_rotation(self) -> Imu:
        for i in range(3):
            for j in range(3):
                dot = sum(a * b for a, b in zip(self.mounting[i], self.mounting[j], strict=True))
                if abs(dot - (1.0 if i == j else 0.0)) > 1e-3:
                    raise ValueError("the mounting matrix must have orthonormal rows")
        return self

    @model_validator(mode="after")
    def _ranges_fit_their_codes(self) -> Imu:
        # Data sheets round generously: the LSM6DSO's 2,000 degrees a second are 28,571 codes, not 32,768.
        for name, full, lsb in (
            ("acc", self.acc_range_g, self.acc_lsb_g),
            ("gyro", self.gyro_range_dps, self.gyro_lsb_dps),
        ):
            if not 0.8 <= full / (32768 * lsb) <= 1.05:
                raise ValueError(f"the {name} range of {full:g} does not fit 16 bits of {lsb:g} each")
        return self

    @property
    def acc_lsb(self) -> float:
        """Acceleration of one code in m/s^2."""
        return self.acc_lsb_g * STANDARD_GRAVITY

    @property
    def gyro_lsb(self) -> float:
        """Angular rate of one code in rad/s."""
        return self.gyro_lsb_dps * RAD_PER_DEGREE

    @property
    def period_us(self) -> int:
        """Nominal sample period in whole microseconds."""
        return round(1e6 / self.rate_hz)


class Emulator(_Strict):
    """An emulator that can run this board."""

    name: Literal["virtual"]


class Board(_Strict):
    """Everything in a board.toml."""

    name: str
    title: str
    soc: str
    mcu: str
    cpu: Literal["cortex-m4"]
    clock_hz: int = Field(gt=0)
    memory: Memory
    model_slots: Annotated[list[ModelSlot], Field(min_length=1)]
    pins: Pins
    console: Console
    imu: Imu
    emulators: list[Emulator] = []

    @model_validator(mode="after")
    def _slots_are_pages_of_flash(self) -> Board:
        end = self.memory.flash_origin + self.memory.flash_bytes
        for slot in self.model_slots:
            if slot.origin % self.memory.page_bytes or slot.bytes % self.memory.page_bytes:
                raise ValueError(f"model slot '{slot.name}' must start and end on a flash page")
            if not self.memory.flash_origin <= slot.origin < slot.origin + slot.bytes <= end:
                raise ValueError(f"model slot '{slot.name}' lies outside the flash")
        ordered = sorted(self.model_slots, key=lambda slot: slot.origin)
        for before, after in itertools.pairwise(ordered):
            if before.origin + before.bytes > after.origin:
                raise ValueError(f"model slots '{before.name}' and '{after.name}' overlap")
        return self

    @property
    def folder(self) -> Path:
        """``boards/<name>``."""
        return BOARDS / self.name


def board_names(boards: Path = BOARDS) -> list[str]:
    """Names of all boards, sorted."""
    return sorted(path.parent.name for path in boards.glob("*/board.toml"))


def load_board(name: str, boards: Path = BOARDS) -> Board:
    """Read and check ``boards/<name>/board.toml``.

    Raises ConfigError for an unknown board, or one whose file has a wrong key.
    """
    path = boards / name / "board.toml"
    if name not in board_names(boards):
        raise ConfigError(f"There is no board '{name}'.", f"Boards: {', '.join(board_names(boards)) or 'none'}.")
    try:
        value = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as reason:
        raise ConfigError(f"{path} is not valid TOML ({reason}).", "Mend the line it names.") from None
    board = validated(Board, value, path)
    if board.name != name:
        raise ConfigError(f"{path}: key 'name' is '{board.name}', expected '{name}'.", "Name the board as its folder.")
    return board
