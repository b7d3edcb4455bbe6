"""The rules that let a person without root reach probes, bootloaders and consoles: made from every board.toml."""

from __future__ import annotations

from collections.abc import Iterable

from toolchain.board import Board, PyocdFlash, UsbId

RULES_FILE = "/etc/udev/rules.d/60-tinyltc.rules"
PROBES = (
    UsbId(vid=0x0D28, pid=0x0204),  # DAPLink, Arm's CMSIS-DAP
    UsbId(vid=0x2E8A, pid=0x000C),  # Raspberry Pi Debug Probe
    UsbId(vid=0x1366, pid=0x0105),  # J-Link with CDC
    UsbId(vid=0x0483, pid=0x374B),  # ST-LINK/V2-1
    UsbId(vid=0x0483, pid=0x374E),  # ST-LINK/V3
)
"""Probes of one's own that are common."""


def known_usb(boards: Iterable[Board]) -> dict[tuple[int, int], list[str]]:
    """Return every USB id of the boards, with their names; and of :data:`PROBES`."""
    found: dict[tuple[int, int], list[str]] = {}
    for board in boards:
        ids = list(board.console.usb)
        for flash in board.flash:
            ids += flash.usb
            if not isinstance(flash, PyocdFlash):
                ids += flash.application_usb
        for one in ids:
            names = found.setdefault((one.vid, one.pid), [])
            if board.name not in names:
                names.append(board.name)
    for one in PROBES:
        found.setdefault((one.vid, one.pid), ["debug probe"])
    return found


def rules(boards: Iterable[Board]) -> str:
    """Return the udev rules file: the person at the machine (uaccess) and the group plugdev may use these devices."""
    lines = ["# Made by `tinyltc doctor --udev` from the boards' USB ids. ModemManager must not talk to them."]
    for (vid, pid), names in sorted(known_usb(boards).items()):
        lines += [
            f"# {', '.join(names)}",
            f'ATTRS{{idVendor}}=="{vid:04x}", ATTRS{{idProduct}}=="{pid:04x}", MODE="0660", GROUP="plugdev", '
            'TAG+="uaccess", ENV{ID_MM_DEVICE_IGNORE}="1"',
        ]
    return "\n".join(lines) + "\n"
