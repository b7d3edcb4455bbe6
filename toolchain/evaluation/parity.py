"""int8 beside float over streams of a minute: how often they agree, and whether the difference grows with time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from toolchain.board import load_board
from toolchain.errors import DataError
from toolchain.evaluation.evaluate import evaluated
from toolchain.evaluation.intervals import bootstrap
from toolchain.int8.reference import Int8Reference
from toolchain.ltc.decision import in_float_steps, smooth
from toolchain.ltc.evaluate import FLOAT_Y_SCALE
from toolchain.ltc.modelspec import DecisionSpec, load_spec
from toolchain.ltc.step import FloatNetwork, model_dt, network_input, timing
from toolchain.ltc.weights import Floats, load_weights
from toolchain.recordings.codes import to_codes
from toolchain.recordings.join import join
from toolchain.recordings.recording import Recording
from toolchain.recordings.resample import resample
from toolchain.recordings.whole import part
from toolchain.runs import Run

SECONDS = 60.0
EARLY_S, LATE_S = (2.5, 7.5), (54.5, 59.5)
"""Five seconds around the fifth second and around the fifty-seventh."""
_TOGETHER = 12


def parity(runs: Sequence[Run]) -> dict[str, Any]:
    """Compare int8 with float, each on its own from rest, over streams of 60 s of the runs' test people.

    Returns ``agreement``, the fraction of samples with the same winner (docs/SPEC.md, 3), and ``growth``, the root mean
    square of the states' difference around 57 s over that around 5 s, with bootstraps over people, and ``n_people``.
    Raises DataError when nobody's recordings fill a minute.
    """
    sums: dict[str, npt.NDArray[np.float64]] = defaultdict(lambda: np.zeros(6))
    for run in runs:
        spec = load_spec(run.model_json)
        streams = [made for one in _by_person(run) for made in _minutes(one, spec.rate_hz, spec.decision)]
        for first in range(0, len(streams), _TOGETHER):
            some = streams[first : first + _TOGETHER]
            for stream, row in zip(some, _compared(run, some), strict=True):
                sums[stream.person] += row
    if not sums:
        raise DataError("No test person's recordings fill a stream of 60 s.", "Evaluate a set with more recordings.")
    table = np.stack([sums[name] for name in sorted(sums)])

    def growth(total: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.sqrt((total[:, 4] / total[:, 5]) / np.maximum(total[:, 2] / total[:, 3], 1e-30))

    return {
        "agreement": bootstrap(table, lambda total: total[:, 0] / total[:, 1]).to_dict(),
        "growth": bootstrap(table, growth).to_dict(),
        "n_people": len(sums),
    }


def _by_person(run: Run) -> list[list[Recording]]:
    """Return the whole recordings of each test person; a set of streams gives its streams."""
    people: dict[str, list[Recording]] = defaultdict(list)
    for recording in evaluated(run):
        people[recording.person].append(recording)
    return [people[name] for name in sorted(people)]


def _minutes(recordings: list[Recording], rate_hz: float, decision: DecisionSpec | None) -> list[Recording]:
    """Join one person's recordings and cut what that gives into streams of SECONDS on an even grid."""
    background = decision.background if decision is not None else 0
    even = resample(join(recordings, background), rate_hz)
    length = round(SECONDS * rate_hz)
    return [part(even, first, first + length) for first in range(0, len(even.t_us) - length + 1, length)]


def _compared(run: Run, streams: Sequence[Recording]) -> npt.NDArray[np.float64]:
    """Return for each stream: samples that agree, samples, then squared error and count, early and late; (N, 6)."""
    spec = load_spec(run.model_json)
    imu = load_board(run.project().target.board).imu
    reference = Int8Reference(spec, run.tflite.read_bytes())
    decision = spec.decision
    assert decision is not None
    assert spec.int8 is not None
    y, states = reference.integrate(*reference.padded(streams, imu), keep_state=True)
    assert states is not None
    float_y, float_states = _float(run, streams)
    when = [timing(stream.t_us, spec) for stream in streams]
    delta, reset = np.stack([w.delta_us for w in when]), np.stack([w.reset for w in when])
    ours = smooth(y, delta, reset, decision.smoothing_us)
    finer = in_float_steps(decision, spec.int8.y_scale, FLOAT_Y_SCALE)
    theirs = smooth(np.rint(float_y / FLOAT_Y_SCALE).astype(np.int32), delta, reset, finer.smoothing_us)
    error = ((states - float_states) ** 2).mean(axis=2)
    seconds = np.arange(error.shape[1]) / spec.rate_hz
    result = np.empty((len(streams), 6))
    result[:, 0], result[:, 1] = (ours.winner == theirs.winner).sum(axis=1), error.shape[1]
    for place, (start, end) in ((2, EARLY_S), (4, LATE_S)):
        inside = (seconds >= start) & (seconds < end)
        result[:, place], result[:, place + 1] = error[:, inside].sum(axis=1), inside.sum()
    return result


def _float(run: Run, streams: Sequence[Recording]) -> tuple[Floats, Floats]:
    """Return the float network's logits (N, T, outputs) and states (N, T, states)."""
    spec = load_spec(run.model_json)
    imu = load_board(run.project().target.board).imu
    weights = load_weights(run.weights, spec)
    network = FloatNetwork(weights, spec.tau_epsilon, spec.solver)
    when = [timing(stream.t_us, spec) for stream in streams]
    x = np.stack([network_input(to_codes(s.samples, imu), w, spec) for s, w in zip(streams, when, strict=True)])
    dt = np.stack([model_dt(w.delta_us, spec) for w in when])
    logits = np.empty((*dt.shape, len(weights.d)), np.float32)
    states = np.empty((*dt.shape, sum(weights.units)), np.float32)
    state = network.start(len(streams))
    for t in range(dt.shape[1]):
        state, logits[:, t] = network.step(x[:, t], state, dt[:, t])
        states[:, t] = np.concatenate(state, axis=1)
    return logits, states
