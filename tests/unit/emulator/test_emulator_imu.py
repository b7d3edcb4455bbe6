"""SPIM with the LSM6DSO: identity, bursts, data-ready, ranges, faults for tests."""

from __future__ import annotations

import numpy as np
import pytest
from emulator_support import Compile, Run, word, words

from toolchain.board import Board
from toolchain.emulator.board import VirtualBoard
from toolchain.errors import EmulatorError

DRIVER = r"""
static uint8_t tx[32], rx[32];
static void spi_on(uint32_t frequency, uint32_t config) {
    REG(0x50000808) = 1u << 12;             /* P1.12 high, output */
    REG(0x50000A00 + 4 * 12) = 3;
    REG(0x50000A00 + 4 * 14) = 3u << 2;     /* MISO pulled up */
    REG(0x40023508) = 47; REG(0x4002350C) = 45; REG(0x40023510) = 46;
    REG(0x40023524) = frequency; REG(0x40023554) = config; REG(0x400235C0) = 0xFF; REG(0x40023500) = 7;
}
static void transfer(uint32_t n) {
    REG(0x40023544) = (uint32_t)tx; REG(0x40023548) = n; REG(0x40023534) = (uint32_t)rx; REG(0x40023538) = n;
    REG(0x40023118) = 0;
    REG(0x5000080C) = 1u << 12;
    __asm volatile("dmb" ::: "memory");
    REG(0x40023010) = 1;
    while (REG(0x40023118) == 0) { }
    REG(0x50000808) = 1u << 12;
}
static uint8_t get(uint8_t address) { tx[0] = 0x80u | address; tx[1] = 0; transfer(2); return rx[1]; }
static void put(uint8_t address, uint8_t value) { tx[0] = address; tx[1] = value; transfer(2); }
static void timer_on(void) { REG(0x40009508) = 3; REG(0x40009510) = 0; REG(0x40009000) = 1; }
static uint32_t ticks(void) { REG(0x40009040) = 1; return REG(0x40009540); }
"""

PROTOCOL = (
    DRIVER
    + r"""
volatile uint32_t seen[12];
int main(void) {
    spi_on(0x80000000, 6);
    timer_on();
    seen[0] = get(0x0F);
    seen[1] = get(0x12);
    put(0x12, 0x44);
    seen[2] = get(0x12);
    put(0x0F, 0x11);           /* read only */
    seen[3] = get(0x0F);
    tx[0] = 0x10; tx[1] = 0x5C; tx[2] = 0x5C; /* counts up: CTRL1_XL, CTRL2_G */
    transfer(3);
    seen[4] = get(0x10) << 8 | get(0x11);
    tx[0] = 0x8F;
    transfer(4);
    seen[5] = (uint32_t)rx[1] << 24 | rx[2] << 16 | rx[3] << 8; /* WHO_AM_I, CTRL1_XL, CTRL2_G are not neighbours */
    put(0x12, 0x40);           /* IF_INC off */
    tx[0] = 0x8F;
    transfer(4);
    seen[6] = (uint32_t)rx[1] << 16 | rx[2] << 8 | rx[3];
    put(0x12, 0x01);           /* SW_RESET */
    seen[7] = get(0x12);
    for (volatile uint32_t i = 0; i < 2000; i++) { }
    seen[8] = get(0x12);
    seen[9] = get(0x10);
    uint32_t from = ticks();
    transfer(25);
    seen[10] = ticks() - from; /* 200 bits at 8 MHz: 400 ticks of 16 MHz */
    return 0;
}
"""
)


def test_spi_protocol_and_transfer_time(run: Run, hook: str) -> None:
    seen = words(run(PROTOCOL, hook=hook), "seen")
    assert seen[0] == 0x6C
    assert seen[1] == 0x04
    assert seen[2] == 0x44
    assert seen[3] == 0x6C
    assert seen[4] == 0x5C5C
    assert seen[5] == 0x6C5C5C00
    assert seen[6] == 0x6C6C6C
    assert seen[7] == 0x05
    assert seen[8] == 0x04
    assert seen[9] == 0
    assert 400 <= seen[10] <= 430


