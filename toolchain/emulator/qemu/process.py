"""Starting qemu-system-arm, and the bell by which board and host take turns."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from toolchain.errors import EmulatorError, MissingToolError

PROGRAM = "qemu-system-arm"
NANOSECONDS_SHIFT = 5
"""An instruction takes 2**5 ns of virtual time (-icount shift): 31 million a second, near the board's 25 MHz."""
_START_S, _TURN_S = 20.0, 600.0


def missing() -> str | None:
    """Say why QEMU cannot be used, or None."""
    if shutil.which(PROGRAM) is None:
        return f"{PROGRAM} is not installed (apt-get install qemu-system-arm)."
    return None


class Process:
    """QEMU with this machine and image; ``folder`` is a temporary one of its own."""

    def __init__(self, machine: str, image: Path, plugin: Path | None = None) -> None:
        reason = missing()
        if reason is not None:
            raise MissingToolError(reason, "Install it, or choose another with --emulator.")
        self._temporary = tempfile.TemporaryDirectory(prefix="tinyltc-qemu-")
        self.folder = Path(self._temporary.name)
        self.output, self.page, self.counts = self.folder / "console.out", self.folder / "page", self.folder / "counts"
        self._machine, self._image, self._plugin = machine, image.resolve(), plugin
        self._child: subprocess.Popen[bytes] | None = None
        self._bell: socket.socket | None = None
        self._input = -1

    def start(self) -> None:
        """Start it and wait until the board rings for the first time; ``page`` must exist."""
        self.output.touch()
        os.mkfifo(self.folder / "console.in")
        # Opened for both, so that neither this nor QEMU waits for the other.
        self._input = os.open(self.folder / "console.in", os.O_RDWR | os.O_NONBLOCK)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(str(self.folder / "bell"))
            listener.listen(1)
            listener.settimeout(_START_S)
            self._child = subprocess.Popen(
                self._command(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
            )
            try:
                self._bell = listener.accept()[0]
            except TimeoutError:
                raise self._died("did not start") from None
        self._bell.settimeout(_TURN_S)
        self.wait()

    def _command(self) -> list[str]:
        size = self.page.stat().st_size
        command = [
            *(PROGRAM, "-nodefaults", "-display", "none"),
            *("-machine", f"{self._machine},memory-backend=mps.ram"),
            *("-object", f"memory-backend-file,id=mps.ram,size={size},mem-path={self.page},share=on"),
            # Virtual time is instructions, and jumps when the core sleeps.
            *("-icount", f"shift={NANOSECONDS_SHIFT},align=off,sleep=off"),
            # QEMU reads from console.in, a pipe, and writes to console.out, which is a file: it never makes the board
            # wait, so what the board does is the same in every run.
            *("-chardev", f"pipe,id=console,path={self.folder / 'console'}"),
            *("-serial", "chardev:console"),
            *("-chardev", f"socket,id=bell,path={self.folder / 'bell'}", "-serial", "chardev:bell"),
            *("-action", "watchdog=reset"),
            *("-device", f"loader,file={self._image}"),
        ]
        if self._plugin is not None:
            command += ["-plugin", f"{self._plugin},counts={self.counts}"]
        return command

    def ring(self) -> None:
        """Let the board go on."""
        assert self._bell is not None
        try:
            self._bell.sendall(b"G")
        except OSError:
            raise self._died("ended") from None

    def wait(self) -> None:
        """Wait until the board rings."""
        assert self._bell is not None
        try:
            got = self._bell.recv(1)
        except TimeoutError:
            raise self._died(f"did not come back within {_TURN_S:.0f} s") from None
        except OSError:
            got = b""
        if not got:
            raise self._died("ended")

    def send(self, data: bytes) -> None:
        """Put bytes on the console's line; at most what a pipe holds (64 KB)."""
        os.write(self._input, data)

    def _died(self, what: str) -> EmulatorError:
        child = self._child
        said = ""
        if child is not None:
            self._child = None
            child.kill()
            said = child.communicate()[1].decode(errors="replace").strip()[-400:]
        return EmulatorError(
            f"QEMU {what}{f': {said}' if said else '.'}", "Try the machine by hand: qemu-system-arm -M help."
        )

    def close(self) -> None:
        """End QEMU and remove its files."""
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
        if self._bell is not None:
            self._bell.close()
        if self._input >= 0:
            with contextlib.suppress(OSError):
                os.close(self._input)
            self._input = -1
        self._temporary.cleanup()
