"""boards/<name>/board.toml: what is checked, and how it says what is wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from toolchain.board import BOARDS, STANDARD_GRAVITY, board_names, load_board
from toolchain.errors import ConfigError


@pytest.fixture
def boards(tmp_path: Path) -> Path:
    shutil.copytree(BOARDS / "nrf52840", tmp_path / "nrf52840")
    return tmp_path


def edit(boards: Path, old: str, new: str) -> None:
    path = boards / "nrf52840" / "board.toml"
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize("name", board_names())
def test_every_board_in_the_repository_is_valid(name: str) -> None:
    board = load_board(name)
    assert board.name == name
    assert board.folder.is_dir()


def test_units_of_one_code() -> None:
    imu = load_board("nrf52840").imu
    assert imu.acc_lsb == pytest.approx(0.000244 * STANDARD_GRAVITY)
    assert imu.gyro_lsb == pytest.approx(0.0012217, rel=1e-4)
    assert imu.period_us == 4808


def test_unknown_board_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"no board 'nrf99'.*nrf52840"):
        load_board("nrf99")


def test_a_path_is_not_a_board() -> None:
    with pytest.raises(ConfigError, match="no board"):
        load_board("../boards/nrf52840")


def test_wrong_key_names_file_and_key(boards: Path) -> None:
    edit(boards, "clock_hz =", "clock_hertz =")
    with pytest.raises(ConfigError, match=r"board.toml: key 'clock_h"):
        load_board("nrf52840", boards)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("origin = 0x000F_0000", "origin = 0x000F_0010", "flash page"),
        ("origin = 0x000F_8000", "origin = 0x0010_0000", "outside the flash"),
        ("origin = 0x000F_8000", "origin = 0x000F_4000", "overlap"),
        ("mounting = [[1.0,", "mounting = [[2.0,", "orthonormal"),
        ('uart_tx = "P0.06"', 'uart_tx = "P0.32"', "pins.uart_tx"),
        ('uart_tx = "P0.06"', 'uart_tx = "6"', "'6' is no pin"),
        ('uart_tx = "P0.06"', 'uart_tx = "P0.08"', "'uart_rx' and 'uart_tx' are both pin 8"),
        ("bus_hz = 8_000_000", "bus_hz = '8 MHz'", "imu.bus_hz"),
        ('name = "nrf52840"', 'name = "other"', "expected 'nrf52840'"),
        ('cpu = "cortex-m4"', 'cpu = "cortex-m4', "not valid TOML"),
    ],
)
def test_faults_are_told_apart(boards: Path, old: str, new: str, message: str) -> None:
    edit(boards, old, new)
    with pytest.raises(ConfigError, match=message):
        load_board("nrf52840", boards)
