"""UF2, serial DFU and SAM-BA: doubles of the bootloaders take the image, the virtual board boots what they wrote."""

from __future__ import annotations

import functools
from pathlib import Path
from types import SimpleNamespace

import pytest
from booted import Booted
from dfu_port import DfuPort
from flash_support import said
from nordicsemi.dfu import dfu_transport_serial, init_packet
from nordicsemi.dfu.dfu import Dfu as AdafruitDfu
from nordicsemi.dfu.dfu_transport_serial import DfuTransportSerial
from nordicsemi.dfu.package import Package
from rich.console import Console
from samba_port import SambaPort
from uf2_drive import Uf2Drive

from toolchain.board import Board, BossaFlash, DfuFlash, Uf2Flash, UsbId
from toolchain.errors import FlashError
from toolchain.flash import bootloader, dfu, stage, uf2
from toolchain.flash.image import flat, load_image
from toolchain.flash.stage import Asked
from toolchain.runs import Run

END = 0x10_0000
BYTES = {"usb": [UsbId(vid=0x1209, pid=1)], "origin": 0, "end": END, "by_hand": "Press reset twice."}
UF2 = Uf2Flash(method="uf2", family=0xADA5_2840, board_id="double", volume="DOUBLE", **BYTES)
DFU = DfuFlash(method="dfu", device_type=0x52, softdevice=0xB6, **BYTES)
BOSSA = BossaFlash(method="bossa", offset=0, verify="read-back", **BYTES)


@pytest.fixture
def memory() -> bytearray:
    return bytearray(b"\xff" * END)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uf2, "GONE_S", 1.0)
    monkeypatch.setattr(uf2, "BACK_S", 0.5)
    monkeypatch.setattr(dfu, "ANSWER_S", 0.3)
    monkeypatch.setattr(stage, "Dfu", functools.partial(dfu.Dfu, pause=lambda seconds: None))


def flashed(
    run: Run, board: Board, method: Uf2Flash | DfuFlash | BossaFlash, console: Console, **options: object
) -> None:
    by = board.model_copy(update={"flash": [method]})
    stage.flash(run, by, Asked(**({"build": False, "start_s": 6.0} | options)), console)  # type: ignore[arg-type]


# ---- UF2 ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("comes_back", [0.0, 1.0])
def test_uf2(
    built: Run, board: Board, booted: Booted, console: Console, memory: bytearray, tmp_path: Path, comes_back: float
) -> None:
    """Without coming back the firmware's hashes are the proof, else CURRENT.UF2 is compared as well."""
    with Uf2Drive(tmp_path / "drive", memory, booted.start, comes_back=comes_back) as drive:
        flashed(built, board, UF2, console, place=str(drive.folder), port=str(booted.port))
    for part in load_image(built, board).parts:
        assert memory[part.address : part.end] == part.data
    assert ("read back byte by byte" in said(console)) == bool(comes_back)
    assert "hashes its" in said(console)


def test_uf2_model_alone(
    built: Run, other: Run, board: Board, booted: Booted, console: Console, memory: bytearray, tmp_path: Path
) -> None:
    with Uf2Drive(tmp_path / "drive", memory, booted.start):
        flashed(built, board, UF2, console, place=str(tmp_path / "drive"), port=str(booted.port))
    before = bytes(memory[:0xF_0000])
    with Uf2Drive(tmp_path / "drive", memory, booted.start):
        flashed(other, board, UF2, console, place=str(tmp_path / "drive"), port=str(booted.port), model_only=True)
    assert memory[:0xF_0000] == before


def test_uf2_another_family_is_not_taken(
    built: Run, board: Board, console: Console, memory: bytearray, tmp_path: Path
) -> None:
    with (
        Uf2Drive(tmp_path / "drive", memory, lambda flash: None, family=0x5511_4460),
        pytest.raises(FlashError, match="still there after 1 s: the bootloader did not take the file"),
    ):
        flashed(built, board, UF2, console, place=str(tmp_path / "drive"), port="/nowhere")
    assert not memory.strip(b"\xff")


def test_uf2_of_another_board(built: Run, board: Board, console: Console, memory: bytearray, tmp_path: Path) -> None:
    drive = Uf2Drive(tmp_path / "drive", memory, lambda flash: None, board_id="SAMD51-Feather-v0")
    with pytest.raises(FlashError, match="that of a 'SAMD51-Feather-v0', not of a 'double'"):
        flashed(built, board, UF2, console, place=str(drive.folder), port="/nowhere")
    assert not (drive.folder / "TINYLTC.UF2").exists()


def test_uf2_no_drive(built: Run, board: Board, console: Console, tmp_path: Path) -> None:
    with pytest.raises(FlashError, match="no drive of a UF2 bootloader"):
        flashed(built, board, UF2, console, place=str(tmp_path), port="/nowhere")
    with pytest.raises(FlashError, match=r"No UF2 drive was found. Press reset twice."):
        flashed(built, board, UF2, console, port="/nowhere")


