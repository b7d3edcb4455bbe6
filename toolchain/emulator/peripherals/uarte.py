"""UARTE0: EasyDMA transmitter and receiver with bit times (PS 6.34 UARTE). 8N1, no flow control.

The transmitter hands each byte to the board with the time of its last bit. A transfer's bytes are handed over
when it ends or is stopped (the times stay exact), unless an interrupt or the PPI waits for TXDRDY: then they
come one by one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from toolchain.emulator.clockwork import Event
from toolchain.emulator.peripherals.base import Peripheral

if TYPE_CHECKING:
    from toolchain.emulator.chip import Chip

_RXDRDY, _ENDRX, _TXDRDY, _ENDTX, _ERROR = 0x108, 0x110, 0x11C, 0x120, 0x124
_RXTO, _RXSTARTED, _TXSTARTED, _TXSTOPPED = 0x144, 0x14C, 0x150, 0x158
_ERRORSRC, _ENABLE, _PSEL_TXD, _PSEL_RXD, _BAUDRATE, _CONFIG = 0x480, 0x500, 0x50C, 0x514, 0x524, 0x56C
_RX_PTR, _RX_MAX, _RX_AMOUNT, _TX_PTR, _TX_MAX, _TX_AMOUNT = 0x534, 0x538, 0x53C, 0x544, 0x548, 0x54C
_DISCONNECTED = 0xFFFFFFFF
_OVERRUN = 1
_ON = 8
_RX_FIFO = 6
_MAXCNT = 0xFFFF
_BITS = 10
_UART_HZ = 16_000_000

OnByte = Callable[[bytes, int], None]


class Uarte(Peripheral):
    """``tx_pin`` and ``rx_pin`` are where the host is wired; other pins lead nowhere."""

    def __init__(self, chip: Chip, tx_pin: int, rx_pin: int) -> None:
        super().__init__(chip, "UARTE0", 0x40002000, 2)
        self._tx_pin, self._rx_pin = tx_pin, rx_pin
        self.on_byte: OnByte | None = None
        self.tasks = {
            0x000: self._start_rx,
            0x004: self._stop_rx,
            0x008: self._start_tx,
            0x00C: self._stop_tx,
            0x02C: self._flush_rx,
        }
        self.events = {
            0x100,
            0x104,
            _RXDRDY,
            _ENDRX,
            _TXDRDY,
            _ENDTX,
            _ERROR,
            _RXTO,
            _RXSTARTED,
            _TXSTARTED,
            _TXSTOPPED,
        }
        self.shortcuts = {5: (_ENDRX, 0x000), 6: (_ENDRX, 0x004)}
        pins = dict.fromkeys((0x508, _PSEL_TXD, 0x510, _PSEL_RXD), _DISCONNECTED)
        zero = (_ENABLE, _ERRORSRC, _CONFIG, _RX_PTR, _RX_MAX, _RX_AMOUNT, _TX_PTR, _TX_MAX, _TX_AMOUNT)
        self.defaults = dict.fromkeys(zero, 0) | pins | {_BAUDRATE: 0x04000000}
        self.writers = {_ERRORSRC: self._clear_errors}
        self._wire: deque[int] = deque()
        self._arriving: Event | None = None
        self.lost_input = 0
        self.races = 0
        self.start()

    def start(self) -> None:
        """Reset values: off. Bytes on the wire towards the chip keep coming."""
        super().start()
        self._tx: bytes = b""
        self._tx_done = 0
        self._tx_since = 0
        self._tx_end: Event | None = None
        self._tx_address = 0
        self._rx_on = False
        self._rx_address = self._rx_size = self._rx_count = 0
        self._fifo: deque[int] = deque()

    @property
    def byte_cycles(self) -> int:
        """Core cycles of one byte (start, 8 data, stop); the baud generator divides 16 MHz by a whole number."""
        divisor = round(2**32 / max(self.registers[_BAUDRATE], 1))
        return _BITS * divisor * (self.chip.clock.hz // _UART_HZ)

    def _on(self) -> bool:
        return self.registers[_ENABLE] & 0xF == _ON

    # ---- transmitter

    def _start_tx(self) -> None:
        if not self._on():
            return
        self._give_bytes(self.chip.clock.now)
        size = self.registers[_TX_MAX] & _MAXCNT
        self._tx_address = self.registers[_TX_PTR]
        self._tx = self.chip.memory.dma_read("UARTE0 TXD", self._tx_address, size)
        self._tx_done, self._tx_since = 0, self.chip.clock.now
        self.event(_TXSTARTED)
        self._schedule_tx()

    def _schedule_tx(self) -> None:
        if self._tx_end is not None:
            self._tx_end.cancel()
        step = self._tx_done + 1 if self.listened(_TXDRDY) else len(self._tx)
        when = self._tx_since + min(step, len(self._tx)) * self.byte_cycles
        self._tx_end = self.chip.clock.at(when, self._advance_tx)

    def _give_bytes(self, until: int) -> None:
        """Hand over the bytes whose last bit has left by ``until``."""
        each, since, data = self.byte_cycles, self._tx_since, self._tx
        first, last = self._tx_done, min((until - since) // each, len(data))
        self._tx_done = max(first, last)
        on_byte = self.on_byte
        if on_byte is not None and self.registers[_PSEL_TXD] == self._tx_pin:
            for place in range(first, last):
                on_byte(data[place : place + 1], since + (place + 1) * each)

    def _advance_tx(self) -> None:
        self._give_bytes(self.chip.clock.now)
        if self._tx:
            self.event(_TXDRDY)
        if self._tx_done < len(self._tx):
            self._schedule_tx()
            return
        self._tx_end = None
        if self.chip.memory.dma_read("UARTE0 TXD", self._tx_address, len(self._tx)) != self._tx:
            self.races += 1
        self.registers[_TX_AMOUNT] = len(self._tx)
        self._tx = b""
        self.event(_ENDTX)

    def _stop_tx(self) -> None:
        if self._tx_end is not None:
            self._tx_end.cancel()
            self._tx_end = None
            now, each = self.chip.clock.now, self.byte_cycles
            sent = min(-(-(now - self._tx_since) // each), len(self._tx))
            self.chip.clock.at(self._tx_since + sent * each, lambda: self._stopped_tx(sent))
        else:
            self.event(_TXSTOPPED)

    def _stopped_tx(self, sent: int) -> None:
        """The byte under way has been finished."""
        self._give_bytes(self.chip.clock.now)
        self.registers[_TX_AMOUNT] = sent
        self._tx = b""
        self.event(_ENDTX)
        self.event(_TXSTOPPED)

    # ---- receiver

    def put(self, data: bytes) -> None:
        """Bytes start to arrive at the RXD pin, one after the other, from now on."""
        self._wire.extend(data)
        if self._arriving is None and self._wire:
            self._next_byte()

    def _next_byte(self) -> None:
        # The start bit; the bits between it and the stop bit are not drawn.
        self._drive_line(low=True)
        self._arriving = self.chip.clock.at(self.chip.clock.now + self.byte_cycles, self._arrive, outside=True)

    def _arrive(self) -> None:
        self._arriving = None
        self._drive_line(low=False)
        byte = self._wire.popleft()
        if self._on() and self.registers[_PSEL_RXD] == self._rx_pin:
            self._receive(byte)
        else:
            self.lost_input += 1
        if self._wire:
            self._next_byte()

    def _drive_line(self, *, low: bool) -> None:
        """Only a pin that is sensed (PS 6.9.2) cares for its level: the receiver takes whole bytes."""
        port = self.chip.port_of(self._rx_pin)
        if not low or port.is_sensed(self._rx_pin % 32):
            port.drive(self._rx_pin % 32, not low)

    def _receive(self, byte: int) -> None:
        if self._rx_on and self._rx_count < self._rx_size:
            self._store(byte)
        elif len(self._fifo) < _RX_FIFO:
            self._fifo.append(byte)
        else:
            self.lost_input += 1
            self.registers[_ERRORSRC] |= _OVERRUN
            self.event(_ERROR)

    def _store(self, byte: int) -> None:
        self.chip.memory.dma_write("UARTE0 RXD", self._rx_address + self._rx_count, bytes([byte]))
        self._rx_count += 1
        self.event(_RXDRDY)
        if self._rx_on and self._rx_count == self._rx_size:
            self._end_rx()

    def _end_rx(self) -> None:
        self._rx_on = False
        self.registers[_RX_AMOUNT] = self._rx_count
        self.event(_ENDRX)

    def _start_rx(self) -> None:
        if not self._on():
            return
        self._rx_address = self.registers[_RX_PTR]
        self._rx_size = self.registers[_RX_MAX] & _MAXCNT
        self._rx_count = 0
        self.chip.memory.dma_read("UARTE0 RXD", self._rx_address, self._rx_size)
        self._rx_on = True
        self.event(_RXSTARTED)
        while self._fifo and self._rx_on:
            self._store(self._fifo.popleft())

    def _stop_rx(self) -> None:
        if self._rx_on:
            self._end_rx()
        self.chip.clock.after(self.byte_cycles, lambda: self.event(_RXTO))

    def _flush_rx(self) -> None:
        self._rx_address = self.registers[_RX_PTR]
        self._rx_size = self.registers[_RX_MAX] & _MAXCNT
        self._rx_count = 0
        self._rx_on = True
        while self._fifo and self._rx_on:
            self._store(self._fifo.popleft())
        if self._rx_on:
            self._end_rx()

    def _clear_errors(self, value: int) -> None:
        self.registers[_ERRORSRC] &= ~value
