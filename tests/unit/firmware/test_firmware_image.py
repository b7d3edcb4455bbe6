"""The image of a random model: limits, contents, and what must not be in it. Building it warned of nothing."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from toolchain.board import Board
from toolchain.runs import Run

KB = 1024


@pytest.fixture(scope="module")
def report(built_run: Run) -> dict[str, Any]:
    return json.loads((built_run.firmware / "build.json").read_text())


@pytest.fixture(scope="module")
def disassembly(built_run: Run) -> str:
    command = ["arm-none-eabi-objdump", "-d", "--no-show-raw-insn", str(built_run.firmware / "firmware.elf")]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _bytes(built_run: Run, folder: Path) -> bytes:
    """The image from address 0 on, as objcopy reads the hex file."""
    output = folder / "image.bin"
    command = ["arm-none-eabi-objcopy", "-I", "ihex", "-O", "binary", "--gap-fill", "0xff"]
    subprocess.run([*command, str(built_run.firmware / "firmware.hex"), str(output)], check=True)
    return output.read_bytes()


def test_meets_the_limits_of_flash_and_ram(report: dict[str, Any]) -> None:
    assert report["flash_bytes"] <= 64 * KB
    assert report["ram_bytes"] <= 16 * KB
    assert 0 < report["engine_flash_bytes"] < report["flash_bytes"] - report["model_flash_bytes"]


def test_hex_holds_the_model_at_slot_a_and_the_vectors_at_0(built_run: Run, board: Board, tmp_path: Path) -> None:
    image = _bytes(built_run, tmp_path)
    slot, model = board.model_slots[0], built_run.image.read_bytes()
    assert image[slot.origin :] == model
    assert model[:8] == b"TLTCMDL1"
    top, reset = int.from_bytes(image[:4], "little"), int.from_bytes(image[4:8], "little")
    assert top == board.memory.ram_origin + board.memory.stack_bytes
    assert reset % 2 == 1
    assert reset < slot.origin


def test_figures_are_those_of_the_tools(built_run: Run, report: dict[str, Any]) -> None:
    command = ["arm-none-eabi-size", "-B", str(built_run.firmware / "firmware.elf")]
    line = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[1]
    text, data, bss = (int(number) for number in line.split()[:3])
    assert report["flash_bytes"] == text + data + built_run.image.stat().st_size
    assert report["ram_bytes"] == data + bss


def test_has_no_heap_no_stdio_and_no_double_arithmetic(report: dict[str, Any]) -> None:
    names = {symbol["name"] for symbol in report["symbols"]}
    assert not names & {"malloc", "_malloc_r", "free", "_sbrk", "_sbrk_r", "printf", "__aeabi_dadd", "__aeabi_dmul"}


def test_has_no_fused_multiply_add(disassembly: str) -> None:
    assert "vmul.f32" in disassembly
    assert not re.search(r"\tv(fma|fms|fnma|fnms|mla|mls|nmla|nmls)\b", disassembly)


def test_dma_buffers_lie_in_ram(report: dict[str, Any]) -> None:
    sections = {symbol["name"]: symbol["section"] for symbol in report["symbols"]}
    for name in ("landing", "burst_out", "burst_in", "command_storage", "other_storage"):
        assert sections[name] == ".bss"


def test_names_no_path_of_the_machine_that_built_it(built_run: Run, tmp_path: Path) -> None:
    image = _bytes(built_run, tmp_path)
    assert str(built_run.path).encode() not in image
    assert b"firmware/core" not in image


def test_the_stack_is_bounded_and_the_bound_fits(report: dict[str, Any]) -> None:
    assert report["stack_largest_function"]["bytes"] < report["stack_bound_bytes"] <= report["stack_bytes"]


def test_every_interrupt_without_a_handler_is_a_fault(built_run: Run, tmp_path: Path, disassembly: str) -> None:
    image = _bytes(built_run, tmp_path)
    vectors = [int.from_bytes(image[4 * i : 4 * i + 4], "little") & ~1 for i in range(64)]
    symbols = dict(re.findall(r"^([0-9a-f]+) <(\w+)>:", disassembly, re.MULTILINE))
    names = [symbols.get(f"{address:08x}") for address in vectors]
    handlers = {
        16 + 0: "POWER_CLOCK_IRQHandler",
        16 + 2: "UARTE0_IRQHandler",
        16 + 6: "GPIOTE_IRQHandler",
        16 + 17: "RTC1_IRQHandler",
        16 + 26: "TIMER3_IRQHandler",
        16 + 35: "SPIM2_IRQHandler",
    }
    reserved = {0, 7, 8, 9, 10, 13}
    for number in set(range(1, 64)) - reserved:
        expected = handlers.get(number, "Reset_Handler" if number == 1 else "Fault_Handler")
        assert names[number] == expected, number
