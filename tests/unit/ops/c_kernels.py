"""The C kernels, built with the address and undefined-behaviour sanitizers and run on many cases at once."""

from __future__ import annotations

import dataclasses
import struct
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from toolchain.codegen.hostlib import FIRMWARE, FLAGS, host_compiler
from toolchain.int8.ops.broadcast import broadcast_loops

SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-O1")
SOURCE = Path(__file__).with_name("run_kernels.c")


def build(folder: Path) -> Path:
    """Compile run_kernels.c into ``folder``."""
    program = folder / "run_kernels"
    subprocess.run(
        [host_compiler(), *FLAGS, *SANITIZERS, f"-I{FIRMWARE}", str(SOURCE), "-o", str(program)],
        check=True,
        timeout=120,
    )
    return program


def numbers(parameters: Any) -> np.ndarray:
    """The fields of a dataclass of ints as the C struct of the same fields."""
    values = dataclasses.astuple(parameters)
    return np.array([v for value in values for v in (value if isinstance(value, tuple) else (value,))], "<i4")


@dataclasses.dataclass
class Case:
    """One call; ``expected`` gives the output's type and shape and is what the kernel must return."""

    function: str
    expected: np.ndarray
    inputs: tuple[np.ndarray, ...]
    parameters: np.ndarray | None = None
    loops: np.ndarray | None = None
    tables: tuple[np.ndarray, ...] = ()
    count: int = 0
    rows: int = 0

    def pack(self) -> bytes:
        arrays: list[np.ndarray | None] = [self.parameters, self.loops, None, None, None, None]
        arrays[2 : 2 + len(self.tables)] = self.tables
        arrays[4 : 4 + len(self.inputs)] = self.inputs
        raw = [b"" if array is None else np.ascontiguousarray(array).tobytes() for array in arrays]
        sizes = [*map(len, raw), self.expected.nbytes]
        head = struct.pack("<32s2I7I", self.function.encode(), self.count or self.expected.size, self.rows, *sizes)
        return head + b"".join(raw)


def elementwise(function: str, parameters: Any, a: np.ndarray, b: np.ndarray, expected: np.ndarray) -> Case:
    """A call of ADD, SUB or MUL."""
    loops = numbers(broadcast_loops(a.shape, b.shape, expected.shape))
    return Case(function, expected, (a, b), numbers(parameters), loops)


class Kernels:
    """The program."""

    def __init__(self, program: Path) -> None:
        self.program = program

    def check(self, cases: list[Case]) -> None:
        """Run ``cases`` and compare each output with its expectation, bit for bit."""
        done = subprocess.run(
            [self.program], input=b"".join(case.pack() for case in cases), capture_output=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stderr.decode()[:2000]
        assert len(done.stdout) == sum(case.expected.nbytes for case in cases)
        start = 0
        for case in cases:
            size = case.expected.size
            told = np.frombuffer(done.stdout, case.expected.dtype, size, start).reshape(case.expected.shape)
            np.testing.assert_array_equal(told, case.expected, err_msg=f"{case.function} {case.parameters}")
            start += case.expected.nbytes
