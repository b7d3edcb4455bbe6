"""A static estimate of the cycles of a run of instructions.

Numbers come from the Cortex-M4 Technical Reference Manual r0p1: table 3-1 (integer), section 3.3.3 (load and
store timings) and table 7-1 (FPU). What the tables leave open is fixed here: a pipeline refill P is 2 cycles
(1 to 3 in the manual), SDIV and UDIV are 7 (2 to 12), barriers wait for nothing, and nothing stalls between
basic blocks. There are no flash wait states. The estimate was never compared with silicon; whoever shows it
labels it so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import capstone
from capstone import arm

REFILL = 2
BLOCKING_REFILL = 3
DIVIDE = 7
EXCEPTION_ENTRY = 12
EXCEPTION_RETURN = 10
TAIL_CHAIN = 6
FP_STATE = 17
"""Extra cycles to stack or unstack S0-S15 and FPSCR (29 in place of 12)."""


def _ids(names: str) -> frozenset[int]:
    return frozenset(getattr(arm, f"ARM_INS_{name}") for name in names.split())


LOADS = _ids("LDR LDRB LDRH LDRSB LDRSH LDRT LDRBT LDRHT LDRSBT LDRSHT LDREX LDREXB LDREXH STREX STREXB STREXH")
STORES = _ids("STR STRB STRH STRT STRBT STRHT")
EXCLUSIVES = _ids("LDREX LDREXH STREX STREXH")
DOUBLES = _ids("LDRD STRD")
MULTIPLES = _ids("LDM LDMDB STM STMDB")
STACK = _ids("PUSH POP VPUSH VPOP")
FP_MULTIPLES = _ids("VLDMIA VLDMDB VSTMIA VSTMDB")
FP_SINGLES = _ids("VLDR VSTR")
FP_ACCUMULATE = _ids("VMLA VMLS VNMLA VNMLS VFMA VFMS VFNMA VFNMS")
FP_LONG = _ids("VDIV VSQRT")
DIVISIONS = _ids("SDIV UDIV")
TABLE_BRANCHES = _ids("TBB TBH")
BRANCHES = _ids("B BL BX BLX CBZ CBNZ")
TWO_CYCLES = _ids("MRS MSR CPS")

_WIDE = 0x1D
_READ_WRITE = (capstone.CS_AC_READ, capstone.CS_AC_WRITE)
_CONDITIONS = (arm.ARM_CC_AL, arm.ARM_CC_INVALID)

_decoder = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS)
_decoder.detail = True


@dataclass(frozen=True)
class Decoded:
    """One instruction: ``insn`` is Capstone's, or None where Capstone knows no such instruction."""

    address: int
    size: int
    insn: Any
    fpu: bool

    @property
    def conditional(self) -> bool:
        """True inside an IT block, or for a conditional branch."""
        return self.insn is not None and self.insn.cc not in _CONDITIONS


def is_fpu(code: bytes) -> bool:
    """Coprocessor 10 or 11: every instruction of the FPU (ARMv7-M ARM A6.3)."""
    if len(code) < 4:
        return False
    first = int.from_bytes(code[0:2], "little")
    second = int.from_bytes(code[2:4], "little")
    return first & 0xEC00 == 0xEC00 and (second >> 8) & 0xE == 0xA


def decode(code: bytes, address: int) -> list[Decoded]:
    """Decode a straight run of Thumb code."""
    found: list[Decoded] = []
    offset = 0
    while offset < len(code):
        for insn in _decoder.disasm(code[offset:], address + offset):
            found.append(Decoded(insn.address, insn.size, insn, is_fpu(bytes(insn.bytes))))
            offset += insn.size
        if offset < len(code):
            wide = int.from_bytes(code[offset : offset + 2], "little") >> 11 >= _WIDE
            size = 4 if wide else 2
            found.append(Decoded(address + offset, size, None, is_fpu(code[offset : offset + 4])))
            offset += size
    return found


