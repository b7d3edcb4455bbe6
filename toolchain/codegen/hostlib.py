"""The firmware's core and engine as a shared library of this host, wrapped for Python.

The same C that goes into the firmware, compiled by the host's compiler with the firmware's flags for float arithmetic
and warnings, so that its outputs can be compared with the reference bit for bit.
"""

from __future__ import annotations

import ctypes
import hashlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from toolchain.codegen.image import ImageError, Status
from toolchain.errors import BuildError, MissingToolError, ModelError
from toolchain.files import replacing
from toolchain.int8.reference import Trace

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
CORE = (
    "crc32",
    "decision",
    "difference",
    "integrate_euler",
    "integrate_exponential",
    "integrate_rk4",
    "integrate_semi_implicit",
    "model",
    "prepare",
    "recognizer",
    "sha256",
    "solver",
)
"""Files of firmware/core that the recognizer needs."""
FLAGS = (
    "-std=c11",
    "-O2",
    "-Wall",
    "-Wextra",
    "-Wconversion",
    "-Werror",
    "-ffp-contract=off",
    "-fno-fast-math",
)
Engine = Literal["compiled", "callback"]
RightHandSide = Callable[
    [npt.NDArray[np.int8], npt.NDArray[np.int8]],
    tuple[npt.NDArray[np.int8], npt.NDArray[np.int8], npt.NDArray[np.int8]],
]
"""x (inputs,) and h (states,) to f (states,), z (states,), y (outputs,), all int8."""

_INT8P = ctypes.POINTER(ctypes.c_int8)
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, _INT8P, _INT8P, _INT8P, _INT8P, _INT8P)
_ENGINE_ERROR = 256
_AGAIN = "Make the image again: `tinyltc generate`."
_ENGINE_STATUS = {
    1: "the image has no weights for this engine",
    2: "it cannot run these weights",
    3: "its arena is too small",
}
_TRACE_FIELDS = ("x_q", "y", "winner", "margin", "fired", "state_crc", "delta_us", "reset", "state")


class _Trace(ctypes.Structure):
    """tl_host_trace."""

    _fields_ = tuple((name, ctypes.c_void_p) for name in _TRACE_FIELDS)


def sources(generated: Path, engine: Engine) -> list[Path]:
    """Return the C files of core, engine and host driver."""
    core = [FIRMWARE / "core" / f"{name}.c" for name in CORE]
    if engine == "compiled":
        return [*core, generated / "engine_compiled.c", FIRMWARE / "host" / "driver.c"]
    return [*core, FIRMWARE / "engine" / "callback" / "engine_callback.c", FIRMWARE / "host" / "driver.c"]


def include_flags(generated: Path, engine: str) -> list[str]:
    """Return the compiler's include flags for the core with ``engine``."""
    return [f"-I{FIRMWARE}", f"-I{generated}", f"-I{FIRMWARE / 'engine' / engine}"]


def host_compiler() -> str:
    """Return the host's C compiler; raises MissingToolError."""
    for name in ("cc", "gcc"):
        found = shutil.which(name)
        if found:
            return found
    raise MissingToolError("There is no C compiler (cc or gcc).", "Install one: apt-get install gcc libc6-dev")


