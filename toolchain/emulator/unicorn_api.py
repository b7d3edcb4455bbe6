"""The only door to Unicorn (GPL-2.0, optional): imports it on use, and reads registers in batches.

Registers are read and written through ``uc_reg_read_batch`` with arrays that are built once, because the
binding's per-register calls cost more than the whole exception entry.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

from toolchain.errors import EmulatorError, MissingToolError


def load() -> Any:
    """Return the ``unicorn`` module; raises MissingToolError with the line that installs it."""
    try:
        import unicorn
        import unicorn.arm_const
        import unicorn.unicorn_const
    except ImportError:
        raise MissingToolError(
            "The virtual board needs Unicorn, which is not installed.", "Run: pip install 'tinyltc[emulator]'"
        ) from None
    return unicorn


def library() -> Any:
    """Return the ctypes library under the binding, for calls that the binding does not offer."""
    import unicorn.unicorn_py3.unicorn as binding

    return binding.uclib


def register_ids(names: Sequence[str]) -> list[int]:
    """Unicorn's numbers of ARM registers, named as in ``R0``, ``XPSR``, ``S15``."""
    constants = load().arm_const
    return [getattr(constants, f"UC_ARM_REG_{name.upper()}") for name in names]


def add_hook(uc: Any, kind: str, function: Any, user: Any = None, address: int | None = None) -> None:
    """Give Unicorn a C function, or a ctypes callback, for one address or all; the binding wraps Python functions only.

    ``kind`` is BLOCK or CODE; ``user`` a ctypes structure that the function gets. Both must outlive ``uc``.
    """
    begin, end = (1, 0) if address is None else (address, address)
    status = library().uc_hook_add(
        uc._uch,
        ctypes.byref(ctypes.c_size_t()),
        ctypes.c_int(getattr(load().unicorn_const, f"UC_HOOK_{kind}")),
        ctypes.cast(function, ctypes.c_void_p),
        None if user is None else ctypes.cast(ctypes.byref(user), ctypes.c_void_p),
        ctypes.c_uint64(begin),
        ctypes.c_uint64(end),
    )
    if status:
        raise EmulatorError(f"Unicorn refused a hook (status {status}).", "Use the release that pyproject.toml names.")


class RegisterBlock:
    """A fixed list of 32-bit registers, moved by one call."""

    def __init__(self, uc: Any, names: Sequence[str]) -> None:
        numbers = register_ids(names)
        self._handle = uc._uch
        self._count = len(numbers)
        self._ids = (ctypes.c_int * self._count)(*numbers)
        self.values = (ctypes.c_uint32 * self._count)()
        base = ctypes.addressof(self.values)
        self._pointers = (ctypes.c_void_p * self._count)(*[base + 4 * i for i in range(self._count)])
        self._read = library().uc_reg_read_batch
        self._write = library().uc_reg_write_batch

    def read(self) -> list[int]:
        """Fetch all registers."""
        self._read(self._handle, self._ids, self._pointers, self._count)
        return list(self.values)

    def read_one(self) -> int:
        """Fetch the registers; the first one's value."""
        self._read(self._handle, self._ids, self._pointers, self._count)
        return self.values[0]

    def write(self, values: Sequence[int]) -> None:
        """Set all registers."""
        for i, value in enumerate(values):
            self.values[i] = value
        self._write(self._handle, self._ids, self._pointers, self._count)


class Registers:
    """Named access to the core's registers; ``cpu["PC"]`` reads, ``cpu["PC"] = x`` writes."""

    def __init__(self, uc: Any) -> None:
        self._uc = uc
        self._blocks: dict[str, RegisterBlock] = {}

    def _block(self, name: str) -> RegisterBlock:
        block = self._blocks.get(name)
        if block is None:
            block = self._blocks[name] = RegisterBlock(self._uc, [name])
        return block

    def __getitem__(self, name: str) -> int:
        """Read one register."""
        return self._block(name).read_one()

    def __setitem__(self, name: str, value: int) -> None:
        """Write one register."""
        self._block(name).write([value & 0xFFFFFFFF])

    def group(self, names: Sequence[str]) -> RegisterBlock:
        """A block of registers for repeated use."""
        return RegisterBlock(self._uc, names)
