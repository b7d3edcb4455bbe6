"""Where a board can be flashed: probes, drives and ports as places, and how one of several is chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.prompt import Prompt
from serial.tools import list_ports

from toolchain.board import UsbId
from toolchain.errors import FlashError

ListPorts = Callable[[], Iterable[Any]]


@dataclass(frozen=True)
class Place:
    """One probe, drive or port. ``name`` chooses it on the command line; ``serial`` is its USB serial number."""

    name: str
    title: str
    serial: str = ""


def choose(what: str, option: str, places: Sequence[Place], console: Console, nothing: str) -> Place:
    """Return the one of ``places``; several are listed, and one is asked for when a person is there to answer.

    ``what`` names their kind, ``option`` the option that chooses, ``nothing`` what to do when there is none. Raises
    FlashError for none, and for several without a person.
    """
    if not places:
        raise FlashError(f"No {what} was found.", nothing)
    if len(places) == 1:
        return places[0]
    if not (console.is_terminal and console.is_interactive):
        names = "; ".join(f"{place.name} ({place.title})" for place in places)
        raise FlashError(f"There are {len(places)} {what}s: {names}.", f"Choose one with {option}.")
    console.print(f"There are {len(places)} {what}s:")
    for number, place in enumerate(places, 1):
        console.print(f"  {number}  {place.name}  {place.title}", markup=False, highlight=False)
    numbers = [str(number) for number in range(1, len(places) + 1)]
    return places[int(Prompt.ask("Which one", console=console, choices=numbers)) - 1]


def ports(usb: Sequence[UsbId], comports: ListPorts = list_ports.comports) -> list[Place]:
    """Serial ports with one of these USB ids, sorted by name."""
    wanted = {(one.vid, one.pid) for one in usb}
    found = [port for port in comports() if (port.vid, port.pid) in wanted]
    return sorted((_place(port) for port in found), key=lambda place: place.name)


def console_port(
    usb: Sequence[UsbId], serial: str, console: Console, comports: ListPorts = list_ports.comports
) -> Place:
    """Return the port of the board's console.

    ``usb``: ids under which the board shows it (empty: any USB serial adapter may be it); ``serial``: the serial number
    of the probe or bootloader that was used, which a port of the same device has too. Raises FlashError.
    """
    places = ports(usb, comports) if usb else [_place(port) for port in comports() if port.vid is not None]
    same = [place for place in places if serial and place.serial.lstrip("0") == serial.lstrip("0")]
    hint = "Connect the board's console (its README has the pins) and give its port with --port."
    return choose("serial port", "--port", same or places, console, hint)


def _place(port: Any) -> Place:
    return Place(str(port.device), str(port.description or "serial port"), str(port.serial_number or ""))