def test_a_missing_sensor_leaves_the_line_high(board: Board, compile_c: Compile) -> None:
    virtual = VirtualBoard(board, compile_c(PROTOCOL))
    virtual.imu.missing = True
    virtual.run(0.1)
    assert words(virtual, "seen")[:2] == [0xFF, 0xFF]


@pytest.mark.parametrize(("frequency", "config"), [("0x80000000", 2), ("0x80000000", 4), ("0x80000000", 7)])
def test_wrong_spi_modes_are_refused(run: Run, frequency: str, config: int) -> None:
    source = DRIVER + f"int main(void) {{ spi_on({frequency}, {config}); return get(0x0F); }}"
    with pytest.raises(EmulatorError, match="SPIM2 talks to the LSM6DSO"):
        run(source)


@pytest.mark.parametrize("frequency", ["0x14000000", "0x12345678"])
def test_frequencies_that_the_instance_lacks_are_refused(run: Run, frequency: str) -> None:
    with pytest.raises(EmulatorError, match="FREQUENCY"):
        run(DRIVER + f"int main(void) {{ spi_on({frequency}, 6); return get(0x0F); }}")


def test_spi_buffers_in_flash_are_refused(run: Run) -> None:
    source = DRIVER.replace("static uint8_t tx[32], rx[32]", "static const uint8_t tx[32] = {1}; static uint8_t rx[32]")
    source = source.replace("tx[0] = 0x80u | address; tx[1] = 0; transfer(2);", "transfer(2);")
    source = source.replace("tx[0] = address; tx[1] = value; transfer(2);", "")
    with pytest.raises(EmulatorError, match="SPIM2 TXD: EasyDMA"):
        run(source + "int main(void) { spi_on(0x80000000, 6); return get(0x0F); }")


STREAM = (
    DRIVER
    + r"""
volatile uint32_t n, at[32], status[32];
volatile int16_t codes[32][6];
void GPIOTE_Handler(void) {
    REG(0x40006100) = 0;
    (void)REG(0x40006100);
    if (n >= 32) return;
    at[n] = REG(0x40009544);
    if (READ) {
        status[n] = get(0x1E);
        tx[0] = 0xA2;
        transfer(13);
        for (int i = 0; i < 6; i++) codes[n][i] = (int16_t)(rx[1 + 2 * i] | rx[2 + 2 * i] << 8);
    }
    n++;
}
int main(void) {
    timer_on();
    spi_on(0x80000000, 6);
    REG(0x40006510) = 1u | 43u << 8 | 1u << 16;
    REG(0x40006304) = 1; irq_on(6, 0x20);
    REG(0x4001F510) = 0x40006100; REG(0x4001F514) = 0x40009044; REG(0x4001F504) = 1;
    put(0x12, 0x44);
    if (PULSED) put(0x0B, 0x80);
    put(0x0D, 0x03);
    put(0x10, 0x50 | FS_XL << 2);
    put(0x11, 0x50 | FS_G << 2);
    at[0] = ticks();
    for (;;) { __asm volatile("wfi"); }
}
"""
)


def stream(
    board: Board, compile_c: Compile, hook: str = "auto", *, pulsed: int = 1, read: int = 1, acc: int = 3, gyro: int = 3
) -> VirtualBoard:
    defines = (f"PULSED {pulsed}", f"READ {read}", f"FS_XL {acc}u", f"FS_G {gyro}u")
    return VirtualBoard(board, compile_c(STREAM, *defines), hook=hook)  # type: ignore[arg-type]


