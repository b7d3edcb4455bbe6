"""Which device is followed: the one on a serial port, or the run's image on the virtual board."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from serial.tools import list_ports

from toolchain.board import Board
from toolchain.errors import BuildError, LinkError
from toolchain.harness.emulated import Emulated
from toolchain.harness.feed import build_feed, chosen
from toolchain.listen.follow import Target
from toolchain.listen.gesture import Labels
from toolchain.ltc.modelspec import load_spec
from toolchain.recordings.catalog import load_set
from toolchain.runs import Run
from toolchain.wire.messages import Stream

LEAD_IN_S = 3.0
"""Hello and the rest take real time: the virtual sensor lies still for longer before the first recording."""
_PATIENT_S = 5.0
"""On a busy machine the emulated device may be behind its pace."""


def only_port() -> str:
    """Return the one USB serial port of this machine; raises LinkError when there is none, or more than one."""
    ports = sorted(str(port.device) for port in list_ports.comports() if port.vid is not None)
    if not ports:
        hint = "Plug the board in, name it with --port, or try without hardware: --emulator virtual."
        raise LinkError("There is no USB serial port.", hint)
    if len(ports) > 1:
        raise LinkError(f"There are {len(ports)} USB serial ports: {', '.join(ports)}.", "Choose one with --port.")
    return ports[0]


@contextmanager
def port_target(port: str | None, board: Board, labels: Labels, streams: Stream) -> Iterator[Target]:
    """Yield the device on ``port``, or on the only port there is."""
    yield Target(port or only_port(), labels.accept, streams, board.console.baud)


@contextmanager
def emulated_target(run: Run, board: Board, labels: Labels, streams: Stream, seconds: float) -> Iterator[Target]:
    """Yield the run's image on the virtual board at the pace of real time, its IMU fed with the run's test people.

    It lives for ``seconds`` of recordings at most. Raises BuildError without an image.
    """
    if not (run.firmware / "firmware.elf").exists():
        hint = f"Run `tinyltc build --run {run.path.name}` first."
        raise BuildError(f"{run.firmware / 'firmware.elf'} does not exist.", hint)
    spec = load_spec(run.model_json)
    project = run.project()
    data = load_set(project.data, project.task, spec.rate_hz)
    background = spec.decision.background if spec.decision else -1
    feed = build_feed(chosen(data.test, seconds, background), board.imu, spec, LEAD_IN_S)
    device = Emulated(run, board, feed)
    with device.serve() as path:
        yield Target(
            path,
            labels.accept,
            streams,
            board.console.baud,
            _PATIENT_S,
            lambda: device.serving and device.seconds < feed.seconds + 0.5,
        )
