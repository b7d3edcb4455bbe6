"""Which emulators can run a board, and why the others cannot."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field, model_validator

from toolchain.board.strict import Strict

EmulatorName = Literal["virtual", "qemu", "renode"]
Capability = Literal["boot", "recognize", "step", "cycles", "stack", "sleep", "faults", "watchdog", "power"]
CAPABILITIES: tuple[Capability, ...] = get_args(Capability)
"""boot: the image says hello; recognize: it takes recordings and decides as the reference does; step: virtual time
moves by steps of one's own; cycles: an estimate of the core's; stack: its high-water mark; sleep: time asleep for each
clock source; faults: the sensor's, the bus's and the line's can be injected; watchdog: it bites, and the reset cause
says so; power: current."""


class Emulator(Strict):
    """One emulator and this board. ``can`` is what works; ``why`` says in a sentence why something else does not."""

    name: EmulatorName
    machine: str | None = Field(default=None, description="the emulator's own name of the machine (QEMU -machine)")
    platform: str | None = Field(default=None, description="platform description in the board's folder (Renode .repl)")
    can: list[Capability] = Field(default_factory=list)
    why: dict[Capability, str] = Field(default_factory=dict)

    @property
    def boots(self) -> bool:
        """Whether the image runs there at all."""
        return "boot" in self.can

    @model_validator(mode="after")
    def _either_can_or_why(self) -> Emulator:
        if not self.boots and self.can:
            raise ValueError(f"emulator '{self.name}' can {self.can[0]} without 'boot'")
        if not self.boots and "boot" not in self.why:
            raise ValueError(f"emulator '{self.name}' cannot boot this board: say why in why.boot")
        both = [name for name in self.can if name in self.why]
        if both:
            raise ValueError(f"emulator '{self.name}': '{both[0]}' stands in both can and why")
        return self