def build_library(generated: Path, engine: Engine, folder: Path, extra_flags: tuple[str, ...] = ()) -> Path:
    """Compile core, engine and driver into ``folder`` and return the shared library.

    ``generated``: what the generate stage wrote. Raises MissingToolError without a compiler, BuildError with the
    compiler's first message when it refuses.
    """
    files = sources(generated, engine)
    for file in files:
        if not file.exists():
            raise BuildError(f"{file} does not exist.", "Run `tinyltc generate` with the compiled engine first.")
    command = [host_compiler(), *FLAGS, *extra_flags, "-fPIC", "-shared", *include_flags(generated, engine)]
    if engine == "callback":
        command.append("-DTL_HOST_CALLBACK")
    # The name carries all that the library is made from: the loader never gives an old one, and none is made twice.
    library = folder / f"libtinyltc_{engine}_{_digest(command, generated, engine)}.so"
    if library.exists():
        return library
    with replacing(library) as temporary:
        done = subprocess.run(
            [*command, *map(str, files), "-o", str(temporary)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            first = next((line for line in done.stderr.splitlines() if "error" in line), done.stderr.strip())
            raise BuildError(f"The host compiler refuses the generated code: {first}", "This is a bug: report it.")
    return library


def _digest(command: list[str], generated: Path, engine: Engine) -> str:
    digest = hashlib.sha256("\0".join(command).encode())
    folders = (FIRMWARE / "core", FIRMWARE / "engine", FIRMWARE / "engine" / engine, FIRMWARE / "host", generated)
    for file in sorted(path for folder in folders for path in folder.glob("*.[ch]")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


class HostRecognizer:
    """The C recognizer on this host. It keeps its state from call to call, as the device does."""

    def __init__(
        self, library: Path, image: bytes, acc_lsb: float, gyro_lsb: float, rhs: RightHandSide | None = None
    ) -> None:
        """Open ``image`` in a library made by :func:`build_library`.

        ``acc_lsb`` (m/s²) and ``gyro_lsb`` (rad/s) per code are the board's. ``rhs`` is the right-hand side of engine
        ``callback``. Raises ImageError if the C refuses the image, ModelError if the engine does.
        """
        self._library = load_library(library)
        self._image = aligned_copy(image)
        self._host = ctypes.create_string_buffer(self._library.tl_host_bytes() + 16)
        self._at = ctypes.c_void_p(-(-ctypes.addressof(self._host) // 16) * 16)
        self._failure: BaseException | None = None
        status = self._library.tl_host_open(self._at, self._image.ctypes.data, len(image), acc_lsb, gyro_lsb)
        if 0 < status < _ENGINE_ERROR:
            raise ImageError(Status(status), self._library.tl_model_status_text(status).decode().rstrip("."))
        if status:
            what = _ENGINE_STATUS.get(status - _ENGINE_ERROR, f"engine status {status - _ENGINE_ERROR}")
            raise ModelError(f"The engine does not start: {what}.", _AGAIN)
        self.channels, self.inputs, self.states, self.outputs = (
            ctypes.c_uint32.in_dll(self._library, f"tl_host_{name}").value
            for name in ("channels", "inputs", "states", "outputs")
        )
        if rhs is not None:
            self._callback = self._wrap(rhs)
            self._library.tl_host_set_callback(self._at, self._callback)

    def run(self, codes: npt.NDArray[np.integer], t_us: npt.NDArray[np.integer], *, keep_state: bool = False) -> Trace:
        """Run IMU codes int16 (T, 6) with stamps in microseconds (T,); returns what Int8Reference.run returns.

        Raises ModelError if the engine fails at a sample; an exception of the callback comes out as it was.
        """
        codes = np.ascontiguousarray(codes, np.int16)
        stamps = np.ascontiguousarray(t_us, np.uint64)
        n = len(codes)
        if codes.shape != (n, self.channels) or stamps.shape != (n,):
            raise ValueError(f"codes {codes.shape} and stamps {stamps.shape} do not belong together")
        trace = Trace(
            x_q=np.zeros((n, self.inputs), np.int8),
            y=np.zeros((n, self.outputs), np.int8),
            winner=np.zeros(n, np.uint8),
            margin=np.zeros(n, np.int32),
            fired=np.zeros(n, np.bool_),
            delta_us=np.zeros(n, np.uint32),
            reset=np.zeros(n, np.bool_),
            state_crc=np.zeros(n, np.uint32),
            state=np.zeros((n, self.states), np.float32) if keep_state else None,
        )
        arrays = {name: getattr(trace, name) for name in _TRACE_FIELDS}
        pointers = _Trace(**{name: None if a is None else a.ctypes.data for name, a in arrays.items()})
        done = self._library.tl_host_run(self._at, n, codes.ctypes.data, stamps.ctypes.data, ctypes.byref(pointers))
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        if done != n:
            raise ModelError(f"The engine failed at sample {done} of {n}.", _AGAIN)
        return trace

    def reset(self) -> None:
        """Forget the signal, as after an IMU restart."""
        self._library.tl_host_reset(self._at)

    @property
    def gap_resets(self) -> int:
        """Resets caused by stamps so far."""
        return int(self._library.tl_host_gap_resets(self._at))

    @property
    def engine_errors(self) -> int:
        """Failed right-hand sides so far."""
        return int(self._library.tl_host_engine_errors(self._at))

    def _wrap(self, rhs: RightHandSide) -> Any:
        inputs, states, outputs = self.inputs, self.states, self.outputs

        def call(_argument: Any, x: Any, h: Any, f: Any, z: Any, y: Any) -> int:
            try:
                given = (np.ctypeslib.as_array(x, (inputs,)), np.ctypeslib.as_array(h, (states,)))
                for target, size, values in zip((f, z, y), (states, states, outputs), rhs(*given), strict=True):
                    np.ctypeslib.as_array(target, (size,))[:] = values
            except BaseException as reason:
                # An exception cannot cross C; run() raises it again.
                self._failure = reason
                return 1
            return 0

        return _CALLBACK(call)


def host_recognizer(
    generated: Path,
    image: bytes,
    acc_lsb: float,
    gyro_lsb: float,
    folder: Path,
    engine: Engine = "compiled",
    rhs: RightHandSide | None = None,
) -> HostRecognizer:
    """Build the library for ``generated`` and ``engine`` into ``folder`` (once) and open ``image`` in it."""
    return HostRecognizer(build_library(generated, engine, folder), image, acc_lsb, gyro_lsb, rhs)


def load_library(path: Path) -> ctypes.CDLL:
    """Load a library made by :func:`build_library` and declare its functions."""
    library = ctypes.CDLL(str(path))
    pointer, number = ctypes.c_void_p, ctypes.c_uint32
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "tl_host_bytes": (ctypes.c_size_t, []),
        "tl_host_open": (ctypes.c_int, [pointer, pointer, number, ctypes.c_float, ctypes.c_float]),
        "tl_host_run": (ctypes.c_size_t, [pointer, ctypes.c_size_t, pointer, pointer, pointer]),
        "tl_host_gap_resets": (number, [pointer]),
        "tl_host_engine_errors": (number, [pointer]),
        "tl_host_reset": (None, [pointer]),
        "tl_model_status_text": (ctypes.c_char_p, [ctypes.c_int]),
        "tl_crc32": (number, [number, pointer, ctypes.c_size_t]),
        "tl_sha256_init": (None, [pointer]),
        "tl_sha256_update": (None, [pointer, pointer, ctypes.c_size_t]),
        "tl_sha256_final": (None, [pointer, pointer]),
        "tl_prepare_state": (None, [pointer, ctypes.c_float, pointer]),
        "tl_solver_step": (None, [*[pointer] * 4, ctypes.c_float, ctypes.c_float]),
        "tl_solver_step_to_int8": (None, [*[pointer] * 4, *[ctypes.c_float] * 3, pointer]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    if hasattr(library, "tl_host_set_callback"):
        library.tl_host_set_callback.restype = None
        library.tl_host_set_callback.argtypes = [pointer, _CALLBACK]
    return library


def aligned_copy(image: bytes, alignment: int = 16) -> npt.NDArray[np.uint8]:
    """Return ``image`` in memory that starts at a multiple of ``alignment``, as flash does."""
    room = np.zeros(len(image) + alignment, np.uint8)
    start = -room.ctypes.data % alignment
    copy = room[start : start + len(image)]
    copy[:] = np.frombuffer(image, np.uint8)
    return copy
