"""TIMER, RTC, PPI, GPIOTE, GPIO and the watchdog: exact times, routed events, edges."""

from __future__ import annotations

import itertools

import pytest
from emulator_support import Compile, Run, word, words

from toolchain.board import Board
from toolchain.emulator.board import VirtualBoard

TICKS = r"""
volatile uint32_t counts[4];
int main(void) {
    cyccnt_on();
    REG(0x40008508) = 3; REG(0x40008510) = PRESCALER;
    const uint32_t t0 = CYCCNT;
    REG(0x40008000) = 1;
    for (volatile uint32_t i = 0; i < 1000; i++) { }
    REG(0x40008040) = 1;
    const uint32_t t1 = CYCCNT;
    counts[0] = REG(0x40008540);
    counts[1] = t1 - t0;
    REG(0x40008004) = 1; /* stop */
    REG(0x40008044) = 1;
    for (volatile uint32_t i = 0; i < 100; i++) { }
    REG(0x40008048) = 1;
    counts[2] = REG(0x40008548) - REG(0x40008544);
    REG(0x4000800C) = 1; /* clear */
    REG(0x4000804C) = 1;
    counts[3] = REG(0x4000854C);
    return 0;
}
"""


@pytest.mark.parametrize("prescaler", [0, 4, 9])
def test_a_timer_counts_16_mhz_divided_exactly(run: Run, hook: str, prescaler: int) -> None:
    board = run(TICKS, 1.0, f"PRESCALER {prescaler}", hook=hook)
    ticks, cycles, stopped, cleared = words(board, "counts")
    assert ticks == pytest.approx(cycles / (4 << prescaler), abs=4)
    assert (stopped, cleared) == (0, 0)


PERIOD = r"""
volatile uint32_t at[40], n, wrapped;
void TIMER0_Handler(void) {
    REG(0x40008140) = 0;
    (void)REG(0x40008140);
    if (n < 40) at[n++] = REG(0x40009540); /* captured by PPI */
}
int main(void) {
    REG(0x40009508) = 3; REG(0x40009510) = 0; REG(0x40009000) = 1;
    REG(0x4001F510) = 0x40008140; REG(0x4001F514) = 0x40009040; REG(0x4001F504) = 1;
    REG(0x40008508) = 0; REG(0x40008510) = 0; REG(0x40008540) = 1237; REG(0x40008200) = 1;
    REG(0x40008304) = 1u << 16; irq_on(8, 0x40); REG(0x40008000) = 1;
    while (n < 40) { __asm volatile("wfi"); }
    REG(0x40008200) = 1u << 8; /* COMPARE0_STOP */
    REG(0x40008308) = 1u << 16;
    REG(0x40008140) = 0;
    while (REG(0x40008140) == 0) { }
    REG(0x40008044) = 1;
    wrapped = REG(0x40008544);
    return 0;
}
"""


def test_compare_with_clear_has_an_exact_period_and_ppi_captures_it(run: Run, hook: str) -> None:
    board = run(PERIOD, hook=hook)
    at = words(board, "at")
    assert {b - a for a, b in itertools.pairwise(at)} == {1237}
    assert word(board, "wrapped") == 1237


CHAIN = r"""
volatile uint32_t at[4], n;
void GPIOTE_Handler(void) { REG(0x40006100) = 0; (void)REG(0x40006100); if (n < 3) at[n++] = REG(0x40009540); }
int main(void) {
    REG(0x40009508) = 3; REG(0x40009510) = 0; REG(0x40009000) = 1;
    REG(0x40006510) = 1u | 43u << 8 | POLARITY << 16;
    REG(0x40006304) = 1; irq_on(6, 0x20);
    REG(0x4001F528) = 0x40006100; REG(0x4001F52C) = 0x40009040; REG(0x4001F91C) = 0x40009044; REG(0x4001F504) = 1u << 3;
    for (;;) { __asm volatile("wfi"); at[3] = REG(0x40009544); /* the fork captured too */ }
}
"""


@pytest.mark.parametrize(("polarity", "edges"), [(1, [0, 2, 4]), (2, [1, 3, 5]), (3, [0, 1, 2])])
def test_ppi_captures_the_very_tick_of_an_edge(
    board: Board, compile_c: Compile, hook: str, polarity: int, edges: list[int]
) -> None:
    virtual = VirtualBoard(board, compile_c(CHAIN, f"POLARITY {polarity}u"), hook=hook)  # type: ignore[arg-type]
    times = [64_000 + 1_003 * 4 * k for k in range(6)]
    for k, time in enumerate(times):
        virtual.run_until(time)
        assert virtual.cycles == time  # asleep: stops exactly there
        virtual.drive_pin(43, k % 2 == 0)
    virtual.run(0.01)
    seen = words(virtual, "at")
    expected = [times[k] for k in edges]
    assert [4 * (b - a) for a, b in itertools.pairwise(seen[:3])] == [b - a for a, b in itertools.pairwise(expected)]
    last = 5 if polarity != 1 else 4
    assert 4 * (seen[3] - seen[2]) == times[last] - expected[-1]


