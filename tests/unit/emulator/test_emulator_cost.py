"""Cycles of known sequences, counted by hand from the Cortex-M4 TRM r0p1 (tables 3-1 and 7-1, section 3.3.3)."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from emulator_support import Run, words

from toolchain.emulator import blocks

CASES = {
    "adds r0,#1\n muls r1,r2,r1\n mla r3,r1,r2,r3\n smlad r3,r1,r2,r3\n umlal r4,r5,r1,r2": 5,
    # LDR 2; the next one overlaps by one; a dependent address does not.
    "ldr r0,[r1]": 2,
    "ldr r0,[r1]\n ldr r2,[r3]\n ldr r4,[r5]": 4,
    "ldr r0,[r1]\n ldr r2,[r0]": 4,
    "ldr r0,[r1]\n str r0,[r2,#4]": 3,
    "ldr r0,[r1]\n str r2,[r3,r4]": 3,
    "str r0,[r1,#8]": 1,
    "str r0,[r1,r2]": 2,
    "str r0,[r1,r2]\n ldr r3,[r4]": 4,
    # An address that the instruction before has computed costs one more.
    "adds r1,#4\n ldr r0,[r1]": 4,
    "adds r2,#4\n ldr r0,[r1]": 3,
    "ldrd r0,r1,[r2]": 3,
    "ldm r0,{r1-r4}": 5,
    "stm r0!,{r1-r7}": 8,
    "push {r4-r7,lr}": 6,
    "vldr s0,[r0]\n vldr s1,[r0,#4]": 4,
    "vldr d0,[r0]": 3,
    "vldmia r0!,{s0-s7}": 9,
    "vpush {d8-d9}": 5,
    "vadd.f32 s0,s1,s2\n vmul.f32 s0,s1,s2\n vcvt.s32.f32 s0,s0\n vcmp.f32 s0,s1": 4,
    "vmla.f32 s0,s1,s2\n vfma.f32 s0,s1,s2": 6,
    "vdiv.f32 s0,s1,s2": 14,
    "vsqrt.f32 s0,s1": 14,
    "vmov s0,r0\n vmov s0,s1,r0,r1": 3,
    "vmrs apsr_nzcv,fpscr": 1,
    "sdiv r0,r1,r2": 7,
    "it eq\n addeq r0,#1": 2,
    "mrs r0,primask\n cpsid i\n msr primask,r0": 6,
    "dsb\n dmb\n nop": 3,
    "isb": 3,
}


def assemble(source: str, folder: Path) -> bytes:
    text = f".syntax unified\n.cpu cortex-m4\n.fpu fpv4-sp-d16\n.thumb\n{source}\n"
    subprocess.run(["arm-none-eabi-as", "-o", folder / "a.o"], input=text.encode(), check=True)
    subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", folder / "a.o", folder / "a.bin"], check=True)
    return (folder / "a.bin").read_bytes()


@pytest.mark.usefixtures("compile_c")
def test_sequences_cost_what_the_manual_says(tmp_path: Path) -> None:
    found = {source: blocks.analyse(assemble(source, tmp_path), 0x1000, lambda _: None).cycles for source in CASES}
    assert found == CASES


@pytest.mark.usefixtures("compile_c")
@pytest.mark.parametrize(
    ("source", "cycles", "refill"),
    [
        ("b .", 1, 2),
        ("bx lr", 1, 2),
        ("cbz r0, . + 4", 1, 2),
        ("pop {r4,pc}", 3, 2),
        ("ldr pc,[r0]", 2, 3),
        ("tbb [pc,r0]", 3, 3),
        ("mov pc,lr", 1, 2),
        ("adds r0,#1", 1, 0),
    ],
)
def test_a_branch_that_is_taken_refills_the_pipeline(tmp_path: Path, source: str, cycles: int, refill: int) -> None:
    block = blocks.analyse(assemble(source, tmp_path), 0x1000, lambda _: None)
    assert (block.cycles, block.refill) == (cycles, refill)


@pytest.mark.usefixtures("compile_c")
def test_where_translation_cuts_straight_code_changes_no_cycle(tmp_path: Path) -> None:
    code = assemble("ldr r0,[r1]\n ldr r2,[r3]\n adds r1,#4\n ldr r0,[r1]\n ldr r5,[r6]\n str r0,[r1,r2]", tmp_path)
    whole = blocks.analyse(code, 0x1000, lambda _: None)
    for cut in range(2, len(code), 2):
        first = blocks.analyse(code[:cut], 0x1000, lambda _: None)
        second = blocks.analyse(code[cut:], 0x1000 + cut, lambda _: None, first)
        assert first.cycles + second.cycles == whole.cycles


def test_undecodable_bytes_count_as_one_instruction() -> None:
    block = blocks.analyse(bytes.fromhex("00bf ffff ffff 00bf"), 0x1000, lambda _: None)
    assert (block.instructions, block.cycles) == (3, 3)


LOOP = r"""
volatile uint32_t spent[3];
int main(void) {
    cyccnt_on();
    /* 100 * (subs 1 + bne 1) + 99 refills of 2; then ldr 2 for the second reading; movs 1. */
    __asm volatile("ldr r0, =0xE0001004\n ldr r1, [r0]\n movs r2, #100\n 1: subs r2, #1\n bne 1b\n ldr r3, [r0]\n"
                   "subs %0, r3, r1" : "=r"(spent[0]) :: "r0", "r1", "r2", "r3", "cc");
    /* Two readings inside one basic block: nop 4, then the load's own 2. */
    __asm volatile("ldr r0, =0xE0001004\n ldr r1, [r0]\n nop\n nop\n nop\n nop\n ldr r3, [r0]\n"
                   "subs %0, r3, r1" : "=r"(spent[1]) :: "r0", "r1", "r3", "cc");
    /* Asleep, the counter stands still: TIMER0 wakes the core after 1000 cycles of sleep at least. */
    REG(0x40008508) = 3; REG(0x40008510) = 0; REG(0x40008540) = 1000; REG(0x40008304) = 1 << 16;
    irq_on(8, 0);
    const uint32_t before = CYCCNT;
    REG(0x40008000) = 1;
    __asm volatile("wfi");
    spent[2] = CYCCNT - before;
    return 0;
}
void TIMER0_Handler(void) { REG(0x40008140) = 0; }
"""


def test_the_cycle_counter_sees_single_instructions_and_not_sleep(run: Run, hook: str) -> None:
    board = run(LOOP, hook=hook)
    loop, inside, sleeping = words(board, "spent")
    assert loop == 1 + 100 * 2 + 99 * 2 + 2
    assert inside == 6
    assert 20 < sleeping < 100
    assert board.sleep_cycles > 3800
