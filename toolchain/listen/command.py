"""A command line for each gesture, without a shell: a label can never become code."""

from __future__ import annotations

import shlex
import shutil
import string
import subprocess
from collections.abc import Callable

from toolchain.errors import ConfigError
from toolchain.listen.gesture import FIELDS, Gesture

AT_ONCE = 4
"""Commands that run side by side; while so many run, further gestures start none and that is said."""

Say = Callable[[str], None]


class CommandLine:
    """``light {label}``, split once like a shell would and filled in word by word."""

    def __init__(self, template: str, say: Say) -> None:
        """``say`` gets a sentence for each command that fails; raises ConfigError for a template that cannot work."""
        try:
            self._words = shlex.split(template)
        except ValueError as reason:
            raise ConfigError(f"--exec '{template}' cannot be split ({reason}).", "Close its quotes.") from None
        if not self._words:
            raise ConfigError("--exec is empty.", "Give a program, such as --exec 'echo {label}'.")
        for word in self._words:
            _check_fields(word)
        if shutil.which(self._words[0]) is None:
            hint = "Give its path; for pipes and redirections, call a script or `sh -c`."
            raise ConfigError(f"--exec: there is no program '{self._words[0]}'.", hint)
        self._say = say
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []

    def __call__(self, gesture: Gesture) -> None:
        """Start the command for a gesture and go on; what it prints goes where the toolchain's output goes."""
        self.reap()
        words = [word.format(**gesture.fields()) for word in self._words]
        if len(self._running) >= AT_ONCE:
            self._say(f"{AT_ONCE} commands still run; none was started for '{gesture.label}'.")
            return
        try:
            self._running.append((shlex.join(words), subprocess.Popen(words, stdin=subprocess.DEVNULL)))
        except OSError as reason:
            self._say(f"`{shlex.join(words)}` did not start ({reason.strerror}).")

    def reap(self) -> None:
        """Look which commands ended, and say which failed."""
        still = []
        for line, process in self._running:
            status = process.poll()
            if status is None:
                still.append((line, process))
            elif status:
                self._say(f"`{line}` ended with {status}.")
        self._running = still

    def close(self) -> None:
        """Wait a moment for commands that still run; they are not killed."""
        for _, process in self._running:
            try:
                process.wait(1.0)
            except subprocess.TimeoutExpired:
                continue
        self.reap()


def _check_fields(word: str) -> None:
    try:
        parts = list(string.Formatter().parse(word))
    except ValueError as reason:
        raise ConfigError(f"--exec: '{word}' cannot be filled in ({reason}).", "Write {{ for a brace.") from None
    for _, field, form, conversion in parts:
        if field is not None and (field not in FIELDS or form or conversion):
            known = ", ".join(f"{{{name}}}" for name in FIELDS)
            raise ConfigError(f"--exec: '{word}' names {{{field}}}.", f"Known: {known}; write {{{{ for a brace.")
