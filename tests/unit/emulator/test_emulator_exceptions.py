"""Exception entry, nesting, masks, tail-chaining, the floating-point frame, and sleep."""

from __future__ import annotations

import pytest
from emulator_support import Run, word, words

NESTING = r"""
volatile uint32_t log_at, trace[16];
static void note(uint32_t what) { trace[log_at++] = what; }
static uint32_t ipsr(void) { uint32_t r; __asm volatile("mrs %0, ipsr" : "=r"(r)); return r; }
void SWI0_Handler(void) {
    note(0x100 | ipsr());
    irq_pend(21);             /* more urgent: runs inside this handler */
    note(0x200 | ipsr());
    REG(0xE000ED04) = 1u << 28; /* PendSV, least urgent: waits for the end */
    __asm volatile("dsb\n isb");
    note(0x300 | ipsr());
}
void SWI1_Handler(void) {
    static uint32_t before;
    note(0x400 | ipsr());
    if (before++ == 0) irq_pend(20); /* active already: runs again later, not now */
    note(0x500 | ipsr());
}
void PendSV_Handler(void) { note(0x600 | ipsr()); }
void SVC_Handler(void) { note(0x700 | ipsr()); }
int main(void) {
    REG8(0xE000ED22) = 0xE0;
    irq_on(20, 0x80);
    irq_on(21, 0x40);
    irq_pend(20);
    note(0x800 | ipsr());
    __asm volatile("svc 3");
    return 0;
}
"""


def test_urgent_interrupts_nest_and_others_wait(run: Run, hook: str) -> None:
    board = run(NESTING, hook=hook)
    first, second, pendsv, svc = 36, 37, 14, 11
    once = [0x100 | first, 0x400 | second, 0x500 | second, 0x200 | first, 0x300 | first]
    assert words(board, "trace")[:13] == [*once, *once, 0x600 | pendsv, 0x800, 0x700 | svc]


MASKS = r"""
volatile uint32_t count[2], seen[8];
void SWI0_Handler(void) { count[0]++; }
void SWI1_Handler(void) { count[1]++; }
int main(void) {
    irq_on(20, 0x80);
    irq_on(21, 0x40);
    __asm volatile("msr basepri, %0\n isb" ::"r"(0x60));
    irq_pend(20);
    irq_pend(21);
    seen[0] = count[0] << 4 | count[1];
    __asm volatile("msr basepri, %0\n isb\n nop" ::"r"(0));
    seen[1] = count[0] << 4 | count[1];
    __asm volatile("cpsid i");
    irq_pend(20);
    irq_pend(21);
    seen[2] = count[0] << 4 | count[1];
    __asm volatile("cpsie i\n isb\n nop");
    seen[3] = count[0] << 4 | count[1];
    REG(0xE000E180) = 1u << 20;
    irq_pend(20);
    seen[4] = count[0] << 4 | count[1];
    REG(0xE000E280) = 1u << 20;
    REG(0xE000E100) = 1u << 20;
    __asm volatile("dsb\n isb\n nop");
    seen[5] = count[0] << 4 | count[1];
    return 0;
}
"""


def test_basepri_primask_and_enables_hold_interrupts_back(run: Run, hook: str) -> None:
    board = run(MASKS, hook=hook)
    assert words(board, "seen")[:6] == [0x01, 0x11, 0x11, 0x22, 0x22, 0x22]


FP_FRAME = r"""
volatile uint32_t count, bad, sum;
static uint32_t pstack[256] __attribute__((aligned(8)));
#define CLOBBER                                                                                                       \
    __asm volatile("vmov.f32 s0,#2.0\n vmov.f32 s1,s0\n vmov.f32 s5,s0\n vmov.f32 s9,s0\n vmov.f32 s15,s0\n"        \
                   "vcmp.f32 s0,#0.0\n vmrs r12, fpscr\n movs r0,#0\n movs r1,#0\n movs r2,#0\n movs r3,#0\n" ::     \
                       : "s0", "s1", "s5", "s9", "s15", "r0", "r1", "r2", "r3", "r12", "cc")
void TIMER0_Handler(void) {
    REG(0x40008140) = 0;
    (void)REG(0x40008140);
    count++;
    CLOBBER;
    irq_pend(21);
    CLOBBER;
}
void SWI1_Handler(void) { CLOBBER; sum++; }
static volatile uint32_t rounds = 4000; /* volatile: compute every time */
static uint32_t work(void) {
    const uint32_t n = rounds;
    float a = 1, b = 2, c = 3, d = 4;
    uint32_t x = 1, y = 2;
    uint64_t q = 1;
    for (uint32_t i = 0; i < n; i++) {
        a = a * 1.0001f + b * 0.5f; b = b * 0.25f + c; c = c * 0.125f + d * 0.3f; d = d * 0.5f - a * 0.01f;
        x = x * 1664525u + 1013904223u; y ^= x >> 3; q = q * 6364136223846793005ull + y;
        if (x & 1) { y += 3; if (y & 4) q ^= 0x55; else q += 9; }
    }
    union { float f; uint32_t u; } u[4] = {{a}, {b}, {c}, {d}};
    uint32_t r = x ^ y ^ (uint32_t)q ^ (uint32_t)(q >> 32);
    for (int i = 0; i < 4; i++) r = r * 31u + u[i].u;
    return r;
}
int main(void) {
    static uint32_t reference;
    reference = work();
    if (PSP) {
        __asm volatile("msr psp, %0\n msr control, %1\n isb" ::"r"(pstack + 256), "r"(2u) : "memory");
    }
    irq_on(8, 0x80);
    irq_on(21, 0x20);
    REG(0x40008508) = 3; REG(0x40008510) = 0; REG(0x40008540) = 997; REG(0x40008200) = 1;
    REG(0x40008304) = 1u << 16; REG(0x40008000) = 1;
    for (uint32_t k = 0; k < 3; k++) {
        if (work() != reference) bad++;
    }
    __asm volatile("bkpt 1");
    for (;;) { }
}
"""


