"""`tinyltc doctor`: is there what building, emulating and flashing need, and if not, what to do."""

from __future__ import annotations

import grp
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.table import Table
from serial.tools import list_ports

from toolchain.board import Board, PyocdFlash, Uf2Flash
from toolchain.build import find_compiler
from toolchain.errors import TinyLtcError
from toolchain.flash.places import ListPorts
from toolchain.flash.swd import probes
from toolchain.flash.udev import RULES_FILE, known_usb
from toolchain.flash.uf2 import drives

Status = Literal["ok", "missing", "note"]
DISTRIBUTION = "tinyltc"
JLINK_VENDOR = 0x1366


@dataclass(frozen=True)
class Line:
    """One finding. ``missing`` keeps the board from being built or flashed; a ``note`` does not."""

    what: str
    status: Status
    found: str
    do: str = ""


def examine(board: Board, boards: Iterable[Board], comports: ListPorts = list_ports.comports) -> list[Line]:
    """Look at everything that ``board`` needs; ``boards`` are all whose USB ids count."""
    everyone = list(boards)
    seen = list(comports())
    return [
        _python(),
        _compiler(),
        *_packages(),
        *_emulators(board),
        _group(),
        _udev(everyone),
        *_ports(seen, everyone),
        *_places(board, seen),
    ]


def report(lines: list[Line], console: Console) -> bool:
    """Print the findings; return whether nothing is missing."""
    table = Table(box=None, pad_edge=False)
    for title in ("what", "", "found", "what to do"):
        table.add_column(title, overflow="fold")
    colours = {"ok": "green", "missing": "red", "note": "yellow"}
    for line in lines:
        table.add_row(line.what, f"[{colours[line.status]}]{line.status}[/]", line.found, line.do)
    console.print(table)
    return healthy(lines)


def healthy(lines: list[Line]) -> bool:
    """Tell whether nothing that is needed is missing."""
    return all(line.status != "missing" for line in lines)


def _python() -> Line:
    version = ".".join(str(part) for part in sys.version_info[:3])
    enough = sys.version_info >= (3, 11)
    return Line("Python", "ok" if enough else "missing", version, "" if enough else "Install Python 3.11 or newer.")


def _compiler() -> Line:
    try:
        return Line("compiler", "ok", find_compiler())
    except TinyLtcError as error:
        return Line("compiler", "missing", error.what, error.hint)


def _packages() -> list[Line]:
    """Every requirement of the package as it was installed; those of extras are notes, but pyOCD has its own line."""
    try:
        wanted = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        return [Line("packages", "missing", "tinyltc is not installed in this Python", "make setup")]
    wrong = [text for text in wanted if "extra ==" not in text and not _satisfied(text)]
    pins = [f"{name} {_version(name)}" for name in ("platformio", "scons")]
    lines = [Line("PlatformIO", "ok" if all("none" not in pin for pin in pins) else "missing", ", ".join(pins))]
    if wrong:
        lines.append(Line("packages", "missing", "not as pinned: " + "; ".join(wrong), "pip install -e '.[emulator]'"))
    else:
        lines.append(Line("packages", "ok", f"{sum('extra ==' not in text for text in wanted)} as pinned"))
    return lines


def _satisfied(text: str) -> bool:
    # Comes with matplotlib; the parser that pip itself uses.
    from packaging.requirements import Requirement

    requirement = Requirement(text)
    if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
        return True
    version = _version(requirement.name)
    return version != "none" and requirement.specifier.contains(version, prereleases=True)


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "none"


def _emulators(board: Board) -> list[Line]:
    unicorn = _version("unicorn")
    qemu, renode = shutil.which("qemu-system-arm"), shutil.which("renode")
    found = {
        "virtual": ("" if unicorn == "none" else f"Unicorn {unicorn}", "pip install -e '.[emulator]'"),
        "qemu": (_first_line(qemu) if qemu else "", "apt-get install qemu-system-arm"),
        "renode": (_first_line(renode) if renode else "", "Unpack the portable Renode and put it on PATH."),
    }
    lines = []
    for name, (version, how) in found.items():
        boots = f"boots {board.name}" if name in board.boots else f"does not boot {board.name}"
        if version:
            lines.append(Line(f"emulator {name}", "ok", f"{version}, {boots}"))
        else:
            lines.append(Line(f"emulator {name}", "note", f"not installed ({boots})", how))
    return lines


