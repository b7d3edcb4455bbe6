"""The board as a whole: repeatable to the cycle, the same with both hooks, and what it says about a run."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from emulator_support import Compile, Run, word
from test_emulator_imu import STREAM, samples

from toolchain.board import Board
from toolchain.emulator import blockhook, unicorn_api
from toolchain.emulator.board import VirtualBoard
from toolchain.errors import EmulatorError, MissingToolError

# Sensor bursts, floating-point work in thread and interrupt, UART output: everything at once.
BUSY = (
    STREAM.replace(
        'for (;;) { __asm volatile("wfi"); }',
        r"""
    REG(0x4000250C) = 6; REG(0x40002524) = 0x10000000; REG(0x40002500) = 8;
    static float state[64];
    static char line[8];
    for (uint32_t k = 0;; k++) {
        const uint32_t before = n;
        while (n == before) { __asm volatile("wfe"); }
        for (uint32_t i = 0; i < 64; i++) {
            state[i] = (state[i] + 0.005f * (float)codes[n & 31][i % 6]) / (1.0f + 0.005f * (float)i);
        }
        union { float f; uint32_t u; } last = {state[13]};
        for (uint32_t i = 0; i < 8; i++) line[i] = "0123456789abcdef"[last.u >> (28 - 4 * i) & 15];
        REG(0x40002120) = 0;
        REG(0x40002544) = (uint32_t)line; REG(0x40002548) = 8; REG(0x40002008) = 1;
        while (REG(0x40002120) == 0) { }
    }
""",
    )
    .replace("if (n >= 32) return;", "")
    .replace("at[n]", "at[n & 31]")
    .replace("status[n]", "status[n & 31]")
    .replace("codes[n][i]", "codes[n & 31][i]")
)
DEFINES = ("PULSED 1", "READ 1", "FS_XL 3u", "FS_G 3u")


def history(virtual: VirtualBoard, steps: int = 1) -> dict[str, Any]:
    output: list[tuple[bytes, int]] = []
    virtual.on_uart = lambda data, cycles: output.append((data, cycles))
    codes, t_us = samples(60)
    virtual.feed(codes, t_us)
    for step in range(steps):
        virtual.run_until((step + 1) * virtual.clock_hz // 2 // steps)
    return {
        "output": output,
        "cycles": virtual.cycles,
        "instructions": virtual.instructions,
        "sleep": virtual.sleep_cycles,
        "exceptions": virtual.exceptions,
        "functions": virtual.function_cycles(),
        "calls": virtual.function_calls(),
        "pc": virtual.pc,
    }


def test_two_runs_and_both_hooks_are_identical(board: Board, compile_c: Compile) -> None:
    if blockhook.compiler() is None:
        pytest.skip("no host C compiler for the C hook")
    elf = compile_c(BUSY, *DEFINES)
    first = history(VirtualBoard(board, elf, hook="c"))
    assert len(first["output"]) == 60 * 8
    assert history(VirtualBoard(board, elf, hook="c")) == first
    assert history(VirtualBoard(board, elf, hook="python")) == first


def test_running_in_slices_changes_nothing(board: Board, compile_c: Compile) -> None:
    elf = compile_c(BUSY, *DEFINES)
    assert history(VirtualBoard(board, elf), steps=177) == history(VirtualBoard(board, elf))


def test_cycles_are_all_accounted_for(board: Board, compile_c: Compile) -> None:
    virtual = VirtualBoard(board, compile_c(BUSY, *DEFINES))
    seen = history(virtual)
    assert sum(seen["functions"].values()) + seen["sleep"] == seen["cycles"]
    assert seen["calls"]["GPIOTE_Handler"] == 60
    assert seen["functions"]["main"] > seen["functions"]["Reset_Handler"]
    assert virtual.now_us == 500_000
    assert virtual.unmodelled == {}


def test_stops_and_places_are_named(run: Run) -> None:
    board = run("int main(void) { return 0; }")
    assert board.stop_reason is not None
    assert board.stop_reason.startswith("breakpoint 0")
    assert board.where.startswith("Reset_Handler+")
    with pytest.raises(EmulatorError, match="no symbol 'nothing'"):
        board.read_symbol("nothing")
    with pytest.raises(EmulatorError, match="no memory"):
        board.read_memory(0x30000000, 4)
    with pytest.raises(EmulatorError, match="do not lie in the flash"):
        board.write_flash(0x20000000, b"x")


def test_another_board_is_refused(board: Board, compile_c: Compile) -> None:
    other = board.model_copy(update={"soc": "stm32"})
    with pytest.raises(EmulatorError, match="has no stm32"):
        VirtualBoard(other, compile_c("int main(void) { return 0; }"))


def test_without_unicorn_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "unicorn", None)
    with pytest.raises(MissingToolError, match=r"pip install 'tinyltc\[emulator\]'"):
        unicorn_api.load()


def test_without_a_compiler_the_python_hook_runs(
    board: Board, compile_c: Compile, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    elf = compile_c("volatile uint32_t ran; int main(void) { ran = 1; return 0; }")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(blockhook, "compiler", lambda: None)
    virtual = VirtualBoard(board, elf)
    virtual.run(0.01)
    assert (virtual.hook, word(virtual, "ran")) == ("python", 1)
    with pytest.raises(MissingToolError, match="no C compiler"):
        VirtualBoard(board, elf, hook="c")


def test_the_feed_is_copied(board: Board, compile_c: Compile) -> None:
    virtual = VirtualBoard(board, compile_c(BUSY, *DEFINES))
    codes, t_us = samples(3)
    virtual.feed(codes, t_us)
    expected = codes.copy()
    codes[:] = 0
    virtual.run(0.1)
    got = np.frombuffer(virtual.read_symbol("codes"), np.int16).reshape(-1, 6)[:3]
    np.testing.assert_array_equal(got, np.roll(expected, 3, axis=1))
