"""Flashing through a UF2 bootloader: a drive that takes a file (https://github.com/microsoft/uf2, the file format).

The bootloader restarts into the firmware as soon as it has the last block, and its drive disappears. CURRENT.UF2, in
which it shows its flash, can therefore be read back only when the drive comes again: by itself, or (`--read-back`) when
a person starts the bootloader once more. Otherwise the firmware's own hashes are the proof.
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console

from toolchain.board import Uf2Flash
from toolchain.errors import FlashError
from toolchain.flash.bootloader import shown
from toolchain.flash.image import Image, Part
from toolchain.flash.method import Progress, Proof, Wishes
from toolchain.flash.places import Place, choose

BLOCK, PAYLOAD = 512, 256
MAGIC_START, MAGIC_SECOND, MAGIC_END = 0x0A32_4655, 0x9E5D_5157, 0x0AB1_6F30
FLAG_NOT_FLASH, FLAG_FAMILY = 0x1, 0x2000
_HEAD = struct.Struct("<8I")
_MOUNTS = Path("/proc/self/mounts")
GONE_S, BACK_S, BY_HAND_S = 30.0, 3.0, 60.0
"""The drive disappears within the first; comes back by itself within the second; or by hand within the third."""


def to_uf2(parts: tuple[Part, ...], family: int) -> bytes:
    """Return ``parts`` as a UF2 file: blocks of 256 bytes at multiples of 256, the rest of a block filled with 0xFF."""
    pages: dict[int, bytearray] = {}
    for part in parts:
        for at in range(part.address & ~(PAYLOAD - 1), part.end, PAYLOAD):
            first, last = max(at, part.address), min(at + PAYLOAD, part.end)
            page = pages.setdefault(at, bytearray(b"\xff" * PAYLOAD))
            page[first - at : last - at] = part.data[first - part.address : last - part.address]
    blocks = []
    for number, (at, page) in enumerate(sorted(pages.items())):
        head = _HEAD.pack(MAGIC_START, MAGIC_SECOND, FLAG_FAMILY, at, PAYLOAD, number, len(pages), family)
        blocks.append(head + bytes(page).ljust(BLOCK - _HEAD.size - 4, b"\0") + MAGIC_END.to_bytes(4, "little"))
    return b"".join(blocks)


def from_uf2(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Yield address, payload and family (0: none) of every sound block for the flash; others are skipped."""
    for start in range(0, len(data) - BLOCK + 1, BLOCK):
        one, two, flags, address, size, _number, _count, family = _HEAD.unpack_from(data, start)
        end = int.from_bytes(data[start + BLOCK - 4 : start + BLOCK], "little")
        sound = (one, two, end) == (MAGIC_START, MAGIC_SECOND, MAGIC_END) and size <= BLOCK - _HEAD.size - 4
        if sound and not flags & FLAG_NOT_FLASH:
            at = start + _HEAD.size
            yield address, data[at : at + size], family if flags & FLAG_FAMILY else 0


def info(drive: Path) -> dict[str, str]:
    """Return the lines of INFO_UF2.TXT as key and value; empty when the drive is none of a UF2 bootloader."""
    try:
        text = (drive / "INFO_UF2.TXT").read_text(encoding="ascii", errors="replace")
    except OSError:
        return {}
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}


def drives(mounts: Path = _MOUNTS) -> list[Place]:
    """Every mounted drive of a UF2 bootloader."""
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return []
    # Blanks in a path are written as \040 (proc(5)).
    paths = [Path(line.split()[1].replace("\\040", " ")) for line in lines if len(line.split()) > 2]
    removable = [path for path in paths if path.is_dir() and (path / "INFO_UF2.TXT").is_file()]
    return [Place(str(path), info(path).get("Board-ID", "no Board-ID")) for path in removable]


