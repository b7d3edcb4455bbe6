"""Latency of every stage on a device, on a port or emulated, and what its processor did with its time.

Two passes: with TIMING on for the latencies, and as the firmware ships (nothing streamed, the host silent) for the
shares of time that an estimate of the power needs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from toolchain.board import Board
from toolchain.errors import EmulatorError, LinkError
from toolchain.harness.emulated import Emulated
from toolchain.harness.latency import PIPELINE_SAMPLES, STAGES, Latency, latency, percentiles
from toolchain.harness.record import Record, Recorder
from toolchain.harness.session import PinSession
from toolchain.power.duty import Duty
from toolchain.wire.link import Link
from toolchain.wire.messages import Health, Hello, SetStreams, Stream, Timing

CYCLES_AGREE = 0.05
"""Microseconds from the burst to the decision may exceed the counted cycles by this fraction and QUEUE_US."""
QUEUE_US = 40.0
"""Interrupts and the main loop between burst and step, in neither count."""
SETTLE_S = 4.0
"""The receiver of a silent host is off two seconds after the start."""
DUTY_S = 10.0
BITS_PER_BYTE = 10
"""8N1."""
_SLICE_S = 0.5
_BOOT_S = 0.1
_CLOCK_PAIRS = 20

Step = Callable[[float], None]
"""Told the fraction that is done."""


@dataclass(frozen=True)
class Measurement:
    """One device's latencies. ``drift_ppm``: its clock against this computer's, None where time is virtual."""

    hello: Hello
    health: Health
    timed: Latency
    samples: int
    lost: int
    counter_ratio: float
    drift_ppm: float | None
    source: str
    warnings: tuple[str, ...]

    def to_dict(self, rate_hz: float) -> dict[str, Any]:
        """Return JSON values."""
        pipeline_us = PIPELINE_SAMPLES * 1e6 / rate_hz
        stages = {name: percentiles(self.timed.stages_us[:, place]) for place, name in enumerate(STAGES)}
        return {
            **self.timed.to_dict(pipeline_us),
            "stage_percentiles": stages,
            "counter_ratio": self.counter_ratio,
            "drift_ppm": self.drift_ppm,
            "lost": self.lost,
            "source": self.source,
            "warnings": list(self.warnings),
        }


def measure_emulated(device: Emulated, board: Board, samples: int, step: Step) -> Measurement:
    """Time ``samples`` samples of an emulated device as fast as it goes; its IMU must hold as many."""
    recorder = Recorder(0)
    session = PinSession(device, recorder.add)
    session.run(_BOOT_S)
    hello = session.hello()
    session.request(SetStreams(Stream.TIMING))
    count, limit = 0, device.seconds + 2 * samples / board.imu.rate_hz + 10
    while count < samples:
        if device.seconds > limit:
            raise EmulatorError(
                f"The emulated device timed {count} of {samples} samples.", "Give more recordings, or --samples less."
            )
        count += sum(isinstance(m.body, Timing) for m in session.run(_SLICE_S))
        step(min(count / samples, 1.0))
    session.request(SetStreams(Stream.NONE))
    health = session.health()
    return _assess(recorder.record(), hello, health, session.counters.lost, None, board, device.source)


def measure_port(url: str, board: Board, accept: Callable[[Hello], None], samples: int, step: Step) -> Measurement:
    """Time ``samples`` samples of the device on a serial port; raises LinkError when it falls silent."""
    recorder, count = Recorder(0), 0
    with Link(url, board.console.baud) as link:
        hello = link.hello()
        accept(hello)
        link.set_streams(Stream.TIMING)
        arrived: list[tuple[int, float]] = []
        heard = time.monotonic()
        try:
            while count < samples:
                message = link.read(_SLICE_S)
                if message is None:
                    if time.monotonic() - heard > 2.0:
                        raise LinkError(
                            f"The device on '{url}' timed {count} of {samples} samples and then fell silent.",
                            "Is its IMU running? `tinyltc monitor` shows it.",
                        )
                    continue
                heard = time.monotonic()
                arrived.append((message.time_us, heard))
                recorder.add([message])
                count += isinstance(message.body, Timing)
                step(min(count / samples, 1.0))
        finally:
            link.set_streams(Stream.NONE)
        health = link.health()
        lost = link.counters.lost
    source = f"measured on {board.name}"
    return _assess(recorder.record(), hello, health, lost, _drift_ppm(arrived), board, source)


def _drift_ppm(arrived: list[tuple[int, float]]) -> float | None:
    """Device clock against this computer's, by the frames that came with the least delay in each part of the time."""
    if len(arrived) < 10 * _CLOCK_PAIRS:
        return None
    pairs = np.array(arrived, np.float64)
    device_s, host_s = (pairs[:, 0] - pairs[0, 0]) * 1e-6, pairs[:, 1] - pairs[0, 1]
    parts = np.array_split(np.arange(len(pairs)), _CLOCK_PAIRS)
    best = np.array([part[(host_s[part] - device_s[part]).argmin()] for part in parts])
    slope = np.polyfit(host_s[best], device_s[best], 1)[0]
    return float((slope - 1) * 1e6)


