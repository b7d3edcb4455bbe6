"""TWIM0 and TWIM1: EasyDMA I2C master (PS 6.31 TWIM). They share addresses and interrupts with SPIM0 and SPIM1.

Bytes change hands when their part of a transfer ends. Nobody at the address: no acknowledge, ERROR with ANACK, after
the address byte; the master then waits for STOP. A held clock line: the transfer does not end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from toolchain.emulator.clockwork import Event
from toolchain.emulator.peripherals.base import Peripheral
from toolchain.errors import EmulatorError

if TYPE_CHECKING:
    from toolchain.emulator.chip import Chip

_STOPPED, _ERROR, _SUSPENDED, _RXSTARTED, _TXSTARTED, _LASTRX, _LASTTX = 0x104, 0x124, 0x148, 0x14C, 0x150, 0x15C, 0x160
_STARTRX, _STARTTX, _STOP, _SUSPEND, _RESUME = 0x000, 0x008, 0x014, 0x01C, 0x020
_ERRORSRC, _ENABLE, _SCL, _SDA, _FREQUENCY, _ADDRESS = 0x4C4, 0x500, 0x508, 0x50C, 0x524, 0x588
_RX_PTR, _RX_MAX, _RX_AMOUNT, _TX_PTR, _TX_MAX, _TX_AMOUNT = 0x534, 0x538, 0x53C, 0x544, 0x548, 0x54C
_ON = 6
_ADDRESS_NACK = 1 << 1
_HZ = {0x01980000: 100_000, 0x04000000: 250_000, 0x06400000: 400_000, 0x06200000: 390_000}
_BITS = 9
_MAXCNT = 0xFFFF


class I2cSlave(Protocol):
    """A chip on the bus, or one of the two halves of one."""

    name: str
    scl: int
    sda: int
    address: int
    max_hz: int

    def answers(self) -> bool:
        """Whether it acknowledges its address."""

    def write(self, data: bytes) -> None:
        """Bytes written to it after its address."""

    def read(self, count: int) -> bytes:
        """Bytes read from it after its address."""


class Twim(Peripheral):
    """One of the two masters."""

    def __init__(self, chip: Chip, number: int, base: int, irq: int) -> None:
        super().__init__(chip, f"TWIM{number}", base, irq)
        self.tasks = {
            _STARTRX: self._start_rx,
            _STARTTX: self._start_tx,
            _STOP: self._stop,
            _SUSPEND: lambda: None,
            _RESUME: lambda: None,
        }
        self.events = {_STOPPED, _ERROR, _SUSPENDED, _RXSTARTED, _TXSTARTED, _LASTRX, _LASTTX}
        self.shortcuts = {
            7: (_LASTTX, _STARTRX),
            8: (_LASTTX, _SUSPEND),
            9: (_LASTTX, _STOP),
            10: (_LASTRX, _STARTTX),
            12: (_LASTRX, _STOP),
        }
        zero = (_RX_PTR, _RX_MAX, _RX_AMOUNT, 0x540, _TX_PTR, _TX_MAX, _TX_AMOUNT, 0x550, _ADDRESS)
        self.defaults = dict.fromkeys(zero, 0) | {_ERRORSRC: 0, _SCL: 0xFFFFFFFF, _SDA: 0xFFFFFFFF}
        self.defaults |= {_ENABLE: 0, _FREQUENCY: 0x04000000}
        self.writers = {_ERRORSRC: self._clear_errors, _ENABLE: self._enable}
        self.start()

    def start(self) -> None:
        """Reset values: off, no transfer under way."""
        super().start()
        self._end: Event | None = None

    def _clear_errors(self, value: int) -> None:
        self.registers[_ERRORSRC] &= ~value

    def _enable(self, value: int) -> None:
        self.registers[_ENABLE] = value
        if value & 0xF != _ON:
            self._abandon()

    def _abandon(self) -> None:
        if self._end is not None:
            self._end.cancel()
            self._end = None

    def _slave(self) -> I2cSlave | None:
        wires = (self.registers[_SCL], self.registers[_SDA])
        address = self.registers[_ADDRESS]
        for slave in self.chip.i2c_slaves:
            if wires == (slave.scl, slave.sda) and slave.address == address and slave.answers():
                return slave
        return None

    @property
    def under_way(self) -> bool:
        """Whether a transfer is."""
        return self._end is not None

    def _bit_hz(self) -> int:
        hz = _HZ.get(self.registers[_FREQUENCY])
        if hz is None:
            raise EmulatorError(
                f"{self.name}.FREQUENCY is {self.registers[_FREQUENCY]:#010x}, which it does not have.",
                "Use a value of PS 6.31, FREQUENCY, or of anomaly 219.",
            )
        return hz

    def _begin(self, started: int, size: int, name: str, address: int) -> tuple[I2cSlave | None, int] | None:
        """Check and announce a part of a transfer; returns the slave and the time in cycles, None if nothing starts."""
        if self.registers[_ENABLE] & 0xF != _ON or self._end is not None:
            return None
        self.chip.memory.dma_read(f"{self.name} {name}", address, size)
        hz = self._bit_hz()
        slave = self._slave()
        if slave is not None and hz > slave.max_hz:
            raise EmulatorError(
                f"{self.name} talks to the {slave.name} at {hz} Hz.", f"It takes at most {slave.max_hz} Hz."
            )
        self.event(started)
        if self.chip.bus_stuck:
            return None
        bits = _BITS * (1 + (size if slave is not None else 0)) + 1
        return slave, bits * self.chip.clock.hz // hz

    def _start_tx(self) -> None:
        address, size = self.registers[_TX_PTR], self.registers[_TX_MAX] & _MAXCNT
        begun = self._begin(_TXSTARTED, size, "TXD", address)
        if begun is not None:
            slave, cycles = begun
            data = self.chip.memory.dma_read(f"{self.name} TXD", address, size)
            self._end = self.chip.clock.after(cycles, lambda: self._sent(slave, data))

    def _sent(self, slave: I2cSlave | None, data: bytes) -> None:
        self._end = None
        if slave is None or not slave.answers():
            self._not_acknowledged()
            return
        slave.write(data)
        self.registers[_TX_AMOUNT] = len(data)
        self.event(_LASTTX)

    def _start_rx(self) -> None:
        address, size = self.registers[_RX_PTR], self.registers[_RX_MAX] & _MAXCNT
        begun = self._begin(_RXSTARTED, size, "RXD", address)
        if begun is not None:
            slave, cycles = begun
            self._end = self.chip.clock.after(cycles, lambda: self._received(slave, address, size))

    def _received(self, slave: I2cSlave | None, address: int, size: int) -> None:
        self._end = None
        if slave is None or not slave.answers():
            self._not_acknowledged()
            return
        self.chip.memory.dma_write(f"{self.name} RXD", address, slave.read(size))
        self.registers[_RX_AMOUNT] = size
        self.event(_LASTRX)

    def _not_acknowledged(self) -> None:
        self.registers[_ERRORSRC] |= _ADDRESS_NACK
        self.event(_ERROR)

    def _stop(self) -> None:
        if self.registers[_ENABLE] & 0xF != _ON or self.chip.bus_stuck:
            return
        self._abandon()
        # A stop condition takes about a bit.
        self._end = self.chip.clock.after(self.chip.clock.hz // self._bit_hz(), self._stopped)

    def _stopped(self) -> None:
        self._end = None
        self.event(_STOPPED)
