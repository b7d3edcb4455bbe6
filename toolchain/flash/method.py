"""What every method is told, and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from rich.console import Console

from toolchain.flash.image import Image
from toolchain.flash.places import Place

Proof = Literal["read back", "none"]
"""Whether the bytes in the flash were compared with the image, or not yet."""
Progress = Callable[[float], None]
"""Called with the fraction that is done."""


@dataclass(frozen=True)
class Wishes:
    """What the person asked for beyond the ordinary."""

    mass_erase: bool = False
    read_back: bool = False
    """UF2: wait for the bootloader to be started once more, and compare CURRENT.UF2."""


class Method(Protocol):
    """One way of flashing one board."""

    name: str
    what: str
    """Its place, in words: ``debug probe``."""

    def find(self, chosen: str | None, console: Console) -> Place:
        """Return the place to flash; ``chosen`` names it. Raises FlashError."""

    def write(self, place: Place, image: Image, wishes: Wishes, console: Console, progress: Progress) -> Proof:
        """Write ``image``, compare what can be compared, and start the firmware; raises FlashError."""
