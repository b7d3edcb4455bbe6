"""Words of a PPK2 on a line that drops whole words and single bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolchain.power.words import WordStream


def words(count: int, first: int = 0) -> np.ndarray:
    """Words with a running counter and noise in the other bits."""
    index = np.arange(first, first + count)
    noise = np.random.default_rng(count).integers(0, 1 << 17, count)
    return (noise | (index % 64) << 18 | (index % 7) << 24).astype("<u4")


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 700), min_size=1, max_size=8), st.integers(0, 3))
def test_pieces_of_any_size_give_the_same_words(sizes: list[int], missing: int) -> None:
    sent = words(1000)
    data, stream, got, at = sent.tobytes()[missing:], WordStream(), [], 0
    for size in [*sizes, 4000]:
        got.append(stream.feed(data[at : at + size]))
        at += size
    whole = np.concatenate(got)
    assert (whole == sent[1 if missing else 0 :]).all()
    assert len(whole) == 1000 - (missing > 0)
    assert stream.lost == 0
    assert stream.realigned == 0


@pytest.mark.parametrize("gone", [1, 5, 63])
def test_missing_words_are_counted(gone: int) -> None:
    stream = WordStream()
    got = stream.feed(np.concatenate([words(200), words(200, 200 + gone)]).tobytes())
    assert len(got) == 400
    assert stream.lost == gone
    assert stream.realigned == 0


@pytest.mark.parametrize("gone", [1, 2, 3])
def test_missing_bytes_cost_one_word_and_nothing_more(gone: int) -> None:
    sent = words(400)
    data = sent.tobytes()
    stream = WordStream()
    first = stream.feed(data[: 100 * 4 + 1] + data[100 * 4 + 1 + gone : 900])
    rest = stream.feed(data[900:])
    got = np.concatenate([first, rest])
    assert set(got.tolist()) <= set(sent.tolist())
    assert len(got) == 399
    assert stream.lost == 1
    assert stream.realigned == 1


def test_noise_gives_no_words() -> None:
    noise = np.random.default_rng(1).integers(0, 256, 20_000, dtype=np.uint8).tobytes()
    stream = WordStream()
    assert sum(len(stream.feed(noise[i : i + 500])) for i in range(0, len(noise), 500)) == 0
