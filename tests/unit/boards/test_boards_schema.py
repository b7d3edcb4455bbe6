"""board.toml: what the schema refuses, each with one sentence that names the file and the key."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from toolchain.board import BOARDS, board_names, load_board, pin_number
from toolchain.board.pins import pin_name
from toolchain.errors import ConfigError, EmulatorError


def edited(folder: Path, name: str, old: str, new: str) -> Path:
    shutil.copytree(BOARDS / name, folder / name)
    path = folder / name / "board.toml"
    text = path.read_text()
    assert text.count(old) == 1, f"{text.count(old)} times: {old}"
    path.write_text(text.replace(old, new))
    return folder


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("xiao_nrf52840_sense", "application_origin = 0x0002_7000", "application_origin = 0x0002_6000", "reserved"),
        ("xiao_nrf52840_sense", "application_origin = 0x0002_7000", "application_origin = 0x0002_7400", "flash page"),
        (
            "xiao_nrf52840_sense",
            "origin = 0x000E_2000",
            "origin = 0x000E_4000",
            "'b' overlaps the reserved region",
        ),
        ("xiao_nrf52840_sense", "bytes = 0xA000", "bytes = 0xB000", "reserved regions .* overlap"),
        ("xiao_nrf52840_sense", "i2c_address = 0x6A ", "# ", "needs i2c_address"),
        ("xiao_nrf52840_sense", "i2c_address = 0x6A ", "i2c_address = 0xD4 ", "imu.i2c_address"),
        ("xiao_nrf52840_sense", 'i2c_sda = "P0.07"', 'spi_sck = "P0.07"', "needs pins.i2c_sda"),
        ("xiao_nrf52840_sense", 'imu_int1 = "P0.11"', "", "needs pins.imu_int1"),
        ("xiao_nrf52840_sense", 'imu_power = "P1.08"', 'imu_power = "P0.11"', "'imu_int1'.*are both pin 11"),
        ("xiao_nrf52840_sense", "volume = ", "label = ", r"flash.0.uf2.label.*Known keys there: .*volume"),
        ("xiao_nrf52840_sense", "device_type = 0x0052", "device_type = 0x10052", "flash.1.dfu.device_type"),
        ("nano33ble", 'imu_power = "P0.22"', 'imu_int1 = "P0.22"', "must be 'data-ready'"),
        ("nano33ble", "end = 0x0010_0000", "end = 0x000F_8000", "does not reach model slot 'b'"),
        ("nano33ble", 'method = "bossa"', 'method = "jtag"', "flash.0"),
        ("nano33ble", 'name = "qemu"', 'name = "virtual"', "'virtual' is listed twice"),
        ("feather_m4", "bytes = 8\n", "bytes = 4\n", "must be the end of the RAM"),
        ("feather_m4", 'spi_miso = "PB22"', 'spi_miso = "PB42"', "PB42.*32 pins"),
        ("feather_m4", 'name = "qemu"\nwhy.boot =', 'name = "qemu"\nwhy.cycles =', "say why in why.boot"),
        ("nano33ble", 'can = ["boot", ', 'can = ["recognize", ', "can recognize without 'boot'"),
        ("nano33ble", 'why.power = "', 'why.boot = "', "'boot' stands in both"),
        ("nrf52840", "typ = 0.55", "typ = 0.55\nmax = 0.5", "currents.imu_high_performance.*ascend"),
        ("nrf52840", "[currents.rtc]", "[currents.radio]", "currents.radio.*not a known key"),
    ],
)
def test_a_contradiction_is_refused(tmp_path: Path, name: str, old: str, new: str, message: str) -> None:
    folder = edited(tmp_path, name, old, new)
    with pytest.raises(ConfigError, match=rf"(?s)board\.toml.*{message}"):
        load_board(name, folder)


@pytest.mark.parametrize(("name", "number"), [("P0.06", 6), ("P1.15", 47), ("PA05", 5), ("PB3", 35), ("PG7", 199)])
def test_pin_names(name: str, number: int) -> None:
    assert pin_number(name) == number
    assert pin_number(pin_name(number, lettered=name[1].isalpha())) == number


@pytest.mark.parametrize("name", board_names())
def test_each_emulator_is_named_and_runs_the_board_or_says_why_not(name: str) -> None:
    board = load_board(name)
    assert {one.name for one in board.emulators} == {"virtual", "qemu", "renode"}
    for one in board.emulators:
        if one.boots:
            assert board.emulator(one.name) == one
            continue
        assert one.why["boot"].endswith(".")
        with pytest.raises(EmulatorError) as caught:
            board.emulator(one.name)
        assert one.why["boot"] in str(caught.value)


@pytest.mark.parametrize("name", board_names())
def test_currents_say_where_they_come_from(name: str) -> None:
    currents = load_board(name).currents
    if currents is None:
        pytest.skip(f"{name} has no currents")
    for state in type(currents).model_fields:
        one = getattr(currents, state)
        if state != "supply_v" and one is not None:
            assert one.source.strip()
            assert one.at.strip()
            assert 0 < one.amperes(load_board(name).clock_hz) < 0.1


def test_a_folder_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = edited(tmp_path, "nrf52840", 'name = "nrf52840"', 'name = "mine"')
    (folder / "nrf52840").rename(folder / "mine")
    before = board_names()
    monkeypatch.setenv("TINYLTC_BOARDS", str(folder))
    assert board_names() == sorted([*before, "mine"])
    assert load_board("mine").folder == folder / "mine"
    assert board_names(BOARDS) == before
    (folder / "mine").rename(folder / "nrf52840")
    with pytest.raises(ConfigError, match="two boards 'nrf52840'"):
        board_names()
    monkeypatch.setenv("TINYLTC_BOARDS", str(tmp_path / "none"))
    with pytest.raises(ConfigError, match="which is no folder"):
        load_board("nrf52840")
