"""What Unicorn does not trap, what goes to fault handlers, and what the board refuses."""

from __future__ import annotations

import pytest
from emulator_support import Run, word, words

from toolchain.errors import EmulatorError

GUARDED = r"""
static uint32_t buffer[16];
int main(void) {
    uint32_t base = (uint32_t)buffer + OFFSET;
    __asm volatile("" : "+r"(base));
    __asm volatile(CODE :: "r"(base) : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "s0", "s1", "cc", "memory");
    return 0;
}
"""

UNALIGNED = {
    "ldrd": "ldrd r2, r3, [%0]",
    "strd": "strd r2, r3, [%0]",
    "ldm": "ldm %0, {r2, r3}",
    "stm": "stm %0, {r2, r3}",
    "vldr": "vldr s0, [%0]",
    "vstr": "vstr s0, [%0]",
    "vldm": "vldmia %0, {s0, s1}",
    "ldrex": "ldrex r2, [%0]",
    "post-indexed": "mov r4, %0\\n ldrd r2, r3, [r4], #8",
    "copied and moved on": "mov r4, %0\\n adds r4, #4\\n ldrd r2, r3, [r4]",
    "loaded over its own base": "mov r6, #0\\n orr r4, %0, r6\\n ldrd r4, r5, [r4]",
    "computed, kept": "mov r6, #0\\n orr r4, %0, r6\\n ldrd r2, r3, [r4]",
    "in an IT block": "cmp %0, #0\\n it ne\\n ldrdne r2, r3, [%0]",
    "in a loop": "mov r4, %0\\n movs r6, #3\\n 1: vldmia r4!, {s0}\\n subs r6, #1\\n bne 1b",
}


@pytest.mark.parametrize("code", UNALIGNED.values(), ids=UNALIGNED.keys())
def test_an_unaligned_multiple_access_stops_the_board(run: Run, hook: str, code: str) -> None:
    with pytest.raises(EmulatorError, match=r"main\+0x[0-9a-f]+\): unaligned .* R0="):
        run(GUARDED, 1.0, f'CODE "{code}"', "OFFSET 2", hook=hook)
    assert run(GUARDED, 1.0, f'CODE "{code}"', "OFFSET 4", hook=hook).stop_reason


def test_it_skips_the_check_with_the_instruction(run: Run, hook: str) -> None:
    code = r"cmp %0, #0\n it eq\n ldrdeq r2, r3, [%0]"
    assert run(GUARDED, 1.0, f'CODE "{code}"', "OFFSET 2", hook=hook).stop_reason


@pytest.mark.parametrize("code", [r"ldr r2, [%0]", r"ldrh r2, [%0, #1]", r"str r2, [%0]"])
def test_single_accesses_may_be_unaligned(run: Run, hook: str, code: str) -> None:
    assert run(GUARDED, 1.0, f'CODE "{code}"', "OFFSET 2", hook=hook).stop_reason


def test_the_fpu_must_be_switched_on(run: Run, hook: str) -> None:
    code = r"nop\n vmov.f32 s0, #1.0"
    with pytest.raises(EmulatorError, match="FPU instruction while CPACR"):
        run(GUARDED, 1.0, f'CODE "{code}"', "OFFSET 0", "NO_FPU 1", hook=hook)
    assert run(GUARDED, 1.0, f'CODE "{code}"', "OFFSET 0", hook=hook).stop_reason


DIVISION = r"""
int main(void) {
    if (TRAP) REG(0xE000ED14) |= 1u << 4;
    __asm volatile("movs r0, #7\n movs r1, #0\n " DIVIDE " r2, r0, r1" ::: "r0", "r1", "r2", "cc");
    return 0;
}
"""


@pytest.mark.parametrize("divide", ["sdiv", "udiv"])
def test_division_by_zero_stops_only_with_the_trap_on(run: Run, hook: str, divide: str) -> None:
    with pytest.raises(EmulatorError, match="division by zero"):
        run(DIVISION, 1.0, "TRAP 1", f'DIVIDE "{divide}"', hook=hook)
    assert run(DIVISION, 1.0, "TRAP 0", f'DIVIDE "{divide}"', hook=hook).stop_reason


DELIVERED = r"""
volatile uint32_t seen[5];
void HardFault_Handler(void) {
    seen[0] = REG(0xE000ED28); seen[1] = REG(0xE000ED2C); seen[2] = REG(0xE000ED38);
    __asm volatile("mrs %0, ipsr" : "=r"(seen[3]));
    __asm volatile("bkpt 1");
}
void BusFault_Handler(void) { HardFault_Handler(); }
void UsageFault_Handler(void) { HardFault_Handler(); }
int main(void) {
    REG(0xE000ED24) = SHCSR;
    __asm volatile("ldr r0, =0x30000000\n " CODE :: "r"(0) : "r0", "r1", "memory");
    return 0;
}
"""