class Uf2:
    """Flashing through the drive of a UF2 bootloader. ``mounts`` is the system's list of mounted drives."""

    name = "uf2"
    what = "UF2 drive"

    def __init__(self, flash: Uf2Flash, mounts: Path = _MOUNTS) -> None:
        self._flash = flash
        self._mounts = mounts
        self.gone_s, self.back_s, self.by_hand_s = GONE_S, BACK_S, BY_HAND_S

    def find(self, chosen: str | None, console: Console) -> Place:
        """Return the drive: the folder ``chosen``, or the only one whose Board-ID is the board's."""
        if chosen:
            board_id = info(Path(chosen)).get("Board-ID", "")
            if not board_id:
                raise FlashError(f"{chosen} is no drive of a UF2 bootloader (no INFO_UF2.TXT).", self._flash.by_hand)
            if not board_id.startswith(self._flash.board_id):
                what = f"The drive {chosen} is that of a '{board_id}', not of a '{self._flash.board_id}'."
                raise FlashError(what, "Is it the right board?")
            return Place(chosen, board_id)
        places = shown(self._flash, self._own_drives, console)
        known = drives(self._mounts)
        others = f" Drives of other boards: {', '.join(f'{p.name} ({p.title})' for p in known)}." if known else ""
        mount = f"If the drive {self._flash.volume} shows but is not mounted, mount it."
        return choose(self.what, "--bootloader", places, console, f"{self._flash.by_hand} {mount}{others}")

    def _own_drives(self) -> list[Place]:
        return [place for place in drives(self._mounts) if place.title.startswith(self._flash.board_id)]

    def write(self, place: Place, image: Image, wishes: Wishes, console: Console, progress: Progress) -> Proof:
        """Copy the file; the drive must disappear. Compares CURRENT.UF2 where the drive comes back."""
        if wishes.mass_erase:
            raise FlashError("A UF2 bootloader has no mass erase.", "Leave --mass-erase out.")
        drive = Path(place.name)
        content = to_uf2(image.parts, self._flash.family)
        _copy(content, drive / "TINYLTC.UF2", progress)
        if not _wait(lambda: not info(drive), self.gone_s):
            what = f"The drive {drive} is still there after {self.gone_s:.0f} s: the bootloader did not take the file."
            raise FlashError(what, f"Unplug the board. {self._flash.by_hand} Then flash again.")
        if wishes.read_back:
            console.print(f"To read back: {self._flash.by_hand}")
        back = _wait(lambda: bool(info(drive)), self.by_hand_s if wishes.read_back else self.back_s)
        if not back and wishes.read_back:
            raise FlashError(f"The drive {drive} did not come back, nothing was read back.", self._flash.by_hand)
        if not back:
            return "none"
        _compare(image, drive / "CURRENT.UF2")
        if wishes.read_back:
            console.print("Read back. Press reset once: the firmware starts.")
        return "read back"


def _wait(done: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not (reached := done()) and time.monotonic() < end:
        time.sleep(0.05)
    return reached


def _copy(content: bytes, path: Path, progress: Progress) -> None:
    """Write the file and wait until the drive has it; raises FlashError when it does not take all of it."""
    written = 0
    try:
        with path.open("wb", buffering=0) as file:
            while written < len(content):
                written += file.write(content[written : written + 64 * BLOCK])
                progress(written / len(content))
            os.fsync(file.fileno())
    except OSError as reason:
        # With its last block the bootloader restarts at once: the drive may be gone before the file is closed.
        if written < len(content):
            what = f"{path} took {written:,} of {len(content):,} bytes ({reason.strerror or reason})."
            raise FlashError(
                what, "The board holds half an image: start the bootloader again and flash again."
            ) from None


def _compare(image: Image, path: Path) -> None:
    """Compare CURRENT.UF2 with what was written; raises FlashError where it differs or is missing."""
    again = "Start the bootloader again and flash again."
    try:
        shown = {address: payload for address, payload, _ in from_uf2(path.read_bytes())}
    except OSError as reason:
        raise FlashError(f"{path} cannot be read ({reason.strerror or reason}).", again) from None
    for address, payload, _ in from_uf2(to_uf2(image.parts, 0)):
        found = shown.get(address)
        if found is None:
            raise FlashError(f"{path.name} does not show the flash at {address:#010x}.", again)
        for part in image.parts:
            first, last = max(address, part.address), min(address + PAYLOAD, part.end)
            for at in range(first, last):
                if found[at - address : at - address + 1] != payload[at - address : at - address + 1]:
                    raise FlashError(f"Read back, the flash at {at:#010x} is not what was written.", again)
