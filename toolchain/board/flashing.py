"""How a board is flashed: one entry for each way, in the order of preference.

Addresses are absolute flash addresses; what a method writes is ``origin`` up to ``end``. ``usb`` are the ids under
which the computer sees the probe or the bootloader; several, because probes of one kind come in several versions.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from toolchain.board.strict import Strict


class UsbId(Strict):
    """Vendor and product id of a USB device."""

    vid: int = Field(ge=0, le=0xFFFF)
    pid: int = Field(ge=0, le=0xFFFF)


class PyocdFlash(Strict):
    """SWD through a probe that pyOCD knows (CMSIS-DAP, J-Link, ST-LINK). Writes anywhere, reads back."""

    method: Literal["pyocd"]
    target: str = Field(description="pyOCD's name of the target")
    pack: str | None = Field(default=None, description="CMSIS pack that pyOCD needs for the target; None: built in")
    usb: list[UsbId] = Field(default=[], description="probes on the board itself; empty: any probe")
    frequency_hz: int = Field(default=4_000_000, gt=0)
    verify: Literal["read-back"] = "read-back"


class _Bootloader(Strict):
    """What all bootloaders have in common."""

    usb: Annotated[list[UsbId], Field(min_length=1)]
    origin: int = Field(ge=0, description="first address that the bootloader writes: the application's")
    end: int = Field(gt=0, description="first address that it does not write any more")
    touch_1200_baud: bool = Field(
        default=False, description="opening the application's native USB port at 1,200 baud starts the bootloader"
    )
    application_usb: list[UsbId] = Field(default=[], description="ids of that port, where an application has one")
    by_hand: str = Field(description="how a person starts the bootloader, a whole sentence")


class Uf2Flash(_Bootloader):
    """A drive that takes UF2 files. CURRENT.UF2 is read back where the bootloader offers it."""

    method: Literal["uf2"]
    family: int = Field(ge=0, le=0xFFFF_FFFF, description="UF2 family id")
    board_id: str = Field(description="Board-ID in INFO_UF2.TXT: the beginning that every revision shares")
    volume: str = Field(description="label of the drive")
    verify: Literal["read-back", "hash"] = "read-back"


class DfuFlash(_Bootloader):
    """Nordic's serial DFU, as adafruit-nrfutil speaks it. It cannot read back."""

    method: Literal["dfu"]
    baud: int = Field(default=115_200, gt=0)
    device_type: int = Field(ge=0, le=0xFFFF)
    softdevice: int = Field(ge=0, le=0xFFFF, description="firmware id of the SoftDevice that must be there (sd_req)")
    verify: Literal["hash"] = "hash"


class BossaFlash(_Bootloader):
    """SAM-BA as BOSSA speaks it, also over the bootloaders that imitate it."""

    method: Literal["bossa"]
    offset: int = Field(ge=0, description="what bossac takes as --offset: the application's place in the flash")
    verify: Literal["read-back", "hash"] = "hash"


Flash = Annotated[PyocdFlash | Uf2Flash | DfuFlash | BossaFlash, Field(discriminator="method")]
