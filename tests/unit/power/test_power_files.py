"""CSV files of meters."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolchain.errors import MeterError
from toolchain.power.files import read_csv


def _write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_file_with_everything(tmp_path: Path) -> None:
    rows = "".join(f"{i * 0.01:.2f},{1000 + i},{3.1},{i & 1}\n" for i in range(100))
    path = _write(tmp_path / "m.csv", "# meter 7\nTimestamp(ms),Current(uA),Voltage (V),D2\n" + rows)
    got = read_csv(path)
    assert got.period_s == pytest.approx(1e-5)
    assert got.current_a[3] == pytest.approx(1003e-6)
    assert got.volt == pytest.approx(3.1)
    assert got.marks is not None
    assert got.marks[:3].tolist() == [0, 4, 0]
    assert got.lost == 0
    assert got.source == "measured on m.csv"


def test_missing_rows_are_lost_readings(tmp_path: Path) -> None:
    rows = "".join(f"{i},{0.001}\n" for i in range(50) if i not in (7, 8, 20))
    got = read_csv(_write(tmp_path / "m.csv", "time (s),current (A)\n" + rows), volt=3.0)
    assert got.lost == 3


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "is empty"),
        ("a,b\n1,2\n", "no column of the time"),
        ("time (s),current\n1,2\n", "no column of the current"),
        ("time (s),current (A)\n1,x\n", "row 1 after the header is no row of numbers"),
        ("time (s),current (A)\n1,2\n2,nan\n", "row 2 after the header has a value that is no number"),
        ("time (s),current (A)\n1,2\n", "has 1 readings"),
        ("time (s),current (A)\n1,2\n3,2\n2,2\n", "time goes back after row 2"),
        ("time (s),current (A)\n0,2\n1,2\n2,2\n2.5,2\n3.5,2\n", "not evenly spaced"),
        ("time (s),current (A)\n0,2\n1,2\n2,2\n", "no column of the voltage"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(MeterError, match=what):
        read_csv(_write(tmp_path / "m.csv", text))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MeterError, match="does not exist"):
        read_csv(tmp_path / "none.csv")
