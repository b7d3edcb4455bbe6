"""The exact cycle of a load or store that reached a peripheral.

The block hook charges a whole basic block when it starts, and Unicorn does not say where inside the block an
access stands. The instruction is found again by evaluating the block's loads and stores, in program order,
with the registers as they are at the access. The answer is remembered per block, place in the block, address
and direction.
"""

from __future__ import annotations

from toolchain.emulator.blocks import Access, Block
from toolchain.emulator.clockwork import Counters
from toolchain.emulator.unicorn_api import Registers


class AccessClock:
    """Tells the time of peripheral accesses. ``blocks`` is filled by the machine as blocks are met."""

    def __init__(self, counters: Counters, registers: Registers) -> None:
        self.blocks: dict[int, Block] = {}
        self._counters = counters
        self._registers = registers
        self._run = -1
        self._place = 0
        self._known: dict[tuple[int, int, int, bool], tuple[int, int]] = {}

    def forget(self) -> None:
        """The code changed."""
        self.blocks.clear()
        self._known.clear()

    def time(self, address: int, write: bool) -> int:
        """Cycle count when this access of the running block ends."""
        counters = self._counters
        run = counters.instructions
        if run != self._run:
            self._run, self._place = run, 0
        block_address = counters.current
        key = (block_address, self._place, address, write)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._locate(block_address, address, write)
        cycles, self._place = found
        return counters.cycles - counters.current_cycles + cycles

    def _locate(self, block_address: int, address: int, write: bool) -> tuple[int, int]:
        block = self.blocks.get(block_address)
        if block is None:
            return self._counters.current_cycles, 0
        for place in range(self._place, len(block.accesses)):
            access = block.accesses[place]
            if access.write == write and self._address(access) == address:
                return access.cycles, place + 1
        return block.cycles, self._place

    def _address(self, access: Access) -> int:
        total = self._registers[access.base] + access.displacement
        if access.index is not None:
            total += self._registers[access.index] << access.shift
        return total & 0xFFFFFFFF
