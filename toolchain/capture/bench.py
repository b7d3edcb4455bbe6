"""What a capture costs this computer, and whether it loses anything while the computer is busy."""

from __future__ import annotations

import io
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from toolchain.board import Board
from toolchain.capture.double import ScriptedDevice
from toolchain.capture.run import BACKGROUND, Asked, capture
from toolchain.capture.session import Rhythm
from toolchain.recordings.inspect import inspect

_DEVICE = "import sys; from toolchain.capture import bench; bench.serve(sys.argv[1])"
_SPIN = "while True: pass"
_WATCH = "import sys, urllib.request as u\nfor line in u.urlopen(sys.argv[1]): pass"


@dataclass(frozen=True)
class CaptureCost:
    """Processor time of the capturing process, user and system, and what came; measured."""

    wall_s: float
    cpu_s: float
    samples: int
    lost: int
    rate_hz: float
    load: int
    plot: bool

    @property
    def cpu_share(self) -> float:
        """Fraction of one core at real time: over the samples' time, because a busy computer makes the device late."""
        return self.cpu_s * self.rate_hz / self.samples


def serve(board: str) -> None:
    """Be the device: print the port, then stream at real time until standard input ends."""
    from toolchain.board import load_board

    with ScriptedDevice(load_board(board), speed=1.0) as device:
        sys.stdout.write(device.path + "\n")
        sys.stdout.flush()
        sys.stdin.read()


def measure_capture(board: Board, seconds: float, load: int, plot: bool) -> CaptureCost:
    """Capture ``seconds`` at real time from a device on a pty in another process, with the terminal screen drawn.

    ``load`` processes spin meanwhile; with ``plot`` the live view is served and watched by another process.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tinyltc-")))

        def start(code: str, *arguments: str) -> subprocess.Popen[str]:
            command = [sys.executable, "-c", code, *arguments]
            child = subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            stack.enter_context(child)
            stack.callback(child.kill)
            return child

        device = start(_DEVICE, board.name)
        assert device.stdout is not None
        port = device.stdout.readline().strip()
        for _ in range(load):
            start(_SPIN)
        text = io.StringIO()
        console = Console(file=text, force_terminal=True, width=100, height=40)
        if plot:
            threading.Thread(target=_watch, args=(text, start), daemon=True).start()
        asked = Asked(
            board, (BACKGROUND,), "bench", folder, 1, "s", port=port, plot=plot, browser=False,
            rhythm=Rhythm(background_s=seconds),
        )  # fmt: skip
        before, begin = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
        path = capture(asked, console)
        after, wall_s = resource.getrusage(resource.RUSAGE_SELF), time.monotonic() - begin
        found = inspect(path, board.imu)
    facts = found.facts[0]
    cpu_s = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    lost = int(facts["lost"]) + int(facts["device_lost"])
    return CaptureCost(wall_s, cpu_s, int(facts["samples"]), lost, float(facts["rate_hz"]), load, plot)


def _watch(text: io.StringIO, start: Callable[[str, str], object]) -> None:
    """Open the live view as soon as its address is printed."""
    while "http://" not in text.getvalue():
        time.sleep(0.05)
    url = next(word for word in text.getvalue().split() if word.startswith("http://"))
    start(_WATCH, url + "events")


def show(cost: CaptureCost, console: Console) -> None:
    """Print the cost, measured on this computer."""
    what = f"{cost.load} processes spinning beside it, live view {'watched' if cost.plot else 'off'}"
    console.print(
        f"Capture over a pty for {cost.wall_s:.0f} s ({what}): {cost.samples} samples at {cost.rate_hz:.2f} Hz, "
        f"{cost.lost} lost; {cost.cpu_s:.1f} s of processor time, {cost.cpu_share:.3f} of one core (measured on host)",
        highlight=False,
    )
