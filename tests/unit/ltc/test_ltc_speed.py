"""What the comparison of training steps reports; its times are nobody's business here."""

from __future__ import annotations

import importlib.util

import pytest

from toolchain.errors import MissingToolError
from toolchain.ltc import speed


def test_the_ratio_is_the_median_over_the_turns():
    told = speed.Pair("CfC", 250, "without", (1.0, 2.0, 1.0), (5.0, 8.0, 100.0)).to_dict()
    assert (told["ratio"], told["ours_ms"], told["theirs_ms"]) == (5.0, 1.0, 8.0)
    assert told["ratio_quartiles"] == [4.5, 52.5]
    low, high = told["ratio_interval"]
    assert 4.0 <= low <= 5.0 <= high <= 100.0


@pytest.mark.skipif(importlib.util.find_spec("ncps") is not None, reason="ncps is installed")
def test_without_ncps_a_sentence_says_so():
    with pytest.raises(MissingToolError, match="ncps is not installed"):
        speed.ncps_step("CfC", 4, xla=False)


def test_our_step_is_the_whole_training_step():
    step = speed.our_step(6)
    assert step() != step(), "the weights moved"
