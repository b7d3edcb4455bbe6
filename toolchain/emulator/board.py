"""The virtual board: a board.toml, a firmware image, an IMU that is fed with codes, and a UART whose pin is watched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from toolchain.board import Board
from toolchain.emulator import profile
from toolchain.emulator.blockhook import HookChoice
from toolchain.emulator.chip import Chip
from toolchain.emulator.faults import Fault
from toolchain.emulator.image import Program, read_hex
from toolchain.emulator.machine import Machine
from toolchain.emulator.sensors.lsm6dso import Codes, Lsm6dso, Times
from toolchain.errors import EmulatorError

SOC = "nrf52840"
SENSORS = {"lsm6dso": Lsm6dso}
OnUart = Callable[[bytes, int], None]


class VirtualBoard:
    """Runs the image that would be flashed. Times are core clock cycles (``clock_hz`` of the board) since
    power-on.

    ``image`` is an Intel HEX file with firmware and model; without it the ELF's own bytes are flashed.
    ``strict`` stops at accesses to registers that are not modelled (else ``unmodelled`` counts them);
    ``stop_on_fault`` raises EmulatorError where the firmware's fault handlers would run. Raises
    MissingToolError without Unicorn.
    """

    def __init__(
        self,
        board: Board,
        elf: Path,
        image: Path | None = None,
        hook: HookChoice = "auto",
        *,
        strict: bool = False,
        stop_on_fault: bool = False,
    ) -> None:
        if board.soc != SOC or board.imu.part not in SENSORS:
            raise EmulatorError(
                f"The virtual board has no {board.soc} with a {board.imu.part}.",
                f"It models {SOC} with: {', '.join(SENSORS)}.",
            )
        self.board = board
        self.clock_hz = board.clock_hz
        self.program = Program(elf)
        memory, pins = board.memory, board.pins
        self._machine = Machine(
            clock_hz=board.clock_hz,
            flash=(memory.flash_origin, memory.flash_bytes),
            ram=(memory.ram_origin, memory.ram_bytes),
            hook=hook,
            strict=strict,
            stop_on_fault=stop_on_fault,
            symbol=self.program.describe,
        )
        self._chip = Chip(self._machine, pins.of("uart_tx"), pins.of("uart_rx"))
        self.imu = SENSORS[board.imu.part](
            self._chip,
            (pins.of("spi_sck"), pins.of("spi_mosi"), pins.of("spi_miso"), pins.of("imu_cs"), pins.of("imu_int1")),
            (board.imu.acc_range_g, board.imu.gyro_range_dps),
        )
        self._on_uart: OnUart | None = None
        for address, data in read_hex(image) if image else self.program.segments:
            self.write_flash(address, data)
        self._powered = False

    # ---- running

    def run(self, seconds: float) -> None:
        """Run for this much virtual time, or until :attr:`stop_reason` says why not."""
        self.run_until(self.cycles + round(seconds * self.clock_hz))

    def run_until(self, cycles: int) -> None:
        """Run until this cycle; stops at the end of a basic block, asleep exactly on it.

        Raises EmulatorError, with the instruction, its symbol and the registers, on what the chip cannot do.
        """
        if not self._powered:
            self._powered = True
            self._chip.power_on()
        while True:
            self._machine.run_until(cycles)
            if not self._machine.reset_wanted:
                return
            self._chip.power_on()

    def stop(self, reason: str) -> None:
        """End the run at the next basic block; for callbacks."""
        self._machine.stop(reason)

    # ---- the outside

    def feed(self, codes: Codes, t_us: Times) -> None:
        """Queue IMU samples: int16 (N, 6) ax ay az gx gy gz in device axes, and their virtual times in microseconds."""
        self._machine.clock.catch_up(self.cycles)
        self.imu.feed(codes, t_us)

    def uart_input(self, data: bytes) -> None:
        """Send bytes to the chip's RXD pin, starting now, at its baud rate."""
        self._machine.clock.catch_up(self.cycles)
        self._chip.uarte.put(data)

    @property
    def on_uart(self) -> OnUart | None:
        """Called with each byte at the TXD pin and the cycle of its last bit (the stop bit's end)."""
        return self._on_uart

    @on_uart.setter
    def on_uart(self, callback: OnUart | None) -> None:
        self._on_uart = callback
        self._chip.uarte.on_byte = callback

    def watch_pin(self, pin: int, watcher: Callable[[bool, int], None]) -> None:
        """Call ``watcher(level, cycles)`` at every change of a pin (port * 32 + pin)."""
        self._chip.port_of(pin).watch(pin % 32, lambda level: watcher(level, self._machine.clock.now))

    def drive_pin(self, pin: int, level: bool) -> None:
        """Drive an input pin from outside."""
        self._machine.clock.catch_up(self.cycles)
        self._chip.port_of(pin).drive(pin % 32, level)

    # ---- memory

    def write_flash(self, address: int, data: bytes) -> None:
        """Put bytes into flash or UICR from outside, as a programmer does."""
        region = self._machine.memory.find(address, len(data))
        if region is None or region is self._machine.memory.ram or region is self._machine.memory.ficr:
            raise EmulatorError(
                f"{len(data)} bytes at {address:#010x} do not lie in the flash of {self.board.name}.",
                "Was the image built for this board?",
            )
        region.write(address, data)
        self._machine.code_changed(address, len(data))

    def read_memory(self, address: int, size: int) -> bytes:
        """Bytes of flash, RAM, FICR or UICR."""
        return self._machine.memory.read(address, size)

    def read_symbol(self, name: str) -> bytes:
        """The bytes of a variable or constant."""
        symbol = self.program.symbol(name)
        return self.read_memory(symbol.address, symbol.size)

    # ---- what it says

    @property
    def cycles(self) -> int:
        """Virtual time in core clock cycles, sleep included."""
        return self._machine.state.cycles

    @property
    def now_us(self) -> int:
        """Virtual time in whole microseconds."""
        return self.cycles * 1_000_000 // self.clock_hz

    @property
    def instructions(self) -> int:
        """Instructions that ran (those that IT skips included)."""
        return self._machine.state.instructions

    @property
    def sleep_cycles(self) -> int:
        """Cycles asleep."""
        return self._machine.sleep_cycles

    @property
    def exceptions(self) -> int:
        """Interrupts and exceptions taken."""
        return self._machine.exceptions.taken

    @property
    def resets(self) -> int:
        """Resets since power-on."""
        return self._chip.resets

    @property
    def stop_reason(self) -> str | None:
        """Why the board stopped for good, or None."""
        return self._machine.stop_reason

    @property
    def pc(self) -> int:
        """Address of the next instruction."""
        return self._machine.pc

    @property
    def where(self) -> str:
        """The next instruction as ``function+offset``."""
        return self.program.describe(self.pc)

    @property
    def hook(self) -> str:
        """Which block hook runs: ``c`` or ``python``."""
        return self._machine.hook.name

    @property
    def faults(self) -> list[Fault]:
        """Faults that were delivered to the firmware."""
        return self._machine.faults.log

    @property
    def unmodelled(self) -> dict[str, int]:
        """Accesses to registers that are not modelled, with their number; IMU registers included."""
        found = dict(self._machine.bus.unmodelled)
        return found | {f"{self.imu.name} register {address:#04x}": 1 for address in sorted(self.imu.unmodelled)}

    @property
    def dma_races(self) -> int:
        """UART transfers whose buffer the firmware changed while it was sent."""
        return self._chip.uarte.races

    @property
    def lost_input(self) -> int:
        """Bytes of uart_input that the chip did not take."""
        return self._chip.uarte.lost_input

    def function_cycles(self) -> dict[str, int]:
        """Estimated cycles per function, self time, most first. All of them and sleep_cycles make up ``cycles``."""
        return dict(self._profile()[0].most_common())

    def function_calls(self) -> dict[str, int]:
        """Calls per function (runs of its first block), most first."""
        return dict(self._profile()[2].most_common())

    def _profile(self) -> tuple[Counter[str], Counter[str], Counter[str]]:
        return profile.by_function(self.program, self._machine.runs(), self.cycles - self.sleep_cycles)
