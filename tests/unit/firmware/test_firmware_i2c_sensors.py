"""The drivers of the sensors that sit on I2C, over a fake bus: the LSM6DS3TR-C's and the polling one of the LSM9DS1."""

from __future__ import annotations

import ctypes
import struct
from pathlib import Path

import pytest
from firmware_host import Compile, Ring, Sample
from rich.console import Console

from toolchain.bench.reference_run import write_reference_run
from toolchain.board import load_board
from toolchain.codegen.generate import generate

BOARDS = {"lsm6ds3trc": "xiao_nrf52840_sense", "lsm9ds1": "nano33ble"}
ADDRESS = {"lsm6ds3trc": 0x6A, "lsm9ds1": 0x6B}
IDENTITY = {"lsm6ds3trc": 0x6A, "lsm9ds1": 0x68}
SETTINGS = {
    "lsm6ds3trc": [(0x12, 0x01), (0x12, 0x44), (0x13, 0x08), (0x0B, 0x80), (0x0D, 0x02), (0x10, 0x5C), (0x11, 0x5C)],
    "lsm9ds1": [(0x22, 0x05), (0x22, 0x44), (0x20, 0x98), (0x10, 0x98)],
}
"""Software reset first, the gyroscope last: LSM6DS3TR-C 208 Hz, LSM9DS1 238 Hz, both 8 g and 2,000 dps."""
OUT_GYRO = {"lsm6ds3trc": 0x22, "lsm9ds1": 0x18}
OUT_ACC = 0x28
STATUS, NEW = 0x17, 0x03


class Bench:
    """A driver, its ring and its part."""

    def __init__(self, library: ctypes.CDLL, part: str) -> None:
        self.library, self.part = library, part
        self.registers = (ctypes.c_uint8 * 128).in_dll(library, "fake_register")
        self.registers[0x0F] = IDENTITY[part]
        ctypes.c_uint8.in_dll(library, "fake_address").value = ADDRESS[part]
        for name in ("fake_writes", "fake_bursts"):
            self.number(name).value = 0
        for name in ("fake_bus_busy", "fake_bus_dead", "fake_mark"):
            self.flag(name).value = False
        self.registers[STATUS] = NEW
        self.ring = Ring()

    def flag(self, name: str) -> ctypes.c_bool:
        return ctypes.c_bool.in_dll(self.library, name)

    def number(self, name: str) -> ctypes.c_uint32:
        return ctypes.c_uint32.in_dll(self.library, name)

    def start(self) -> bool:
        return bool(self.library.imu_start(ctypes.byref(self.ring)))

    def edge(self, t_us: int) -> None:
        self.library.fake_edge(ctypes.c_uint64(t_us))

    def put(self, gyro: tuple[int, int, int], acc: tuple[int, int, int]) -> None:
        for first, codes in ((OUT_GYRO[self.part], gyro), (OUT_ACC, acc)):
            self.registers[first : first + 6] = list(struct.pack("<3h", *codes))

    def take(self) -> list[Sample]:
        burst = (Sample * Ring.SAMPLES)()
        return burst[: self.library.tl_ring_take(ctypes.byref(self.ring), burst, ctypes.c_uint32(Ring.SAMPLES))]


@pytest.fixture(scope="module")
def libraries(compile_library: Compile, tmp_path_factory: pytest.TempPathFactory) -> dict[str, ctypes.CDLL]:
    made = {}
    for part, name in BOARDS.items():
        board = load_board(name)
        run = write_reference_run(tmp_path_factory.mktemp(name), board, units=(8, 8))
        generate(run, board, "compiled", Console(quiet=True))
        header = Path(run.generated)
        made[part] = compile_library(f"sensors/{part}.c", "core/ring.c", "fake_i2c.c", include=header)
        for function in ("imu_probe", "imu_start", "fake_listens"):
            getattr(made[part], function).restype = ctypes.c_bool
        made[part].tl_ring_take.restype = ctypes.c_uint32
    return made


@pytest.fixture(params=sorted(BOARDS))
def bench(request: pytest.FixtureRequest, libraries: dict[str, ctypes.CDLL]) -> Bench:
    return Bench(libraries[request.param], request.param)


@pytest.fixture
def polled(libraries: dict[str, ctypes.CDLL]) -> Bench:
    made = Bench(libraries["lsm9ds1"], "lsm9ds1")
    assert made.start()
    return made


def test_knows_the_part_by_its_identity(bench: Bench) -> None:
    assert bench.library.imu_probe()
    bench.registers[0x0F] = 0x6C
    assert not bench.library.imu_probe()


def test_a_part_that_does_not_acknowledge_is_missing(bench: Bench) -> None:
    bench.flag("fake_bus_dead").value = True
    assert not bench.library.imu_probe()
    assert not bench.start()
    assert not bench.library.fake_listens()


def test_resets_then_configures_and_the_gyroscope_last(bench: Bench) -> None:
    assert bench.start()
    written = (ctypes.c_uint8 * 2 * 32).in_dll(bench.library, "fake_written")
    assert [tuple(pair) for pair in written[: bench.number("fake_writes").value]] == SETTINGS[bench.part]
    assert bench.library.fake_listens()


def test_reorders_the_codes_and_keeps_the_stamp(bench: Bench) -> None:
    assert bench.start()
    bench.put(gyro=(100, -200, 32767), acc=(-32768, 5, -6))
    bench.edge(123_456_789_012)
    (sample,) = bench.take()
    assert list(sample.code) == [-32768, 5, -6, 100, -200, 32767]
    assert sample.t_us == 123_456_789_012
    assert 0 < sample.read_us < 100
    assert bench.flag("fake_mark").value


def test_a_bus_that_stays_busy_or_silent_gives_no_sample_and_heals(bench: Bench) -> None:
    assert bench.start()
    bench.flag("fake_bus_busy").value = True
    bench.edge(1000)
    bench.flag("fake_bus_busy").value = False
    bench.flag("fake_bus_dead").value = True
    bench.edge(6000)
    assert not bench.take()
    # The polling driver does not know whether there was a sample; the other one does.
    assert bench.ring.lost == (2 if bench.part == "lsm6ds3trc" else 0)
    bench.flag("fake_bus_dead").value = False
    bench.edge(11_000)
    assert [sample.t_us for sample in bench.take()] == [11_000]


def test_reads_codes_only_when_both_sensors_have_new_ones(polled: Bench) -> None:
    for status in (0x00, 0x01, 0x02, 0xFC):
        polled.registers[STATUS] = status
        polled.edge(1000)
    assert not polled.take()
    assert not polled.flag("fake_mark").value
    assert polled.number("fake_bursts").value == 4
    polled.registers[STATUS] = 0xFF
    polled.edge(2000)
    assert [sample.t_us for sample in polled.take()] == [2000]
    assert polled.number("fake_bursts").value == 7  # status, gyroscope, accelerometer
