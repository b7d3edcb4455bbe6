"""UARTE0: bit times, DMA, receiver; the pseudo-terminal."""

from __future__ import annotations

import itertools
import os

import pytest
from emulator_support import Compile, Run, word, words

from toolchain.board import Board
from toolchain.emulator.board import VirtualBoard
from toolchain.emulator.terminal import PseudoTerminal
from toolchain.errors import EmulatorError

SETUP = r"""
static void uart_on(uint32_t baud) {
    REG(0x4000250C) = 6; REG(0x40002514) = 8; REG(0x40002524) = baud; REG(0x40002500) = 8;
}
static void timer_on(void) { REG(0x40009508) = 3; REG(0x40009510) = 0; REG(0x40009000) = 1; }
static uint32_t ticks(void) { REG(0x40009040) = 1; return REG(0x40009540); }
"""

SEND = (
    SETUP
    + r"""
static const char flash[5] = "Hello";
static char ram[5];
volatile uint32_t at[4], amount, drdy;
void UARTE0_Handler(void) { REG(0x4000211C) = 0; (void)REG(0x4000211C); drdy++; }
int main(void) {
    timer_on();
    uart_on(BAUD);
    for (int i = 0; i < 5; i++) ram[i] = flash[i];
    REG(0x40002544) = (uint32_t)SOURCE; REG(0x40002548) = 5;
    if (EACH) { REG(0x40002304) = 1u << 7; irq_on(2, 0x40); }
    at[0] = ticks();
    REG(0x40002008) = 1;
    while (REG(0x40002120) == 0) { }
    at[1] = ticks();
    amount = REG(0x4000254C);
    return 0;
}
"""
)


@pytest.mark.parametrize(("baud", "divisor"), [(0x10000000, 16), (0x01D60000, 139)])
@pytest.mark.parametrize("each", [0, 1])
def test_bytes_leave_at_the_time_of_their_last_bit(
    board: Board, compile_c: Compile, hook: str, baud: int, divisor: int, each: int
) -> None:
    elf = compile_c(SEND, "SOURCE ram", f"BAUD {baud:#x}u", f"EACH {each}")
    virtual = VirtualBoard(board, elf, hook=hook)  # type: ignore[arg-type]
    got: list[tuple[bytes, int]] = []
    virtual.on_uart = lambda data, cycles: got.append((data, cycles))
    virtual.run(0.1)
    assert b"".join(data for data, _ in got) == b"Hello"
    times = [cycles for _, cycles in got]
    assert {b - a for a, b in itertools.pairwise(times)} == {10 * divisor * 4}
    start, end, *_ = words(virtual, "at")
    assert end - start == pytest.approx(50 * divisor, abs=20)
    assert word(virtual, "amount") == 5
    assert word(virtual, "drdy") == (5 if each else 0)


def test_dma_from_flash_is_refused(run: Run, hook: str) -> None:
    with pytest.raises(EmulatorError, match=r"UARTE0 TXD: EasyDMA of 5 bytes at 0x0000.*flash.*main"):
        run(SEND, 1.0, "SOURCE flash", "BAUD 0x10000000u", "EACH 0", hook=hook)


RACE = (
    SETUP
    + r"""
static char ram[8] = "12345678";
int main(void) {
    uart_on(0x10000000);
    REG(0x40002544) = (uint32_t)ram; REG(0x40002548) = 8;
    REG(0x40002008) = 1;
    ram[7] = 'x';
    while (REG(0x40002120) == 0) { }
    return 0;
}
"""
)


def test_a_buffer_changed_under_dma_is_noticed(run: Run) -> None:
    assert run(RACE).dma_races == 1
    assert run(SEND, 1.0, "SOURCE ram", "BAUD 0x10000000u", "EACH 0").dma_races == 0


STOP = (
    SETUP
    + r"""
static char ram[8] = "12345678";
volatile uint32_t amount;
int main(void) {
    uart_on(0x10000000);
    REG(0x40002544) = (uint32_t)ram; REG(0x40002548) = 8;
    REG(0x40002008) = 1;
    for (volatile uint32_t i = 0; i < 150; i++) { }
    REG(0x4000200C) = 1;
    while (REG(0x40002158) == 0) { }
    amount = REG(0x4000254C);
    return 0;
}
"""
)


def test_stoptx_finishes_the_byte_under_way(board: Board, compile_c: Compile) -> None:
    virtual = VirtualBoard(board, compile_c(STOP))
    got: list[bytes] = []
    virtual.on_uart = lambda data, _: got.append(data)
    virtual.run(0.1)
    assert 0 < len(got) < 8
    assert b"".join(got) == b"12345678"[: word(virtual, "amount")]


