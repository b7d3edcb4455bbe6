"""Snippets of assembly on a bare core, and one small network measured once."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import pytest
from bench_support import LAYERS, Assemble
from rich.console import Console

from toolchain.bench.figures import Figures
from toolchain.bench.step import bench_step
from toolchain.board import Board, load_board
from toolchain.emulator.bare import BareCore
from toolchain.emulator.blockhook import HookChoice, compiler

FLASH, RAM, STACK = (0, 0x10000), (0x20000000, 0x4000), (0x20000000, 0x20001000)


@pytest.fixture(scope="session", autouse=True)
def _tools() -> None:
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    pytest.importorskip("unicorn", reason="Unicorn is not installed (tinyltc[emulator])")


@pytest.fixture(scope="session")
def board() -> Board:
    return load_board("nrf52840")


@pytest.fixture(params=["c", "python"])
def hook(request: pytest.FixtureRequest) -> HookChoice:
    if request.param == "c" and compiler() is None:
        pytest.skip("no host C compiler for the C hook")
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def assemble(tmp_path: Path, hook: HookChoice) -> Assemble:
    """``assemble(body)``: a core with the function ``snippet``; R1 is the address of 32 bytes in flash at its start."""

    def assemble(body: str) -> BareCore:
        source = (
            ".syntax unified\n.cpu cortex-m4\n.fpu fpv4-sp-d16\n.thumb\n.section .text\n"
            ".global snippet\n.type snippet, %function\nsnippet:\n"
            f"movw r1, #:lower16:table\n movt r1, #:upper16:table\n{body}\n.size snippet, . - snippet\n"
            ".balign 16\ntable: .word 1, 2, 3, 4, 5, 6, 7, 8\n"
        )
        (tmp_path / "snippet.s").write_text(source)
        elf = tmp_path / "snippet.elf"
        command = ["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"]
        command += ["-nostdlib", "-Wl,-Ttext=0x100", "-Wl,-e,snippet", str(tmp_path / "snippet.s"), "-o", str(elf)]
        subprocess.run(command, check=True)
        return BareCore(elf, FLASH, RAM, STACK, hook)

    return assemble


@pytest.fixture(scope="session")
def quiet() -> Console:
    return Console(file=io.StringIO(), width=200)


@pytest.fixture(scope="session")
def measured(tmp_path_factory: pytest.TempPathFactory, board: Board, quiet: Console) -> list[Figures]:
    """The rows of the compiled engine on a small network with odd widths."""
    out = tmp_path_factory.mktemp("bench")
    return bench_step(board, quiet, layers=LAYERS, engine="compiled", out=out)


@pytest.fixture(scope="session")
def in_flash(measured: list[Figures]) -> Figures:
    return measured[0]


@pytest.fixture(scope="session")
def in_ram(measured: list[Figures]) -> Figures:
    return measured[1]
