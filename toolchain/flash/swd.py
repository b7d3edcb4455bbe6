"""Flashing over SWD with pyOCD: CMSIS-DAP, J-Link and ST-LINK probes.

Sectors are erased, never the chip, unless `--mass-erase` was given. pyOCD's own `auto_unlock`, which answers a locked
port with a mass erase, is off: locked readings can be false (pyOCD #1212, #1766), so one is asked again over a fresh
connection, and a chip that stays locked is left as it is.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rich.console import Console

from toolchain.board import PyocdFlash
from toolchain.errors import FlashError, MissingToolError
from toolchain.flash.image import Image
from toolchain.flash.method import Progress, Proof, Wishes
from toolchain.flash.places import Place, choose

if TYPE_CHECKING:
    from pyocd.core.session import Session

LOCK_READINGS = 5
LOCK_PAUSE_S = 0.2
_READ_BYTES = 4096
UICR_APPROTECT = 0x1000_1208
"""nRF52840 PS v1.7, 4.5.1 UICR. Open on every build code that looks at it: 0x5A in its lowest byte (PS 4.8)."""
APPROTECT_OPEN = 0xFFFF_FF5A
_ERASED = 0xFFFF_FFFF


class _LockedError(Exception):
    """The chip said that its debug port is locked."""


class Swd:
    """Flashing through a debug probe."""

    name = "pyocd"
    what = "debug probe"

    def __init__(self, flash: PyocdFlash) -> None:
        self._flash = flash

    def find(self, chosen: str | None, console: Console) -> Place:
        """Return the probe: the one whose unique id contains ``chosen``, or the only one there is."""
        known = probes(chosen)
        hint = "Connect the board's probe and see `tinyltc doctor`."
        if chosen:
            hint = (
                f"None has '{chosen}' in its unique id: {', '.join(p.name for p in probes(None)) or 'there are none'}."
            )
        return choose(self.what, "--probe", known, console, hint)

    def write(self, place: Place, image: Image, wishes: Wishes, console: Console, progress: Progress) -> Proof:
        """Write ``image``, read every byte back, keep the debug port open, reset."""

        def work(session: Session) -> None:
            _program(session, image, progress)
            _compare(session, image)
            _keep_port_open(session, console)
            session.target.reset()

        _connected(self._flash, place, wishes.mass_erase, work)
        return "read back"


def probes(chosen: str | None) -> list[Place]:
    """Every probe that pyOCD sees (whose unique id contains ``chosen``)."""
    helpers = _pyocd("pyocd.core.helpers")
    errors = _pyocd("pyocd.core.exceptions")
    try:
        found = helpers.ConnectHelper.get_all_connected_probes(blocking=False, unique_id=chosen)
    except errors.Error as reason:
        raise FlashError(f"The debug probes cannot be listed ({reason}).", "See `tinyltc doctor`.") from None
    return [Place(probe.unique_id, probe.description, probe.unique_id) for probe in found]


def _pyocd(name: str) -> Any:
    import importlib

    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError:
        raise MissingToolError("pyOCD is not installed in this Python.", "pip install -e '.[flash]'") from None
    # What pyOCD logs is said again here, in a sentence; without a handler Python would print it as well.
    logging.getLogger("pyocd").addHandler(logging.NullHandler())
    return module


def _connected(flash: PyocdFlash, place: Place, mass_erase: bool, work: Callable[[Session], None]) -> None:
    """Do ``work`` in an open session; a chip that says it is locked is asked again before it is believed."""
    for attempt in range(LOCK_READINGS):
        try:
            _session(flash, place, mass_erase, work)
            return
        except _LockedError:
            if attempt + 1 < LOCK_READINGS:
                time.sleep(LOCK_PAUSE_S)
    raise FlashError(
        f"The debug port of the chip on {place.name} is locked ({LOCK_READINGS} readings); nothing was erased.",
        "If that chip may lose everything in its flash, unlock it with --mass-erase.",
    )


def _session(flash: PyocdFlash, place: Place, mass_erase: bool, work: Callable[[Session], None]) -> None:
    errors = _pyocd("pyocd.core.exceptions")
    options = {
        "target_override": flash.target,
        "frequency": flash.frequency_hz,
        "auto_unlock": False,
        "connect_mode": "halt",
        "resume_on_disconnect": True,
        "hide_programming_progress": True,
        "no_config": True,
    }
    step = "connecting to"
    try:
        session = _pyocd("pyocd.core.helpers").ConnectHelper.session_with_chosen_probe(
            blocking=False, return_first=True, unique_id=place.name, auto_open=False, options=options
        )
        if session is None:
            raise FlashError(f"The probe {place.name} is gone.", "Plug it in again.")
        guard = _Guard(mass_erase)
        session.delegate = guard
        with session:
            session.open()
            step = "writing to"
            work(session)
    except errors.TargetSupportError as reason:
        pack = f"It is in the pack {flash.pack}: `pyocd pack install {flash.target}`." if flash.pack else ""
        raise FlashError(f"pyOCD does not know the target '{flash.target}' ({reason}).", pack) from None
    except (errors.Error, OSError) as reason:
        unfinished = step == "writing to"
        hint = "Check cable and power" + (", and flash again: the chip holds half an image." if unfinished else ".")
        raise FlashError(f"The probe {place.name} failed while {step} the chip ({_sentence(reason)}).", hint) from None


def _sentence(reason: BaseException) -> str:
    return (str(reason) or type(reason).__name__).splitlines()[0].rstrip(".")


class _Guard:
    """Stands in for pyOCD's check of the debug port of an nRF52 (pyOCD calls it as the session's delegate)."""

    def __init__(self, mass_erase: bool) -> None:
        self._mass_erase = mass_erase

    def will_init_target(self, target: Any, init_sequence: Any) -> None:
        """Put the check into the sequence that pyOCD connects with; called by pyOCD."""
        if init_sequence.has_task("load_svd"):
            init_sequence.remove_task("load_svd")  # register names, of no use here
        if not hasattr(target, "check_flash_security"):
            return

        def check() -> None:
            if self._mass_erase:
                if not target.mass_erase():
                    raise FlashError("The mass erase did not end.", "Power the board off and on, and try again.")
                # What pyOCD read of a locked access port before is of no use.
                target._discoverer._create_1_ap(0)
            elif target.is_locked():
                raise _LockedError

        init_sequence.wrap_task("discovery", lambda seq: seq.replace_task("check_flash_security", check))


def _program(session: Session, image: Image, progress: Progress) -> None:
    loader_of = _pyocd("pyocd.flash.loader").MemoryLoader
    try:
        loader = loader_of(
            session, progress=progress, chip_erase="sector", smart_flash=False, trust_crc=False, keep_unwritten=False
        )
        for part in image.parts:
            loader.add_data(part.address, part.data)
        loader.commit()
    except ValueError as reason:
        raise FlashError(f"The image does not fit the chip ({reason}).", "Is it the right board?") from None


def _compare(session: Session, image: Image) -> None:
    """Read every byte back; raises FlashError at the first that differs."""
    for part in image.parts:
        for start in range(0, len(part.data), _READ_BYTES):
            wanted = part.data[start : start + _READ_BYTES]
            found = bytes(session.target.read_memory_block8(part.address + start, len(wanted)))
            if found != wanted:
                at = next(i for i in range(len(wanted)) if found[i : i + 1] != wanted[i : i + 1])
                where = part.address + start + at
                what = f"Read back, the flash at {where:#010x} is {found[at]:#04x}, not {wanted[at]:#04x}."
                raise FlashError(what, "Flash again; if it stays so, the flash is worn out or the supply is weak.")


def _keep_port_open(session: Session, console: Console) -> None:
    """On an nRF52 that locks its port at reset, write what the firmware would write at its first start.

    Otherwise the port would be locked from the next reset until the firmware's second one. Only an erased word is
    written, and only on build codes where 0x5A opens (firmware/hal/nrf52840/approtect.c does the same).
    """
    target: Any = session.target
    if not getattr(target, "hardened_approtect", False) or not hasattr(target, "write_uicr"):
        return
    value = target.read32(UICR_APPROTECT)
    if value == _ERASED:
        target.write_uicr(UICR_APPROTECT, APPROTECT_OPEN)
        value = target.read32(UICR_APPROTECT)
    if value & 0xFF != APPROTECT_OPEN & 0xFF:
        console.print(
            f"UICR.APPROTECT is {value:#010x}: the debug port locks at the next reset, and the next flash will need "
            "--mass-erase."
        )
