"""Renode without windows, and its monitor: commands in, text out, over loopback."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

from toolchain.errors import EmulatorError, MissingToolError

_START_S, _ANSWER_S = 60.0, 600.0
_PROMPT = re.compile(rb"\(([\w-]+)\) ?$")
_ESCAPES = re.compile(rb"\x1b\[[0-9;]*[A-Za-z]|\xff[\xfb-\xfe].")


def program() -> str | None:
    """Return Renode's path: ``$RENODE`` (program or folder), else from PATH; None if there is none."""
    named = os.environ.get("RENODE")
    if named:
        path = Path(named)
        path = path / "renode" if path.is_dir() else path
        return str(path) if path.is_file() else None
    return shutil.which("renode")


def missing() -> str | None:
    """Say why Renode cannot be used, or None."""
    if program() is None:
        return "Renode is not installed: unpack its portable package and put it on PATH or into RENODE."
    return None


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Monitor:
    """A Renode process whose monitor listens on a port of this machine."""

    def __init__(self) -> None:
        path = program()
        if path is None:
            raise MissingToolError(str(missing()), "Or choose another with --emulator.")
        port = _free_port()
        command = [path, "--disable-xwt", "--hide-log", "--plain", "--port", str(port)]
        self._child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._socket = self._connect(port)
        self._wait_for_prompt()

    def _connect(self, port: int) -> socket.socket:
        limit = time.monotonic() + _START_S
        while time.monotonic() < limit and self._child.poll() is None:
            with contextlib.suppress(OSError):
                found = socket.create_connection(("127.0.0.1", port), timeout=1.0)
                found.settimeout(_ANSWER_S)
                return found
            time.sleep(0.2)
        self._child.kill()
        self._child.wait()
        raise EmulatorError("Renode did not start.", "Start it by hand and look at what it says.")

    def _wait_for_prompt(self) -> str:
        said = b""
        while not _PROMPT.search(_ESCAPES.sub(b"", said).rstrip()):
            try:
                piece = self._socket.recv(65536)
            except OSError:
                piece = b""
            if not piece:
                raise EmulatorError(f"Renode ended: {said[-300:].decode(errors='replace')}", "Run the .resc by hand.")
            said += piece
        return _ESCAPES.sub(b"", said).decode(errors="replace")

    def command(self, text: str) -> str:
        """Run one command and return what it printed; raises EmulatorError when Renode calls it an error."""
        self._socket.sendall(text.encode() + b"\n")
        said = self._wait_for_prompt()
        if "There was an error" in said or "No such command" in said:
            raise EmulatorError(f"Renode refused '{text}': {said.strip()[:300]}", "Compare with Renode's version.")
        return said

    def close(self) -> None:
        """End Renode."""
        with contextlib.suppress(OSError):
            self._socket.sendall(b"quit\n")
        self._socket.close()
        try:
            self._child.wait(10)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
