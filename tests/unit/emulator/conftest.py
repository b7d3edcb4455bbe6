"""Small C programs for the virtual board, compiled once per session."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from emulator_support import Compile, Run

from toolchain.board import Board, load_board
from toolchain.emulator.board import VirtualBoard

HERE = Path(__file__).parent
COMPILER = "arm-none-eabi-gcc"
FLAGS = (
    "-mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard -O1 -g0 -std=c11 -ffp-contract=off "
    "-Wall -Werror -Wno-unused-function"
)


@pytest.fixture(scope="session")
def board() -> Board:
    return load_board("nrf52840")


@pytest.fixture(scope="session")
def compile_c(tmp_path_factory: pytest.TempPathFactory) -> Compile:
    """``compile_c(source, *defines)`` gives the ELF of a program that starts with start.h."""
    if shutil.which(COMPILER) is None:
        pytest.skip(f"{COMPILER} is not installed")
    pytest.importorskip("unicorn", reason="Unicorn is not installed (tinyltc[emulator])")
    folder = tmp_path_factory.mktemp("programs")

    def compile_c(source: str, *defines: str) -> Path:
        name = hashlib.sha256(repr((source, defines)).encode()).hexdigest()[:16]
        elf = folder / f"{name}.elf"
        if not elf.exists():
            text = "".join(f"#define {define}\n" for define in defines) + '#include "start.h"\n' + source
            (folder / f"{name}.c").write_text(text)
            command = [COMPILER, *FLAGS.split(), "-nostdlib", "-ffreestanding", "-I", str(HERE)]
            command += ["-T", str(HERE / "test.ld"), str(folder / f"{name}.c"), "-lgcc", "-o", str(elf)]
            subprocess.run(command, check=True)
        return elf

    return compile_c


@pytest.fixture(scope="session", params=["c", "python"])
def hook(request: pytest.FixtureRequest) -> str:
    """Both block hooks; C only where a host compiler is found."""
    from toolchain.emulator.blockhook import compiler

    if request.param == "c" and compiler() is None:
        pytest.skip("no host C compiler for the C hook")
    return str(request.param)


@pytest.fixture
def run(board: Board, compile_c: Compile) -> Run:
    """``run(source, seconds)`` compiles and runs a program to its breakpoint and gives the board."""

    def run(source: str, seconds: float = 1.0, *defines: str, **options: object) -> VirtualBoard:
        virtual = VirtualBoard(board, compile_c(source, *defines), **options)  # type: ignore[arg-type]
        virtual.run(seconds)
        return virtual

    return run