RECEIVE = (
    SETUP
    + r"""
static uint8_t buffers[2][4];
volatile uint32_t n, errors;
volatile uint8_t got[64];
void UARTE0_Handler(void) {
    static uint32_t filled;
    if (REG(0x40002110)) {
        REG(0x40002110) = 0;
        (void)REG(0x40002110);
        for (uint32_t i = 0; i < REG(0x4000253C); i++) got[n++] = buffers[filled % 2][i];
        filled++;
    }
    if (REG(0x4000214C)) { /* RXSTARTED: PTR is double-buffered, give the next one */
        REG(0x4000214C) = 0;
        REG(0x40002534) = (uint32_t)buffers[(filled + 1) % 2];
    }
    if (REG(0x40002124)) { REG(0x40002124) = 0; errors += REG(0x40002480); REG(0x40002480) = 0xF; }
}
int main(void) {
    uart_on(0x10000000);
    REG(0x40002534) = (uint32_t)buffers[0]; REG(0x40002538) = 4;
    if (LISTEN) {
        REG(0x40002200) = 1u << 5;
        REG(0x40002304) = 1u << 4 | 1u << 9 | 1u << 19;
        irq_on(2, 0x40);
        REG(0x40002000) = 1;
    }
    for (;;) { __asm volatile("wfi"); }
}
"""
)


def test_received_bytes_fill_alternating_buffers(board: Board, compile_c: Compile, hook: str) -> None:
    virtual = VirtualBoard(board, compile_c(RECEIVE, "LISTEN 1"), hook=hook)  # type: ignore[arg-type]
    virtual.run(0.001)
    sent = bytes(range(1, 41))
    virtual.uart_input(sent)
    start = virtual.cycles
    virtual.run_until(start + 20 * 640 + 300)
    assert virtual.read_symbol("got")[:20] == sent[:20]
    assert not any(virtual.read_symbol("got")[20:])
    virtual.run(0.01)
    assert virtual.read_symbol("got")[:40] == sent
    assert (word(virtual, "errors"), virtual.lost_input) == (0, 0)


def test_bytes_without_a_buffer_overrun(board: Board, compile_c: Compile) -> None:
    virtual = VirtualBoard(board, compile_c(RECEIVE, "LISTEN 0"))
    virtual.run(0.001)
    virtual.uart_input(bytes(10))
    virtual.run(0.01)
    assert virtual.lost_input == 4  # six wait in the receiver's FIFO


ECHO = (
    SETUP
    + r"""
static volatile uint8_t in[1], out[1];
int main(void) {
    uart_on(0x10000000);
    for (;;) {
        REG(0x40002534) = (uint32_t)in; REG(0x40002538) = 1; REG(0x40002110) = 0; REG(0x40002000) = 1;
        while (REG(0x40002110) == 0) { }
        out[0] = (uint8_t)(in[0] + 1);
        REG(0x40002544) = (uint32_t)out; REG(0x40002548) = 1; REG(0x40002120) = 0; REG(0x40002008) = 1;
        while (REG(0x40002120) == 0) { }
    }
}
"""
)

FLOOD = (
    SETUP
    + r"""
static uint8_t out[200];
void UARTE0_Handler(void) { REG(0x40002120) = 0; (void)REG(0x40002120); REG(0x40002008) = 1; }
int main(void) {
    for (int i = 0; i < 200; i++) out[i] = 'x';
    uart_on(0x10000000);
    REG(0x40002304) = 1u << 8; irq_on(2, 0);
    REG(0x40002544) = (uint32_t)out; REG(0x40002548) = 200; REG(0x40002008) = 1;
    for (;;) { __asm volatile("wfi"); }
}
"""
)


def test_the_pseudo_terminal_carries_both_ways(board: Board, compile_c: Compile) -> None:
    virtual = VirtualBoard(board, compile_c(ECHO))
    with PseudoTerminal(virtual) as terminal:
        port = os.open(terminal.name, os.O_RDWR | os.O_NOCTTY)
        try:
            terminal.run(0.002)
            os.write(port, b"ab\x00\r\nc")
            terminal.run(0.02)
            assert os.read(port, 100) == b"bc\x01\x0e\x0bd"
        finally:
            os.close(port)
        assert terminal.dropped == 0
    with pytest.raises(OSError, match="No such"):
        os.open(terminal.name, os.O_RDWR | os.O_NOCTTY)


def test_the_pseudo_terminal_drops_what_nobody_reads(board: Board, compile_c: Compile) -> None:
    virtual = VirtualBoard(board, compile_c(FLOOD))
    with PseudoTerminal(virtual, pace=False) as terminal:
        terminal.run(0.2)
        assert virtual.cycles == pytest.approx(0.2 * board.clock_hz, abs=100)
        assert terminal.dropped > 1000


def test_the_pseudo_terminal_serves_in_a_thread_and_reports_its_errors(board: Board, compile_c: Compile) -> None:
    terminal = PseudoTerminal(VirtualBoard(board, compile_c(FLOOD)), pace=False)
    with terminal.serving(seconds=0.05):
        port = os.open(terminal.name, os.O_RDWR | os.O_NOCTTY)
        assert os.read(port, 1) == b"x"
        os.close(port)
    failing = PseudoTerminal(VirtualBoard(board, compile_c(SEND, "SOURCE flash", "BAUD 0x10000000u", "EACH 0")))
    with pytest.raises(EmulatorError, match="EasyDMA"), failing.serving(seconds=0.05):
        pass
