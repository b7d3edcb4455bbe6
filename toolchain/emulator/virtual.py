"""The virtual board as one of the emulators (:class:`toolchain.emulator.interface.Emulator`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from toolchain.board import Board
from toolchain.emulator.board import VirtualBoard
from toolchain.emulator.interface import Codes, Times, Trouble
from toolchain.errors import EmulatorError


class VirtualEmulator:
    """The virtual board with its UART's bytes collected; ``board`` is the thing itself, for tests of one's own."""

    name = "virtual"
    source = "emulated (cycle estimate)"

    def __init__(self, board: Board, elf: Path, image: Path | None = None) -> None:
        board.emulator("virtual")
        self.board = VirtualBoard(board, elf, image)
        self.board.on_uart = self._take_byte
        self.hook = self.board.hook
        self._sent = bytearray()

    def _take_byte(self, byte: bytes, _cycles: int) -> None:
        self._sent += byte

    @property
    def seconds(self) -> float:
        """Virtual time since power-on."""
        return self.board.cycles / self.board.clock_hz

    @property
    def resets(self) -> int:
        """Resets since power-on."""
        return self.board.resets

    @property
    def delivered(self) -> int:
        """Samples that the sensor made."""
        return self.board.imu.delivered

    def feed(self, codes: Codes, t_us: Times) -> None:
        """Queue samples."""
        self.board.feed(codes, t_us)

    def run(self, seconds: float) -> None:
        """Let virtual time pass; raises EmulatorError when the board stops for good."""
        self.board.run(seconds)
        if self.board.stop_reason is not None:
            raise EmulatorError(
                f"The virtual board stopped after {self.seconds:.3f} s: {self.board.stop_reason}.",
                "Look at the firmware's log messages.",
            )

    def uart_input(self, data: bytes) -> None:
        """Send bytes to the receive pin."""
        self.board.uart_input(data)

    def take_uart(self) -> bytes:
        """Return what left the transmit pin since the last call."""
        taken = bytes(self._sent)
        self._sent.clear()
        return taken

    def inject(self, trouble: Trouble, on: bool = True) -> None:
        """Make a fault, or take it back."""
        match trouble:
            case Trouble.IMU_MUTE:
                self.board.imu.mute = on
            case Trouble.IMU_GONE:
                self.board.imu.missing = on
            case Trouble.BUS_STUCK:
                self.board.bus_stuck = on
            case Trouble.HANG:
                self.board.hold_core()
            case Trouble.RESET:
                self.board.pull_reset()

    def functions(self) -> list[tuple[str, int]]:
        """Return estimated cycles per function, most first."""
        return list(self.board.function_cycles().items())

    def measured(self) -> dict[str, Any]:
        """Return the stack's high-water mark, and the time asleep by clock, in seconds."""
        asleep = {clock: cycles / self.board.clock_hz for clock, cycles in self.board.sleep_by_clock.items()}
        return {
            "stack_used_bytes": self.board.stack_used(),
            "sleep_s": asleep,
            "awake_s": self.seconds - sum(asleep.values()),
        }

    def close(self) -> None:
        """Nothing is left behind."""