def test_uf2_drives_are_found_by_their_board_id(console: Console, memory: bytearray, tmp_path: Path) -> None:
    for name, board_id in (("a b", "double-v1"), ("c", "something else")):
        Uf2Drive(tmp_path / name, memory, lambda flash: None, board_id=board_id)
    mounts = tmp_path / "mounts"
    paths = [str(tmp_path / name).replace(" ", "\\040") for name in ("a b", "c")]
    lines = [f"/dev/sd{n} {path} vfat rw 0 0" for n, path in enumerate(paths)]
    mounts.write_text("\n".join([*lines, "proc /proc proc rw 0 0", "broken"]))
    assert uf2.Uf2(UF2, mounts).find(None, console).name == str(tmp_path / "a b")
    Uf2Drive(tmp_path / "c", memory, lambda flash: None, board_id="double-v2")
    with pytest.raises(FlashError, match=r"There are 2 UF2 drives: .*double-v1.*double-v2.*--bootloader"):
        uf2.Uf2(UF2, mounts).find(None, console)


def test_uf2_full_drive(built: Run, board: Board, console: Console, memory: bytearray, tmp_path: Path) -> None:
    drive = Uf2Drive(tmp_path / "drive", memory, lambda flash: None)
    (drive.folder / "TINYLTC.UF2").symlink_to("/dev/full")
    with pytest.raises(FlashError, match=r"took 0 of .* bytes \(No space left on device\)"):
        flashed(built, board, UF2, console, place=str(drive.folder), port="/nowhere")


def test_uf2_cut_off(
    built: Run, board: Board, booted: Booted, console: Console, memory: bytearray, tmp_path: Path
) -> None:
    with (
        Uf2Drive(tmp_path / "drive", memory, booted.start, cut_at=512),
        pytest.raises(FlashError, match=r"Nothing was heard|bytes \("),
    ):
        flashed(built, board, UF2, console, place=str(tmp_path / "drive"), port=str(booted.port), start_s=0.5)
    assert booted.starts == 0
    assert "running" not in said(console)


@pytest.mark.parametrize(("trouble", "where"), [({"broken_at": 0x222}, "0x00000222"), ({"stale": True}, "0x00000000")])
def test_uf2_reads_back_something_else(
    built: Run,
    board: Board,
    console: Console,
    memory: bytearray,
    tmp_path: Path,
    trouble: dict[str, object],
    where: str,
) -> None:
    with (
        Uf2Drive(tmp_path / "drive", memory, lambda flash: None, comes_back=1.0, **trouble),  # type: ignore[arg-type]
        pytest.raises(FlashError, match=f"Read back, the flash at {where} is not what was written"),
    ):
        flashed(built, board, UF2, console, place=str(tmp_path / "drive"), hello=False)


def test_uf2_that_nobody_saw_is_not_proven(
    built: Run, board: Board, console: Console, memory: bytearray, tmp_path: Path
) -> None:
    with (
        Uf2Drive(tmp_path / "drive", memory, lambda flash: None),
        pytest.raises(FlashError, match="not proven"),
    ):
        flashed(built, board, UF2, console, place=str(tmp_path / "drive"), hello=False)


# ---- serial DFU ---------------------------------------------------------------------------------------------------


def test_dfu(built: Run, board: Board, booted: Booted, console: Console, memory: bytearray) -> None:
    with DfuPort(memory, booted.start) as port:
        flashed(built, board, DFU, console, place=port.name, port=str(booted.port))
    whole = flat(load_image(built, board).parts)
    assert memory[: len(whole.data)] == whole.data
    assert "hashes its" in said(console)


