"""An nRF52840 board under Renode, by its monitor. Written after Renode's sources, not run where this was written."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from toolchain.board import Board
from toolchain.emulator.interface import Codes, Times, Trouble, Unsupported, check_samples
from toolchain.emulator.renode.monitor import Monitor
from toolchain.emulator.renode.resd import write_resd
from toolchain.errors import EmulatorError

PLATFORM = Path(__file__).resolve().parents[3] / "tests" / "renode"
"""The platform description, our peripherals and the script that loads them."""


class RenodeBoard:
    """See :class:`toolchain.emulator.interface.Emulator`; all samples must be fed before the first run."""

    name = "renode"
    source = "emulated (an instruction takes 1/64 us; no cycles)"
    hook = "none"

    def __init__(self, board: Board, elf: Path, image: Path | None = None) -> None:
        platform = board.emulator("renode").platform
        if platform is None:
            raise EmulatorError(
                f"The board '{board.name}' names no platform of Renode.", "Add 'platform' to board.toml."
            )
        self._imu = board.imu
        self._temporary = tempfile.TemporaryDirectory(prefix="tinyltc-renode-")
        folder = Path(self._temporary.name)
        self._output, self._samples = folder / "uart", folder / "samples.resd"
        self._read = 0
        self._last_us = -1
        self._started = False
        self._now_us = 0
        self._monitor = Monitor()
        for line in (
            f"$folder=@{PLATFORM}",
            f"$platform=@{board.folder / platform}",
            f"$image=@{(image or elf).resolve()}",
            f"$vectors={board.memory.application:#x}",
            f"include @{PLATFORM / 'board.resc'}",
            f"uart0 CreateFileBackend @{self._output} true",
        ):
            self._monitor.command(line)

    @property
    def seconds(self) -> float:
        """Virtual time since power-on."""
        return self._now_us * 1e-6

    @property
    def resets(self) -> int:
        """Raise Unsupported."""
        raise Unsupported("Renode does not count resets.", "Count the HELLO messages.")

    @property
    def delivered(self) -> int:
        """Samples that the sensor made."""
        return int(self._monitor.command("imu Delivered").split()[-2], 0)

    def feed(self, codes: Codes, t_us: Times) -> None:
        """Write the samples as RESD; once, before the first run."""
        codes, t_us = check_samples(codes, t_us, self._last_us)
        if self._started or self._last_us >= 0:
            raise Unsupported("Renode takes all samples at once, before it starts.", "Join them.")
        if len(t_us):
            self._last_us = int(t_us[-1])
            write_resd(self._samples, codes, t_us, self._imu)
            self._monitor.command(f"imu Feed @{self._samples}")

    def run(self, seconds: float) -> None:
        """Let virtual time pass."""
        self._started = True
        self._monitor.command(f'emulation RunFor "{seconds:.6f}"')
        self._now_us += round(seconds * 1e6)

    def uart_input(self, data: bytes) -> None:
        """Send bytes to the receiver, all of them now."""
        for byte in data:
            self._monitor.command(f"uart0 WriteChar {byte:#04x}")

    def take_uart(self) -> bytes:
        """Return what was sent since the last call."""
        if not self._output.exists():
            return b""
        with self._output.open("rb") as file:
            file.seek(self._read)
            taken = file.read()
        self._read += len(taken)
        return taken

    def inject(self, trouble: Trouble, on: bool = True) -> None:
        """Make a fault of the sensor, or reset the machine; a hang needs a debugger there."""
        match trouble:
            case Trouble.IMU_MUTE:
                self._monitor.command(f"imu Mute {str(on).lower()}")
            case Trouble.IMU_GONE:
                self._monitor.command(f"imu Missing {str(on).lower()}")
            case Trouble.RESET:
                self._monitor.command("machine RequestReset")
            case Trouble.BUS_STUCK | Trouble.HANG:
                raise Unsupported(f"Renode cannot make the fault '{trouble}'.", "Use the virtual board for it.")

    def functions(self) -> list[tuple[str, int]]:
        """Return nothing: Renode counts no cycles."""
        return []

    def measured(self) -> dict[str, Any]:
        """Return nothing beside."""
        return {}

    def close(self) -> None:
        """End Renode and remove its files."""
        self._monitor.close()
        self._temporary.cleanup()