IBUSERR, PRECISE, UNDEFINED = 1 << 8, 1 << 15 | 1 << 9, 1 << 16


@pytest.mark.parametrize(
    ("code", "shcsr", "cfsr", "forced", "exception"),
    [
        ("ldr r1, [r0]", "0", PRECISE, True, 3),
        ("ldr r1, [r0]", "0x20000", PRECISE, False, 5),
        ("str r1, [r0]", "0", PRECISE, True, 3),
        ("str r1, [%0]", "0", PRECISE, True, 3),
        ("udf #1", "0", UNDEFINED, True, 3),
        ("udf #1", "0x40000", UNDEFINED, False, 6),
        ("orr r0, #1\\n bx r0", "0", IBUSERR, True, 3),
    ],
)
def test_bus_faults_and_undefined_instructions_reach_the_firmware(
    run: Run, hook: str, code: str, shcsr: str, cfsr: int, forced: bool, exception: int
) -> None:
    board = run(DELIVERED, 1.0, f'CODE "{code}"', f"SHCSR {shcsr}", hook=hook)
    assert board.stop_reason is not None
    assert "breakpoint 1" in board.stop_reason
    seen = words(board, "seen")
    assert (seen[0], seen[1] >> 30 & 1, seen[3]) == (cfsr, forced, exception)
    if cfsr == PRECISE:
        assert seen[2] == (0 if "%0" in code else 0x30000000)
    assert len(board.faults) == 1


def test_faults_can_stop_instead(run: Run, hook: str) -> None:
    with pytest.raises(EmulatorError, match=r"main\+0x[0-9a-f]+\): load from 0x30000000"):
        run(DELIVERED, 1.0, 'CODE "ldr r1, [r0]"', "SHCSR 0", hook=hook, stop_on_fault=True)


LOOPING = r"""
void HardFault_Handler(void) { for (;;) { } }
int main(void) { return (int)*(volatile uint32_t *)0x30000000; }
"""


def test_a_handler_that_only_loops_is_no_use(run: Run) -> None:
    with pytest.raises(EmulatorError, match="loop forever"):
        run(LOOPING)


OVERFLOW = r"""
volatile uint32_t depth, cfsr;
__attribute__((naked)) void HardFault_Handler(void) {
    __asm volatile("ldr r0, =stack_top\n mov sp, r0\n b recorded");
}
__attribute__((used)) void recorded(void) { cfsr = REG(0xE000ED28); __asm volatile("bkpt 1"); for (;;) { } }
__attribute__((noinline)) static uint32_t deeper(uint32_t n) {
    volatile uint32_t room[64];
    room[n % 64] = n;
    depth = n;
    if (n == 0xFFFFFFFF) return 0;
    return deeper(n + 1) + room[(n + 1) % 64];
}
int main(void) { return (int)deeper(0); }
"""


def test_a_stack_overflow_is_a_bus_fault(run: Run, hook: str) -> None:
    board = run(OVERFLOW, hook=hook)
    assert word(board, "depth") > 200
    assert word(board, "cfsr") & (1 << 9 | 1 << 12)


RESET = r"""
int main(void) {
    const uint32_t reasons = REG(0x40000400);
    volatile uint32_t *kept = (volatile uint32_t *)0x20020000; /* RAM outlives a reset */
    kept[0]++;
    kept[kept[0]] = reasons | REG(0x4000051C) << 8 | REG(0x40002500) << 16;
    REG(0x40000400) = reasons;
    REG(0x4000051C) = kept[0];
    REG(0x40002500) = 8;
    if (kept[0] < 3) {
        REG(0xE000ED0C) = 0x05FA0004;
        for (;;) { }
    }
    return 0;
}
"""


def test_a_software_reset_keeps_ram_and_says_so(run: Run, hook: str) -> None:
    board = run(RESET, hook=hook)
    assert board.resets == 2
    data = board.read_memory(0x20020000, 16)
    assert [int.from_bytes(data[i : i + 4], "little") for i in range(0, 16, 4)] == [3, 0, 4 | 1 << 8, 4 | 2 << 8]


UNMODELLED = r"""
int main(void) { REG(0x40007500) = 1; return (int)REG(0x40008900); }
"""


def test_unmodelled_registers_are_counted_or_refused(run: Run) -> None:
    board = run(UNMODELLED)
    assert board.unmodelled == {"write 0x40007500": 1, "read TIMER0+0x900": 1}
    with pytest.raises(EmulatorError, match="does not model"):
        run(UNMODELLED, strict=True)


def test_a_device_register_takes_whole_words(run: Run) -> None:
    with pytest.raises(EmulatorError, match="whole words"):
        run("int main(void) { return (int)*(volatile uint16_t *)0x40008140; }")
