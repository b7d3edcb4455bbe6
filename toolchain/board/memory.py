"""Where firmware, models, stack and variables lie, and what belongs to somebody else."""

from __future__ import annotations

import itertools

from pydantic import Field, model_validator

from toolchain.board.strict import Strict


class Reserved(Strict):
    """A stretch of flash or RAM that the firmware leaves alone: a bootloader, its settings, a radio stack."""

    name: str
    origin: int = Field(ge=0)
    bytes: int = Field(gt=0)

    @property
    def end(self) -> int:
        """First address behind it."""
        return self.origin + self.bytes


class Memory(Strict):
    """Flash and RAM regions in bytes."""

    flash_origin: int = Field(ge=0)
    flash_bytes: int = Field(gt=0)
    ram_origin: int = Field(ge=0)
    ram_bytes: int = Field(gt=0)
    page_bytes: int = Field(gt=0, description="the smallest stretch of flash that is erased alone")
    stack_bytes: int = Field(gt=0, multiple_of=8)
    application_origin: int | None = Field(
        default=None, ge=0, description="where the firmware starts; without it, where the flash does"
    )
    reserved: list[Reserved] = Field(default_factory=list)

    @property
    def flash_end(self) -> int:
        """First address behind the flash."""
        return self.flash_origin + self.flash_bytes

    @property
    def ram_end(self) -> int:
        """First address behind the RAM."""
        return self.ram_origin + self.ram_bytes

    @property
    def application(self) -> int:
        """Where the vector table of the firmware lies."""
        return self.flash_origin if self.application_origin is None else self.application_origin

    @model_validator(mode="after")
    def _application_on_a_page(self) -> Memory:
        if not self.flash_origin <= self.application < self.flash_end:
            raise ValueError("application_origin lies outside the flash")
        if (self.application - self.flash_origin) % self.page_bytes:
            raise ValueError("application_origin must lie on a flash page")
        # VTOR of a Cortex-M4 with up to 240 interrupts (DDI 0403E, B3.2.5: a power of two of words).
        if self.application % 0x400:
            raise ValueError("application_origin must be a multiple of 0x400, for the vector table")
        return self

    @model_validator(mode="after")
    def _reserved_are_apart(self) -> Memory:
        for one in self.reserved:
            inside_flash = self.flash_origin <= one.origin and one.end <= self.flash_end
            inside_ram = self.ram_origin <= one.origin and one.end <= self.ram_end
            if not (inside_flash or inside_ram):
                raise ValueError(f"reserved region '{one.name}' lies neither in the flash nor in the RAM")
            if one.origin <= self.application < one.end:
                raise ValueError(f"application_origin lies in the reserved region '{one.name}'")
            if inside_ram and one.end != self.ram_end:
                raise ValueError(f"reserved region '{one.name}' must be the end of the RAM")
        for before, after in itertools.pairwise(sorted(self.reserved, key=lambda one: one.origin)):
            if before.end > after.origin:
                raise ValueError(f"reserved regions '{before.name}' and '{after.name}' overlap")
        return self


class ModelSlot(Strict):
    """One flash region that holds a model image."""

    name: str = Field(pattern=r"^[a-z]$")
    origin: int = Field(ge=0)
    bytes: int = Field(gt=0)

    @property
    def end(self) -> int:
        """First address behind it."""
        return self.origin + self.bytes
