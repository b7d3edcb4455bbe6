"""What is written: stretches of bytes with their addresses, and the hashes by which the firmware is known again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from toolchain.board import Board
from toolchain.codegen import image as model_image
from toolchain.errors import BuildError, FlashError, ModelError
from toolchain.hexfile import read_hex
from toolchain.runs import Run

ERASED = 0xFF
SHA256_BYTES = 32


@dataclass(frozen=True)
class Part:
    """Bytes without a gap, at an absolute flash address."""

    address: int
    data: bytes

    @property
    def end(self) -> int:
        """First address behind it."""
        return self.address + len(self.data)


@dataclass(frozen=True)
class Image:
    """Parts in ascending order, without overlap.

    ``model_sha256`` is what HELLO says of the model; ``firmware_sha256`` what IMAGE says of the firmware, None when the
    firmware is not written.
    """

    parts: tuple[Part, ...]
    model_sha256: bytes
    firmware_sha256: bytes | None

    @property
    def bytes(self) -> int:
        """Bytes to write."""
        return sum(len(part.data) for part in self.parts)


def flat(parts: tuple[Part, ...]) -> Part:
    """Return ``parts`` (one at least, ascending) as one stretch, the gaps erased."""
    first, last = parts[0].address, parts[-1].end
    data = bytearray([ERASED]) * (last - first)
    for part in parts:
        data[part.address - first : part.end - first] = part.data
    return Part(first, bytes(data))


def joined(records: list[tuple[int, bytes]], border: int) -> tuple[Part, ...]:
    """Return records as parts, neighbours joined but not across ``border``; raises BuildError where two overlap."""
    parts: list[Part] = []
    pieces: list[bytes] = []
    start = end = -1
    for address, data in sorted(records):
        if address < end:
            raise BuildError(f"The image has two values for address {address:#010x}.", "Build the firmware again.")
        if (address != end or address == border) and pieces:
            parts.append(Part(start, b"".join(pieces)))
            pieces = []
        if not pieces:
            start = address
        pieces.append(data)
        end = address + len(data)
    if pieces:
        parts.append(Part(start, b"".join(pieces)))
    return tuple(parts)


def load_image(run: Run, board: Board) -> Image:
    """Return firmware and model of a built run.

    Raises BuildError when firmware.hex is missing, damaged, without a model, or not within the board's flash.
    """
    path = run.firmware / "firmware.hex"
    again = f"Run `tinyltc build --run {run.path.name} --board {board.name}`."
    memory, slot = board.memory, board.model_slots[0]
    parts = joined(read_hex(path), slot.origin)
    for part in parts:
        if part.address < memory.application or part.end > memory.flash_end:
            raise BuildError(
                f"{path} has bytes at {part.address:#010x}, outside the flash that is {board.name}'s firmware's.", again
            )
    firmware = tuple(part for part in parts if part.address < slot.origin)
    model = [part for part in parts if part.address >= slot.origin]
    if not firmware or firmware[0].address != memory.application or [part.address for part in model] != [slot.origin]:
        raise BuildError(f"{path} does not hold one firmware and one model for {board.name}.", again)
    _check_model(model[0].data, str(path), again)
    return Image(parts, model[0].data[-SHA256_BYTES:], hashlib.sha256(flat(firmware).data).digest())


def load_model(run: Run, board: Board) -> Image:
    """Return the model image of a generated run, for the slot that the firmware starts with; raises ModelError."""
    again = f"Run `tinyltc generate --run {run.path.name} --board {board.name}`."
    try:
        data = run.image.read_bytes()
    except FileNotFoundError:
        raise ModelError(f"{run.image} does not exist.", again) from None
    _check_model(data, str(run.image), again)
    slot = board.model_slots[0]
    if len(data) > slot.bytes:
        raise FlashError(
            f"{run.image} has {len(data):,} bytes, slot '{slot.name}' of {board.name} takes {slot.bytes:,}.",
            "Train a smaller network.",
        )
    return Image((Part(slot.origin, data),), data[-SHA256_BYTES:], None)


def _check_model(data: bytes, where: str, again: str) -> None:
    try:
        model_image.check_whole(data)
    except model_image.ImageError as error:
        raise ModelError(f"{where}: {error.what}", again) from None
