from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from toolchain.board import Imu, load_board
from toolchain.errors import DataError
from toolchain.recordings.codes import clipped, clipped_fraction, refuse_clipped, to_codes, to_si
from toolchain.recordings.recording import Recording

QUARTER_TURN = [[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
IMU = load_board("nrf52840").imu
TURNED = Imu(**{**IMU.model_dump(), "mounting": QUARTER_TURN})
NARROW = Imu(
    **IMU.model_dump() | {"acc_range_g": 2.0, "acc_lsb_g": 6.25e-5, "gyro_range_dps": 250.0, "gyro_lsb_dps": 7.8125e-3}
)


def test_one_g_is_as_many_codes_as_the_data_sheet_says() -> None:
    codes = to_codes(np.array([[0, 0, 9.80665, 0, 0, np.radians(70.0)]]), IMU)
    assert codes.tolist() == [[0, 0, 4098, 0, 0, 1000]]  # 1 g / 0.244 mg = 4098.4; 70 dps / 70 mdps
    assert codes.dtype == np.int16


def test_mounting_turns_both_sensors() -> None:
    codes = to_codes(np.array([[1.0, 2.0, 3.0, 0.1, 0.2, 0.3]]), TURNED)
    assert codes.tolist() == to_codes(np.array([[2.0, -1.0, 3.0, 0.2, -0.1, 0.3]]), IMU).tolist()


def test_half_a_code_rounds_to_even() -> None:
    lsb = IMU.acc_lsb
    halves = np.zeros((4, 6))
    halves[:, 0] = np.array([0.5, 1.5, 2.5, -1.5]) * lsb
    # The product is the exact half only where the multiplication is exact; these four are.
    assert (halves[:, 0] / lsb).tolist() == [0.5, 1.5, 2.5, -1.5]
    assert to_codes(halves, IMU)[:, 0].tolist() == [0, 2, 2, -2]


def test_beyond_the_range_is_the_code_of_its_end() -> None:
    far = np.array([[1e3, -1e3, 0, 1e3, -1e3, 0]])
    assert to_codes(far, IMU).tolist() == [[32767, -32768, 0, 28571, -28571, 0]]  # 2000 dps / 70 mdps
    assert to_codes(far, NARROW).tolist() == [[32000, -32000, 0, 32000, -32000, 0]]


@settings(max_examples=50, deadline=None)
@given(hnp.arrays(np.int16, st.tuples(st.integers(1, 20), st.just(6)), elements=st.integers(-28571, 28571)))
def test_codes_come_back_from_si(codes: np.ndarray) -> None:
    for imu in (IMU, TURNED):
        assert np.array_equal(to_codes(to_si(codes, imu), imu), codes)


def test_clipped_samples_are_counted_per_device_channel() -> None:
    samples = np.zeros((10, 6), np.float32)
    samples[2:5, 1] = 100.0
    samples[4, 5] = -40.0
    assert clipped(samples, IMU).tolist() == [0, 3, 0, 0, 0, 1]
    assert clipped(samples, TURNED).tolist() == [3, 0, 0, 0, 0, 1]
    recording = Recording(samples, np.arange(10), np.zeros(10, np.int16), "a")
    assert clipped_fraction(recording, IMU) == pytest.approx(0.3)


def test_a_recording_that_is_mostly_beyond_the_range_is_refused() -> None:
    samples = np.zeros((100, 6), np.float32)
    samples[:5, 4] = 40.0
    good = Recording(samples, np.arange(100), np.zeros(100, np.int16), "ann", "morning")
    assert refuse_clipped([good, good], IMU) == pytest.approx(0.05)
    samples = samples.copy()
    samples[5, 0] = 90.0
    bad = Recording(samples, np.arange(100), np.zeros(100, np.int16), "ann", "evening")
    with pytest.raises(DataError, match=r"'ann' \(session 'evening'\) .*lsm6dso.* 0\.060"):
        refuse_clipped([good, bad], IMU)


def test_nan_has_no_code() -> None:
    with pytest.raises(DataError, match="NaN"):
        to_codes(np.full((1, 6), np.nan), IMU)
