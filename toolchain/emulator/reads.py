"""Counts the words that data reads fetch from flash: literals, constants, weights; instruction fetches are none."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import numpy as np

from toolchain.emulator import unicorn_api
from toolchain.emulator.blockhook import CHook, CState, compiled_library
from toolchain.emulator.machine import Machine

IT_STATE = 0x0600FC00
SOURCE = Path(__file__).with_name("readhook.c")


def flash_words(address: int, size: int) -> int:
    """Words that a data read of ``size`` bytes at ``address`` fetches; an unaligned one may need two."""
    return (address + size - 1 >> 2) - (address >> 2) + 1


class _CReads(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_uint32) for name in ("first", "bytes")),
        *((name, ctypes.c_void_p) for name in ("current", "words", "reg_read", "reg_write")),
        ("xpsr", ctypes.c_int32),
    )


class FlashReads:
    """Watches all data reads of ``machine`` from now on; in C where the machine's block hook is, else in Python."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._flash = machine.memory.flash
        self._words = np.zeros(self._flash.size // 2, np.uint64)
        if isinstance(machine.hook, CHook):
            self._watch_in_c(machine.hook)
        else:
            self._watch_in_python()

    def take(self) -> dict[int, int]:
        """Words per block address since the last call."""
        places = np.flatnonzero(self._words)
        found = {self._flash.base + 2 * int(place): int(self._words[place]) for place in places}
        self._words[places] = 0
        return found

    def _watch_in_c(self, hook: CHook) -> None:
        core = unicorn_api.library()
        self._library = ctypes.CDLL(str(compiled_library(SOURCE)))
        self._reads = _CReads(
            self._flash.base,
            self._flash.size,
            ctypes.addressof(hook.state) + CState.current.offset,
            self._words.ctypes.data,
            ctypes.cast(core.uc_reg_read, ctypes.c_void_p).value,
            ctypes.cast(core.uc_reg_write, ctypes.c_void_p).value,
            unicorn_api.register_ids(["XPSR"])[0],
        )
        for kind in ("MEM_READ", "MEM_WRITE"):
            unicorn_api.add_hook(self._machine.uc, kind, self._library.tl_read_hook, self._reads)

    def _watch_in_python(self) -> None:
        """The same as readhook.c."""
        constants = unicorn_api.load().unicorn_const
        state, cpu, flash, words = self._machine.state, self._machine.cpu, self._flash, self._words

        def access(uc: Any, kind: int, address: int, size: int, value: int, data: Any) -> None:
            xpsr = cpu["XPSR"]
            if xpsr & IT_STATE:
                cpu["XPSR"] = xpsr & ~IT_STATE
            if kind == constants.UC_MEM_READ and flash.holds(address, 1) and flash.holds(state.current, 1):
                words[(state.current - flash.base) // 2] += np.uint64(flash_words(address, size))

        self._machine.uc.hook_add(constants.UC_HOOK_MEM_READ | constants.UC_HOOK_MEM_WRITE, access)
