"""Representative data for the converter, and the one scale that inputs and states share.

The data are float states of training people's recordings, taken while the float network runs over them, so that
they are spread as the device will see them. Two more rows per input make its range exactly -128 S .. 127 S: the
converter then gives every input and every concatenation the scale S and the zero point 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from toolchain.board import Imu
from toolchain.errors import DataError
from toolchain.int8.network import input_names
from toolchain.ltc.modelspec import ModelSpec
from toolchain.ltc.step import FloatNetwork, model_dt, network_input, timing
from toolchain.ltc.weights import Floats, LayerWeights, Weights
from toolchain.recordings.codes import to_codes
from toolchain.recordings.recording import Recording

WINDOWS = 96
STREAMS = 8
STREAM_S = 20.0
"""So much of the training data is run: windows and stream starts, evenly taken from all of it."""
ROWS = 2000
QUANTILES = (0.99, 0.995, 0.999, 0.9995, 0.9999, 1.0)
"""The scales that are tried let this fraction of inputs and states stay unclamped."""
_SCALE_BITS = 12


def representative(weights: Weights, spec: ModelSpec, imu: Imu, recordings: Sequence[Recording]) -> dict[str, Floats]:
    """Return samples of the right-hand side's inputs, by name (``x``, ``h1``, ...): float32 (at most ROWS, width).

    Taken evenly from the float network's runs over ``recordings``. Raises DataError without recordings.
    """
    windows = _evenly([r for r in recordings if r.kind == "window"], WINDOWS)
    streams = _evenly([r for r in recordings if r.kind == "stream"], STREAMS)
    if not windows and not streams:
        raise DataError("There are no training recordings to calibrate the int8 model with.")
    seen = [np.concatenate(part) for part in zip(*_runs(weights, spec, imu, [*windows, *streams]), strict=True)]
    rows = np.linspace(0, len(seen[0]) - 1, min(ROWS, len(seen[0]))).astype(int)
    return {name: values[rows] for name, values in zip(input_names(len(weights.layers)), seen, strict=True)}


def choose_scale(weights: Weights, samples: dict[str, Floats]) -> float:
    """Return the common scale S: of those that QUANTILES give, the one that disturbs drives, gates and logits least.

    The disturbance is the mean over all of them of the squared error that rounding and clamping the inputs causes,
    relative to the variance. S has few significant bits, so that 127 S and 128 S are exact in float32.
    """
    magnitudes = {name: np.abs(values) for name, values in samples.items()}
    candidates = sorted({max(float(np.quantile(v, q)) for v in magnitudes.values()) for q in QUANTILES})
    scales = [_short(max(value, 1e-6) / 127.0) for value in candidates]
    exact = _parts(weights, samples)
    errors = []
    for scale in scales:
        rounded = {name: np.clip(np.rint(v / scale), -127, 127) * scale for name, v in samples.items()}
        pairs = zip(_parts(weights, rounded), exact, strict=True)
        errors.append(sum(float(np.mean((a - b) ** 2) / (np.var(b) + 1e-12)) for a, b in pairs))
    return scales[int(np.argmin(errors))]


def with_full_range(weights: Weights, samples: dict[str, Floats], scale: float) -> dict[str, Floats]:
    """Return ``samples`` clamped to +-127 S, with two rows more per input that reach -128 S and 127 S exactly.

    The extreme stands in the column whose weights are smallest, over a row of ordinary values, so that the ranges of
    what follows hardly grow.
    """
    limit = np.float32(127 * scale)
    clamped = {name: np.clip(values, -limit, limit).astype(np.float32) for name, values in samples.items()}
    result = {name: [values] for name, values in clamped.items()}
    for name, column in _weakest_columns(weights).items():
        for extreme in (-128 * scale, 127 * scale):
            for other, values in clamped.items():
                row = values[:1].copy()
                if other == name:
                    row[0, column] = extreme
                result[other].append(row)
    return {name: np.concatenate(rows) for name, rows in result.items()}


def _evenly(recordings: list[Recording], count: int) -> list[Recording]:
    if not recordings:
        return []
    chosen = np.unique(np.linspace(0, len(recordings) - 1, min(count, len(recordings))).astype(int))
    return [recordings[index] for index in chosen]


def _runs(weights: Weights, spec: ModelSpec, imu: Imu, recordings: list[Recording]) -> list[list[Floats]]:
    """Per recording: x and the states before every step, (T, width) each."""
    network = FloatNetwork(weights, spec.tau_epsilon, spec.solver)
    limit = round(STREAM_S * spec.rate_hz)
    length = max(min(len(recording.t_us), limit) for recording in recordings)
    streams = len(recordings)
    x = np.zeros((streams, length, spec.inputs), np.float32)
    dt = np.zeros((streams, length), np.float32)
    keep = np.ones((streams, length, 1), np.float32)
    lengths = []
    for row, recording in enumerate(recordings):
        when = timing(recording.t_us[:limit], spec)
        lengths.append(len(when.reset))
        x[row, : lengths[-1]] = network_input(to_codes(recording.samples[:limit], imu), when, spec)
        dt[row, : lengths[-1]] = model_dt(when.delta_us, spec)
        keep[row, : lengths[-1], 0] = ~when.reset
    state = network.start(streams)
    seen = [x, *(np.empty((streams, length, units), np.float32) for units in weights.units)]
    active = np.arange(streams)
    for t in range(length):
        # Windows end long before streams; what has ended is not run any further.
        still = active[np.array(lengths)[active] > t]
        if len(still) < len(active):
            state = [h[np.isin(active, still)] for h in state]
            active = still
        state = [h * keep[active, t] for h in state]
        for layer, h in enumerate(state, 1):
            seen[layer][active, t] = h
        state, _ = network.step(x[active, t], state, dt[active, t])
    return [[values[row, : lengths[row]] for values in seen] for row in range(streams)]


def _parts(weights: Weights, samples: dict[str, Floats]) -> list[Floats]:
    """Drives before tanh are judged after it, as that is what reaches the state; then gates and logits."""
    parts = []
    source = samples["x"]
    for number, layer in enumerate(weights.layers, 1):
        h = samples[f"h{number}"]
        parts += [np.tanh(np.concatenate([source, h], axis=1) @ layer.w + layer.b), source @ layer.v + layer.c]
        source = h
    return [*parts, source @ weights.u + weights.d]


def _weakest_columns(weights: Weights) -> dict[str, int]:
    """Per input name, the column whose largest weight towards anything is the smallest."""
    reach = []
    above: list[LayerWeights | None] = [*weights.layers, None]
    below: list[LayerWeights | None] = [None, *weights.layers]
    for own, reader in zip(below, above, strict=True):
        width = len(own.b) if own is not None else len(weights.layers[0].v)
        parts = [reader.w[:width], reader.v] if reader is not None else [weights.u]
        if own is not None:
            parts.append(own.w[-width:])
        reach.append(np.max([np.abs(part).max(axis=1) for part in parts], axis=0))
    names = input_names(len(weights.layers))
    return {name: int(np.argmin(values)) for name, values in zip(names, reach, strict=True)}


def _short(value: float) -> float:
    """Round up to _SCALE_BITS significant bits."""
    fraction, exponent = np.frexp(value)
    return float(np.ldexp(np.ceil(fraction * 2**_SCALE_BITS) / 2**_SCALE_BITS, int(exponent)))