def test_the_double_is_what_adafruit_nrfutil_talks_to(
    built: Run, board: Board, memory: bytearray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same double takes a firmware from adafruit-nrfutil, and both make the same init packet."""
    firmware = load_image(built, board).parts[0].data[:4096]
    (tmp_path / "firmware.bin").write_bytes(firmware)
    package = Package(0x52, 0xFFFF, 0xFFFFFFFF, [0xB6], str(tmp_path / "firmware.bin"))
    package.generate_package(str(tmp_path / "package.zip"))
    field = init_packet.PacketField
    theirs = init_packet.Packet(
        {
            field.DEVICE_TYPE: 0x52,
            field.DEVICE_REVISION: 0xFFFF,
            field.APP_VERSION: 0xFFFFFFFF,
            field.REQUIRED_SOFTDEVICES_ARRAY: [0xB6],
            field.NORDIC_PROPRIETARY_OPT_DATA_FIRMWARE_CRC16: dfu.crc16(firmware),
        }
    )
    assert dfu.init_packet(firmware, 0x52, 0xB6) == theirs.generate_packet()
    monkeypatch.setattr(dfu_transport_serial, "time", SimpleNamespace(sleep=lambda seconds: None))
    monkeypatch.setattr("nordicsemi.dfu.dfu.sleep", lambda seconds: None)
    started: list[bytes] = []
    with DfuPort(memory, started.append) as port:
        AdafruitDfu(str(tmp_path / "package.zip"), DfuTransportSerial(port.name, touch=1200)).dfu_send_images()
        assert port.image == firmware
        assert port.state == "started"


def test_dfu_repeats_what_was_lost(
    built: Run, board: Board, booted: Booted, console: Console, memory: bytearray
) -> None:
    with DfuPort(memory, booted.start, lost=frozenset({0, 2, 7, 8, 40})) as port:
        flashed(built, board, DFU, console, place=port.name, port=str(booted.port))
        assert port.state == "started"


def test_dfu_whose_bootloader_falls_silent(built: Run, board: Board, console: Console, memory: bytearray) -> None:
    with (
        DfuPort(memory, lambda flash: None, lost=frozenset(range(30, 100))) as port,
        pytest.raises(FlashError, match="did not acknowledge a packet 4 times"),
    ):
        flashed(built, board, DFU, console, place=port.name, port="/nowhere")


@pytest.mark.parametrize("packet", [0, 25])
def test_dfu_whose_port_disappears(built: Run, board: Board, console: Console, memory: bytearray, packet: int) -> None:
    with (
        DfuPort(memory, lambda flash: None, vanish_at=packet) as port,
        pytest.raises(FlashError, match="disappeared during the transfer"),
    ):
        flashed(built, board, DFU, console, place=port.name, port="/nowhere")


@pytest.mark.parametrize("wrong", [{"device_type": 0x53}, {"softdevice": 0x123}])
def test_dfu_that_is_acknowledged_but_not_taken_is_no_success(
    built: Run, board: Board, booted: Booted, console: Console, memory: bytearray, wrong: dict[str, int]
) -> None:
    """The bootloader acknowledges every packet of an image that it will not start."""
    with (
        DfuPort(memory, booted.start, **wrong) as port,  # type: ignore[arg-type]
        pytest.raises(FlashError, match="Nothing was heard of the firmware"),
    ):
        flashed(built, board, DFU, console, place=port.name, port=str(booted.port), start_s=0.3)
    assert "running" not in said(console)


def test_dfu_refuses_what_it_cannot(built: Run, board: Board, console: Console) -> None:
    with pytest.raises(FlashError, match="whole applications only"):
        flashed(built, board, DFU, console, place="/nowhere", port="/nowhere", model_only=True)
    with pytest.raises(FlashError, match="only the firmware's hello proves it"):
        flashed(built, board, DFU, console, place="/nowhere", hello=False)
    with pytest.raises(FlashError, match="cannot be opened"):
        flashed(built, board, DFU, console, place="/nowhere", port="/nowhere")


# ---- SAM-BA -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["Arduino Bootloader double [Arduino:IKXYZ]", "v1.1 [Arduino:XYZ] double"])
def test_bossa(built: Run, board: Board, booted: Booted, console: Console, memory: bytearray, version: str) -> None:
    with SambaPort(memory, booted.start, version=version) as port:
        flashed(built, board, BOSSA, console, place=port.name, port=str(booted.port))
    for part in load_image(built, board).parts:
        assert memory[part.address : part.end] == part.data
    assert "read back byte by byte" in said(console)


def test_bossa_model_alone_spares_the_firmware(
    built: Run, other: Run, board: Board, booted: Booted, console: Console, memory: bytearray
) -> None:
    with SambaPort(memory, booted.start) as port:
        flashed(built, board, BOSSA, console, place=port.name, port=str(booted.port))
        flashed(other, board, BOSSA, console, place=port.name, port=str(booted.port), model_only=True)
        assert port.erased_from == 0xF_0000


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ({"vanish_at": 2}, "disappeared during the transfer"),
        ({"fails_at": 1}, "did not write 0x00001000"),
        ({"broken_at": 0x1234}, "Read back, the flash at 0x00001234"),
        ({"version": "v2.0"}, "There is no SAM-BA bootloader that can write flash .*'v2.0'"),
    ],
)
def test_bossa_in_trouble(
    built: Run, board: Board, console: Console, memory: bytearray, trouble: dict[str, object], words: str
) -> None:
    with (
        SambaPort(memory, lambda flash: None, **trouble) as port,  # type: ignore[arg-type]
        pytest.raises(FlashError, match=words),
    ):
        flashed(built, board, BOSSA, console, place=port.name, hello=False)
    assert "read back" not in said(console)


# ---- ports --------------------------------------------------------------------------------------------------------


def port_of(device: str, vid: int, pid: int, serial: str = "") -> SimpleNamespace:
    return SimpleNamespace(device=device, vid=vid, pid=pid, serial_number=serial, description="port")


def test_a_bootloader_is_found_by_its_ids_or_started_by_touching(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    touchable = BOSSA.model_copy(update={"touch_1200_baud": True, "application_usb": [UsbId(vid=0x1209, pid=2)]})
    running, started = [port_of("/dev/app", 0x1209, 2)], [port_of("/dev/boot", 0x1209, 1)]
    touched: list[str] = []
    monkeypatch.setattr(bootloader, "_touch", touched.append)
    found = bootloader.find_port(touchable, None, console, lambda: started if touched else running)
    assert (found.name, touched) == ("/dev/boot", ["/dev/app"])
    with pytest.raises(FlashError, match=r"No bootloader port was found\. Press reset twice\."):
        bootloader.find_port(BOSSA, None, console, lambda: running)
