"""Everything in a board.toml."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PrivateAttr, model_validator

from toolchain.board.currents import Currents
from toolchain.board.emulators import Emulator, EmulatorName
from toolchain.board.flashing import Flash, PyocdFlash, UsbId
from toolchain.board.imu import Imu
from toolchain.board.memory import Memory, ModelSlot
from toolchain.board.pins import I2C_PINS, SPI_PINS, Pins
from toolchain.board.strict import Strict
from toolchain.errors import EmulatorError

REPOSITORY_BOARDS = Path(__file__).resolve().parents[2] / "boards"
BUS_PINS = {"spi": SPI_PINS, "i2c": I2C_PINS, "test": ()}


class Console(Strict):
    """The serial port that the harness talks to."""

    baud: int = Field(gt=0)
    usb: list[UsbId] = Field(
        default=[], description="ids under which the board itself shows the port; empty: an adapter of one's own"
    )


class Board(Strict):
    """Everything in a board.toml."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,22}$", description="at most 23 bytes: HELLO carries it")
    title: str
    soc: str
    mcu: str
    cpu: Literal["cortex-m4"]
    clock_hz: int = Field(gt=0)
    memory: Memory
    model_slots: Annotated[list[ModelSlot], Field(min_length=1)]
    pins: Pins
    routing: dict[str, int] = Field(
        default_factory=dict, description="which units of the SoC serve the pins; the HAL names the keys"
    )
    console: Console
    imu: Imu
    flash: list[Flash] = Field(default_factory=list)
    emulators: list[Emulator] = Field(default_factory=list)
    currents: Currents | None = None

    _folder: Path | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _slots_are_pages_of_flash(self) -> Board:
        memory = self.memory
        for slot in self.model_slots:
            if slot.origin % memory.page_bytes or slot.bytes % memory.page_bytes:
                raise ValueError(f"model slot '{slot.name}' must start and end on a flash page")
            if not memory.application <= slot.origin < slot.end <= memory.flash_end:
                raise ValueError(f"model slot '{slot.name}' lies outside the flash")
            for other in memory.reserved:
                if slot.origin < other.end and other.origin < slot.end:
                    raise ValueError(f"model slot '{slot.name}' overlaps the reserved region '{other.name}'")
        ordered = sorted(self.model_slots, key=lambda slot: slot.origin)
        for before, after in itertools.pairwise(ordered):
            if before.end > after.origin:
                raise ValueError(f"model slots '{before.name}' and '{after.name}' overlap")
        if self.program_end <= memory.application:
            raise ValueError("nothing is left for the firmware between application_origin and what follows it")
        return self

    @model_validator(mode="after")
    def _pins_fit_the_bus(self) -> Board:
        wired = self.pins.wired
        always = () if self.imu.bus == "test" else ("uart_tx", "uart_rx", "mark")
        data_ready = ("imu_int1",) if self.imu.clock == "data-ready" and self.imu.bus != "test" else ()
        for name in (*always, *BUS_PINS[self.imu.bus], *data_ready):
            if name not in wired:
                raise ValueError(f"a sensor on bus '{self.imu.bus}' with clock '{self.imu.clock}' needs pins.{name}")
        for bus, names in BUS_PINS.items():
            extra = [name for name in names if name in wired and bus != self.imu.bus]
            if extra:
                raise ValueError(f"pins.{extra[0]} is of bus '{bus}', the sensor's bus is '{self.imu.bus}'")
        if self.imu.clock == "timer" and "imu_int1" in wired:
            raise ValueError("pins.imu_int1 is wired, so clock must be 'data-ready'")
        return self

    @model_validator(mode="after")
    def _bootloaders_write_the_whole_image(self) -> Board:
        for method in self.flash:
            if isinstance(method, PyocdFlash):
                continue
            if method.origin != self.memory.application:
                raise ValueError(
                    f"flash method '{method.method}' starts at {method.origin:#x}, the firmware at "
                    f"{self.memory.application:#x}"
                )
            for slot in self.model_slots:
                if slot.end > method.end:
                    raise ValueError(f"flash method '{method.method}' does not reach model slot '{slot.name}'")
        return self

    @model_validator(mode="after")
    def _each_emulator_once(self) -> Board:
        names = [emulator.name for emulator in self.emulators]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"emulator '{name}' is listed twice")
        return self

    @property
    def folder(self) -> Path:
        """The folder of the board.toml it was read from, else ``boards/<name>``."""
        return self._folder or REPOSITORY_BOARDS / self.name

    @property
    def program_end(self) -> int:
        """First flash address that the firmware must not reach: a model slot or something reserved."""
        starts = [slot.origin for slot in self.model_slots]
        starts += [one.origin for one in self.memory.reserved if one.origin > self.memory.application]
        return min([one for one in starts if one < self.memory.flash_end] or [self.memory.flash_end])

    @property
    def ram_end(self) -> int:
        """First RAM address that the firmware must not use."""
        ram = [one.origin for one in self.memory.reserved if one.origin >= self.memory.ram_origin]
        return min([*ram, self.memory.ram_end])

    @property
    def boots(self) -> list[EmulatorName]:
        """The emulators that can boot it."""
        return [emulator.name for emulator in self.emulators if emulator.boots]

    def emulator(self, name: EmulatorName) -> Emulator:
        """Return what ``name`` can do with this board; raises EmulatorError, with the reason, if it cannot boot it."""
        found = next((emulator for emulator in self.emulators if emulator.name == name), None)
        hint = f"It boots on: {', '.join(self.boots)}." if self.boots else "No emulator boots it; use the board itself."
        if found is None:
            raise EmulatorError(f"The board '{self.name}' does not list the emulator '{name}'.", hint)
        if not found.boots:
            raise EmulatorError(f"The emulator '{name}' cannot boot '{self.name}': {found.why['boot']}", hint)
        return found
