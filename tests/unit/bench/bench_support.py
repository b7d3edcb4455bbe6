"""What the bench's tests share."""

from __future__ import annotations

from collections.abc import Callable

from toolchain.emulator.bare import BareCore

LAYERS = (12, 7)
Assemble = Callable[..., BareCore]