@pytest.mark.parametrize("psp", ["PSP 0", "PSP 1"])
def test_interrupts_leave_the_foreground_and_its_fpu_alone(run: Run, hook: str, psp: str) -> None:
    board = run(FP_FRAME, 1.0, psp, hook=hook)
    assert board.stop_reason is not None
    assert "breakpoint 1" in board.stop_reason
    assert word(board, "count") > 50
    assert word(board, "sum") == word(board, "count")
    assert word(board, "bad") == 0


TAIL = r"""
volatile uint32_t at[3];
void SWI0_Handler(void) { at[0] = CYCCNT; REG(0xE000E200) = 1u << 21; at[1] = CYCCNT; }
void SWI1_Handler(void) { at[2] = CYCCNT; }
int main(void) {
    cyccnt_on();
    irq_on(20, 0x40);
    irq_on(21, 0x40);
    irq_pend(20);
    return 0;
}
"""


def test_a_waiting_interrupt_is_tail_chained(run: Run, hook: str) -> None:
    board = run(TAIL, hook=hook)
    _, end, start = words(board, "at")
    assert 6 + 4 <= start - end <= 6 + 10  # far below unstacking and stacking, 10 + 12
    assert board.exceptions == 2


SLEEP = r"""
volatile uint32_t wakes[8], count;
void TIMER0_Handler(void) { REG(0x40008140) = 0; (void)REG(0x40008140); count++; }
static uint32_t now(void) { REG(0x40009040) = 1; return REG(0x40009540); }
int main(void) {
    REG(0x40009508) = 3; REG(0x40009510) = 0; REG(0x40009000) = 1;
    REG(0x40008508) = 3; REG(0x40008510) = 0; REG(0x40008540) = 16000; REG(0x40008200) = 1;
    REG(0x40008304) = 1u << 16; irq_on(8, 0x40); REG(0x40008000) = 1;
    uint32_t from = now();
    __asm volatile("wfi");
    wakes[0] = now() - from;     /* most of a millisecond */
    __asm volatile("sev\n wfe"); /* the event register is set (by the interrupt, and by SEV): passes */
    from = now();
    __asm volatile("wfe");       /* sleeps to the next interrupt */
    wakes[1] = now() - from;
    from = now();
    __asm volatile("wfe");       /* that interrupt left the event register set: passes at once */
    wakes[2] = now() - from;
    __asm volatile("cpsid i");
    from = now();
    __asm volatile("wfi");       /* PRIMASK on: wakes, the handler waits */
    wakes[3] = now() - from;
    wakes[4] = count;
    __asm volatile("cpsie i\n isb\n nop");
    wakes[5] = count;
    REG(0xE000ED10) = 1u << 4;   /* SEVONPEND: a masked, disabled interrupt wakes WFE */
    REG(0xE000E180) = 1u << 8;
    __asm volatile("sev\n wfe");
    from = now();
    __asm volatile("wfe");
    wakes[6] = now() - from;
    wakes[7] = count;
    return 0;
}
"""


def test_wfi_wfe_and_sev(run: Run, hook: str) -> None:
    board = run(SLEEP, hook=hook)
    wakes = words(board, "wakes")
    assert 15_000 < wakes[0] < 16_100
    assert 15_000 < wakes[1] < 16_100
    assert wakes[2] < 50
    assert 15_000 < wakes[3] < 16_100
    assert wakes[5] == wakes[4] + 1
    assert 15_000 < wakes[6] < 16_100
    assert wakes[7] == wakes[5]
    assert board.sleep_cycles > 4 * 15_000 * 4


SLEEP_ON_EXIT = r"""
volatile uint32_t count, main_ran;
void TIMER0_Handler(void) {
    REG(0x40008140) = 0;
    (void)REG(0x40008140);
    if (++count == 5) REG(0xE000ED10) = 0;
}
int main(void) {
    REG(0x40008508) = 3; REG(0x40008510) = 4; REG(0x40008540) = 100; REG(0x40008200) = 1;
    REG(0x40008304) = 1u << 16; irq_on(8, 0); REG(0xE000ED10) = 2; REG(0x40008000) = 1;
    __asm volatile("wfi");
    main_ran = count;
    return 0;
}
"""


def test_sleep_on_exit_stays_in_handlers(run: Run, hook: str) -> None:
    assert word(run(SLEEP_ON_EXIT, hook=hook), "main_ran") == 5


SYSTICK = r"""
volatile uint32_t count, gap, last;
void SysTick_Handler(void) { const uint32_t now = CYCCNT; gap = now - last; last = now; count++; }
int main(void) {
    cyccnt_on();
    REG(0xE000E014) = 6399; REG(0xE000E018) = 0; REG(0xE000E010) = 7;
    while (count < 10) { }
    REG(0xE000E010) = 0;
    return 0;
}
"""


def test_systick_has_its_period(run: Run, hook: str) -> None:
    board = run(SYSTICK, hook=hook)
    assert word(board, "count") == 10
    assert abs(word(board, "gap") - 6400) < 20
