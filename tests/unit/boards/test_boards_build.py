"""Every board's part of the firmware compiles and links; the slow form builds whole images through PlatformIO."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from rich.console import Console

from toolchain.bench.boards import build_boards
from toolchain.board import Board, board_names, load_board
from toolchain.board.linker import linker_script, regions
from toolchain.board.parts import FIRMWARE
from toolchain.codegen.generate import require_current
from toolchain.errors import ModelError
from toolchain.runs import Run

Generated = Callable[[Board], Run]
"""The fixture ``generated``."""
FLAGS = tomllib.loads((FIRMWARE / "platform" / "flags.toml").read_text())
COMPILER = "arm-none-eabi-gcc"

pytestmark = pytest.mark.skipif(shutil.which(COMPILER) is None, reason=f"{COMPILER} is not installed")


def sources(board: Board) -> list[Path]:
    """What differs between boards: HAL and sensor driver."""
    files = [*(FIRMWARE / "hal" / "common").glob("*.c"), *(FIRMWARE / "hal" / board.soc).glob("*.c")]
    return [*sorted(files), FIRMWARE / "sensors" / f"{board.imu.part}.c"]


def link(board: Board, header: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Link HAL and driver with a main that does nothing; every warning is an error."""
    (folder / "main.c").write_text(
        '#include "hal/hal.h"\n#include "sensors/imu.h"\n'
        "int main(void) { (void)hal_init(); static tl_ring ring; return imu_probe() && imu_start(&ring) ? 0 : 1; }\n"
    )
    (folder / "board.ld").write_text(linker_script(board))
    flags = [*FLAGS["machine"], *FLAGS["compile"], "-O0", *FLAGS["c"], f"-I{FIRMWARE}", f"-I{header.parent}"]
    files = [*sources(board), FIRMWARE / "core" / "ring.c", folder / "main.c"]
    command = [
        COMPILER,
        *flags,
        *map(str, files),
        *FLAGS["link"],
        "-T",
        str(folder / "board.ld"),
        "-o",
        str(folder / "board.elf"),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", board_names())
def test_hal_and_driver_compile_and_lie_where_the_board_says(name: str, generated: Generated, tmp_path: Path) -> None:
    board = load_board(name)
    result = link(board, generated(board).generated / "board_config.h", tmp_path)
    assert result.returncode == 0, result.stderr
    allowed = [(one.origin, one.origin + one.bytes) for one in regions(board) if one.name in ("FLASH", "RAM")]
    with (tmp_path / "board.elf").open("rb") as stream:
        file = ELFFile(stream)
        vectors = file.get_section_by_name(".vectors")
        assert vectors["sh_addr"] == board.memory.application
        stack, reset = (int.from_bytes(vectors.data()[at : at + 4], "little") for at in (0, 4))
        assert stack == board.memory.ram_origin + board.memory.stack_bytes
        assert reset % 2 == 1
        for segment in file.iter_segments("PT_LOAD"):
            if segment["p_memsz"] == 0:
                continue  # no initialized data
            for address in (segment["p_paddr"], segment["p_vaddr"]):
                assert any(start <= address and address + segment["p_memsz"] <= end for start, end in allowed)


@pytest.mark.parametrize("name", board_names())
def test_the_header_says_what_the_board_file_says(name: str, generated: Generated) -> None:
    board = load_board(name)
    run = generated(board)
    text = (run.generated / "board_config.h").read_text()
    macros = dict(re.findall(r"^#define (TL_BOARD_\w+) (.+?)(?: /\*.*)?$", text, re.MULTILINE))
    pins = {f"TL_BOARD_PIN_{pin.upper()}": f"{number}u" for pin, number in board.pins.wired.items()}
    assert {key: value for key, value in macros.items() if key.startswith("TL_BOARD_PIN_")} == pins
    routes = {f"TL_BOARD_ROUTE_{key.upper()}": f"{value}u" for key, value in board.routing.items()}
    assert {key: value for key, value in macros.items() if key.startswith("TL_BOARD_ROUTE_")} == routes
    assert macros["TL_BOARD_APPLICATION_ORIGIN"] == f"0x{board.memory.application:08X}u"
    assert macros[f"TL_BOARD_IMU_BUS_{board.imu.bus.upper()}"] == "1"
    address = macros.get("TL_BOARD_IMU_I2C_ADDRESS")
    assert address == (None if board.imu.i2c_address is None else f"0x{board.imu.i2c_address:02X}u")
    poll = macros.get("TL_BOARD_IMU_POLL_US")
    assert poll == (f"{board.imu.poll_us}u" if board.imu.clock == "timer" else None)


def test_code_of_a_board_that_has_changed_since_is_refused(generated: Generated) -> None:
    board = load_board("nrf52840")
    run = generated(board)
    assert require_current(run, board, "compiled")
    moved = board.model_copy(update={"pins": board.pins.model_copy(update={"mark": 1})})
    with pytest.raises(ModelError, match=r"not made for board 'nrf52840' as its board\.toml is now"):
        require_current(run, moved, "compiled")


@pytest.mark.parametrize(
    ("name", "key", "value", "message"),
    [
        ("feather_m4", "routing", {}, "routing"),
        (
            "nucleo_l4r5zi",
            "routing",
            {"spi_function": 5, "int1_function": 2, "int1_channel": 4},
            "routing.uart_function",
        ),
        ("feather_m4", "clock_hz", 48_000_000, "clock_hz: this HAL runs the SAMD51 at 120 MHz"),
    ],
)
def test_what_a_hal_cannot_do_is_an_error_that_names_the_key(
    name: str, key: str, value: object, message: str, generated: Generated, tmp_path: Path
) -> None:
    board = load_board(name).model_copy(update={key: value})
    result = link(board, generated(board).generated / "board_config.h", tmp_path)
    assert result.returncode != 0
    assert re.search(rf'#error "{message}', result.stderr)


@pytest.mark.slow
def test_every_board_builds() -> None:
    boards = [load_board(name) for name in board_names()]
    built = build_boards(boards, Console(quiet=True))
    assert [one.board for one in built] == [board.name for board in boards]
    for board, one in zip(boards, built, strict=True):
        assert one.flash_bytes < 64 * 1024
        assert one.ram_bytes < 16 * 1024
        assert one.ram_bytes > board.memory.stack_bytes
