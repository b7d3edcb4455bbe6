"""What goes into the flash, and the names of what lies there: ELF (pyelftools) and Intel HEX."""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from toolchain.errors import EmulatorError

_HINT = "Build the firmware again."
_ARM = "EM_ARM"


@dataclass(frozen=True)
class Symbol:
    """A function or an object; the address without the Thumb bit, the size in bytes."""

    name: str
    address: int
    size: int


class Program:
    """An ELF file: its loadable bytes and its symbols; ``marks`` are the linker script's, by name."""

    def __init__(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                elf = ELFFile(file)
                if elf["e_machine"] != _ARM:
                    raise EmulatorError(f"{path} is an ELF file for another machine ({elf['e_machine']}).", _HINT)
                self.segments = [
                    (segment["p_paddr"], segment.data())
                    for segment in elf.iter_segments()
                    if segment["p_type"] == "PT_LOAD" and segment["p_filesz"]
                ]
                tables = [section for section in elf.iter_sections() if isinstance(section, SymbolTableSection)]
                entries = [entry for table in tables for entry in table.iter_symbols()]
                self.functions = sorted(_symbols(entries, "STT_FUNC"), key=lambda s: (s.address, -s.size, s.name))
                self.marks = {
                    entry.name: entry["st_value"]
                    for entry in entries
                    if entry["st_info"]["type"] == "STT_NOTYPE" and entry.name
                }
                self.objects = {symbol.name: symbol for symbol in _symbols(entries, "STT_OBJECT")}
        except FileNotFoundError:
            raise EmulatorError(f"{path} does not exist.", _HINT) from None
        except ELFError as reason:
            raise EmulatorError(f"{path} is not a sound ELF file ({reason}).", _HINT) from None
        self._starts = [function.address for function in self.functions]

    def function_at(self, address: int) -> Symbol | None:
        """The function that holds a code address."""
        place = bisect.bisect_right(self._starts, address) - 1
        while place >= 0 and self.functions[place].address > address - 0x10000:
            function = self.functions[place]
            if address < function.address + max(function.size, 1):
                return function
            if function.size:
                return None
            place -= 1
        return None

    def describe(self, address: int) -> str:
        """``function+0x12``, or ``no symbol``."""
        function = self.function_at(address)
        return f"{function.name}+{address - function.address:#x}" if function else "no symbol"

    def symbol(self, name: str) -> Symbol:
        """A function or object by name; EmulatorError if there is none."""
        found = self.objects.get(name) or next((f for f in self.functions if f.name == name), None)
        if found is None:
            raise EmulatorError(
                f"The ELF file has no symbol '{name}'.", "Check the spelling, or build without stripping."
            )
        return found


def _symbols(entries: list[object], kind: str) -> Iterator[Symbol]:
    for entry in entries:
        info = entry["st_info"]  # type: ignore[index]
        if info["type"] == kind and entry["st_shndx"] != "SHN_UNDEF":  # type: ignore[index]
            address = entry["st_value"] & ~1 if kind == "STT_FUNC" else entry["st_value"]  # type: ignore[index]
            yield Symbol(entry.name, address, entry["st_size"])  # type: ignore[attr-defined,index]


def read_hex(path: Path) -> list[tuple[int, bytes]]:
    """Data records of an Intel HEX file as (address, bytes); EmulatorError names the bad line."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        raise EmulatorError(f"{path} does not exist.", _HINT) from None
    except UnicodeDecodeError:
        raise EmulatorError(f"{path} is not an Intel HEX file.", _HINT) from None
    upper = 0
    ended = False
    found: list[tuple[int, bytes]] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = bytes.fromhex(line.strip().removeprefix(":"))
            sound = line.startswith(":") and len(record) == record[0] + 5 and sum(record) & 0xFF == 0
        except (ValueError, IndexError):
            sound = False
        if not sound or ended:
            raise EmulatorError(f"{path}, line {number}: not a sound Intel HEX record.", _HINT)
        offset, kind, data = int.from_bytes(record[1:3], "big"), record[3], record[4:-1]
        if kind == 0:
            found.append((upper + offset, data))
        elif kind == 1:
            ended = True
        elif kind == 2:
            upper = int.from_bytes(data, "big") << 4
        elif kind == 4:
            upper = int.from_bytes(data, "big") << 16
    if not ended:
        raise EmulatorError(f"{path} is cut off: it has no end record.", _HINT)
    return found
