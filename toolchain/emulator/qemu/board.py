"""The board mps2-an386 under QEMU: deterministic, stepped in virtual time, fed through shared memory.

The board asks for more time whenever what it was given is over (firmware/hal/mps2/test_bench.h); in between it runs as
fast as it can. A UART byte takes no time there, and an instruction always the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from toolchain.board import Board
from toolchain.emulator.image import Program
from toolchain.emulator.interface import Codes, Times, Trouble, check_samples
from toolchain.emulator.qemu import page, plugin
from toolchain.emulator.qemu.process import NANOSECONDS_SHIFT, Process
from toolchain.errors import EmulatorError

_INPUT_AT_ONCE = 64
_US_PER_BYTE = 10
"""8N1 at 1 Mbaud."""


class QemuBoard:
    """Runs the image that would be flashed; see :class:`toolchain.emulator.interface.Emulator`.

    ``count``: load the cycle plugin where it can be compiled. Raises MissingToolError without QEMU.
    """

    name = "qemu"
    source = f"emulated (an instruction takes {2**NANOSECONDS_SHIFT} ns; no cycles)"

    def __init__(self, board: Board, elf: Path, image: Path | None = None, *, count: bool = False) -> None:
        machine = board.emulator("qemu").machine
        if machine is None:
            raise EmulatorError(f"The board '{board.name}' names no machine of QEMU.", "Add 'machine' to board.toml.")
        self._program = Program(elf)
        library = plugin.library() if count else None
        self.hook = "plugin" if library else "icount"
        self._process = Process(machine, image or elf, library)
        self._page = page.Page(self._process.page)
        self._now_us = self._last_us = 0
        self._waiting: list[tuple[Codes, Times]] = []
        self._troubles: set[Trouble] = set()
        self._input = bytearray()
        self._read = 0
        self._started = False

    # ---- time

    @property
    def seconds(self) -> float:
        """Virtual time since power-on."""
        return self._now_us * 1e-6

    @property
    def resets(self) -> int:
        """Resets since power-on."""
        return max(int(self._page.registers.starts) - 1, 0)

    @property
    def delivered(self) -> int:
        """Samples given to the firmware."""
        return int(self._page.registers.delivered)

    def run(self, seconds: float) -> None:
        """Let virtual time pass, to the microsecond; a reset may make it a little longer."""
        if not self._started:
            self._started = True
            self._process.start()
        end = self._now_us + round(seconds * 1e6)
        while self._now_us < end:
            piece = bytes(self._input[:_INPUT_AT_ONCE])
            del self._input[:_INPUT_AT_ONCE]
            until = min(end, self._now_us + _US_PER_BYTE * len(piece)) if self._input else end
            self._turn(self._queue_up_to(until), piece)

    def _queue_up_to(self, until: int) -> int:
        """Hand over the samples before ``until``; returns how far time may go, which may be less."""
        while self._waiting:
            codes, times = self._waiting[0]
            due = int(times.searchsorted(until))
            count = min(due, self._page.room)
            if not self._troubles & {Trouble.IMU_MUTE, Trouble.IMU_GONE}:
                self._page.put(codes[:count], times[:count])
            self._waiting[0] = (codes[count:], times[count:])
            if count < due:
                return int(times[count])
            if count < len(times):
                break
            self._waiting.pop(0)
        return until

    def _turn(self, until: int, piece: bytes = b"") -> None:
        registers = self._page.registers
        registers.until_us, registers.input = until, len(piece)
        if piece:
            self._process.send(piece)
        self._process.ring()
        self._process.wait()
        self._now_us = int(registers.now_us)

    # ---- the outside

    def feed(self, codes: Codes, t_us: Times) -> None:
        """Queue samples; see the interface."""
        codes, t_us = check_samples(codes, t_us, self._last_us)
        if len(t_us) and t_us[0] < self._now_us:
            raise EmulatorError(f"A sample was fed for {t_us[0]} us, which is past.", "Feed before running on.")
        if len(t_us):
            self._last_us = int(t_us[-1])
            self._waiting.append((codes.copy(), t_us.copy()))

    def uart_input(self, data: bytes) -> None:
        """Send bytes to the console at the line's pace, in pieces of some 64."""
        self._input += data

    def take_uart(self) -> bytes:
        """Return what the console has sent since the last call."""
        if not self._process.output.exists():
            return b""
        with self._process.output.open("rb") as file:
            file.seek(self._read)
            taken = file.read()
        self._read += len(taken)
        return taken

    def inject(self, trouble: Trouble, on: bool = True) -> None:
        """Make a fault now. HANG and RESET return after the restart."""
        registers = self._page.registers
        if trouble in (Trouble.HANG, Trouble.RESET):
            registers.command = page.HANG if trouble is Trouble.HANG else page.RESET
            self._turn(self._now_us)
            return
        (self._troubles.add if on else self._troubles.discard)(trouble)
        registers.identity = 0 if Trouble.IMU_GONE in self._troubles else page.IDENTITY
        registers.status = page.STUCK if Trouble.BUS_STUCK in self._troubles else 0

    # ---- what it says

    def functions(self) -> list[tuple[str, int]]:
        """Return estimated cycles per function by the plugin's counts; empty without it."""
        return plugin.by_function(self._program, self._process.counts)

    def measured(self) -> dict[str, Any]:
        """Return nothing beside: QEMU counts no sleep, and the stack's mark is the firmware's own (HEALTH)."""
        return {}

    def close(self) -> None:
        """End QEMU."""
        self._page.close()
        self._process.close()