TASKS = r"""
volatile uint32_t level[6];
static uint32_t in(void) { return REG(0x50000510) >> 5 & 1; }
int main(void) {
    REG(0x50000714) = 1;
    level[0] = in();
    REG(0x50000508) = 1u << 5;
    level[1] = in();
    REG(0x40006510) = 3u | 5u << 8 | 3u << 16 | 1u << 20; /* task, toggle, initially high */
    level[2] = in();
    REG(0x40006000) = 1;
    level[3] = in();
    REG(0x40006030) = 1;
    level[4] = in();
    REG(0x40006060) = 1;
    level[5] = in();
    return 0;
}
"""


def test_gpio_outputs_and_gpiote_tasks(board: Board, compile_c: Compile) -> None:
    virtual = VirtualBoard(board, compile_c(TASKS))
    changes: list[tuple[bool, int]] = []
    virtual.watch_pin(5, lambda level, cycles: changes.append((level, cycles)))
    virtual.run(0.1)
    assert words(virtual, "level") == [0, 1, 1, 0, 1, 0]
    assert [level for level, _ in changes] == [True, False, True, False]
    assert [cycles for _, cycles in changes] == sorted(cycles for _, cycles in changes)


PORT = r"""
volatile uint32_t latch, events;
void GPIOTE_Handler(void) { events++; latch = REG(0x50000520); REG(0x4000617C) = 0; (void)REG(0x4000617C); }
int main(void) {
    REG(0x50000700 + 4 * 11) = 2u << 16; /* sense high */
    REG(0x40006304) = 1u << 31; irq_on(6, 0);
    while (events == 0) { __asm volatile("wfi"); }
    return 0;
}
"""


def test_the_port_event_wakes(board: Board, compile_c: Compile) -> None:
    virtual = VirtualBoard(board, compile_c(PORT))
    virtual.run(0.01)
    assert virtual.stop_reason is None
    virtual.drive_pin(11, True)
    virtual.run(0.01)
    assert word(virtual, "latch") == 1 << 11


RTC = r"""
volatile uint32_t at[6], n;
void RTC0_Handler(void) {
    REG(0x4000B140) = 0;
    (void)REG(0x4000B140);
    REG(0x40009040) = 1;
    at[n++] = REG(0x40009540);
    REG(0x4000B540) += 100;
}
int main(void) {
    REG(0x40009508) = 3; REG(0x40009510) = 0; REG(0x40009000) = 1;
    REG(0x40000008) = 1;
    while (REG(0x40000104) == 0) { }
    REG(0x4000B508) = 0; REG(0x4000B540) = 100; REG(0x4000B304) = 1u << 16;
    irq_on(11, 0x20);
    REG(0x4000B000) = 1;
    while (n < 5) { __asm volatile("wfi"); }
    at[5] = REG(0x4000B504);
    return 0;
}
"""


def test_an_rtc_compares_at_32768_hz(run: Run, hook: str) -> None:
    board = run(RTC, hook=hook)
    at = words(board, "at")
    for before, after in itertools.pairwise(at[:5]):
        assert after - before == pytest.approx(100 * 16_000_000 / 32_768, abs=2)
    assert at[5] == 500


WATCHDOG = r"""
int main(void) {
    volatile uint32_t *kept = (volatile uint32_t *)0x20020000;
    kept[1 + kept[0]++] = REG(0x40000400);
    if (kept[0] == 1) {
        REG(0x40010504) = 327; REG(0x40010000) = 1;
        for (uint32_t i = 0; i < 3; i++) {
            for (volatile uint32_t k = 0; k < 20000; k++) { }
            REG(0x40010600) = 0x6E524635;
            kept[4]++;
        }
        for (;;) { __asm volatile("wfi"); }
    }
    return 0;
}
"""


def test_a_watchdog_that_is_not_fed_resets(run: Run) -> None:
    board = run(WATCHDOG)
    data = board.read_memory(0x20020000, 20)
    boots, first, second, _, fed = (int.from_bytes(data[i : i + 4], "little") for i in range(0, 20, 4))
    assert (boots, first, second, fed) == (2, 0, 2, 3)


CLOCKS = r"""
volatile uint32_t us[2];
int main(void) {
    REG(0x40009508) = 3; REG(0x40009510) = 4; REG(0x40009000) = 1;
    REG(0x40000000) = 1;
    while (REG(0x40000100) == 0) { }
    REG(0x40009040) = 1;
    us[0] = REG(0x40009540);
    us[1] = REG(0x4000040C);
    return 0;
}
"""


def test_the_crystal_needs_its_time(run: Run) -> None:
    us, running = words(run(CLOCKS), "us")
    assert 359 <= us <= 362
    assert running == 1 << 16 | 1
