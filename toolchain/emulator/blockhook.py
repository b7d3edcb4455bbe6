"""The block hook: what runs before every basic block, in C where a host compiler is found, else in Python.

Both (here and in pythonhook) give the same cycles, instructions and stops. The C one is compiled once into the user's
cache folder
(``$XDG_CACHE_HOME/tinyltc``, by default ``~/.cache/tinyltc``) under the hash of its source.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Literal

from toolchain.emulator import guards, unicorn_api
from toolchain.emulator.blocks import Block
from toolchain.emulator.clockwork import NEVER
from toolchain.emulator.guards import Check
from toolchain.emulator.pythonhook import Look, Meet, PythonHook
from toolchain.errors import BuildError, EmulatorError, MissingToolError

HookChoice = Literal["auto", "c", "python"]

SOURCE = Path(__file__).with_name("blockhook.c")
_BLOCKS = 1 << 15
_CHECKS = 32768


class _CBlock(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_uint32) for name in ("address", "end", "cycles", "refill", "instructions", "flags")),
        *((name, ctypes.c_uint32) for name in ("first_check", "checks")),
        *((name, ctypes.c_uint64) for name in ("runs", "taken")),
    )


class _CCheck(ctypes.Structure):
    _fields_ = (*((name, ctypes.c_uint32) for name in ("when", "mask", "addend")), ("reg", ctypes.c_int32))


class CState(ctypes.Structure):
    """The C structure ``tl_state``: the counters, the callbacks and the block table."""

    _fields_ = (
        *((name, ctypes.c_uint64) for name in ("cycles", "instructions", "due")),
        *((name, ctypes.c_uint32) for name in ("attention", "masked")),
        ("masked_priority", ctypes.c_int32),
        *((name, ctypes.c_uint32) for name in ("fpu_off", "lazy", "divide_trap", "event", "current", "current_cycles")),
        *((name, ctypes.c_uint32) for name in ("stopped", "failed", "used", "last")),
        *((name, ctypes.c_int32) for name in ("primask", "basepri", "faultmask")),
        *((name, ctypes.c_void_p) for name in ("stop", "reg_read", "look", "meet")),
        ("block", _CBlock * _BLOCKS),
        ("check", _CCheck * _CHECKS),
    )


class _CExact(ctypes.Structure):
    _fields_ = (("state", ctypes.c_void_p), ("check", _CCheck), ("number", ctypes.c_uint32))


def compiler() -> str | None:
    """The host's C compiler: ``$CC``, cc, gcc or clang; None if there is none."""
    for name in (os.environ.get("CC", ""), "cc", "gcc", "clang"):
        found = shutil.which(name) if name else None
        if found:
            return found
    return None


