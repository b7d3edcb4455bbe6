"""Faults in the stream, fed to the core as the firmware runs it: each is told, and later all is as if it never was."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from codegen_runs import Signal, quiet

from toolchain.bench.reference_run import write_reference_run
from toolchain.board import Board
from toolchain.codegen.generate import generate
from toolchain.codegen.hostlib import FIRMWARE, FLAGS, HostRecognizer, host_compiler, host_recognizer
from toolchain.int8.flatbuffer import read_tflite
from toolchain.int8.network import read_network
from toolchain.int8.reference import Trace, int8_spec
from toolchain.ltc.modelspec import load_spec, save_spec

RATE_HZ, PERIOD_US = 208.0, 4808
BEFORE_S, FAULT_S, AFTER_S = 10, 40, 12
SEED = 4
"""Of a random network that decides for several classes and, as trained ones do and random ones need not, forgets."""
FORGOTTEN = 600
"""Samples after which a network of this size has forgotten how it came there: three seconds."""
COUNTERS = (
    *("samples", "overruns", "lost_samples", "imu_faults", "imu_restarts", "dropped_commands", "dropped_others"),
    *("gap_resets", "received_bad", "engine_errors", "stack_unused", "dwt_moves", "stuck", "odd_gravity"),
    *("odd_axes", "time_back", "state_faults"),
)
_PROBE = """
#include "core/health.h"
#include "core/plausible.h"
static tl_plausible watch;
static tl_health_watch told;
void begin(float acc, float gyro);
void begin(float acc, float gyro) { tl_plausible_init(&watch, acc, gyro); told = (tl_health_watch){0}; }
void feed(const int16_t *code, const uint64_t *t_us, uint32_t n, tl_health *health);
void feed(const int16_t *code, const uint64_t *t_us, uint32_t n, tl_health *health) {
    for (uint32_t i = 0; i < n; i++) { tl_plausible_sample(&watch, code + 6u * i, t_us[i]); }
    health->stuck = watch.stuck;
    health->odd_gravity = watch.odd_gravity;
    health->odd_axes = watch.axes.found;
    health->time_back = watch.time_back;
}
const char *trouble(const tl_health *health);
const char *trouble(const tl_health *health) {
    tl_severity severity;
    return tl_health_trouble(&told, health, &severity);
}
bool anything_now(void);
bool anything_now(void) { return watch.stuck_now != 0u || watch.gravity_odd || watch.axes.odd; }
"""


class Health(ctypes.Structure):
    """tl_health."""

    _fields_ = tuple((name, ctypes.c_uint32) for name in COUNTERS)


class Device:
    """The recognizer and the watch over the signal, as the main loop has them."""

    def __init__(self, recognizer: HostRecognizer, probe: ctypes.CDLL, board: Board) -> None:
        self._recognizer, self._probe = recognizer, probe
        self.health = Health()
        probe.begin(ctypes.c_float(board.imu.acc_lsb), ctypes.c_float(board.imu.gyro_lsb))

    def feed(self, signal: Signal) -> Trace:
        """Run samples and bring the counters up to date."""
        codes, stamps = np.ascontiguousarray(signal[0], np.int16), signal[1].astype(np.uint64)
        made = self._recognizer.run(codes, stamps)
        self._probe.feed(
            ctypes.c_void_p(codes.ctypes.data),
            ctypes.c_void_p(stamps.ctypes.data),
            len(codes),
            ctypes.byref(self.health),
        )
        self.health.gap_resets = self._recognizer.gap_resets
        self.health.engine_errors = self._recognizer.engine_errors
        return made

    def told(self) -> list[str]:
        """The sentences that were not told yet."""
        found = []
        while text := self._probe.trouble(ctypes.byref(self.health)):
            found.append(text.decode())
        return found

    @property
    def troubled(self) -> bool:
        """Whether the watch finds anything wrong at present."""
        return bool(self._probe.anything_now())


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory, board: Board) -> Callable[[], Device]:
    """A small network of random weights whose states forget, and the watch: every call starts both anew."""
    folder = tmp_path_factory.mktemp("faults")
    run = write_reference_run(folder / "run", board, (12, 9), 5, seed=SEED)
    # Calm turns shall move it as much as gestures do.
    spec = load_spec(run.model_json).model_copy(update={"input_gain": [6e-4] * 6})
    network = read_network(read_tflite(run.tflite))
    save_spec(run.model_json, spec.model_copy(update={"int8": int8_spec(spec, network)}))
    generate(run, board, "compiled", quiet())
    (folder / "probe.c").write_text(_PROBE)
    core = [str(FIRMWARE / "core" / f"{name}.c") for name in ("axes", "health", "plausible")]
    command = [host_compiler(), *FLAGS, "-fPIC", "-shared", f"-I{FIRMWARE}", str(folder / "probe.c"), *core]
    subprocess.run([*command, "-o", str(folder / "probe.so")], check=True)
    probe = ctypes.CDLL(str(folder / "probe.so"))
    probe.trouble.restype = ctypes.c_char_p
    probe.anything_now.restype = ctypes.c_bool

    def make() -> Device:
        lsb = board.imu.acc_lsb, board.imu.gyro_lsb
        return Device(host_recognizer(run.generated, run.image.read_bytes(), *lsb, Path(folder)), probe, board)

    return make


@pytest.fixture(scope="module")
def signal(board: Board) -> Signal:
    """A forearm that turns calmly, long enough for all three parts; the gyroscope says what gravity does."""
    random = np.random.default_rng(3)
    seconds = BEFORE_S + FAULT_S + AFTER_S
    count = round(seconds * RATE_HZ)
    knots = np.arange(0, seconds + 1, 0.5)
    time = np.arange(count) / RATE_HZ
    rates = np.stack([np.interp(time, knots, random.normal(0, 1.3, len(knots))) for _ in range(3)], axis=1)
    down, samples = np.array([0.1, 0.3, 0.9]), np.empty((count, 6))
    for row, rate in enumerate(rates):
        down = down - np.cross(rate, down) / RATE_HZ
        down /= np.linalg.norm(down)
        samples[row] = [*(down * 9.80665 / board.imu.acc_lsb), *(rate / board.imu.gyro_lsb)]
    codes = np.rint(samples + random.normal(0, 1.5, samples.shape)).astype(np.int16)
    return codes, np.arange(count, dtype=np.int64) * PERIOD_US + 10**9


Fault = Callable[[npt.NDArray[np.int16], npt.NDArray[np.int64]], Signal]
"""Spoils codes and stamps of the part in the middle; later stamps follow its last one."""


def _stuck(codes: npt.NDArray[np.int16], t_us: npt.NDArray[np.int64]) -> Signal:
    codes[:, 4] = codes[0, 4]
    return codes, t_us


def _floating_bus(codes: npt.NDArray[np.int16], t_us: npt.NDArray[np.int64]) -> Signal:
    return np.full_like(codes, -1), t_us


def _swapped_sensors(codes: npt.NDArray[np.int16], t_us: npt.NDArray[np.int64]) -> Signal:
    codes[:, 3:] //= 16
    return codes[:, [3, 4, 5, 0, 1, 2]], t_us


def _swapped_axes(codes: npt.NDArray[np.int16], t_us: npt.NDArray[np.int64]) -> Signal:
    return codes[:, [1, 0, 2, 4, 3, 5]], t_us


def _railed(codes: npt.NDArray[np.int16], t_us: npt.NDArray[np.int64]) -> Signal:
    return np.where(np.arange(len(codes))[:, None] % 2, np.int16(32767), np.int16(-32768)) + 0 * codes, t_us


def _back(codes: npt.NDArray[np.int16], t_us: npt.NDArray[np.int64]) -> Signal:
    t_us[2000:] -= 30_000_000
    return codes, t_us


def _gaps(codes: npt.NDArray[np.int16], t_us: npt.NDArray[np.int64]) -> Signal:
    for place, seconds in ((1000, 2), (3000, 5), (6000, 3600)):
        t_us[place:] += seconds * 1_000_000
    return codes, t_us


def _standing_time(codes: npt.NDArray[np.int16], t_us: npt.NDArray[np.int64]) -> Signal:
    t_us[500:] -= t_us[500] - t_us[499]
    return codes, t_us


FAULTS: dict[str, tuple[Fault, dict[str, int], list[str]]] = {
    "a stuck channel": (_stuck, {"stuck": 1}, ["is stuck"]),
    "a floating bus": (_floating_bus, {"stuck": 6, "odd_gravity": 1}, ["is stuck", "Gravity is implausible"]),
    "a railed sensor": (_railed, {"odd_gravity": 1}, ["Gravity is implausible"]),
    "accelerometer and gyroscope swapped": (_swapped_sensors, {"odd_gravity": 1}, ["Gravity is implausible"]),
    "two axes swapped": (_swapped_axes, {"odd_axes": 1}, ["turns the wrong way"]),
    "time running back": (_back, {"time_back": 1, "gap_resets": 1}, ["was reset", "Time ran back"]),
    "gaps of seconds": (_gaps, {"gap_resets": 3}, ["gap between samples"]),
    "time standing still": (_standing_time, {"gap_resets": 1}, ["was reset"]),
}


def test_a_sound_stream_is_said_to_be_sound(device: Callable[[], Device], signal: Signal) -> None:
    whole = device()
    made = whole.feed(signal)
    assert [getattr(whole.health, name) for name in COUNTERS] == [0] * len(COUNTERS)
    assert whole.told() == []
    assert len(np.unique(made.winner)) > 2, "a network that decides nothing proves nothing"


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_and_recovered_from(device: Callable[[], Device], signal: Signal, name: str) -> None:
    spoil, counted, sentences = FAULTS[name]
    codes, stamps = signal
    begin, end = round(BEFORE_S * RATE_HZ), round((BEFORE_S + FAULT_S) * RATE_HZ)
    never = device().feed(signal)

    one = device()
    first = one.feed((codes[:begin], stamps[:begin]))
    assert np.array_equal(first.y, never.y[:begin])
    assert one.told() == []
    wrong, when = spoil(codes[begin:end].copy(), stamps[begin:end].copy())
    one.feed((wrong, when))
    assert {key: getattr(one.health, key) for key in COUNTERS if getattr(one.health, key)} == counted
    told = one.told()
    assert len(told) == len(sentences)
    for sentence in sentences:
        assert any(sentence in text for text in told), told

    after = one.feed((codes[end:], stamps[end:] + (when[-1] - stamps[end - 1])))
    sound = slice(FORGOTTEN, None)
    assert not one.troubled
    for part in ("x_q", "winner"):
        assert np.array_equal(getattr(after, part)[sound], getattr(never, part)[end:][sound]), part
    # The slowest states still hold a trace of it, less than the rounding to int8 hides for good.
    assert np.abs(after.y[sound].astype(int) - never.y[end:][sound]).max() <= 1
    assert {key: getattr(one.health, key) for key in COUNTERS if getattr(one.health, key)} == counted
    assert one.told() == []
