"""SWD: pyOCD writes a double of the chip with its own flash algorithm, and the virtual board boots the result."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from booted import Booted
from flash_support import said
from pyocd.probe import aggregator
from rich.console import Console
from swd_chip import APPROTECT, UICR, Chip
from swd_probe import Probe

from toolchain.board import Board
from toolchain.errors import FlashError
from toolchain.flash import swd
from toolchain.flash.image import load_image, load_model
from toolchain.flash.method import Wishes
from toolchain.flash.stage import Asked, flash
from toolchain.runs import Run

SLOT = 0xF_0000


@pytest.fixture
def chip() -> Chip:
    return Chip()


@pytest.fixture
def probe(chip: Chip, monkeypatch: pytest.MonkeyPatch) -> Iterator[Probe]:
    monkeypatch.setattr(aggregator, "PROBE_CLASSES", {"double": Probe})
    monkeypatch.setattr(swd, "LOCK_PAUSE_S", 0.0)
    Probe.connected = [Probe(chip)]
    yield Probe.connected[0]
    Probe.connected = []


def asked(booted: Booted | None = None, **options: object) -> Asked:
    port = str(booted.port) if booted else None
    return Asked(**({"port": port, "build": False, "hello": booted is not None, "start_s": 5.0} | options))  # type: ignore[arg-type]


def test_from_flash_to_the_hello_of_what_was_flashed(
    built: Run, board: Board, chip: Chip, probe: Probe, booted: Booted, console: Console
) -> None:
    chip.on_start = booted.start
    chip.put(0x8_0000, b"somebody else's data")
    flash(built, board, asked(booted), console)
    image = load_image(built, board)
    for part in image.parts:
        assert chip.flash[part.address : part.end] == part.data
    assert chip.flash[0x8_0000:0x8_0014] == b"somebody else's data"
    assert chip.mass_erases == 0
    assert booted.starts == 1
    assert f"runs model {image.model_sha256.hex()[:16]}" in said(console)
    assert "read back byte by byte" in said(console)
    assert "hashes its" in said(console)


def test_the_model_alone_leaves_the_firmware_as_it_is(
    built: Run, other: Run, board: Board, chip: Chip, probe: Probe, booted: Booted, console: Console
) -> None:
    flash(built, board, asked(), console)
    before, chip.erased_pages = chip.flash[:SLOT], []
    chip.on_start = booted.start
    flash(other, board, asked(booted, model_only=True), console)
    assert chip.flash[:SLOT] == before
    assert min(chip.erased_pages) >= SLOT
    assert load_model(other, board).model_sha256.hex()[:16] in said(console)


def test_the_next_flash_needs_no_erase(built: Run, board: Board, chip: Chip, probe: Probe, console: Console) -> None:
    """A chip that locks itself at reset (build code F): UICR is written before the reset that would lock it."""
    assert chip.word(APPROTECT) == 0xFFFF_FFFF
    flash(built, board, asked(), console)
    assert chip.word(APPROTECT) == 0xFFFF_FF5A
    assert not chip.locked
    flash(built, board, asked(), console)
    assert chip.mass_erases == 0


def test_uicr_is_left_alone_where_only_erased_means_open(
    built: Run, board: Board, probe: Probe, console: Console
) -> None:
    probe.chip = Chip(build_code="C0")
    flash(built, board, asked(), console)
    assert probe.chip.word(APPROTECT) == 0xFFFF_FFFF
    assert not probe.chip.locked


def test_a_uicr_that_will_lock_is_told(built: Run, board: Board, chip: Chip, probe: Probe, console: Console) -> None:
    chip.put(APPROTECT, b"\x00\xff\xff\xff")
    flash(built, board, asked(), console)
    assert "locks at the next reset" in said(console)
    assert chip.mass_erases == 0


def test_a_false_locked_reading_is_asked_again(
    built: Run, board: Board, chip: Chip, probe: Probe, console: Console
) -> None:
    probe.false_locks = 2
    flash(built, board, asked(), console)
    assert chip.mass_erases == 0
    assert chip.flash[:4] != b"\xff" * 4


def test_a_locked_chip_is_refused_and_not_erased(built: Run, board: Board, chip: Chip, probe: Probe) -> None:
    chip.put(0, b"keep me")
    chip.locked = True
    with pytest.raises(FlashError, match=r"locked.*nothing was erased.*--mass-erase"):
        flash(built, board, asked(), Console(file=io.StringIO()))
    assert chip.mass_erases == 0
    assert chip.flash[:7] == b"keep me"


def test_a_mass_erase_that_was_asked_for_by_name(
    built: Run, board: Board, chip: Chip, probe: Probe, console: Console
) -> None:
    chip.put(UICR + 0x80, b"\x00\x00")
    chip.locked = True
    flash(built, board, asked(wishes=Wishes(mass_erase=True)), console)
    assert chip.mass_erases == 1
    assert chip.word(UICR + 0x80) == 0xFFFF_FFFF
    assert chip.word(APPROTECT) == 0xFFFF_FF5A
    assert not chip.locked


@pytest.mark.parametrize("transfers", [3, 40, 400, 700])
def test_a_probe_that_is_pulled_out(
    built: Run, board: Board, chip: Chip, probe: Probe, console: Console, transfers: int
) -> None:
    probe.fail_after = transfers
    with pytest.raises(FlashError, match=r"DOUBLE0001 failed while (connecting to|writing to) the chip"):
        flash(built, board, asked(), console)
    assert "read back" not in said(console)


def test_a_cell_that_reads_differently(built: Run, board: Board, probe: Probe, console: Console) -> None:
    probe.corrupt_read = 0x1004
    with pytest.raises(FlashError, match="Read back, the flash at 0x00001004 is"):
        flash(built, board, asked(), console)


def test_a_page_that_does_not_take_its_words(
    built: Run, board: Board, chip: Chip, probe: Probe, console: Console
) -> None:
    chip.failing_page = 1
    with pytest.raises(FlashError, match="Read back, the flash at 0x0000100"):
        flash(built, board, asked(), console)


def test_no_probe_and_a_wrong_one(built: Run, board: Board, probe: Probe, console: Console) -> None:
    with pytest.raises(FlashError, match=r"No debug probe was found.*'ABC'.*DOUBLE0001"):
        flash(built, board, asked(place="ABC"), console)
    Probe.connected = []
    with pytest.raises(FlashError, match="No debug probe was found"):
        flash(built, board, asked(), console)


def test_two_probes_are_listed_and_one_is_asked_for(
    built: Run, board: Board, chip: Chip, probe: Probe, console: Console
) -> None:
    second = Probe(Chip(), "DOUBLE0002")
    Probe.connected = [probe, second]
    with pytest.raises(FlashError, match=r"There are 2 debug probes: DOUBLE0001 .*; DOUBLE0002 .*--probe"):
        flash(built, board, asked(), console)
    assert chip.flash == second.chip.flash == b"\xff" * 0x10_0000
    flash(built, board, asked(place="0002"), console)
    assert second.chip.flash[:4] != b"\xff" * 4
    assert chip.flash[:4] == b"\xff" * 4


def test_firmware_that_does_not_come_up_is_no_success(
    built: Run, board: Board, probe: Probe, booted: Booted, console: Console
) -> None:
    with pytest.raises(FlashError, match=r"Nothing was heard of the firmware: There is no serial port"):
        flash(built, board, asked(booted, start_s=0.2), console)
    assert "running" not in said(console)


def test_another_model_that_answers_is_no_success(
    built: Run, other: Run, board: Board, chip: Chip, probe: Probe, booted: Booted, console: Console
) -> None:
    """The port belongs to another board, which runs the old model."""
    flash(built, board, asked(), console)
    booted.start(chip.flash)
    with pytest.raises(FlashError, match=r"runs model .* was written"):
        flash(other, board, asked(booted, model_only=True, start_s=0.3), console)


def test_another_firmware_with_the_same_model_is_no_success(
    built: Run, board: Board, chip: Chip, probe: Probe, booted: Booted, console: Console
) -> None:
    flash(built, board, asked(), console)
    text = bytearray(chip.flash)
    at = text.index(b"cycle counter does not count")
    text[at] ^= 0x20
    booted.start(bytes(text))
    with pytest.raises(FlashError, match="hashes its"):
        flash(built, board, asked(booted), console)
