"""Finds the instructions whose faults Unicorn does not raise, and says how the block hook can check them.

Unicorn lets these pass, where the core takes a UsageFault (ARMv7-M ARM A3.2.1, B3.2.15):

* LDRD, STRD, LDM, STM, VLDR, VSTR, VLDM, VSTM, LDREX, STREX with a base that is no multiple of 4;
* SDIV and UDIV by zero while CCR.DIV_0_TRP is set;
* any FPU instruction while CPACR keeps the FPU off (checked per block, see blocks).

A check needs the base register's value at the instruction, while the hook sees registers between basic blocks
only. So each check is turned into one on a register at the start of its block (``BEFORE``) or at its end
(``AFTER``), following additions of constants and copies; what resists that gets a Unicorn code hook at that
one address (``EXACT``). Bases on SP and PC need no check: the core keeps their two lowest bits zero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import capstone
from capstone import arm

from toolchain.emulator import cost
from toolchain.emulator.cost import Decoded

BEFORE, AFTER, EXACT = 0, 1, 2
ALIGN_WORD, ALIGN_HALF, NOT_ZERO = 3, 1, 0
"""Kinds of check: the low bits that must be zero, or NOT_ZERO for a divisor."""

REGISTER_NAMES = {getattr(arm, f"ARM_REG_R{i}"): f"R{i}" for i in range(13)} | {arm.ARM_REG_LR: "LR"}
_ALIGNED = {arm.ARM_REG_SP, arm.ARM_REG_PC}
_COPIES = frozenset((arm.ARM_INS_MOV,))
_SUMS = {arm.ARM_INS_ADD: 1, arm.ARM_INS_SUB: -1, arm.ARM_INS_ADDW: 1, arm.ARM_INS_SUBW: -1}


@dataclass(frozen=True)
class Check:
    """``(register + addend)`` must have no bit of ``mask``, or must not be 0 for NOT_ZERO."""

    when: int
    mask: int
    register: str
    addend: int
    address: int

    def fails(self, value: int) -> bool:
        """Whether this register value breaks the rule."""
        total = (value + self.addend) & 0xFFFFFFFF
        return total == 0 if self.mask == NOT_ZERO else bool(total & self.mask)

    @property
    def sentence(self) -> str:
        """What is wrong when the check fails."""
        if self.mask == NOT_ZERO:
            return "division by zero with CCR.DIV_0_TRP set"
        return f"unaligned address in a load or store that needs a multiple of {self.mask + 1}"


Value = tuple[int, int] | None
"""(register at the start of the block or 0 for a constant, addend); None for anything else."""


def guarded(item: Decoded) -> tuple[int, int] | None:
    """(mask, capstone register to check) for an instruction that can fault silently."""
    insn = item.insn
    if insn is None:
        return None
    if insn.id in cost.DIVISIONS:
        return NOT_ZERO, insn.operands[-1].reg
    if insn.id in cost.MULTIPLES or insn.id in cost.FP_MULTIPLES:
        return ALIGN_WORD, insn.operands[0].reg
    if insn.id in cost.DOUBLES or insn.id in cost.FP_SINGLES or insn.id in cost.EXCLUSIVES:
        half = insn.id in (arm.ARM_INS_LDREXH, arm.ARM_INS_STREXH)
        return (ALIGN_HALF if half else ALIGN_WORD), cost.memory_operand(insn).mem.base
    return None


def _written_back(insn: Any) -> tuple[int, int] | None:
    """(base register, constant added to it) of a load or store that updates its base."""
    operand = cost.memory_operand(insn)
    if operand is None or not insn.writeback or operand.mem.base == 0:
        return None
    after = [o.imm for o in insn.operands if o.type == arm.ARM_OP_IMM]
    indexed = operand.mem.index != 0 or any(
        o.type == arm.ARM_OP_REG and not o.access & capstone.CS_AC_WRITE
        for o in insn.operands[insn.operands.index(operand) + 1 :]
    )
    if indexed:
        return None
    return operand.mem.base, after[-1] if after else operand.mem.disp


class Tracker:
    """Follows registers through a block as (register at its start + constant)."""

    def __init__(self, word_at: Callable[[int], int | None]) -> None:
        self._values: dict[int, Value] = {register: (register, 0) for register in REGISTER_NAMES}
        self._word_at = word_at

    def value(self, register: int) -> Value:
        """What is known about the register now; SP and PC count as the constant 0 (aligned)."""
        return (0, 0) if register in _ALIGNED else self._values.get(register)

    def step(self, item: Decoded) -> None:
        """Follow one instruction."""
        insn = item.insn
        if insn is None:
            self._values = {}
            return
        update = None if item.conditional else self._new_value(item)
        for register in insn.regs_access()[1]:
            self._values.pop(register, None)
        if update is not None and update[1] is not None:
            self._values[update[0]] = update[1]

    def _new_value(self, item: Decoded) -> tuple[int, Value] | None:
        insn = item.insn
        operands = insn.operands
        back = _written_back(insn)
        if back is not None and back[0] != operands[0].reg:
            return back[0], self._sum(self.value(back[0]), back[1])
        if insn.id in cost.MULTIPLES | cost.FP_MULTIPLES and insn.writeback:
            base = operands[0].reg
            words = cost.list_words(insn)
            down = insn.id in (arm.ARM_INS_LDMDB, arm.ARM_INS_STMDB, arm.ARM_INS_VLDMDB, arm.ARM_INS_VSTMDB)
            listed = any(o.reg == base for o in operands[1:])
            return None if listed else (base, self._sum(self.value(base), -4 * words if down else 4 * words))
        if insn.id == arm.ARM_INS_LDR and operands[1].type == arm.ARM_OP_MEM:
            if operands[1].mem.base == arm.ARM_REG_PC and operands[1].mem.index == 0:
                word = self._word_at(((item.address + 4) & ~3) + operands[1].mem.disp)
                return None if word is None else (operands[0].reg, (0, word))
            return None
        if insn.id in _COPIES and operands[1].type == arm.ARM_OP_REG and operands[1].shift.type == 0:
            return operands[0].reg, self.value(operands[1].reg)
        if insn.id in _SUMS and operands[-1].type == arm.ARM_OP_IMM:
            source = operands[1].reg if len(operands) == 3 else operands[0].reg
            return operands[0].reg, self._sum(self.value(source), _SUMS[insn.id] * operands[-1].imm)
        return None

    @staticmethod
    def _sum(value: Value, addend: int) -> Value:
        return None if value is None else (value[0], value[1] + addend)


def _after(items: list[Decoded], index: int, register: int) -> int | None:
    """Constant that the rest of the block, instruction ``index`` included, adds to the register; None if unknown."""
    tracker = Tracker(lambda _: None)
    for item in items[index:]:
        tracker.step(item)
    value = tracker.value(register)
    return value[1] if value is not None and value[0] == register else None


def checks_of(items: list[Decoded], word_at: Callable[[int], int | None]) -> list[Check]:
    """All checks of one basic block."""
    found: list[Check] = []
    tracker = Tracker(word_at)
    for index, item in enumerate(items):
        need = guarded(item)
        if need is not None and need[1] not in _ALIGNED:
            check = _plan(items, index, need[0], need[1], tracker.value(need[1]))
            if check is not None:
                found.append(check)
        tracker.step(item)
    return found


def _plan(items: list[Decoded], index: int, mask: int, register: int, value: Value) -> Check | None:
    item = items[index]
    name = REGISTER_NAMES[register]
    if not item.conditional:
        if value is not None and value[0] == 0:
            if mask != NOT_ZERO and not value[1] & mask:
                return None
        elif value is not None:
            return Check(BEFORE, mask, REGISTER_NAMES[value[0]], value[1], item.address)
        else:
            added = _after(items, index, register)
            if added is not None:
                return Check(AFTER, mask, name, -added, item.address)
    return Check(EXACT, mask, name, 0, item.address)
