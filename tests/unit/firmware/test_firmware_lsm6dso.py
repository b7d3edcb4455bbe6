"""The LSM6DSO driver over a fake bus: identity, configuration, order of the codes, and what it does in trouble."""

from __future__ import annotations

import ctypes
import struct

import pytest
from firmware_host import Compile, Ring, Sample

from toolchain.runs import Run

WHO_AM_I, OUTX_L_G = 0x0F, 0x22
SETTINGS = {
    0x12: 0x44,  # CTRL3_C: BDU, IF_INC
    0x13: 0x0C,  # CTRL4_C: DRDY_MASK, I2C_disable
    0x0B: 0x80,  # COUNTER_BDR_REG1: dataready_pulsed
    0x0D: 0x02,  # INT1_CTRL: INT1_DRDY_G
    0x10: 0x5C,  # CTRL1_XL: 208 Hz, 8 g
    0x11: 0x5C,  # CTRL2_G: 208 Hz, 2000 dps
}


class Bench:
    """The driver, its ring and its part."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self.library = library
        self.registers = (ctypes.c_uint8 * 128).in_dll(library, "fake_register")
        self.registers[WHO_AM_I] = 0x6C
        self.writes = ctypes.c_uint32.in_dll(library, "fake_writes")
        self.writes.value = 0
        for name in ("fake_reset_sticks", "fake_bus_busy", "fake_bus_dead"):
            self.flag(name).value = False
        self.ring = Ring()

    def flag(self, name: str) -> ctypes.c_bool:
        return ctypes.c_bool.in_dll(self.library, name)

    def start(self) -> bool:
        return bool(self.library.imu_start(ctypes.byref(self.ring)))

    def edge(self, t_us: int) -> None:
        self.library.fake_edge(ctypes.c_uint64(t_us))

    def take(self) -> list[Sample]:
        burst = (Sample * Ring.SAMPLES)()
        return burst[: self.library.tl_ring_take(ctypes.byref(self.ring), burst, ctypes.c_uint32(Ring.SAMPLES))]


@pytest.fixture(scope="module")
def library(compile_library: Compile, generated_run: Run) -> ctypes.CDLL:
    library = compile_library("sensors/lsm6dso.c", "core/ring.c", "fake_hal.c", include=generated_run.generated)
    for name in ("imu_probe", "imu_start", "fake_listens"):
        getattr(library, name).restype = ctypes.c_bool
    library.tl_ring_take.restype = ctypes.c_uint32
    return library


@pytest.fixture
def bench(library: ctypes.CDLL) -> Bench:
    return Bench(library)


@pytest.mark.parametrize(("identity", "known"), [(0x6C, True), (0x6A, False), (0x00, False), (0xFF, False)])
def test_knows_the_part_by_its_identity(bench: Bench, identity: int, known: bool) -> None:
    bench.registers[WHO_AM_I] = identity
    assert bench.library.imu_probe() is known


def test_resets_then_configures_and_the_sensors_last(bench: Bench) -> None:
    assert bench.start()
    written = (ctypes.c_uint8 * 2 * 32).in_dll(bench.library, "fake_written")
    pairs = [tuple(pair) for pair in written[: bench.writes.value]]
    assert pairs[0] == (0x12, 0x01)
    assert dict(pairs[1:]) == SETTINGS
    assert [address for address, _ in pairs[-2:]] == [0x10, 0x11]


def test_reorders_the_codes_and_keeps_the_edge_stamp(bench: Bench) -> None:
    assert bench.start()
    gyro_then_acc = (100, -200, 32767, -32768, -1, 258)
    bench.registers[OUTX_L_G : OUTX_L_G + 12] = struct.pack("<6h", *gyro_then_acc)
    bench.edge(5_000_000_000)
    (sample,) = bench.take()
    assert list(sample.code) == [-32768, -1, 258, 100, -200, 32767]
    assert (sample.t_us, sample.read_us) == (5_000_000_000, 10)
    assert bench.flag("fake_mark").value


def test_a_busy_bus_loses_the_sample_and_counts_it(bench: Bench) -> None:
    assert bench.start()
    bench.flag("fake_bus_busy").value = True
    bench.edge(1000)
    assert bench.take() == []
    assert bench.ring.lost == 1


@pytest.mark.parametrize("trouble", ["fake_bus_dead", "fake_reset_sticks"])
def test_a_part_that_does_not_obey_is_not_started(bench: Bench, trouble: str) -> None:
    bench.library.imu_stop()
    bench.flag(trouble).value = True
    assert not bench.start()
    assert not bench.library.fake_listens()
