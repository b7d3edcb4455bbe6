"""The last proof: the firmware itself says which model it runs, and which bytes it consists of."""

from __future__ import annotations

import time

from toolchain.board import Board
from toolchain.errors import FlashError, LinkError
from toolchain.flash.image import Image
from toolchain.wire.link import Link
from toolchain.wire.messages import Firmware, Hello

START_S = 10.0
"""A bootloader that takes its time, and a USB port that comes back, have started the firmware within this."""
_HASH_S = 2.0
"""The firmware hashes itself between samples (docs/SPEC.md, 5)."""


def hear(port: str, board: Board, image: Image, timeout: float = START_S) -> tuple[Hello, Firmware | None]:
    """Return the HELLO of firmware that runs ``image``, and what it says of itself (None: only a model was written).

    ``port`` may appear later. Raises FlashError when nothing is heard within ``timeout`` seconds, or something else is.
    """
    end = time.monotonic() + timeout
    while True:
        try:
            with Link(port, board.console.baud) as link:
                hello = link.hello(min(0.5, timeout), attempts=2)
                wrong = _differs(hello, board, image)
                if not wrong:
                    return hello, _firmware(link, image)
        except LinkError as reason:
            wrong = f"Nothing was heard of the firmware: {reason.what}"
        if time.monotonic() >= end:
            raise FlashError(wrong, "Reset the board, look at its wiring, and flash again.")
        time.sleep(0.1)


def _differs(hello: Hello, board: Board, image: Image) -> str:
    """Say what is wrong with a HELLO; empty when it is that of ``image``."""
    if hello.board != board.name:
        return f"The firmware that answers was built for '{hello.board}', not for '{board.name}'."
    if hello.model_status != 0:
        return f"The firmware refuses the model in its slot (status {hello.model_status})."
    if hello.model_sha256 != image.model_sha256:
        return (
            f"The firmware that answers runs model {hello.model_sha256.hex()[:16]}, "
            f"{image.model_sha256.hex()[:16]} was written."
        )
    return ""


def _firmware(link: Link, image: Image) -> Firmware | None:
    if image.firmware_sha256 is None:
        return None
    said = link.firmware(_HASH_S)
    if said.sha256 != image.firmware_sha256:
        raise FlashError(
            f"The firmware that answers hashes its {said.size:,} bytes to {said.sha256.hex()[:16]}, "
            f"{image.firmware_sha256.hex()[:16]} was written.",
            "Flash again.",
        )
    return said
