"""What one translated basic block is, worked out once: cost, FPU use, guards, and where its loads and stores stand."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field

from capstone import arm

from toolchain.emulator import cost, guards

FPU, SEND_EVENT, CHECK_AFTER = 1, 2, 4
"""Flags that the block hook reads."""

_CORE = guards.REGISTER_NAMES | {arm.ARM_REG_SP: "SP"}
_SEV = b"\x40\xbf"


@dataclass(frozen=True)
class Access:
    """A single load or store: which address it makes from which registers, and the cycles before it ends."""

    write: bool
    base: str
    index: str | None
    shift: int
    displacement: int
    cycles: int


@dataclass
class Block:
    """One translated block. ``refill``: added when its last instruction branches away; ``pipeline``: as left behind."""

    address: int
    end: int
    cycles: int = 0
    refill: int = 0
    instructions: int = 0
    flags: int = 0
    fpu_at: int = 0
    pipeline: cost.Pipeline = field(default_factory=cost.Pipeline)
    accesses: list[Access] = field(default_factory=list)
    checks: list[guards.Check] = field(default_factory=list)


def _access(item: cost.Decoded, cycles: int) -> Access | None:
    insn = item.insn
    if insn is None or not (insn.id in cost.LOADS or insn.id in cost.STORES or insn.id in cost.DOUBLES):
        return None
    operand = cost.memory_operand(insn)
    if operand is None or operand.mem.base not in _CORE:
        return None
    later = insn.operands[insn.operands.index(operand) + 1 :] if operand in insn.operands else []
    post_indexed = bool(later)
    index = operand.mem.index
    return Access(
        write=insn.mnemonic.startswith("str"),
        base=_CORE[operand.mem.base],
        index=None if index == 0 or post_indexed else _CORE[index],
        shift=operand.shift.value if operand.shift.type == arm.ARM_SFT_LSL else 0,
        displacement=0 if post_indexed else operand.mem.disp,
        cycles=cycles,
    )


def analyse(code: bytes, address: int, word_at: Callable[[int], int | None], before: Block | None = None) -> Block:
    """Work out one block from its code; ``word_at`` reads literals (None outside memory).

    ``before``: the block that ends where this one starts. Translation also ends blocks where no branch is, such as at
    a page's end; what overlaps in the pipeline overlaps there too.
    """
    block = Block(address, address + len(code))
    pipeline = block.pipeline = copy.copy(before.pipeline) if before else cost.Pipeline()
    items = cost.decode(code, address)
    for item in items:
        cycles, block.refill = pipeline.add(item)
        block.cycles += cycles
        if item.fpu and not block.flags & FPU:
            block.flags |= FPU
            block.fpu_at = item.address
        if item.insn is not None and bytes(item.insn.bytes) == _SEV:
            block.flags |= SEND_EVENT
        access = _access(item, block.cycles)
        if access is not None:
            block.accesses.append(access)
    block.instructions = len(items)
    block.checks = guards.checks_of(items, word_at)
    if any(check.when == guards.AFTER for check in block.checks):
        block.flags |= CHECK_AFTER
    return block
