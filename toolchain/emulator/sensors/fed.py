"""A sensor that is fed with samples: the queue, the times, and what goes wrong with it on purpose.

Samples appear at the times at which they were fed; the sensor's own rate setting only switches it on. Codes come in the
order ax ay az gx gy gz, in device axes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from toolchain.emulator.interface import Codes, Times, check_samples
from toolchain.errors import EmulatorError

if TYPE_CHECKING:
    from toolchain.emulator.chip import Chip


class FedSensor:
    """Registers of 7-bit addresses, by whichever bus.

    Faults for tests: ``mute`` (takes no samples), ``missing`` (does not answer), ``drop_edges`` (that many data-ready
    edges do not come).

    ``ranges``: g and degrees per second that the codes are made for.
    """

    name: str

    def __init__(self, chip: Chip, ranges: tuple[float, float]) -> None:
        self._chip = chip
        self._ranges = ranges
        self.mute = False
        self.missing = False
        self.drop_edges = 0
        self.delivered = 0
        self.ignored = 0
        self.overwritten = 0
        self.unmodelled: set[int] = set()
        self.on_sample: Callable[[int, int], None] | None = None
        self._queue: list[tuple[Codes, Times]] = []
        self._place = 0
        self._scheduled = False
        self._last_time = -1

    # ---- what a part is

    def read_register(self, address: int) -> int:
        """A byte of the register file; reading may clear flags."""
        raise NotImplementedError

    def write_register(self, address: int, value: int) -> None:
        """Store to a register."""
        raise NotImplementedError

    def address_after(self, address: int) -> int:
        """The register that the next byte of a burst is of."""
        raise NotImplementedError

    def _listens(self) -> bool:
        """Whether it is switched on."""
        raise NotImplementedError

    def _take(self, code: Codes) -> None:
        """A sample (6,) appears in the output registers."""
        raise NotImplementedError

    def _check_range(self, what: str, has: float, wanted: float, unit: str) -> None:
        if has != wanted:
            raise EmulatorError(
                f"The firmware sets the {what} to {has} {unit}, but the codes are made for {wanted:g}.",
                "Compare the driver's range with board.toml [imu].",
            )

    # ---- samples

    def feed(self, codes: Codes, t_us: Times) -> None:
        """Queue samples: int16 (N, 6), and the virtual time of each in microseconds, increasing."""
        codes, t_us = check_samples(codes, t_us, self._last_time)
        if not len(t_us):
            return
        if self._chip.clock.cycles_of_us(int(t_us[0])) < self._chip.clock.now:
            raise EmulatorError(f"A sample was fed for {t_us[0]} us, which is past.", "Feed before running on.")
        self._last_time = int(t_us[-1])
        self._queue.append((codes.copy(), t_us.copy()))
        self._schedule()

    @property
    def waiting(self) -> int:
        """Fed samples that have not come yet."""
        return sum(len(times) for _, times in self._queue) - self._place

    def _schedule(self) -> None:
        if not self._scheduled and self._queue:
            when = self._chip.clock.cycles_of_us(int(self._queue[0][1][self._place]))
            self._chip.clock.at(when, self._sample, outside=True)
            self._scheduled = True

    def _sample(self) -> None:
        codes, times = self._queue[0]
        code, t_us = codes[self._place], int(times[self._place])
        self._place += 1
        if self._place == len(times):
            self._queue.pop(0)
            self._place = 0
        self._scheduled = False
        self._schedule()
        if self.mute or self.missing or not self._listens():
            self.ignored += 1
            return
        self._take(code)
        if self.on_sample is not None:
            self.on_sample(self.delivered, t_us)
        self.delivered += 1
