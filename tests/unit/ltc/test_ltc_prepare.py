"""The integers that the network's inputs are scaled from."""

from __future__ import annotations

import numpy as np
import pytest

from toolchain.ltc.modelspec import ModelSpec
from toolchain.ltc.prepare import features, inputs_of


def made(codes, delta_us, preparation, reset=None):
    first = np.zeros(len(codes), bool)
    first[0] = True
    return features(np.asarray(codes), np.asarray(delta_us), first if reset is None else np.asarray(reset), preparation)


def test_raw_hands_the_codes_on():
    codes = np.array([[-32768, 32767, 0, 1, -1, 7]], np.int16)
    assert made(codes, [4808], "raw").tolist() == codes.tolist()


def test_a_rate_of_change_does_not_depend_on_the_rate_of_the_samples():
    for period in (2404, 4808, 9616, 20_000):
        ramp = np.repeat(np.rint(np.arange(50) * period * 0.03)[:, None], 6, axis=1).astype(np.int16)
        rate = made(ramp, np.full(50, period), "difference")[1:, 6:]
        assert rate == pytest.approx(0.03 * 2**14, rel=0.02)


def test_jitter_and_lost_samples_do_not_change_a_rate():
    delta = np.random.default_rng(1).choice([2000, 3000, 13_000, 26_000], 200)
    ramp = np.repeat((np.cumsum(delta) // 100)[:, None], 6, axis=1).astype(np.int16)
    assert made(ramp, delta, "difference")[1:, 6:] == pytest.approx(2**14 / 100, rel=0.03)


def test_differences_by_hand():
    codes = np.zeros((5, 6), np.int16)
    codes[:, 0] = [5, 8, -32768, 32767, 32767]
    rate = made(codes, [4808, 16_384, 16_384, 1, 4808], "difference", [True, False, False, False, True])[:, 6]
    assert rate.tolist() == [0, 3, -32767, 32767, 0]
    codes[:, 0] = [0, 1, 0, 0, 0]
    ratio = 2**24 // 4808
    rate = made(codes, np.full(5, 4808), "difference")[:, 6]
    assert rate.tolist() == [0, (ratio + 512) >> 10, (-ratio + 512) >> 10, 0, 0]


def test_the_high_pass_forgets_a_constant_within_its_time_constant():
    codes = np.zeros((900, 6), np.int16)
    codes[200:, 2] = 4096
    high = made(codes, np.full(900, 4808), "high_pass")
    assert (high[:200] == 0).all()
    assert high[200, 2] == 4096
    assert high[200 + 218, 2] == pytest.approx(4096 / np.e, rel=0.02)
    assert abs(high[-1, 2]) < 0.05 * 4096
    assert (high[:, [0, 1, 3, 4, 5]] == 0).all()


@pytest.mark.parametrize("preparation", ["raw", "high_pass", "difference"])
def test_streams_side_by_side_are_as_alone(preparation):
    random = np.random.default_rng(2)
    codes = random.integers(-32768, 32768, (3, 40, 6)).astype(np.int16)
    delta, reset = random.integers(1, 2**24, (3, 40)), random.random((3, 40)) < 0.1
    reset[:, 0] = True
    together = features(codes, delta, reset, preparation)
    assert together.shape == (3, 40, inputs_of(preparation))
    assert np.abs(together).max() <= 32768
    for row in range(3):
        assert np.array_equal(together[row], made(codes[row], delta[row], preparation, reset[row]))


@pytest.mark.parametrize("wrong", [{"inputs": 6}, {"input_gain": [1e-3] * 6}, {"preparation": "raw"}])
def test_a_spec_whose_inputs_do_not_fit_its_preparation_is_refused(spec, wrong):
    right = spec.model_dump() | {"preparation": "difference", "inputs": 12, "input_gain": [1e-3] * 12}
    assert ModelSpec.model_validate(right).inputs == 12
    with pytest.raises(ValueError, match="input"):
        ModelSpec.model_validate(right | wrong)
