"""NVMC and flash: what erasing and writing does, images, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from emulator_support import Compile, Run, word, words

from toolchain.board import Board
from toolchain.emulator.board import VirtualBoard
from toolchain.emulator.image import Program
from toolchain.errors import EmulatorError
from toolchain.hexfile import read_hex

SLOT = 0xF0000

WRITE = r"""
#define SLOT ((volatile uint32_t *)0xF0000)
volatile uint32_t seen[8];
static void wait(void) { while ((REG(0x4001E400) & 1) == 0) { } }
int main(void) {
    cyccnt_on();
    REG(0x4001E504) = 2; wait();
    uint32_t from = CYCCNT;
    REG(0x4001E508) = 0xF0000; wait();
    seen[0] = CYCCNT - from;
    REG(0x4001E504) = 1; wait();
    seen[1] = SLOT[0];
    from = CYCCNT;
    volatile uint32_t *to = SLOT;
    *to++ = 0xF0F0F0F0; wait();
    seen[2] = CYCCNT - from;
    *to++ = 0x12345678; wait();
    SLOT[0] = 0x00FFFF00; wait();
    seen[3] = SLOT[0]; /* bits are cleared only */
    seen[4] = SLOT[1];
    REG(0x10001208) = 0xFFFFFF5A; wait();
    seen[5] = REG(0x10001208);
    REG(0x4001E504) = 0; wait();
    seen[6] = REG(0x10000100);
    return 0;
}
"""


def test_erase_sets_bits_and_writes_clear_them(run: Run, hook: str) -> None:
    board = run(WRITE, hook=hook)
    seen = words(board, "seen")
    assert seen[0] == pytest.approx(85_000 * 64, rel=1e-3)
    assert seen[1] == 0xFFFFFFFF
    assert seen[2] == pytest.approx(41 * 64, abs=40)
    assert seen[3:7] == [0x00F0F000, 0x12345678, 0xFFFFFF5A, 0x52840]
    assert board.read_memory(SLOT, 8) == bytes.fromhex("00f0f000 78563412")


NEW_CODE = r"""
__attribute__((aligned(4096), noinline, section(".text.z"))) static uint32_t answer(void) {
    __asm volatile("movs r0, #255\n bx lr\n nop\n nop");
    __builtin_unreachable();
}
volatile uint32_t before, after;
int main(void) {
    uint32_t (*volatile call)(void) = answer;
    before = call();
    REG(0x4001E504) = 1;
    while (!REG(0x4001E400)) { }
    *(volatile uint32_t *)((uint32_t)answer & ~1u) = 0x47702007; /* movs r0, #7: clears bits only */
    while (!REG(0x4001E400)) { }
    REG(0x4001E504) = 0;
    after = call();
    return 0;
}
"""


def test_code_that_was_rewritten_runs_anew(run: Run, hook: str) -> None:
    board = run(NEW_CODE, hook=hook)
    assert (word(board, "before"), word(board, "after")) == (255, 7)
    assert board.function_calls()["answer"] == 2


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("*(volatile uint32_t *)0xF0000 = 0;", "store to 0x000f0000"),
        ("REG(0x4001E508) = 0xF0000;", "does not allow erasing"),
        ("REG(0x4001E504) = 2; REG(0x4001E508) = 0xF0100;", "no flash page"),
        ("REG(0x10001208) = 0;", "store to 0x10001208"),
        ("REG(0x10000100) = 0;", "store to 0x10000100"),
    ],
)
def test_flash_that_is_not_open_is_protected(run: Run, code: str, what: str) -> None:
    with pytest.raises(EmulatorError, match=what):
        run(f"int main(void) {{ {code} return 0; }}", stop_on_fault=True)


SUM = r"""
volatile uint32_t total;
int main(void) {
    for (uint32_t i = 0; i < 8; i++) total += ((volatile uint8_t *)0xF0000)[i];
    return 0;
}
"""


def record(address: int, kind: int, data: bytes) -> str:
    body = bytes([len(data)]) + address.to_bytes(2, "big") + bytes([kind]) + data
    return f":{(body + bytes([-sum(body) & 0xFF])).hex().upper()}\n"


def hex_of(elf: Path, slot: bytes) -> str:
    text = ""
    for address, data in Program(elf).segments:
        for place in range(0, len(data), 16):
            at = address + place
            text += record(0, 4, (at >> 16).to_bytes(2, "big")) + record(at & 0xFFFF, 0, data[place : place + 16])
    return text + record(0, 4, b"\x00\x0f") + record(0, 0, slot) + record(0, 1, b"")


def test_the_hex_file_is_what_is_flashed_and_bytes_can_be_flipped(
    board: Board, compile_c: Compile, tmp_path: Path
) -> None:
    elf = compile_c(SUM)
    image = tmp_path / "firmware.hex"
    image.write_text(hex_of(elf, bytes(range(8))))
    virtual = VirtualBoard(board, elf, image)
    virtual.run(0.1)
    assert word(virtual, "total") == 28
    flipped = VirtualBoard(board, elf, image)
    flipped.write_flash(SLOT + 3, b"\x83")
    flipped.run(0.1)
    assert word(flipped, "total") == 28 + 0x80


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (lambda text: text[:40], "line"),
        (lambda text: text.replace(":00000001FF\n", ""), "cut off"),
        (lambda text: text.replace("\n", "0\n", 1), "line 1"),
        (lambda text: text + record(0, 0, b"x"), "line"),
        (lambda text: record(0, 4, b"\x30\x00") + record(0, 0, b"x") + text, "do not lie in the flash"),
    ],
)
def test_a_damaged_hex_file_is_refused(
    board: Board, compile_c: Compile, tmp_path: Path, spoil: object, what: str
) -> None:
    elf = compile_c(SUM)
    image = tmp_path / "firmware.hex"
    image.write_text(spoil(hex_of(elf, b"")))  # type: ignore[operator]
    with pytest.raises(EmulatorError, match=what):
        VirtualBoard(board, elf, image)


def test_missing_and_foreign_files_are_refused(board: Board, tmp_path: Path) -> None:
    with pytest.raises(EmulatorError, match="does not exist"):
        VirtualBoard(board, tmp_path / "none.elf")
    with pytest.raises(EmulatorError, match="does not exist"):
        read_hex(tmp_path / "none.hex", EmulatorError)
    (tmp_path / "text.elf").write_text("no")
    with pytest.raises(EmulatorError, match="not a sound ELF"):
        VirtualBoard(board, tmp_path / "text.elf")
