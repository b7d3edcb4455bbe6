"""The exception tree: every failure a user can cause, with a sentence that says what, where and what to try.

Functions of this package raise a subclass of :class:`TinyLtcError` for bad input and let everything else (a bug)
propagate as it is. The command line prints the sentence and exits with :attr:`TinyLtcError.exit_code`.
"""

from __future__ import annotations


class TinyLtcError(Exception):
    """Base of every error that a user can cause and mend.

    ``what`` says what is wrong and where; ``hint`` says what to try.
    """

    exit_code = 1

    def __init__(self, what: str, hint: str = "") -> None:
        self.what = what
        self.hint = hint
        super().__init__(f"{what} {hint}".strip())


class ConfigError(TinyLtcError):
    """A project file, board file or option is wrong: names the file, the key and what was expected."""

    exit_code = 2


class DataError(TinyLtcError):
    """A recording or a data set is missing, damaged or unusable (NaN, clipped, no recordings of a class)."""

    exit_code = 3


class ModelError(TinyLtcError):
    """A model file (.tflite, model.json, weights) is missing, truncated or not what the toolchain makes."""

    exit_code = 4


class ParityError(TinyLtcError):
    """Two implementations of the same step disagree."""

    exit_code = 5


class BuildError(TinyLtcError):
    """A compiler or builder is missing or failed."""

    exit_code = 6


class EmulatorError(TinyLtcError):
    """The virtual board stopped on a fault or cannot do what was asked."""

    exit_code = 7


class LinkError(TinyLtcError):
    """The serial link failed: no port, no hello, another protocol version."""

    exit_code = 8


class MeterError(TinyLtcError):
    """A current meter is missing, or gave readings that cannot be true."""

    exit_code = 10


class MissingToolError(BuildError):
    """A program or an optional package is not installed; the hint gives the one line that installs it."""
