"""Bootloaders on a serial port: which port, and how one is started without a finger on the reset button."""

from __future__ import annotations

import termios
import time
from collections.abc import Callable
from typing import Any

import serial
from rich.console import Console
from serial.tools import list_ports

from toolchain.board import BossaFlash, DfuFlash, Uf2Flash
from toolchain.errors import FlashError
from toolchain.flash.places import ListPorts, Place, choose, ports

PORT_GONE: tuple[type[Exception], ...] = (serial.SerialException, OSError, termios.error)
"""What pyserial raises when a port disappears: its flush lets the error of termios through, which is no OSError."""
TOUCH_BAUD = 1200
STARTED_S = 5.0
"""A touched board shows its bootloader within this."""
_LOOK_S = 0.1


def find_port(
    flash: DfuFlash | BossaFlash, chosen: str | None, console: Console, comports: ListPorts = list_ports.comports
) -> Place:
    """Return the bootloader's port: ``chosen``, or the only one with its USB ids. Raises FlashError."""
    if chosen:
        return Place(chosen, "given")
    places = shown(flash, lambda: ports(flash.usb, comports), console, comports)
    return choose("bootloader port", "--bootloader", places, console, flash.by_hand)


def shown(
    flash: DfuFlash | BossaFlash | Uf2Flash,
    look: Callable[[], list[Place]],
    console: Console,
    comports: ListPorts = list_ports.comports,
) -> list[Place]:
    """Return what ``look`` sees of running bootloaders.

    When that is none, but there is firmware with a native USB port, the port is touched: opened at 1,200 baud, which
    asks that firmware to start the bootloader.
    """
    places = look()
    if not places and flash.touch_1200_baud and (running := ports(flash.application_usb, comports)):
        touched = choose("board", "--bootloader", running, console, flash.by_hand)
        console.print(f"Asking the firmware on {touched.name} to start the bootloader")
        _touch(touched.name)
        end = time.monotonic() + STARTED_S
        while not (places := look()) and time.monotonic() < end:
            time.sleep(_LOOK_S)
    return places


def _touch(port: str) -> None:
    try:
        serial.Serial(port, TOUCH_BAUD).close()
    except (serial.SerialException, OSError) as reason:
        raise FlashError(f"The port {port} cannot be opened ({reason}).", "See `tinyltc doctor`.") from None


def open_port(port: str, baud: int, timeout: float) -> Any:
    """Open a bootloader's port; reading gives up after ``timeout`` seconds. Raises FlashError."""
    try:
        return serial.serial_for_url(port, baudrate=baud, timeout=timeout, write_timeout=5.0)
    except (serial.SerialException, OSError, ValueError) as reason:
        raise FlashError(f"The port {port} cannot be opened ({reason}).", "See `tinyltc doctor`.") from None
