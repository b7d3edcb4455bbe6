"""How figures are written."""

from __future__ import annotations

import pytest

from toolchain.report import numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.97321, "0.973"), (1.0, "1.000"), (0.99996, "0.99996"), (0.9999999, "1.000"), (0.0, "0.000"), (None, "–")],
)
def test_fractions_do_not_round_up_to_one(value, text):
    assert numbers.fraction(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(22648, "22.1 KB"), (1024, "1.0 KB"), (1023, "1,023 bytes"), (1048576, "1,024.0 KB")]
)
def test_a_kilobyte_is_1024_bytes(value, text):
    assert numbers.kilobytes(value) == text


def test_others():
    assert numbers.count(74880) == "74,880"
    assert numbers.decimal(1234.56) == "1,234.6"
    assert numbers.milliseconds(1020.0) == "1.020 ms"
    assert numbers.number(208.0) == "208"