def _first_line(program: str) -> str:
    try:
        result = subprocess.run(
            [program, "--version"], capture_output=True, text=True, check=False, timeout=20, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return f"{program} does not start"
    return next(iter(result.stdout.splitlines()), program)


def _group() -> Line:
    """Serial ports belong to the group dialout (Debian) or uucp (Arch)."""
    if os.geteuid() == 0:
        return Line("serial ports", "ok", "root may open them all")
    groups = {entry.gr_name: entry.gr_gid for entry in grp.getgrall()}
    name = next((name for name in ("dialout", "uucp") if name in groups), None)
    if name is None or groups[name] in os.getgroups():
        return Line("serial ports", "ok", f"member of {name}" if name else "no group guards them here")
    return Line("serial ports", "note", f"not a member of {name}", f"sudo usermod -aG {name} $USER, then log in again")


def _udev(boards: list[Board], path: Path = Path(RULES_FILE)) -> Line:
    if os.geteuid() == 0:
        return Line("USB rules", "ok", "root needs none")
    how = f"tinyltc doctor --udev | sudo tee {path} && sudo udevadm control --reload && sudo udevadm trigger"
    try:
        there = set(re.findall(r'"([0-9a-f]{4})", ATTRS{idProduct}=="([0-9a-f]{4})"', path.read_text()))
    except OSError:
        return Line("USB rules", "note", f"{path} is not there", how)
    wanted = {(f"{vid:04x}", f"{pid:04x}") for vid, pid in known_usb(boards)}
    if wanted - there:
        return Line("USB rules", "note", f"{path} lacks {len(wanted - there)} USB ids", how)
    return Line("USB rules", "ok", str(path))


def _ports(seen: list[Any], boards: list[Board]) -> list[Line]:
    known = known_usb(boards)
    lines = []
    for port in seen:
        names = known.get((port.vid, port.pid)) if port.vid is not None else None
        if port.vid is None:
            continue
        open_ = os.access(port.device, os.R_OK | os.W_OK)
        found = f"{port.vid:04x}:{port.pid:04x} {', '.join(names) if names else 'no board of ours'}"
        how = "" if open_ else "You may not open it: see 'serial ports' and 'USB rules'."
        lines.append(Line(f"port {port.device}", "ok" if open_ else "note", found, how))
    return lines or [Line("ports", "note", "no USB serial port", "Connect the board's console or bootloader.")]


def _places(board: Board, seen: list[Any]) -> list[Line]:
    lines = []
    for flash in board.flash:
        if isinstance(flash, PyocdFlash):
            lines += _swd(flash, seen, first=flash is board.flash[0])
        elif isinstance(flash, Uf2Flash):
            found = [drive for drive in drives() if drive.title.startswith(flash.board_id)]
            lines += [Line("UF2 drive", "ok", f"{drive.name} {drive.title}") for drive in found] or [
                Line("UF2 drive", "note", f"no {flash.volume}", flash.by_hand)
            ]
    return lines


def _swd(flash: PyocdFlash, seen: list[Any], first: bool) -> list[Line]:
    if importlib.util.find_spec("pyocd") is None:
        return [Line("pyOCD", "missing" if first else "note", "not installed", "pip install -e '.[flash]'")]
    lines = [Line("pyOCD", "ok", _version("pyocd"))]
    if flash.pack is not None:
        lines.append(
            Line("pyOCD pack", "note", f"{flash.target} needs {flash.pack}", f"pyocd pack install {flash.target}")
        )
    lines += _probe_lines(probes)
    if any(port.vid == JLINK_VENDOR for port in seen) and not any("J-Link" in line.found for line in lines):
        how = "Install SEGGER's J-Link software, or put DAPLink on the board's interface chip."
        lines.append(Line("J-Link", "note", "a J-Link is connected, but its library is not installed", how))
    return lines


def _probe_lines(look: Callable[[str | None], Any]) -> list[Line]:
    try:
        found = look(None)
    except TinyLtcError as error:
        return [Line("probes", "note", error.what, error.hint)]
    if not found:
        return [Line("probes", "note", "none", "Connect the board's USB port next to its debug chip.")]
    return [Line(f"probe {probe.name}", "ok", probe.title) for probe in found]
