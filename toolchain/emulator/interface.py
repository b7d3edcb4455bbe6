"""What every emulator offers, whatever stands behind it; what one cannot do it says in a sentence.

Times are virtual, in microseconds or seconds since power-on. ``board.toml [[emulators]]`` says which of these an
emulator can do for a board, or why not (:mod:`toolchain.board.emulators`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from toolchain.errors import EmulatorError

Codes = npt.NDArray[np.int16]
Times = npt.NDArray[np.int64]


class Trouble(StrEnum):
    """Faults that can be made on purpose. The first three last until they are taken back, the others happen once."""

    IMU_MUTE = "imu mute"
    """The sensor answers, but gives no samples and no data-ready."""
    IMU_GONE = "imu gone"
    """Nothing answers on the bus: a floating line on SPI, no acknowledge on I2C."""
    BUS_STUCK = "bus stuck"
    """A transfer that is begun does not end: a held clock line."""
    HANG = "hang"
    """The core stays where it is, with all interrupts of the firmware masked or starved."""
    RESET = "reset"
    """A reset at the instruction that is just running, as its pin does it."""


class Unsupported(EmulatorError):  # noqa: N818 - it says what an emulator cannot do, which need not be an error
    """The emulator cannot do this; the sentence says why."""


class Emulator(Protocol):
    """A board under an emulator, switched on at the first :meth:`run`."""

    name: str
    """As in board.toml [[emulators]]."""
    source: str
    """What its times and cycles are, for whoever shows them."""
    hook: str
    """How it counts cycles, in a word."""

    @property
    def seconds(self) -> float:
        """Virtual time since power-on."""

    @property
    def resets(self) -> int:
        """Resets since power-on."""

    @property
    def delivered(self) -> int:
        """Samples that the sensor has made and offered to the firmware with a data-ready edge."""

    def feed(self, codes: Codes, t_us: Times) -> None:
        """Queue IMU samples: int16 (N, 6) ax ay az gx gy gz in device axes, and their times, increasing.

        Raises EmulatorError for a time that is past.
        """

    def run(self, seconds: float) -> None:
        """Let this much virtual time pass; raises EmulatorError when the board stops for good before."""

    def uart_input(self, data: bytes) -> None:
        """Send bytes to the console's receive pin."""

    def take_uart(self) -> bytes:
        """Return the bytes that left the console's transmit pin since the last call."""

    def inject(self, trouble: Trouble, on: bool = True) -> None:
        """Make a fault, or (``on`` False) take a lasting one back; raises Unsupported."""

    def functions(self) -> list[tuple[str, int]]:
        """Return estimated cycles per function, most first; empty where nothing counts them."""

    def measured(self) -> dict[str, Any]:
        """Return what it measured beside: JSON values for device.json, such as the stack's high-water mark."""

    def close(self) -> None:
        """End it; nothing else may be called afterwards."""


def check_samples(codes: Codes, t_us: Times, last_us: int) -> tuple[Codes, Times]:
    """Return samples fit for a queue whose last one was at ``last_us``; raises EmulatorError."""
    codes, t_us = np.asarray(codes), np.asarray(t_us, dtype=np.int64)
    if codes.dtype != np.int16 or codes.ndim != 2 or codes.shape[1] != 6 or t_us.shape != codes.shape[:1]:
        raise EmulatorError(
            f"feed got codes {codes.dtype}{codes.shape} and times {t_us.shape}.", "Give int16 (N, 6) and int64 (N,)."
        )
    if len(t_us) and (t_us[0] <= last_us or np.any(np.diff(t_us) <= 0)):
        raise EmulatorError("The times of fed samples must increase.", "Sort the samples, and feed them in order.")
    return codes, t_us
