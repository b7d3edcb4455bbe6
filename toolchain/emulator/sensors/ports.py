"""How a sensor hangs on a bus: SPI with its chip select, or I2C with its address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolchain.emulator.sensors.fed import FedSensor

if TYPE_CHECKING:
    from toolchain.emulator.chip import Chip


class SpiPort:
    """ST's way on SPI (LSM6DSO, DS12140 5.1.2): the first bit of the first byte says read, the rest is the register."""

    max_hz = 10_000_000
    modes: tuple[int, ...] = (0, 3)

    def __init__(self, chip: Chip, sensor: FedSensor, pins: tuple[int, int, int, int]) -> None:
        """``pins``: SCK, MOSI, MISO, CS."""
        self.name = sensor.name
        self.sck, self.mosi, self.miso, self.select_pin = pins
        self._sensor = sensor
        self._address: int | None = None
        self._reading = False
        chip.port_of(self.select_pin).watch(self.select_pin % 32, self._select_changes)
        chip.spi_slaves.append(self)

    def _select_changes(self, level: bool) -> None:
        self._address = None

    def exchange(self, data: bytes) -> bytes:
        """SPI bytes while selected; nobody there leaves the line high."""
        if self._sensor.missing:
            return b"\xff" * len(data)
        answer = bytearray()
        for byte in data:
            if self._address is None:
                self._reading, self._address = bool(byte & 0x80), byte & 0x7F
                answer.append(0xFF)
                continue
            if self._reading:
                answer.append(self._sensor.read_register(self._address))
            else:
                answer.append(0xFF)
                self._sensor.write_register(self._address, byte)
            self._address = self._sensor.address_after(self._address)
        return bytes(answer)


class I2cPort:
    """ST's way on I2C (LSM6DS3TR-C, DocID030071 6.4): the first byte is the register, the next its value."""

    max_hz = 400_000

    def __init__(self, chip: Chip, sensor: FedSensor, pins: tuple[int, int], address: int) -> None:
        """``pins``: SCL, SDA; ``address``: 7 bits."""
        self.name = sensor.name
        self.scl, self.sda = pins
        self.address = address
        self._sensor = sensor
        self._register = 0
        chip.i2c_slaves.append(self)

    def answers(self) -> bool:
        """Whether it acknowledges."""
        return not self._sensor.missing

    def write(self, data: bytes) -> None:
        """Register, then values for it and those that follow."""
        for place, byte in enumerate(data):
            if place == 0:
                self._register = byte & 0x7F
            else:
                self._sensor.write_register(self._register, byte)
                self._register = self._sensor.address_after(self._register)

    def read(self, count: int) -> bytes:
        """Registers from the one last named on."""
        answer = bytearray()
        for _ in range(count):
            answer.append(self._sensor.read_register(self._register))
            self._register = self._sensor.address_after(self._register)
        return bytes(answer)
