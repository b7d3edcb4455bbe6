"""A bench image counted from outside: plain Unicorn, its own start-up code, nothing of this project's emulator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import capstone
import pytest
from elftools.elf.elffile import ELFFile

from toolchain.bench.figures import Figures

STACK_TOP, RETURN = 0x20002000, 0xFFFF0


class Outside:
    """Loads an image and counts the instructions of the blocks that run, those that IT skips included."""

    def __init__(self, elf: Path) -> None:
        unicorn = pytest.importorskip("unicorn")
        from unicorn import arm_const

        self.arm = arm_const
        self.uc: Any = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        self.uc.ctl_set_cpu_model(arm_const.UC_CPU_ARM_CORTEX_M4)
        for base, size in ((0, 0x100000), (0x20000000, 0x40000), (0xE000E000, 0x1000)):
            self.uc.mem_map(base, size)
        with elf.open("rb") as stream:
            file = ELFFile(stream)
            for segment in file.iter_segments("PT_LOAD"):
                self.uc.mem_write(segment["p_paddr"], segment.data())
            table: Any = file.get_section_by_name(".symtab")
            self.symbols = {symbol.name: symbol for symbol in table.iter_symbols()}
        self.count = 0
        self._decoder = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS)
        self._known: dict[tuple[int, int], int] = {}
        # Not a hook for each instruction: Unicorn leaves out those that IT skips, which the core spends a cycle on.
        self.uc.hook_add(unicorn.UC_HOOK_BLOCK, self._block)

    def _block(self, uc: Any, address: int, size: int, data: Any) -> None:
        if (address, size) not in self._known:
            code = bytes(uc.mem_read(address, size))
            decoded = list(self._decoder.disasm_lite(code, address))
            assert sum(length for _, length, _, _ in decoded) == size
            self._known[address, size] = len(decoded)
        self.count += self._known[address, size]

    def call(self, name: str) -> int:
        """Instructions of one call that returns 0."""
        self.count = 0
        self.uc.reg_write(self.arm.UC_ARM_REG_SP, STACK_TOP)
        self.uc.reg_write(self.arm.UC_ARM_REG_LR, RETURN | 1)
        self.uc.emu_start(self.symbols[name]["st_value"] | 1, RETURN)
        assert self.uc.reg_read(self.arm.UC_ARM_REG_R0) == 0
        return self.count

    def read(self, name: str) -> bytes:
        symbol = self.symbols[name]
        return bytes(self.uc.mem_read(symbol["st_value"], symbol["st_size"]))


def test_an_outside_counter_finds_the_same_instructions_and_results(in_flash: Figures) -> None:
    outside = Outside(in_flash.image.elf)
    assert outside.call("bench_setup") == in_flash.setup.instructions
    counts = [outside.call("bench_step") for _ in in_flash.steps[:4]]
    assert counts == [call.instructions for call in in_flash.steps[:4]]
    assert len(outside.read("bench_logits")) == 5
    assert len(outside.read("bench_state")) == 4 * 19


def test_from_reset_the_image_does_every_stored_input_and_stops_at_its_breakpoint(in_flash: Figures) -> None:
    outside = Outside(in_flash.image.elf)
    stops: list[int] = []

    def stop(uc: Any, number: int, data: Any) -> None:
        stops.append(number)
        uc.emu_stop()

    import unicorn

    outside.uc.hook_add(unicorn.UC_HOOK_INTR, stop)
    outside.uc.reg_write(outside.arm.UC_ARM_REG_SP, int.from_bytes(outside.uc.mem_read(0, 4), "little"))
    outside.uc.emu_start(int.from_bytes(outside.uc.mem_read(4, 4), "little"), RETURN)
    assert stops == [7], "BKPT"
    once_through = outside.read("bench_state")
    assert int.from_bytes(outside.read("bench_next"), "little") == 0

    called = Outside(in_flash.image.elf)
    called.call("bench_setup")
    for _ in in_flash.steps:
        called.call("bench_step")
    assert called.read("bench_state") == once_through
