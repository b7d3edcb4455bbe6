"""The peripheral bus: which peripheral answers at an address, at which time, and what is not modelled."""

from __future__ import annotations

import ctypes
from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol

from toolchain.emulator import unicorn_api
from toolchain.emulator.access import AccessClock
from toolchain.emulator.clockwork import Clockwork
from toolchain.errors import EmulatorError

WINDOWS = ((0x40000000, 0x30000), (0x50000000, 0x1000), (0xE0000000, 0x100000))
"""APB, AHB (GPIO) and the core's private peripheral bus (PS 4.2 memory map)."""


_WORD = 4
_READ = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint, ctypes.c_void_p)
_WRITE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint, ctypes.c_uint64, ctypes.c_void_p)


class Device(Protocol):
    """What answers on the bus; offsets count from ``base``."""

    name: str
    base: int
    size: int

    def read(self, offset: int, size: int) -> int | None:
        """A register's value; None when the register is not modelled."""

    def write(self, offset: int, size: int, value: int) -> bool:
        """Store to a register; False when the register is not modelled."""

    def loader(self, offset: int) -> Callable[[], int] | None:
        """A shorter way for whole-word loads of this register, or None."""

    def storer(self, offset: int) -> Callable[[int], None] | None:
        """A shorter way for whole-word stores to this register, or None."""


class Bus:
    """Dispatches loads and stores of the core."""

    def __init__(self, uc: Any, clock: Clockwork, access: AccessClock, strict: bool) -> None:
        self._clock = clock
        self._access = access
        self._strict = strict
        self._devices: dict[int, list[Device]] = {}
        self._loaders: dict[int, Callable[[], int] | None] = {}
        self._storers: dict[int, Callable[[int], None] | None] = {}
        self._error: BaseException | None = None
        self.unmodelled: Counter[str] = Counter()
        self._uc = uc
        self._reader = _READ(self._make_reader())
        self._writer = _WRITE(self._make_writer())
        for base, size in WINDOWS:
            self._map(base, size)

    def _map(self, base: int, size: int) -> None:
        """Map with callbacks of our own: the binding's wrappers cost as much as the access itself."""
        status = unicorn_api.library().uc_mmio_map(
            self._uc._uch,
            ctypes.c_uint64(base),
            ctypes.c_size_t(size),
            ctypes.cast(self._reader, ctypes.c_void_p),
            ctypes.c_void_p(base),
            ctypes.cast(self._writer, ctypes.c_void_p),
            ctypes.c_void_p(base),
        )
        if status:
            raise EmulatorError(f"Unicorn refused to map {base:#010x} (status {status}).", "Report it.")

    def attach(self, device: Device) -> None:
        """Put a device on the bus."""
        for page in range(device.base >> 12, (device.base + device.size + 0xFFF) >> 12):
            self._devices.setdefault(page, []).append(device)

    def device_at(self, address: int) -> Device | None:
        """The device whose registers hold ``address``."""
        for device in self._devices.get(address >> 12, ()):
            if device.base <= address < device.base + device.size:
                return device
        return None

    def _miss(self, device: Device | None, address: int, verb: str) -> None:
        where = f"{device.name}+{address - device.base:#05x}" if device else f"{address:#010x}"
        self.unmodelled[f"{verb} {where}"] += 1
        if self._strict:
            raise EmulatorError(
                f"The firmware {verb}s a register that the virtual board does not model: {where} ({address:#010x}).",
                "Model it under toolchain/emulator/peripherals, or run without strict.",
            )

    def raise_pending(self) -> None:
        """Raise what a load or store could not raise through Unicorn."""
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _load(self, address: int, size: int) -> int:
        device = self.device_at(address)
        value = None
        if device is not None:
            self._loaders[address] = device.loader(address - device.base)
            value = device.read(address - device.base, size)
        if value is None:
            self._miss(device, address, "read")
            return 0
        return value

    def _store(self, address: int, size: int, value: int) -> None:
        device = self.device_at(address)
        if device is not None:
            self._storers[address] = device.storer(address - device.base)
        if device is None or not device.write(address - device.base, size, value):
            self._miss(device, address, "write")

    def _fail(self, error: BaseException) -> None:
        self._error = self._error or error
        self._uc.emu_stop()

    def _make_reader(self) -> Callable[[Any, int, int, int], int]:
        """Unicorn's callback for loads, as a closure: this runs thousands of times in a virtual second."""
        time, catch_up, loaders = self._access.time, self._clock.catch_up, self._loaders

        def read(_: Any, offset: int, size: int, base: int) -> int:
            try:
                address = base + offset
                catch_up(time(address, False))
                loader = loaders.get(address)
                return self._load(address, size) if loader is None or size != _WORD else loader()
            except BaseException as error:  # a ctypes callback cannot raise: see raise_pending
                self._fail(error)
                return 0

        return read

    def _make_writer(self) -> Callable[[Any, int, int, int, int], None]:
        """Unicorn's callback for stores."""
        time, catch_up, storers = self._access.time, self._clock.catch_up, self._storers

        def write(_: Any, offset: int, size: int, value: int, base: int) -> None:
            try:
                address = base + offset
                catch_up(time(address, True))
                storer = storers.get(address)
                if storer is None or size != _WORD:
                    self._store(address, size, value)
                else:
                    storer(value)
            except BaseException as error:
                self._fail(error)

        return write
