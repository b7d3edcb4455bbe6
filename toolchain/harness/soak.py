"""The soak: hours of virtual time without a break, at the IMU's rate, while the host keeps asking.

What must hold at its end and is looked at every minute: no sample waited for the one before it and each was decided
within its period (no missed deadline), samples made are samples counted, and every stamp lies one period behind the
one before. Stopped with Ctrl-C it says how far it came; it starts anew each time, because an emulator's state does not
outlive it, and shorter pieces would not pass the 71 minutes at which the board's 32-bit counter wraps.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

import numpy as np
from rich.console import Console

from toolchain.board import Board, EmulatorName
from toolchain.emulator.interface import Emulator
from toolchain.emulator.opening import open_emulator
from toolchain.errors import BuildError, EmulatorError
from toolchain.files import write_json
from toolchain.harness.emulated import default_emulator
from toolchain.harness.session import ALL_STREAMS, PinSession
from toolchain.runs import Run
from toolchain.wire.capture import Counters
from toolchain.wire.messages import Health, Message, Ping, Sample, SetStreams, Timing

_CHUNK_S = 60.0
_START_S = 0.1
_AHEAD_S = 0.05
"""The sensor's queue reaches this much further than what is run: it never falls silent."""
_LOAD_S = 0.25
"""The host asks for the counters and sends a ping this often."""
_BETWEEN = 3
"""Samples that may come between the device's answer and the look at the emulator, while it runs."""


@dataclass
class Soak:
    """What a soak came to; counts since its start."""

    board: str
    emulator: str
    source: str
    virtual_s: float = 0.0
    wall_s: float = 0.0
    samples_made: int = 0
    samples_counted: int = 0
    stamps: int = 0
    uneven_stamps: int = 0
    missed_deadlines: int = 0
    """Samples decided later than a period after their edge."""
    overruns: int = 0
    """Samples that came while the one before was worked on."""
    samples_lost: int = 0
    worst_decision_us: int = 0
    frames_lost: int = 0
    resets: int = 0
    running: bool = True
    interrupted: bool = False

    @property
    def faults(self) -> list[str]:
        """One sentence for everything that must not be."""
        found = []
        if self.missed_deadlines or self.overruns:
            found.append(f"{self.missed_deadlines + self.overruns} deadlines were missed.")
        between = _BETWEEN if self.running else 0
        if not 0 <= self.samples_made - self.samples_counted <= between or self.samples_lost:
            found.append(f"{self.samples_made} samples were made, {self.samples_counted} counted.")
        if not 0 <= self.stamps - self.samples_counted <= between or self.uneven_stamps:
            found.append(f"{self.uneven_stamps} of {self.stamps} stamps are not one period after the one before.")
        if self.frames_lost or self.resets:
            found.append(f"{self.frames_lost} frames were lost, and the board was reset {self.resets} times.")
        return found


class _Watcher:
    """Takes every message, keeps the last stamp."""

    def __init__(self, soak: Soak, period_us: int, tolerance_us: int) -> None:
        self._soak, self._period, self._tolerance = soak, period_us, tolerance_us
        self._last: int | None = None

    def add(self, messages: Iterable[Message]) -> None:
        """Look at stamps and deadlines."""
        soak = self._soak
        for message in messages:
            match message.body:
                case Sample() as sample:
                    for before in sample.before_us:
                        stamp = message.time_us - before
                        step = self._period if self._last is None else stamp - self._last
                        soak.uneven_stamps += abs(step - self._period) > self._tolerance
                        soak.stamps += 1
                        self._last = stamp
                case Timing() as timing:
                    soak.worst_decision_us = max(soak.worst_decision_us, timing.decision_us)
                    soak.missed_deadlines += timing.decision_us > self._period


def run_soak(run: Run, board: Board, console: Console, hours: float, emulator: EmulatorName | None = None) -> Soak:
    """Run the built image for ``hours`` of virtual time; write ``soak.json`` into the run after every minute of it.

    Raises BuildError without an image, EmulatorError when something that must hold does not.
    """
    elf, image = run.firmware / "firmware.elf", run.firmware / "firmware.hex"
    if not elf.exists():
        raise BuildError(f"{elf} does not exist.", f"Run `tinyltc build --run {run.path.name}` first.")
    name = emulator or default_emulator(board)
    device = open_emulator(name, board, elf, image if image.exists() else None)
    soak = Soak(board.name, name, device.source)
    # Asked by a timer, the sensor's stamps are those of the questions.
    tolerance = 0 if board.imu.clock == "data-ready" else board.imu.period_us // 3
    watcher = _Watcher(soak, board.imu.period_us, tolerance)
    session = PinSession(device, watcher.add)
    begin = time.monotonic()
    try:
        session.run(_START_S)
        session.request(SetStreams(ALL_STREAMS))
        _go_on(
            soak, session, device, board.imu.period_us, hours * 3600, begin, lambda: _tell(soak, run, console, hours)
        )
    except KeyboardInterrupt:
        soak.interrupted = True
        _tell(soak, run, console, hours)
    finally:
        device.close()
    if soak.faults:
        raise EmulatorError(f"The soak found: {' '.join(soak.faults)}", f"{run.path / 'soak.json'} has it all.")
    return soak


def _go_on(
    soak: Soak,
    session: PinSession,
    device: Emulator,
    period_us: int,
    end: float,
    begin: float,
    tell: Callable[[], None],
) -> None:
    """Feed and run minute by minute to ``end``; ``tell`` is called after each and once at the end."""
    chance = np.random.default_rng(24)
    fed_us = round(device.seconds * 1e6) + period_us
    while device.seconds < end and not soak.faults:
        until = min(device.seconds + _CHUNK_S, end)
        t_us = np.arange(fed_us, round((until + _AHEAD_S) * 1e6), period_us, dtype=np.int64)
        device.feed(chance.integers(-4000, 4000, (len(t_us), 6), dtype=np.int16), t_us)
        fed_us += len(t_us) * period_us
        while device.seconds < until:
            session.health()
            session.request(Ping(bytes(32)))
            session.run(min(_LOAD_S, max(until - device.seconds, 0.001)))
        _note(soak, session.health(), session.counters, device, time.monotonic() - begin)
        tell()
    session.run(_AHEAD_S + 0.1)
    soak.running = False
    _note(soak, session.health(), session.counters, device, time.monotonic() - begin)
    tell()


def _note(soak: Soak, health: Health, counters: Counters, device: Emulator, wall_s: float) -> None:
    soak.virtual_s, soak.wall_s, soak.resets = device.seconds, wall_s, device.resets
    soak.samples_made, soak.samples_counted = device.delivered, health.samples
    soak.overruns, soak.samples_lost = health.overruns, health.lost_samples
    soak.frames_lost = counters.lost + counters.bad_crc + counters.bad_cobs + health.dropped_others


def _tell(soak: Soak, run: Run, console: Console, hours: float) -> None:
    write_json(run.path / "soak.json", asdict(soak) | {"faults": soak.faults})
    stopped = "stopped at " if soak.interrupted else ""
    console.print(
        f"{stopped}{soak.virtual_s / 3600:.2f} of {hours:g} h, {soak.virtual_s / max(soak.wall_s, 1e-9):.1f}x real "
        f"time: {soak.samples_counted:,} samples, {soak.missed_deadlines + soak.overruns} deadlines missed",
        highlight=False,
    )
