"""Nordic's Power Profiler Kit II, by ppk2-api, with guards around what its users report to go wrong."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import serial

from toolchain.errors import MeterError, MissingToolError
from toolchain.power.readings import Readings
from toolchain.power.words import WordStream

RATE_HZ = 100_000
SETTLE_S = 0.3
"""After the power is switched on the board boots and charges its capacitors; this is not measured."""
SILENT_S = 1.0
Mode = Literal["source", "ampere"]
"""``source``: the PPK2 supplies the board. ``ampere``: the board's own supply goes through it."""


def find_ppk2(asked: str | None) -> str:
    """Return the port of the PPK2; raises MeterError when there is none, or several and none was asked for."""
    if asked is not None:
        return asked
    ports = [str(port) for port in _api().PPK2_API.list_devices()]
    if not ports:
        raise MeterError("There is no PPK2 on this machine.", "Plug it in, or estimate the power without --ppk2.")
    # A PPK2 shows two ports on some systems, the first of them speaks.
    if len(ports) > 2:
        raise MeterError(f"There are several PPK2: {', '.join(ports)}.", "Choose one with --ppk2 PORT.")
    return ports[0]


def _api() -> Any:
    try:
        from ppk2_api import ppk2_api
    except ImportError:
        raise MissingToolError("The PPK2 needs ppk2-api.", "pip install 'tinyltc[power]'") from None
    return ppk2_api


def measure(
    port: str, mode: Mode, volt: float, seconds: float, step: Callable[[float], None] = lambda _: None
) -> Readings:
    """Supply or watch a board for so long and return the readings, not yet checked.

    ``step`` is told the seconds read so far. The power stays on afterwards in source mode, so that a board that is
    being measured does not lose its state. Raises MeterError when the meter does not answer or goes away.
    """
    meter = _open(port)
    try:
        _prepare(meter, port, mode, volt)
        words = _read(meter, port, seconds, step)
        current_a, marks = _convert(meter, words[0])
    finally:
        try:
            meter.stop_measuring()
            meter.ser.close()
        except (serial.SerialException, OSError):
            pass
    return Readings(current_a, 1 / RATE_HZ, volt, f"measured on PPK2 ({mode} mode)", marks, words[1])


def _open(port: str) -> Any:
    try:
        return _api().PPK2_API(port, timeout=0.1, write_timeout=1.0, exclusive=True)
    except (serial.SerialException, OSError) as reason:
        raise MeterError(f"The PPK2 on '{port}' cannot be opened ({reason}).", "Is another program using it?") from None


def _prepare(meter: Any, port: str, mode: Mode, volt: float) -> None:
    # What an earlier session left in the line would be read as calibration.
    meter.stop_measuring()
    time.sleep(0.05)
    meter.ser.reset_input_buffer()
    try:
        calibrated = meter.get_modifiers()
    except UnicodeDecodeError:
        calibrated = None
    resistors = meter.modifiers["R"].values()
    if not calibrated or meter.modifiers["HW"] is None or not all(value > 0 for value in resistors):
        # Without its calibration the library goes on with defaults, and every reading is wrong by up to a tenth.
        raise MeterError(f"The PPK2 on '{port}' does not tell its calibration.", "Unplug it, plug it in, try again.")
    if mode == "source":
        meter.use_source_meter()
    else:
        meter.use_ampere_meter()
    meter.set_source_voltage(round(volt * 1000))
    meter.toggle_DUT_power("ON")
    time.sleep(SETTLE_S)
    meter.ser.reset_input_buffer()
    meter.start_measuring()


def _read(
    meter: Any, port: str, seconds: float, step: Callable[[float], None]
) -> tuple[np.ndarray[Any, np.dtype[np.uint32]], int]:
    stream, parts, count = WordStream(), [], 0
    wanted, heard = round(seconds * RATE_HZ), time.monotonic()
    while count < wanted:
        try:
            data = meter.get_data()
        except (serial.SerialException, OSError) as reason:
            raise MeterError(f"The PPK2 on '{port}' went away ({reason}).", "Plug it in again.") from None
        if not data:
            if time.monotonic() - heard > SILENT_S:
                raise MeterError(
                    f"The PPK2 on '{port}' sent {count} of {wanted} readings.", "Unplug it, plug it in, try again."
                )
            time.sleep(0.002)
            continue
        heard = time.monotonic()
        words = stream.feed(data)
        parts.append(words)
        count += len(words)
        step(count / RATE_HZ)
        if stream.realigned > 3:
            raise MeterError(
                f"The bytes of the PPK2 on '{port}' fall out of step.", "Use a USB port of the machine itself."
            )
    return np.concatenate(parts)[:wanted], stream.lost


def _convert(meter: Any, words: np.ndarray[Any, np.dtype[np.uint32]]) -> tuple[Any, Any]:
    """Turn words into ampere and marks; the library's spike filter has a memory, so it sees them in order and whole."""
    micro, marks = meter.get_samples(words.astype("<u4").tobytes())
    if len(micro) != len(words):
        raise MeterError("ppk2-api dropped readings that it could not convert.", "Measure again.")
    return np.array(micro, np.float64) * 1e-6, np.array(marks, np.uint8)