def _assess(
    record: Record, hello: Hello, health: Health, lost: int, drift_ppm: float | None, board: Board, source: str
) -> Measurement:
    timings = record.timings
    cycles_us = timings["cycles"][:, :4].sum(axis=1) * (1e6 / hello.clock_hz)
    elapsed_us = timings["decision_us"].astype(np.float64) - timings["burst_us"]
    ratio = float(np.median(elapsed_us) / max(float(np.median(cycles_us)), 1e-9))
    warnings = []
    if not health.dwt_moves:
        warnings.append("The cycle counter does not count: stages in cycles mean nothing.")
    slack = float(np.median(elapsed_us)) - float(np.median(cycles_us))
    if not -1.0 <= slack <= QUEUE_US + CYCLES_AGREE * float(np.median(cycles_us)):
        warnings.append(
            f"The cycle counter disagrees with the microsecond timer by {slack:.0f} us a sample: one of them does not "
            "run at the rate that the firmware believes."
        )
    if drift_ppm is not None and abs(drift_ppm) > 500:
        warnings.append(f"The device's clock is {drift_ppm:.0f} ppm off this computer's: is its crystal running?")
    if lost:
        warnings.append(f"{lost} frames were lost on the line; their samples are not in the percentiles.")
    timed = latency(timings, hello.clock_hz, board.console.baud)
    return Measurement(hello, health, timed, len(timings), lost, ratio, drift_ppm, source, tuple(warnings))


def duty_emulated(device: Emulated, board: Board) -> Duty:
    """Watch a fresh emulated device at work with a silent host and return its shares of time.

    Raises EmulatorError where the emulator does not tell what it does asleep.
    """
    sent = 0
    device.run(SETTLE_S)
    device.take_uart()
    before = device.measured()
    if "sleep_s" not in before:
        raise EmulatorError(
            f"The emulator '{device.name}' does not tell which clocks run in sleep.", "Use --emulator virtual."
        )
    for _ in range(round(DUTY_S / _SLICE_S)):
        device.run(_SLICE_S)
        sent += len(device.take_uart())
    after = device.measured()
    asleep = {clock: (s - before["sleep_s"].get(clock, 0.0)) / DUTY_S for clock, s in after["sleep_s"].items()}
    imu = board.imu
    burst_bits = 8 * (13 if imu.bus == "spi" else 16)
    return Duty(
        mode=f"continuous recognition at {imu.rate_hz:g} Hz, host silent",
        seconds=DUTY_S,
        source=f"processor and UART {device.source}, bus computed from its clock and a burst's bits",
        cpu=min(max(1 - sum(asleep.values()), 0.0), 1.0),
        hf_asleep=sum(share for clock, share in asleep.items() if clock != "low"),
        lf=1.0,
        uart=sent * BITS_PER_BYTE / board.console.baud / DUTY_S,
        receiver=0.0,
        bus=imu.rate_hz * burst_bits / imu.bus_hz if imu.bus_hz else 0.0,
        imu={"imu_high_performance": 1.0},
    )