def samples(count: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(7)
    codes = generator.integers(-32768, 32767, (count, 6), endpoint=True).astype(np.int16)
    t_us = 1000 + np.cumsum(generator.integers(3000, 7000, count))
    return codes, t_us.astype(np.int64)


def received(board: VirtualBoard) -> np.ndarray:
    return np.frombuffer(board.read_symbol("codes"), np.int16).reshape(-1, 6)


@pytest.mark.parametrize("pulsed", [0, 1])
def test_samples_arrive_at_their_irregular_times(board: Board, compile_c: Compile, hook: str, pulsed: int) -> None:
    virtual = stream(board, compile_c, hook, pulsed=pulsed)
    codes, t_us = samples(20)
    virtual.feed(codes[:12], t_us[:12])
    virtual.run(0.02)
    virtual.feed(codes[12:], t_us[12:])
    virtual.run(0.2)
    assert word(virtual, "n") == 20
    np.testing.assert_array_equal(received(virtual)[:20], np.roll(codes, 3, axis=1))
    at = np.array(words(virtual, "at")[:20], dtype=np.int64)
    np.testing.assert_array_equal(np.diff(at), 16 * np.diff(t_us))  # the PPI's capture: exact to the 16 MHz tick
    assert set(words(virtual, "status")[:20]) == {3}
    assert (virtual.imu.delivered, virtual.imu.ignored, virtual.imu.waiting) == (20, 0, 0)


def test_no_data_ready_before_the_sensor_is_enabled(board: Board, compile_c: Compile) -> None:
    virtual = stream(board, compile_c)
    codes, _t_us = samples(5)
    virtual.feed(codes, np.array([1, 2, 3, 5000, 10000]))
    virtual.run(0.02)
    assert word(virtual, "n") == 2
    assert (virtual.imu.ignored, virtual.imu.delivered) == (3, 2)


def test_a_latched_line_that_is_not_read_gives_no_second_edge(board: Board, compile_c: Compile) -> None:
    codes, t_us = samples(5)
    for pulsed, edges in ((0, 1), (1, 5)):
        virtual = stream(board, compile_c, pulsed=pulsed, read=0)
        virtual.feed(codes, t_us)
        virtual.run(0.1)
        assert word(virtual, "n") == edges
        assert virtual.imu.overwritten == 4


def test_injected_faults(board: Board, compile_c: Compile) -> None:
    virtual = stream(board, compile_c)
    codes, t_us = samples(10)
    virtual.feed(codes, t_us)
    virtual.imu.drop_edges = 2
    virtual.run_until(int(t_us[4] + 100) * 64)
    assert word(virtual, "n") == 3
    virtual.imu.mute = True
    virtual.run_until(int(t_us[7] + 100) * 64)
    assert word(virtual, "n") == 3
    virtual.imu.mute = False
    virtual.run(0.1)
    assert word(virtual, "n") == 5
    np.testing.assert_array_equal(received(virtual)[:5], np.roll(codes[[2, 3, 4, 8, 9]], 3, axis=1))


def test_another_range_than_the_boards_is_refused(board: Board, compile_c: Compile) -> None:
    codes, t_us = samples(2)
    for options, what in (({"acc": 0}, "accelerometer to 2 g"), ({"gyro": 1}, "gyroscope to 500")):
        virtual = stream(board, compile_c, **options)  # type: ignore[arg-type]
        virtual.feed(codes, t_us)
        with pytest.raises(EmulatorError, match=what):
            virtual.run(0.1)


def test_bad_feeds_are_refused(board: Board, compile_c: Compile) -> None:
    virtual = stream(board, compile_c)
    codes, t_us = samples(3)
    for bad_codes, bad_times, what in (
        (codes.astype(np.int32), t_us, "int16"),
        (codes[:, :5], t_us, "int16"),
        (codes, t_us[:2], "int16"),
        (codes, t_us[::-1], "must increase"),
    ):
        with pytest.raises(EmulatorError, match=what):
            virtual.feed(bad_codes, bad_times)
    virtual.run(0.1)
    with pytest.raises(EmulatorError, match="which is past"):
        virtual.feed(codes, t_us)