def cache_folder() -> Path:
    """Where the compiled hook lies."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tinyltc"


def compiled_library(source: Path = SOURCE) -> Path:
    """Compile a hook unless this very source was compiled before; MissingToolError without a compiler."""
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    cached = cache_folder() / f"{source.stem}-{digest}.so"
    if cached.exists():
        return cached
    cc = compiler()
    if cc is None:
        raise MissingToolError("There is no C compiler for the block hook.", "Install gcc, or use the Python hook.")
    cached.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cached.parent) as folder:
        made = Path(folder) / cached.name
        command = [cc, "-O2", "-shared", "-fPIC", "-o", str(made), str(source)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            raise BuildError(f"{cc} cannot compile {source}: {result.stderr.strip()[:400]}", "Use the Python hook.")
        made.replace(cached)
    return cached


class CHook:
    """The block hook in C; holds the callbacks that the C side calls."""

    name = "c"

    def __init__(self, uc: Any, look: Look, meet: Meet) -> None:
        self.state = CState()
        self.state.due = NEVER
        self._uc = uc
        self._error: BaseException | None = None
        self._checks: list[Check] = []
        self._exact: list[tuple[Check, _CExact]] = []
        self._library = ctypes.CDLL(str(compiled_library()))
        self._library.tl_settle.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint32]
        self._settle = self._library.tl_settle
        self._pointer = ctypes.addressof(self.state)
        self._library.tl_state_size.restype = ctypes.c_uint32
        if self._library.tl_state_size() != ctypes.sizeof(CState):
            raise BuildError("The compiled block hook does not match blockhook.py.", "Delete it from the cache folder.")
        self._install(uc, look, meet)

    def _install(self, uc: Any, look: Look, meet: Meet) -> None:
        core = unicorn_api.library()
        pointer = ctypes.POINTER(_CBlock)

        def guarded_look() -> int:
            try:
                return int(look())
            except BaseException as error:  # a ctypes callback cannot raise: see raise_pending
                self._error = error
                return 1

        def guarded_meet(address: int, size: int, out: Any) -> int:
            try:
                block = meet(address, size)
                if block is not None:
                    self._describe(block, out.contents)
                return int(block is None)
            except BaseException as error:
                self._error = error
                return 1

        self._look = ctypes.CFUNCTYPE(ctypes.c_int)(guarded_look)
        self._meet = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_uint32, ctypes.c_uint32, pointer)(guarded_meet)
        state = self.state
        state.stop = ctypes.cast(core.uc_emu_stop, ctypes.c_void_p).value
        state.reg_read = ctypes.cast(core.uc_reg_read, ctypes.c_void_p).value
        state.look = ctypes.cast(self._look, ctypes.c_void_p).value
        state.meet = ctypes.cast(self._meet, ctypes.c_void_p).value
        names = ["PRIMASK", "BASEPRI", "FAULTMASK"]
        state.primask, state.basepri, state.faultmask = unicorn_api.register_ids(names)
        unicorn_api.add_hook(uc, "BLOCK", self._library.tl_block_hook, state)

    def add_exact(self, check: Check) -> None:
        """Check at one instruction (flush Unicorn's translated blocks first)."""
        number = unicorn_api.register_ids([check.register])[0]
        exact = _CExact(ctypes.addressof(self.state), _CCheck(check.when, check.mask, 0, number))
        exact.number = _CHECKS + 1 + len(self._exact)
        self._exact.append((check, exact))
        unicorn_api.add_hook(self._uc, "CODE", self._library.tl_exact_hook, exact, check.address)

    def _describe(self, block: Block, out: _CBlock) -> None:
        checks = [check for check in block.checks if check.when != guards.EXACT]
        if len(self._checks) + len(checks) > _CHECKS:
            raise EmulatorError("The program has more guarded instructions than the C hook holds.", "Use hook python.")
        out.address, out.end = block.address, block.end
        out.cycles, out.refill = block.cycles, block.refill
        out.instructions, out.flags = block.instructions, block.flags
        out.first_check, out.checks = len(self._checks), len(checks)
        for check, number in zip(checks, unicorn_api.register_ids([c.register for c in checks]), strict=True):
            slot = self.state.check[len(self._checks)]
            slot.when, slot.mask, slot.addend, slot.reg = check.when, check.mask, check.addend & 0xFFFFFFFF, number
            self._checks.append(check)

    def raise_pending(self) -> None:
        """Raise what a callback could not."""
        error, self._error = self._error, None
        if error is not None:
            raise error

    def settle(self, address: int) -> None:
        """The block that ran is over and the core is at ``address``."""
        self._settle(self._pointer, self._uc._uch, address)

    def failed_check(self) -> Check | None:
        """The guard that failed, or None."""
        failed: int = self.state.failed
        if failed > _CHECKS:
            return self._exact[failed - _CHECKS - 1][0]
        return self._checks[failed - 1] if failed else None

    def forget(self) -> None:
        """Drop all blocks (the flash changed)."""
        ctypes.memset(self.state.block, 0, ctypes.sizeof(self.state.block))
        self.state.used = self.state.last = 0
        self._checks.clear()

    def runs(self) -> list[tuple[int, int, int, int]]:
        """(address, instructions, runs, cycles) of every block that ran."""
        return [
            (b.address, b.instructions, b.runs, b.runs * b.cycles + b.taken * b.refill)
            for b in self.state.block
            if b.end
        ]


def make_hook(choice: HookChoice, uc: Any, look: Look, meet: Meet) -> CHook | PythonHook:
    """The hook asked for; ``auto`` takes C where it can be compiled."""
    if choice == "python":
        return PythonHook(uc, look, meet)
    try:
        return CHook(uc, look, meet)
    except (BuildError, OSError):
        if choice == "c":
            raise
        return PythonHook(uc, look, meet)