def memory_operand(insn: Any) -> Any:
    """The operand ``[base, index, #disp]``, or None."""
    for operand in insn.operands:
        if operand.type == arm.ARM_OP_MEM:
            return operand
    return None


def list_words(insn: Any) -> int:
    """Words that a register-list instruction moves: its registers, doubles twice, without the base."""
    registers = [operand.reg for operand in insn.operands if operand.type == arm.ARM_OP_REG]
    if insn.id in MULTIPLES or insn.id in FP_MULTIPLES:
        registers = registers[1:]
    return sum(2 if arm.ARM_REG_D0 <= register <= arm.ARM_REG_D31 else 1 for register in registers)


def writes_pc(insn: Any) -> bool:
    """True when the instruction may branch by writing PC."""
    return any(
        operand.type == arm.ARM_OP_REG and operand.reg == arm.ARM_REG_PC and operand.access & capstone.CS_AC_WRITE
        for operand in insn.operands
    ) or (
        insn.id in _ids("POP LDM LDMDB")
        and any(o.type == arm.ARM_OP_REG and o.reg == arm.ARM_REG_PC for o in insn.operands)
    )


def _address_registers(insn: Any) -> set[int]:
    operand = memory_operand(insn)
    return set() if operand is None else {operand.mem.base, operand.mem.index} - {0}


def _fpu_cycles(insn: Any) -> int:
    if insn.id in FP_LONG:
        return 14
    if insn.id in FP_ACCUMULATE:
        return 3
    if insn.id in FP_SINGLES:
        double = arm.ARM_REG_D0 <= insn.operands[0].reg <= arm.ARM_REG_D31
        return 3 if double else 2
    if insn.id in FP_MULTIPLES or insn.id in STACK:
        return 1 + list_words(insn)
    if insn.id == arm.ARM_INS_VMOV and sum(o.type == arm.ARM_OP_REG for o in insn.operands) > 2:
        return 2
    return 1


class Pipeline:
    """Adds instructions one by one and remembers what the next one may overlap with."""

    def __init__(self) -> None:
        self._load_target: set[int] = set()
        self._computed: set[int] = set()
        self._after_load = False

    def add(self, item: Decoded) -> tuple[int, int]:
        """Return (cycles, further cycles if the instruction branches away)."""
        insn = item.insn
        after_load, loaded, computed = self._after_load, self._load_target, self._computed
        self._after_load, self._load_target, self._computed = False, set(), set()
        if insn is None:
            return 1, 0
        address = _address_registers(insn)
        stall = 1 if address & computed else 0
        if item.fpu:
            return _fpu_cycles(insn) + stall, 0
        if insn.id in LOADS:
            if writes_pc(insn):
                return 2 + stall, BLOCKING_REFILL
            self._after_load = True
            self._load_target = {insn.operands[0].reg}
            overlap = after_load and not address & loaded
            return (1 if overlap else 2) + stall, 0
        if insn.id in STORES:
            if memory_operand(insn).mem.index == 0:
                return 1 + stall, 0
            overlap = after_load and not address & loaded
            return (1 if overlap else 2) + stall, 0
        if insn.id in DOUBLES:
            return 3 + stall, 0
        if insn.id in MULTIPLES or insn.id in STACK:
            return 1 + list_words(insn) + stall, REFILL if writes_pc(insn) else 0
        if insn.id in TABLE_BRANCHES:
            return 3 + stall, BLOCKING_REFILL
        if insn.id in BRANCHES:
            return 1, REFILL
        if insn.id in DIVISIONS:
            return DIVIDE, 0
        if insn.id in TWO_CYCLES:
            return 2, 0
        if insn.id == arm.ARM_INS_ISB:
            return 1 + REFILL, 0
        self._computed = set(insn.regs_access()[1])
        return 1, REFILL if writes_pc(insn) else 0
