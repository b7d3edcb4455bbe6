"""`tinyltc doctor`: what is there, what is not, and what to do; and the udev rules."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from toolchain.board import Board, board_names, load_board
from toolchain.flash import doctor
from toolchain.flash.doctor import Line, examine, healthy, report
from toolchain.flash.places import Place
from toolchain.flash.udev import RULES_FILE, rules


@pytest.fixture(scope="module")
def boards() -> list[Board]:
    return [load_board(name) for name in board_names()]


def found(lines: list[Line], what: str) -> Line:
    (line,) = [line for line in lines if line.what == what]
    return line


def test_this_machine_builds_and_flashes_the_default_board(board: Board, boards: list[Board]) -> None:
    lines = examine(board, boards, list)
    assert found(lines, "packages").status == found(lines, "pyOCD").status == "ok"
    assert "platformio" in found(lines, "PlatformIO").found
    assert healthy(lines) == (found(lines, "compiler").status == "ok")


def test_a_missing_compiler_is_missing(board: Board, boards: list[Board], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    lines = examine(board, boards, list)
    assert found(lines, "compiler").status == "missing"
    assert "apt-get install gcc-arm-none-eabi" in found(lines, "compiler").do
    assert not healthy(lines)
    console = Console(file=io.StringIO(), width=200)
    assert not report(lines, console)
    assert "apt-get install" in console.file.getvalue()  # type: ignore[attr-defined]


def test_a_missing_pyocd_is_missing_where_it_is_the_first_method(
    board: Board, boards: list[Board], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda name: None)
    assert found(examine(board, boards, list), "pyOCD").status == "missing"
    assert found(examine(load_board("xiao_nrf52840_sense"), boards, list), "pyOCD").status == "note"


def test_a_wrong_version_is_named(board: Board, boards: list[Board], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.importlib.metadata, "requires", lambda name: ["numpy<1", "nosuchthing==1", "rich"])
    line = found(examine(board, boards, list), "packages")
    assert line.status == "missing"
    assert "numpy<1" in line.found
    assert "nosuchthing" in line.found
    assert "rich" not in line.found


def test_ports_and_probes(board: Board, boards: list[Board], monkeypatch: pytest.MonkeyPatch) -> None:
    ports = [
        SimpleNamespace(device="/dev/null", vid=0x1366, pid=0x1015),
        SimpleNamespace(device="/nonexistent", vid=0x2886, pid=0x0045),
        SimpleNamespace(device="/dev/ttyS0", vid=None, pid=None),
    ]
    lines = examine(board, boards, lambda: ports)
    assert "nrf52840" in found(lines, "port /dev/null").found
    assert found(lines, "port /nonexistent").status == "note"
    assert "xiao_nrf52840_sense" in found(lines, "port /nonexistent").found
    assert "SEGGER" in found(lines, "J-Link").do
    monkeypatch.setattr(doctor, "probes", lambda chosen: [Place("123", "Segger J-Link")])
    lines = examine(board, boards, lambda: ports)
    assert found(lines, "probe 123").found == "Segger J-Link"
    assert not [line for line in lines if line.what == "J-Link"]


def test_permissions_of_an_ordinary_person(
    board: Board, boards: list[Board], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(doctor.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(doctor.os, "getgroups", lambda: [1000])
    monkeypatch.setattr(doctor.grp, "getgrall", lambda: [SimpleNamespace(gr_name="dialout", gr_gid=20)])
    assert "usermod -aG dialout" in doctor._group().do
    path = tmp_path / "60-tinyltc.rules"
    assert "is not there" in doctor._udev(boards, path).found
    path.write_text(rules([board]))
    assert "lacks" in doctor._udev(boards, path).found
    path.write_text(rules(boards))
    assert doctor._udev(boards, path).status == "ok"
    assert RULES_FILE.endswith(path.name)


def test_the_rules_hold_every_id_of_every_board(boards: list[Board]) -> None:
    text = rules(boards)
    for board in boards:
        for flash in board.flash:
            for one in flash.usb:
                assert f'ATTRS{{idVendor}}=="{one.vid:04x}", ATTRS{{idProduct}}=="{one.pid:04x}"' in text
