"""The PPK2's driver against a double on a pty."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from ppk2_double import METADATA, REGULATOR, START, STOP, FakePpk2

from toolchain.errors import MeterError
from toolchain.power import ppk2
from toolchain.power.readings import check, energy_of_marks

Make = Callable[..., FakePpk2]


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    monkeypatch.setattr(ppk2, "SETTLE_S", 0.01)
    made: list[FakePpk2] = []

    def build(**options: object) -> FakePpk2:
        made.append(FakePpk2(**options))  # type: ignore[arg-type]
        return made[-1]

    yield build
    for fake in made:
        fake.close()


@pytest.mark.parametrize("mode", ["source", "ampere"])
def test_readings_come_converted_and_marked(make: Make, mode: ppk2.Mode) -> None:
    fake = make()
    got = check(ppk2.measure(fake.port, mode, 3.0, 0.2))
    assert len(got.current_a) == 20_000
    assert got.lost == 0
    # adc * 4 * 1.8 / 163840 volt over 10 ohm, with the library's second-order term of 1.
    linear = 1049.5 * 4 * 1.8 / 163840 / 10
    assert got.current_a.mean() == pytest.approx(linear * (1 + linear), rel=1e-3)
    assert got.source == f"measured on PPK2 ({mode} mode)"
    energy = energy_of_marks(got, 0)
    assert energy is not None
    assert energy.width_us == pytest.approx(100)
    assert fake.commands.index(REGULATOR) < fake.commands.index(START)
    assert fake.commands[-1] == STOP or STOP in fake.commands


def test_a_lost_byte_costs_a_reading_not_the_measurement(make: Make) -> None:
    got = check(ppk2.measure(make(drop_bytes=1).port, "source", 3.0, 0.2))
    assert got.lost == 1
    assert got.current_a.max() < 0.01


def test_readings_beyond_reason_are_refused(make: Make) -> None:
    resistors = METADATA.replace("R2: 10.0", "R2: 0.000001")
    with pytest.raises(MeterError, match="more than 1 A"):
        check(ppk2.measure(make(metadata=resistors).port, "source", 3.0, 0.1))


@pytest.mark.parametrize("metadata", ["", "nonsense END", METADATA.replace("R3: 1.0", "R3: -1.0")])
def test_a_meter_without_calibration_is_refused(make: Make, metadata: str) -> None:
    with pytest.raises(MeterError, match="does not tell its calibration"):
        ppk2.measure(make(metadata=metadata).port, "source", 3.0, 0.1)


def test_a_meter_that_falls_silent_is_one_sentence(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ppk2, "SILENT_S", 0.2)
    with pytest.raises(MeterError, match=r"sent \d+ of 20000 readings"):
        ppk2.measure(make(words=3000).port, "source", 3.0, 0.2)


def test_no_meter(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MeterError, match="cannot be opened"):
        ppk2.measure("/dev/none", "source", 3.0, 0.1)
    monkeypatch.setattr("ppk2_api.ppk2_api.PPK2_API.list_devices", staticmethod(lambda: []))
    with pytest.raises(MeterError, match="no PPK2 on this machine"):
        ppk2.find_ppk2(None)
    monkeypatch.setattr("ppk2_api.ppk2_api.PPK2_API.list_devices", staticmethod(lambda: ["a", "b", "c"]))
    with pytest.raises(MeterError, match="several PPK2"):
        ppk2.find_ppk2(None)
    assert ppk2.find_ppk2("x") == "x"
