"""SPIM0-3: EasyDMA SPI master (PS 6.25 SPIM). Chip select is a GPIO: the slave whose select pin is low
answers.

The bytes change hands when the transfer ends. A transfer during which no slave, or no longer the same slave,
is selected reads what the floating line gives: 0xFF with a pull-up, else 0x00.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from toolchain.emulator.clockwork import Event
from toolchain.emulator.peripherals.base import Peripheral
from toolchain.errors import EmulatorError

if TYPE_CHECKING:
    from toolchain.emulator.chip import Chip

_STOPPED, _ENDRX, _END, _ENDTX, _STARTED = 0x104, 0x110, 0x118, 0x120, 0x14C
_ENABLE, _SCK, _MOSI, _MISO, _FREQUENCY = 0x500, 0x508, 0x50C, 0x510, 0x524
_RX_PTR, _RX_MAX, _RX_AMOUNT, _TX_PTR, _TX_MAX, _TX_AMOUNT = 0x534, 0x538, 0x53C, 0x544, 0x548, 0x54C
_CONFIG, _ORC = 0x554, 0x5C0
_ON = 7
_DISCONNECTED = 0xFFFFFFFF
_HZ = {
    0x02000000: 125_000,
    0x04000000: 250_000,
    0x08000000: 500_000,
    0x10000000: 1_000_000,
    0x20000000: 2_000_000,
    0x40000000: 4_000_000,
    0x80000000: 8_000_000,
    0x0A000000: 16_000_000,
    0x14000000: 32_000_000,
}
_FAST_INSTANCE = 3
_MAXCNT = 0xFFFF


class SpiSlave(Protocol):
    """A chip on the bus."""

    name: str
    sck: int
    mosi: int
    miso: int
    select_pin: int
    max_hz: int
    modes: tuple[int, ...]

    def exchange(self, data: bytes) -> bytes:
        """Full duplex: the answer to ``data`` since the last select or exchange."""


class Spim(Peripheral):
    """One of the four masters."""

    def __init__(self, chip: Chip, number: int, base: int, irq: int) -> None:
        super().__init__(chip, f"SPIM{number}", base, irq)
        self._number = number
        self.tasks = {
            0x010: self._start,
            0x014: self._stop,
            0x01C: lambda: None,
            0x020: lambda: None,
        }
        self.events = {_STOPPED, _ENDRX, _END, _ENDTX, _STARTED}
        self.shortcuts = {17: (_END, 0x010)}
        zero = [_ENABLE, _RX_PTR, _RX_MAX, _RX_AMOUNT, 0x540, _TX_PTR, _TX_MAX, _TX_AMOUNT, 0x550, _CONFIG, _ORC]
        if number == _FAST_INSTANCE:
            zero += [0x400, 0x560, 0x564, 0x568, 0x570]
        self.defaults = dict.fromkeys(zero, 0) | dict.fromkeys((_SCK, _MOSI, _MISO), _DISCONNECTED)
        if number == _FAST_INSTANCE:
            self.defaults |= dict.fromkeys((0x514, 0x56C), _DISCONNECTED)
        self.defaults[_FREQUENCY] = 0x04000000
        self.start()

    def start(self) -> None:
        """Reset values: off, no transfer under way."""
        super().start()
        self._end: Event | None = None

    @property
    def under_way(self) -> bool:
        """Whether a transfer is."""
        return self._end is not None

    def _bit_hz(self) -> int:
        hz = _HZ.get(self.registers[_FREQUENCY])
        if hz is None or (hz > 8_000_000 and self._number != _FAST_INSTANCE):
            raise EmulatorError(
                f"{self.name}.FREQUENCY is {self.registers[_FREQUENCY]:#010x}, which this instance does not have.",
                "Use a value of PS 6.25, FREQUENCY.",
            )
        return hz

    def _slave(self) -> SpiSlave | None:
        wires = tuple(self.registers[offset] for offset in (_SCK, _MOSI, _MISO))
        for slave in self.chip.spi_slaves:
            port = self.chip.port_of(slave.select_pin)
            selected = port.is_output(slave.select_pin % 32) and not port.level(slave.select_pin % 32)
            if selected and wires == (slave.sck, slave.mosi, slave.miso):
                return slave
        return None

    def _check_slave(self, slave: SpiSlave, hz: int) -> None:
        config = self.registers[_CONFIG]
        mode = (config >> 2 & 1) << 1 | (config >> 1 & 1)
        if hz > slave.max_hz or mode not in slave.modes or config & 1:
            order = "least" if config & 1 else "most"
            raise EmulatorError(
                f"{self.name} talks to the {slave.name} at {hz} Hz in mode {mode}, {order} significant bit first.",
                f"It takes at most {slave.max_hz} Hz, modes {slave.modes}, most significant bit first.",
            )

    def _start(self) -> None:
        if self.registers[_ENABLE] & 0xF != _ON or self._end is not None:
            return
        hz = self._bit_hz()
        slave = self._slave()
        if slave is not None:
            self._check_slave(slave, hz)
        sent = self.chip.memory.dma_read(f"{self.name} TXD", self.registers[_TX_PTR], self.registers[_TX_MAX] & _MAXCNT)
        wanted = self.registers[_RX_MAX] & _MAXCNT
        address = self.registers[_RX_PTR]
        self.chip.memory.dma_read(f"{self.name} RXD", address, wanted)
        size = max(len(sent), wanted)
        cycles = 8 * size * self.chip.clock.hz // hz
        self.event(_STARTED)
        if self.chip.bus_stuck:
            return
        self._end = self.chip.clock.after(cycles, lambda: self._finish(slave, sent, size, address, wanted))

    def _idle_line(self) -> int:
        pin = self.registers[_MISO]
        return 0xFF if pin < 48 and self.chip.port_of(pin).level(pin % 32) else 0x00

    def _finish(self, slave: SpiSlave | None, sent: bytes, size: int, address: int, wanted: int) -> None:
        self._end = None
        out = sent + bytes([self.registers[_ORC] & 0xFF]) * (size - len(sent))
        answer = bytes([self._idle_line()]) * size
        if slave is not None and slave is self._slave():
            answer = slave.exchange(out)
        self.chip.memory.dma_write(f"{self.name} RXD", address, answer[:wanted])
        self.registers[_RX_AMOUNT], self.registers[_TX_AMOUNT] = wanted, len(sent)
        self.event(_ENDRX)
        self.event(_ENDTX)
        self.event(_END)

    def _stop(self) -> None:
        if self._end is not None:
            self._end.cancel()
            self._end = None
        self.event(_STOPPED)
