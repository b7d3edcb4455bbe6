"""The estimate: what is in it, its bar, and what it refuses."""

from __future__ import annotations

import pytest

from toolchain.board import load_board
from toolchain.board.currents import Current, Currents
from toolchain.errors import ConfigError
from toolchain.power.battery import parse_cell
from toolchain.power.duty import Duty
from toolchain.power.estimate import estimate

CLOCK_HZ = 64_000_000


def _current(typ: float, unit: str = "uA", **more: object) -> Current:
    return Current.model_validate({"typ": typ, "unit": unit, "at": "test", "source": "test", **more})


CURRENTS = Currents(
    supply_v=3.0,
    cpu_run=_current(50, "uA/MHz"),
    sleep=_current(2, max=3, min=1),
    hf_clock=_current(250),
    rtc=_current(1),
    uart=_current(100),
    bus=_current(200, verified=False),
    imu_high_performance=_current(0.55, "mA", max=0.6),
)
DUTY = Duty(
    mode="continuous",
    seconds=10,
    source="test",
    cpu=0.1,
    hf_asleep=0.0,
    lf=1.0,
    uart=0.01,
    receiver=0.0,
    bus=0.02,
    imu={"imu_high_performance": 1.0},
)


def test_the_sum_and_its_bar() -> None:
    got = estimate(CURRENTS, DUTY, CLOCK_HZ)
    parts = {part.name: part.typ_ua for part in got.parts}
    assert parts == {
        "processor running": pytest.approx(320.0),
        "processor asleep": pytest.approx(1.8),
        "low-frequency clock and counter": pytest.approx(1.0),
        "UART sending": pytest.approx(1.0),
        "sensor bus": pytest.approx(4.0),
        "sensor, high performance": pytest.approx(550.0),
    }
    assert got.value_mw == pytest.approx(877.8 * 3 / 1000)
    low = 320 * 0.8 + 0.9 * 1 + 0.8 + 0.8 + 4 * 0.6 + 550 * 0.8
    high = 320 * 1.2 + 0.9 * 3 + 1.2 + 1.2 + 4 * 1.4 + 600
    assert got.low_mw == pytest.approx(low * 3 / 1000)
    assert got.high_mw == pytest.approx(high * 3 / 1000)
    assert any("sensor bus" in text and "Not looked up" in text for text in got.assumptions)


def test_a_clock_kept_in_sleep_costs() -> None:
    kept = estimate(CURRENTS, DUTY.model_copy(update={"hf_asleep": 0.9, "lf": 0.0}), CLOCK_HZ)
    assert kept.average_ua - estimate(CURRENTS, DUTY, CLOCK_HZ).average_ua == pytest.approx(250 * 0.9 - 1)


def test_a_current_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"no current for 'uart_receive', but the device spends 1 of its time"):
        estimate(CURRENTS, DUTY.model_copy(update={"receiver": 1.0}), CLOCK_HZ)


@pytest.mark.parametrize("wrong", [{"cpu": 0.6, "hf_asleep": 0.6}, {"imu": {"imu_off": 0.5}}, {"cpu": 1.5}])
def test_shares_that_cannot_be(wrong: dict) -> None:
    with pytest.raises(ValueError, match=r"must not exceed|add up to 0.5|less than or equal"):
        Duty.model_validate({**DUTY.model_dump(), **wrong})


def test_the_shipped_board_can_be_estimated() -> None:
    board = load_board("nrf52840")
    assert board.currents is not None
    got = estimate(board.currents, DUTY.model_copy(update={"uart": 0.0, "bus": 0.0}), board.clock_hz)
    assert 1.0 < got.low_mw < got.value_mw < got.high_mw < 10.0


def test_a_cell() -> None:
    assert parse_cell("100mAh@3.7V").days(1.0) == pytest.approx(100 * 3.7 * 0.85 * 0.85 / 24)
    assert parse_cell("240mah").volt == 3.7
    for wrong in ("x", "100mAh@0V", "-5", "nan"):
        with pytest.raises(ConfigError, match="is not a cell"):
            parse_cell(wrong)
