"""A double of a CMSIS-DAP probe for pyOCD: it speaks debug port and access port registers, as the wire does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from pyocd.core import exceptions
from pyocd.probe.debug_probe import DebugProbe
from swd_chip import Chip

DPIDR = 0x2BA0_1477
AHB_AP_IDR, CTRL_AP_IDR = 0x2477_0011, 0x0288_0000


class Probe(DebugProbe):
    """One probe. ``fail_after``: transfers until it is pulled out; ``false_locks``: sessions that read a false lock."""

    connected: ClassVar[list[Probe]] = []

    def __init__(self, chip: Chip, unique_id: str = "DOUBLE0001") -> None:
        super().__init__()
        self.chip = chip
        self.uid = unique_id
        self.fail_after: int | None = None
        self.false_locks = 0
        self.corrupt_read: int | None = None
        self._open = False
        self._dp: dict[int, int] = {}
        self._ap: dict[tuple[int, int], int] = {}

    @classmethod
    def get_all_connected_probes(cls, unique_id: str | None = None, is_explicit: bool = False) -> Sequence[Probe]:
        return list(cls.connected)

    @classmethod
    def get_probe_with_id(cls, unique_id: str, is_explicit: bool = False) -> Probe | None:
        return next((probe for probe in cls.connected if probe.uid == unique_id), None)

    vendor_name = "TinyLTC"
    product_name = "double of a probe"
    description = "double of a probe"
    supported_wire_protocols = (DebugProbe.Protocol.DEFAULT, DebugProbe.Protocol.SWD)
    wire_protocol = DebugProbe.Protocol.SWD
    capabilities: ClassVar[set[Any]] = {DebugProbe.Capability.SWJ_SEQUENCE, DebugProbe.Capability.BANKED_DP_REGISTERS}

    @property
    def unique_id(self) -> str:
        return self.uid

    @property
    def is_open(self) -> bool:
        return self._open

    def open(self) -> None:
        self._open = True

    def close(self) -> None:
        self._open = False
        self.false_locks = max(0, self.false_locks - 1)

    def connect(self, protocol: Any = None) -> None: ...

    def disconnect(self) -> None: ...

    def swj_sequence(self, length: int, bits: int) -> None: ...

    def set_clock(self, frequency: float) -> None: ...

    def flush(self) -> None: ...

    def reset(self) -> None:
        self._step()
        self.chip.reset()

    def assert_reset(self, asserted: bool) -> None:
        if not asserted:
            self.reset()

    def is_reset_asserted(self) -> bool:
        return False

    def _step(self) -> None:
        if self.fail_after is not None:
            self.fail_after -= 1
            if self.fail_after < 0:
                raise exceptions.ProbeDisconnected("the USB device is gone")

    # ---- debug port

    def read_dp(self, addr: int, now: bool = True) -> Any:
        self._step()
        if addr & 0xF == 0:
            value = DPIDR
        elif addr & 0xF == 4:
            asked = self._dp.get(4, 0)
            value = asked | (asked & (1 << 28 | 1 << 30)) << 1
        else:
            value = self._dp.get(addr & 0xF, 0)
        return value if now else lambda: value

    def write_dp(self, addr: int, data: int) -> None:
        self._step()
        self._dp[addr & 0xF] = data

    # ---- access ports

    def _address(self, addr: int) -> tuple[int, int]:
        select = self._dp.get(8, 0)
        return select >> 24, select & 0xF0 | addr & 0xC

    def _locked(self) -> bool:
        return self.chip.locked

    def _width(self) -> int:
        return {0: 1, 1: 2, 2: 4}[self._ap.get((0, 0), 2) & 7]

    def _advance(self, by: int) -> None:
        if self._ap.get((0, 0), 0) & 0x30:
            self._ap[0, 4] = self._ap.get((0, 4), 0) + by & 0xFFFF_FFFF

    def _bus(self, work: Callable[[], Any]) -> Any:
        if self._locked():
            raise exceptions.TransferFaultError(fault_address=self._ap.get((0, 4), 0))
        try:
            return work()
        except ValueError:
            raise exceptions.TransferFaultError(fault_address=self._ap.get((0, 4), 0)) from None

    def _read(self, ap: int, register: int) -> int:
        if ap == 1:
            locked = self._locked() or self.false_locks > 0
            return {0xFC: CTRL_AP_IDR, 0x0C: 0 if locked else 1}.get(register, 0)
        if ap != 0:
            return 0
        if register == 0xFC:
            return AHB_AP_IDR
        if register == 0xF8:
            return 0xE00F_F003
        if register == 0:
            return self._ap.get((0, 0), 0) | (0 if self._locked() else 0x40)
        address = self._ap.get((0, 4), 0)
        if register == 0xC:
            size = self._width()
            value = self._bus(lambda: self.chip.read(address, size)) << 8 * (address & 3 if size < 4 else 0)
            self._advance(size)
            return self._spoiled(address, value)
        if register & 0xF0 == 0x10:
            return int(self._bus(lambda: self.chip.read((address & ~0xF) + (register & 0xC), 4)))
        return self._ap.get((ap, register), 0)

    def _spoiled(self, address: int, value: int) -> int:
        return value ^ 1 if self.corrupt_read == address else value

    def read_ap(self, addr: int, now: bool = True) -> Any:
        self._step()
        value = self._read(*self._address(addr))
        return value if now else lambda: value

    def write_ap(self, addr: int, data: int) -> None:
        self._step()
        ap, register = self._address(addr)
        if ap == 1 and register == 4 and data & 1:
            self.chip.mass_erase()
        elif ap == 1 and register == 0:
            if self._ap.get((1, 0), 0) and not data:
                self.chip.reset_by_control_port()
            self._ap[1, 0] = data
        elif ap == 0 and register == 0xC:
            address, size = self._ap.get((0, 4), 0), self._width()
            lane = data >> 8 * (address & 3 if size < 4 else 0) & (1 << 8 * size) - 1
            self._bus(lambda: self.chip.write(address, size, lane))
            self._advance(size)
        elif ap == 0 and register & 0xF0 == 0x10:
            at = (self._ap.get((0, 4), 0) & ~0xF) + (register & 0xC)
            self._bus(lambda: self.chip.write(at, 4, data))
        else:
            self._ap[ap, register] = data

    def read_ap_multiple(self, addr: int, count: int = 1, now: bool = True) -> Any:
        ap, register = self._address(addr)
        address = self._ap.get((0, 4), 0)
        if (ap, register, self._width()) == (0, 0xC, 4) and self._ap.get((0, 0), 0) & 0x30:
            self._step()
            values = self._bus(lambda: self.chip.read_words(address, count))
            values = [self._spoiled(address + 4 * n, value) for n, value in enumerate(values)]
            self._advance(4 * count)
        else:
            values = [self.read_ap(addr) for _ in range(count)]
        return values if now else lambda: values

    def write_ap_multiple(self, addr: int, values: Sequence[int]) -> None:
        ap, register = self._address(addr)
        address = self._ap.get((0, 4), 0)
        if (ap, register, self._width()) == (0, 0xC, 4) and self._ap.get((0, 0), 0) & 0x30:
            self._step()
            self._bus(lambda: self.chip.write_words(address, list(values)))
            self._advance(4 * len(values))
        else:
            for value in values:
                self.write_ap(addr, value)
