"""The boards' own board.toml against doubles of their own bootloaders, ids, addresses and all."""

from __future__ import annotations

import functools
import shutil
from pathlib import Path

import pytest
from codegen_runs import quiet
from dfu_port import DfuPort
from flash_support import said, small_run
from rich.console import Console
from samba_port import SambaPort
from talking_port import TalkingPort
from uf2_drive import Uf2Drive

from toolchain.board import Board, PyocdFlash, board_names, load_board
from toolchain.build import build
from toolchain.errors import ConfigError
from toolchain.flash import dfu, stage, uf2
from toolchain.flash.image import flat, load_image
from toolchain.flash.method import Wishes
from toolchain.flash.stage import Asked
from toolchain.runs import Run

ARDUINO_OWN = 0x1_0000
"""What the Nano's bootloader adds to every address that it is told."""


def built_for(folder: Path, name: str) -> tuple[Run, Board]:
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    board = load_board(name)
    run = small_run(folder / "demo", board, seed=3)
    build(run, board, "compiled", quiet())
    return run, board


@pytest.fixture(scope="module")
def xiao(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Board]:
    return built_for(tmp_path_factory.mktemp("xiao"), "xiao_nrf52840_sense")


@pytest.fixture
def memory() -> bytearray:
    return bytearray(b"\xff" * 0x10_0000)


def talking(run: Run, board: Board, memory: bytearray, folder: Path) -> TalkingPort:
    firmware = flat(tuple(p for p in load_image(run, board).parts if p.address < board.model_slots[0].origin))
    return TalkingPort(board, memory, len(firmware.data), folder / "port")


def heard(run: Run, board: Board, memory: bytearray, console: Console) -> bool:
    written = all(memory[part.address : part.end] == part.data for part in load_image(run, board).parts)
    return written and "Flashed and running" in said(console) and "hashes its" in said(console)


def test_xiao_through_its_uf2_drive_with_reading_back(
    xiao: tuple[Run, Board], memory: bytearray, tmp_path: Path, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, board = xiao
    monkeypatch.setattr(uf2, "BY_HAND_S", 3.0)
    device = talking(run, board, memory, tmp_path)
    options = {"board_id": "nRF52840-SeeedXiaoSense-v1", "comes_back": 1.0}
    with device, Uf2Drive(tmp_path / "drive", memory, device.start, **options):  # type: ignore[arg-type]
        asked = Asked(
            place=str(tmp_path / "drive"),
            port=str(tmp_path / "port"),
            build=False,
            wishes=Wishes(read_back=True),
            start_s=8.0,
        )
        stage.flash(run, board, asked, console)
    assert heard(run, board, memory, console)
    assert "Press the reset button twice" in said(console)
    assert "Press reset once" in said(console)


def test_xiao_through_serial_dfu(
    xiao: tuple[Run, Board], memory: bytearray, tmp_path: Path, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, board = xiao
    monkeypatch.setattr(stage, "Dfu", functools.partial(dfu.Dfu, pause=lambda seconds: None))
    device = talking(run, board, memory, tmp_path)
    application = memoryview(memory)[board.memory.application :]
    with device, DfuPort(application, device.start, softdevice=0x123) as port:
        asked = Asked(method="dfu", place=port.name, port=str(tmp_path / "port"), build=False, start_s=8.0)
        stage.flash(run, board, asked, console)
    assert heard(run, board, memory, console)


def test_nano_through_its_bootloader(memory: bytearray, tmp_path: Path, console: Console) -> None:
    run, board = built_for(tmp_path, "nano33ble")
    device = talking(run, board, memory, tmp_path)
    with device, SambaPort(memoryview(memory)[ARDUINO_OWN:], device.start) as port:
        asked = Asked(place=port.name, port=str(tmp_path / "port"), build=False, start_s=8.0)
        stage.flash(run, board, asked, console)
    assert heard(run, board, memory, console)


@pytest.mark.parametrize("name", board_names())
def test_every_board_has_a_way_or_says_that_it_has_none(name: str) -> None:
    board = load_board(name)
    if not board.flash:
        with pytest.raises(ConfigError, match="cannot be flashed"):
            stage.method_of(board, None)
        return
    assert stage.method_of(board, None).name == board.flash[0].method
    assert {stage.method_of(board, flash.method).name for flash in board.flash} == {f.method for f in board.flash}
    with pytest.raises(ConfigError, match="is not flashed by 'smoke'"):
        stage.method_of(board, "smoke")


def test_every_target_without_a_pack_is_built_into_pyocd() -> None:
    from pyocd.target.builtin import BUILTIN_TARGETS

    targets = [f for name in board_names() for f in load_board(name).flash if isinstance(f, PyocdFlash)]
    assert targets
    assert [flash.target for flash in targets if flash.pack is None and flash.target not in BUILTIN_TARGETS] == []
