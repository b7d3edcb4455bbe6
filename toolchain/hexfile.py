"""Intel HEX, read: the form in which `tinyltc build` leaves firmware and model (toolchain/build.py writes it).

Source: Intel, Hexadecimal Object File Format Specification, revision A, 1988.
"""

from __future__ import annotations

from pathlib import Path

from toolchain.errors import BuildError, TinyLtcError

_HINT = "Build the firmware again."


def read_hex(path: Path, error: type[TinyLtcError] = BuildError) -> list[tuple[int, bytes]]:
    """Data records of an Intel HEX file as (address, bytes); ``error`` names the bad line."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        raise error(f"{path} does not exist.", _HINT) from None
    except UnicodeDecodeError:
        raise error(f"{path} is not an Intel HEX file.", _HINT) from None
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
            raise error(f"{path}, line {number}: not a sound Intel HEX record.", _HINT)
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
        raise error(f"{path} is cut off: it has no end record.", _HINT)
    return found
