"""What a call on the bare core counts, by snippets whose counts are known."""

from __future__ import annotations

import pytest
from bench_support import Assemble

from toolchain.emulator.reads import flash_words
from toolchain.errors import EmulatorError

BX = 3  # bx lr and its refill
MOVES = 2  # the two that load R1


@pytest.mark.parametrize(
    ("body", "cycles", "instructions", "words"),
    [
        # R1 was just computed: its first use as a base costs one more.
        ("nop\n bx lr", 1, 1, 0),
        ("nop\n ldr r0, [r1]\n bx lr", 3, 2, 1),
        ("nop\n ldrb r0, [r1, #3]\n bx lr", 3, 2, 1),
        ("nop\n ldrsh r0, [r1, #2]\n bx lr", 3, 2, 1),
        ("nop\n ldr r0, [r1, #2]\n bx lr", 3, 2, 2),
        ("nop\n ldrd r2, r3, [r1]\n bx lr", 4, 2, 2),
        ("nop\n ldm r1, {r0, r2, r3, r12}\n bx lr", 6, 2, 4),
        ("nop\n vldr s0, [r1]\n bx lr", 3, 2, 1),
        ("nop\n vldr d0, [r1]\n bx lr", 4, 2, 2),
        ("nop\n vldmia r1, {s0-s5}\n bx lr", 8, 2, 6),
        # A literal pool lies in flash, the stack does not.
        ("ldr r0, =0x12345678\n bx lr\n .ltorg", 2, 1, 1),
        ("push {r4, lr}\n pop {r4, pc}", 3 + 3 - 1, 1, 0),
        # The flags say no: the instruction is counted, the access is not made.
        ("cmp r1, #0\n it eq\n ldreq r0, [r1]\n bx lr", 1 + 1 + 2, 3, 0),
        ("cmp r1, #0\n it ne\n ldrne r0, [r1]\n bx lr", 1 + 1 + 2, 3, 1),
    ],
)
def test_words_that_data_reads_fetch_from_flash(
    assemble: Assemble, body: str, cycles: int, instructions: int, words: int
) -> None:
    call = assemble(body).call("snippet")
    assert (call.cycles - MOVES - BX, call.instructions - MOVES - 1, call.flash_words) == (cycles, instructions, words)
    assert call.cycles_2ws == call.cycles + 2 * words
    assert [(function.name, function.cycles, function.calls) for function in call.functions] == [
        ("snippet", call.cycles, 1)
    ]


def test_a_hooked_access_inside_an_it_block_does_not_disturb_the_next_block(assemble: Assemble) -> None:
    # What follows would be skipped if the core still believed to be inside the IT block.
    body = "movs r0, #1\n cmp r1, #0\n ite ne\n ldrne r2, [r1]\n moveq r2, #9\n b 1f\n"
    body += "1: adds r0, #2\n adds r0, r2\n bx lr"
    assert assemble(body).call("snippet").result == 1 + 2 + 1


def test_calls_are_counted_one_by_one(assemble: Assemble) -> None:
    core = assemble(
        "movs r0, #10\n 1: ldr r2, [r1]\n subs r0, #1\n bne 1b\n subs r0, #7\n push {r4-r7}\n pop {r4-r7}\n bx lr"
    )
    first, second = core.call("snippet"), core.call("snippet")
    assert first == second
    assert (first.instructions, first.flash_words, first.result) == (MOVES + 1 + 30 + 4, 10, -7)
    assert first.stack_bytes == 16


def test_a_function_that_stops_elsewhere_is_named(assemble: Assemble) -> None:
    with pytest.raises(EmulatorError, match=r"snippet\(\) does not return: breakpoint 7 at 0x00000108"):
        assemble("bkpt 7").call("snippet")


@pytest.mark.parametrize(
    ("address", "size", "words"), [(0, 4, 1), (3, 1, 1), (2, 2, 1), (3, 2, 2), (1, 4, 2), (4, 8, 2)]
)
def test_words_of_one_read(address: int, size: int, words: int) -> None:
    assert flash_words(address, size) == words
