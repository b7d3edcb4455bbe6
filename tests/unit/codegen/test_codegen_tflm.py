"""The tflm engine: compiled against the symbols it uses, and run on the host over the real TFLM behind a fake."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from codegen_runs import Made, make_signal

from toolchain.codegen.hostlib import CORE, FIRMWARE, FLAGS, HostRecognizer, host_compiler, include_flags
from toolchain.codegen.image import seal
from toolchain.errors import ModelError

HERE = Path(__file__).parent
STUB = HERE / "tflm_stub"
ENGINE = FIRMWARE / "engine" / "tflm" / "engine_tflm.cc"
CXX_FLAGS = ("-std=c++17", "-fno-exceptions", "-fno-rtti", "-Wall", "-Wextra", "-Werror")


def run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def cxx() -> str:
    found = shutil.which("g++") or shutil.which("c++")
    if found is None:
        pytest.skip("there is no C++ compiler")
    return found


def test_the_engine_compiles_against_its_symbols(make: Callable[[str], Made], cxx: str) -> None:
    for name in ("one", "two", "three"):
        includes = [*include_flags(make(name).tflm.generated, "tflm"), f"-I{STUB}"]
        run(cxx, *CXX_FLAGS, "-fsyntax-only", *includes, ENGINE)
        # The main loop is C: it must be able to hold the context.
        run(host_compiler(), *FLAGS, *includes, "-fsyntax-only", FIRMWARE / "core" / "recognizer.c")


class Fake:
    """The engine as a library, over an interpreter whose tensors and Invoke belong to this object."""

    def __init__(self, made: Made, cxx: str, folder: Path) -> None:
        from tflite_micro import runtime

        self.made = made
        self.path = folder / f"{made.run.path.name}.so"
        includes = [*include_flags(made.tflm.generated, "tflm"), f"-I{STUB}"]
        objects = []
        for file in [*(FIRMWARE / "core" / f"{name}.c" for name in CORE), FIRMWARE / "host" / "driver.c"]:
            objects.append(folder / f"{file.stem}.o")
            run(host_compiler(), *FLAGS, *includes, "-fPIC", "-c", file, "-o", objects[-1])
        cpp = [*CXX_FLAGS, *includes, "-fPIC", "-shared"]
        run(cxx, *cpp, *objects, ENGINE, STUB / "fake_interpreter.cc", "-o", self.path)
        self.library = ctypes.CDLL(str(self.path))
        self.interpreter = runtime.Interpreter.from_bytes(made.tflite)
        model = made.sources.model
        self.sizes = [[model.tensors[i].shape[1] for i in ports] for ports in (model.inputs, model.outputs)]
        self.library.fake_input.restype = self.library.fake_output.restype = ctypes.POINTER(ctypes.c_int8)
        self.result = 0
        self.callback = ctypes.CFUNCTYPE(ctypes.c_int)(self.invoke)
        self.setup()

    def setup(self, arena: int = 0, sizes: list[list[int]] | None = None) -> None:
        inputs, outputs = ((ctypes.c_size_t * len(part))(*part) for part in sizes or self.sizes)
        self.library.fake_setup(
            ctypes.c_size_t(arena),
            ctypes.c_size_t(len(inputs)),
            inputs,
            ctypes.c_size_t(len(outputs)),
            outputs,
            self.callback,
        )

    def invoke(self) -> int:
        for index, size in enumerate(self.sizes[0]):
            values = np.ctypeslib.as_array(self.library.fake_input(index), (size,))
            self.interpreter.set_input(values.reshape(1, -1).copy(), index)
        self.interpreter.invoke()
        for index, size in enumerate(self.sizes[1]):
            values = np.ctypeslib.as_array(self.library.fake_output(index), (size,))
            values[:] = self.interpreter.get_output(index).reshape(-1)
        return self.result

    def open(self, image: bytes | None = None) -> HostRecognizer:
        image = image or self.made.tflm.image.read_bytes()
        return HostRecognizer(self.path, image, self.made.spec.acc_lsb, self.made.spec.gyro_lsb)


@pytest.fixture(scope="module")
def fake(small: Made, cxx: str, tmp_path_factory: pytest.TempPathFactory) -> Fake:
    return Fake(small, cxx, tmp_path_factory.mktemp("tflm"))


def test_the_engine_gives_the_trace_of_the_compiled_one(fake: Fake, small: Made) -> None:
    fake.setup()
    codes, t_us = make_signal(2_000, seed=21)
    got, expected = fake.open().run(codes, t_us), small.host().run(codes, t_us)
    assert fake.library.fake_registered() == 0b111
    for name in ("y", "winner", "margin", "fired", "reset", "state_crc"):
        assert (getattr(got, name) == getattr(expected, name)).all(), name


def test_failures_have_their_own_status(fake: Fake, small: Made) -> None:
    fake.setup(arena=1 << 20)
    with pytest.raises(ModelError, match="arena is too small"):
        fake.open()
    fake.setup()
    with pytest.raises(ModelError, match="no weights for this engine"):
        fake.open(small.image)
    image = small.tflm.image.read_bytes()
    with pytest.raises(ModelError, match="cannot run these weights"):
        fake.open(seal(image[:-32].replace(b"TFL3", b"TFL2")))
    for part in range(2):
        for index in range(len(fake.sizes[part])):
            sizes = [list(part) for part in fake.sizes]
            sizes[part][index] += 1
            fake.setup(sizes=sizes)
            with pytest.raises(ModelError, match="cannot run these weights"):
                fake.open()
        sizes = [list(part) for part in fake.sizes]
        sizes[part].append(4)
        fake.setup(sizes=sizes)
        with pytest.raises(ModelError, match="cannot run these weights"):
            fake.open()
    fake.setup()
    recognizer = fake.open()
    fake.result = 1
    with pytest.raises(ModelError, match="failed at sample 0"):
        recognizer.run(*make_signal(2, seed=1))
    fake.result = 0
    assert recognizer.engine_errors == 1
