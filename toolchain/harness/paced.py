"""A session over the pty of an emulated device, at the pace of a real one, through the same link as a real one."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from toolchain.harness.record import Recorder
from toolchain.harness.session import ALL_STREAMS
from toolchain.wire.capture import Counters
from toolchain.wire.link import Link
from toolchain.wire.messages import Message, Sample

_SHOW_S = 0.2
_PATIENT_S = 5.0
"""Requests wait this long: on a busy machine the emulated device may be behind its pace."""


class Served(Protocol):
    """An emulated device that can run by itself."""

    @property
    def seconds(self) -> float:
        """Virtual time since reset."""

    @property
    def serving(self) -> bool:
        """Whether it runs by itself and has not failed."""

    def serve(self) -> AbstractContextManager[str]:
        """Run at the pace of real time in a thread while the block lasts; the block gets the pty's path.

        Leaving the block raises what the device raised.
        """


@dataclass(frozen=True)
class PtyResult:
    """What the session over the pty gave. Times are wall times."""

    counters: Counters
    samples: int
    ping_ms: float
    wall_s: float
    virtual_s: float

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "samples": self.samples,
            "ping_ms": self.ping_ms,
            "wall_s": self.wall_s,
            "virtual_s": self.virtual_s,
            "pace": self.virtual_s / max(self.wall_s, 1e-9),
            "link": asdict(self.counters),
        }


def run_paced(device: Served, recorder: Recorder, seconds: float, step: Callable[[float], None]) -> PtyResult:
    """Say hello, ping, ask for every stream, listen until ``seconds`` of virtual time, ask for health.

    ``recorder`` gets every message; ``step`` is told the virtual time now and then. Raises LinkError when the device
    does not answer on its port.
    """
    begin = time.monotonic()
    samples = 0
    with device.serve() as path, Link(path) as link:
        recorder.add([Message(0, 0, link.hello(_PATIENT_S, attempts=2))])
        ping_s = link.ping(b"tinyltc", _PATIENT_S)
        link.set_streams(ALL_STREAMS, _PATIENT_S)
        shown = 0.0
        while device.serving and device.seconds < seconds:
            batch = []
            while (message := link.read()) is not None:
                batch.append(message)
            samples += sum(len(m.body.codes) for m in batch if isinstance(m.body, Sample))
            recorder.add(batch)
            if device.seconds - shown >= _SHOW_S:
                shown = device.seconds
                step(shown)
            late = link.read(0.02)
            if late is not None:
                samples += len(late.body.codes) if isinstance(late.body, Sample) else 0
                recorder.add([late])
        if device.serving:
            recorder.add([Message(0, 0, link.health(_PATIENT_S))])
        virtual_s, wall_s = device.seconds, time.monotonic() - begin
    return PtyResult(link.counters, samples, ping_s * 1e3, wall_s, virtual_s)
