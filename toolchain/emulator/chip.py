"""The nRF52840 around the core: its peripherals, and what they ask of each other (PS 4.2.3 instantiation)."""

from __future__ import annotations

from toolchain.emulator.bus import Bus
from toolchain.emulator.clockwork import Clockwork
from toolchain.emulator.machine import Machine
from toolchain.emulator.memory import Memory
from toolchain.emulator.nvic import Nvic
from toolchain.emulator.peripherals.base import Peripheral
from toolchain.emulator.peripherals.clock_power import ClockPower
from toolchain.emulator.peripherals.gpio import Gpio
from toolchain.emulator.peripherals.gpiote import Gpiote
from toolchain.emulator.peripherals.nvmc import Nvmc
from toolchain.emulator.peripherals.ppi import Ppi
from toolchain.emulator.peripherals.rtc import Rtc
from toolchain.emulator.peripherals.scs import SystemControl
from toolchain.emulator.peripherals.spim import Spim, SpiSlave
from toolchain.emulator.peripherals.timer import Timer
from toolchain.emulator.peripherals.twim import I2cSlave, Twim
from toolchain.emulator.peripherals.uarte import Uarte
from toolchain.emulator.peripherals.wdt import Wdt

_TIMERS = ((0x40008000, 8, 4), (0x40009000, 9, 4), (0x4000A000, 10, 4), (0x4001A000, 26, 6), (0x4001B000, 27, 6))
_RTCS = ((0x4000B000, 11, 3), (0x40011000, 17, 4), (0x40024000, 36, 4))
_TWIMS = ((0x40003000, 3), (0x40004000, 4))
_SPIMS = ((0x40003000, 3), (0x40004000, 4), (0x40023000, 35), (0x4002F000, 47))
_PORTS = (32, 16)


class Chip:
    """All peripherals on the machine's bus. ``tx_pin``, ``rx_pin``: where the console is wired.

    TWIM0 and TWIM1 share their registers with SPIM0 and SPIM1; ``i2c`` says which of them there are.
    """

    def __init__(self, machine: Machine, tx_pin: int, rx_pin: int, *, i2c: bool = False) -> None:
        self._machine = machine
        self.clock: Clockwork = machine.clock
        self.memory: Memory = machine.memory
        self.nvic: Nvic = machine.nvic
        self.bus: Bus = machine.bus
        self.spi_slaves: list[SpiSlave] = []
        self.i2c_slaves: list[I2cSlave] = []
        self.bus_stuck = False
        self.reset_bits = 0
        self.resets = 0
        self.ppi = Ppi(self)
        self.clock_power = ClockPower(self)
        self.ports = [Gpio(self, number, pins) for number, pins in enumerate(_PORTS)]
        self.gpiote = Gpiote(self)
        self.uarte = Uarte(self, tx_pin, rx_pin)
        self.twims = [Twim(self, number, *where) for number, where in enumerate(_TWIMS) if i2c]
        self.spims = [Spim(self, number, *where) for number, where in enumerate(_SPIMS) if not i2c or number > 1]
        self.timers = [Timer(self, number, *where) for number, where in enumerate(_TIMERS)]
        self.rtcs = [Rtc(self, number, *where) for number, where in enumerate(_RTCS)]
        self.nvmc = Nvmc(self)
        self.wdt = Wdt(self)
        self.core = SystemControl(self, machine)
        self.peripherals: list[Peripheral] = [
            self.ppi,
            self.clock_power,
            *self.ports,
            self.gpiote,
            self.uarte,
            *self.twims,
            *self.spims,
            *self.timers,
            *self.rtcs,
            self.nvmc,
            self.wdt,
        ]
        for peripheral in self.peripherals:
            self.bus.attach(peripheral)
        self.bus.attach(self.core)
        self.sleep_by_clock = {"crystal": 0, "internal": 0, "low": 0}
        machine.on_sleep = self._slept

    def _slept(self, cycles: int) -> None:
        if self.clock_power.crystal_runs:
            clock = "crystal"
        elif any(timer.running for timer in self.timers) or self._transfers():
            clock = "internal"
        else:
            clock = "low"
        self.sleep_by_clock[clock] += cycles

    def _transfers(self) -> bool:
        masters = any(spim.under_way for spim in self.spims) or any(twim.under_way for twim in self.twims)
        return masters or self.uarte.under_way

    def port_of(self, pin: int) -> Gpio:
        """The port of pin number port * 32 + pin."""
        return self.ports[pin // 32]

    def route(self, event_address: int) -> None:
        """An event happened: run the tasks that PPI connects to it."""
        for task in self.ppi.routes.get(event_address, ()):
            device = self.bus.device_at(task)
            if device is not None:
                device.write(task - device.base, 4, 1)

    def is_routed(self, event_address: int) -> bool:
        """True when a PPI channel listens to the event."""
        return event_address in self.ppi.routes

    def low_frequency_clock_runs(self) -> None:
        """LFCLK has started: RTCs that wait for it begin to count."""
        for rtc in self.rtcs:
            rtc.clock_runs()

    def sleep_cycles(self) -> int:
        """Cycles that the core has slept."""
        return self._machine.sleep_cycles

    def stall_us(self, microseconds: int) -> None:
        """The core stands still (flash is busy); time goes on."""
        self._machine.state.cycles += self.clock.cycles_of_us(microseconds)
        self._machine.state.attention = 1

    def code_changed(self, address: int, size: int) -> None:
        """Non-volatile memory changed here."""
        self._machine.code_changed(address, size)

    def stop(self, reason: str) -> None:
        """End the run."""
        self._machine.stop(reason)

    def reset(self, reason: int) -> None:
        """Reset the chip at the next block; ``reason`` is a bit of RESETREAS."""
        self.reset_bits |= reason
        self._machine.want_reset()

    def power_on(self) -> None:
        """Carry out a reset: peripherals and core; RAM, flash and what is outside the chip stay."""
        if self.reset_bits:
            self.resets += 1
        self.clock.reset()
        self.nvic.reset()
        self.core.reset()
        for peripheral in self.peripherals:
            peripheral.start()
        self.clock_power.add_reset_reason(self.reset_bits)
        self.reset_bits = 0
        self.memory.protect_flash(False)
        self._machine.reset()
