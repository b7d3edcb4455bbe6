"""The firmware's wire code as a host library, and a device to talk to."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fake_device import FakeDevice

HERE = Path(__file__).parent
FIRMWARE = HERE.parents[2] / "firmware"
FLAGS = ["-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-ffp-contract=off"]
SOURCES = [FIRMWARE / "core" / name for name in ("cobs.c", "frame.c", "message.c", "txqueue.c", "crc32.c")]


def _compile(output: Path, source: str, *options: str) -> Path:
    command = ["cc", *FLAGS, *options, f"-I{FIRMWARE}", str(HERE / source), *map(str, SOURCES), "-o", str(output)]
    subprocess.run(command, check=True)
    return output


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The firmware's wire code, compiled for this machine."""
    built = _compile(tmp_path_factory.mktemp("wire") / "wire.so", "host.c", "-shared", "-fPIC")
    loaded = ctypes.CDLL(str(built))
    for name in ("host_receiver_size", "host_queue_size", "host_cobs_encode", "host_receive", "tl_frame_build"):
        getattr(loaded, name).restype = ctypes.c_size_t
    for kind in ("hello", "sample", "step", "decision", "timing", "health", "log", "ack"):
        getattr(loaded, f"tl_message_{kind}").restype = ctypes.c_size_t
    for name in ("tl_txqueue_init", "tl_txqueue_put", "tl_txqueue_empty", "tl_message_is_command"):
        getattr(loaded, name).restype = ctypes.c_bool
    loaded.tl_txqueue_next.restype = ctypes.c_size_t
    return loaded


@pytest.fixture(scope="session")
def compile_sanitized(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Compile a program of this folder with the address and undefined-behaviour sanitizers."""
    sanitizers = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    return lambda source: _compile(tmp_path_factory.mktemp("wire") / Path(source).stem, source, *sanitizers)


@pytest.fixture(scope="session")
def fuzzer(compile_sanitized: Callable[[str], Path]) -> Path:
    return compile_sanitized("fuzz.c")


class Receiver:
    """The firmware's frame receiver."""

    NAMES = ("frames", "bad_crc", "bad_cobs", "too_long", "too_short")

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        self._state = ctypes.create_string_buffer(library.host_receiver_size())
        library.tl_frame_receiver_init(self._state)

    def feed(self, data: bytes) -> list[bytes]:
        """Feed bytes; return the payloads delivered."""
        out = ctypes.create_string_buffer(len(data) + 256)
        used = self._library.host_receive(self._state, data, ctypes.c_size_t(len(data)), out)
        raw, payloads, at = out.raw[:used], [], 0
        while at < used:
            payloads.append(raw[at + 1 : at + 1 + raw[at]])
            at += 1 + raw[at]
        return payloads

    @property
    def counters(self) -> dict[str, int]:
        """The counters by name."""
        values = (ctypes.c_uint32 * 5)()
        self._library.host_receiver_counters(self._state, values)
        return dict(zip(self.NAMES, values, strict=True))


@pytest.fixture
def receiver(library: ctypes.CDLL) -> Receiver:
    """A fresh receiver of the firmware."""
    return Receiver(library)


@pytest.fixture
def device() -> Iterator[FakeDevice]:
    """A device on a pty."""
    fake = FakeDevice()
    yield fake
    fake.disappear()
