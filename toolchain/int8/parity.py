"""Proof that the int8 network does what the float network does, and exactly what TFLM does, over long streams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toolchain.board import Imu
from toolchain.int8.reference import Int8Reference, Int8s
from toolchain.int8.tflm import TflmRightHandSide
from toolchain.ltc.decision import Decision
from toolchain.ltc.evaluate import FLOAT_Y_SCALE
from toolchain.ltc.modelspec import DecisionSpec
from toolchain.ltc.step import FloatNetwork, Timing, model_dt, network_input, timing
from toolchain.ltc.weights import Floats, Weights
from toolchain.recordings.codes import to_codes
from toolchain.recordings.recording import Recording

EDGE_S = 5.0
"""The state's error is given for so many first and last seconds: drift would show as growth."""


@dataclass(frozen=True)
class FloatParity:
    """int8 against float: ``agreement`` is the fraction of samples with the same winner (docs/SPEC.md, 3).

    State errors are in steps of the state scale; ``start_rms`` and ``end_rms`` over the first and last EDGE_S.
    """

    streams: int
    seconds: float
    agreement: float
    max_state_error_lsb: float
    start_rms_state_error_lsb: float
    end_rms_state_error_lsb: float


@dataclass(frozen=True)
class TflmParity:
    """The numpy reference against TFLM: ``samples`` right-hand sides, ``mismatches`` of their int8 outputs."""

    samples: int
    mismatches: int


def compare(
    reference: Int8Reference,
    weights: Weights,
    decision: DecisionSpec,
    tflite: bytes,
    imu: Imu,
    streams: Sequence[Recording],
) -> tuple[FloatParity, TflmParity]:
    """Run ``streams`` one by one through float, int8 and TFLM. Every stream starts from rest."""
    tflm = TflmRightHandSide(tflite, reference.network)
    same = samples = mismatches = 0
    seconds = largest = 0.0
    edges: list[list[Floats]] = [[], []]
    for stream in streams:
        found = _Mismatches(tflm)
        x_q, dt, reset = reference.padded([stream], imu)
        y, states = reference.integrate(x_q, dt, reset, keep_state=True, observe=found)
        assert states is not None
        float_y, float_states = float_run(weights, reference, imu, stream)
        error = np.abs(states[0] - float_states) / reference.network.state_scale
        edge = min(round(EDGE_S * reference.spec.rate_hz), len(error))
        edges[0].append(error[:edge])
        edges[1].append(error[-edge:])
        largest = max(largest, float(error.max()))
        winners = [
            _winners(logits, stream, timing(stream.t_us, reference.spec), decision) for logits in (y[0], float_y)
        ]
        same += int((winners[0] == winners[1]).sum())
        samples += len(error)
        seconds += stream.seconds
        mismatches += found.count
    rms = [float(np.sqrt(np.mean(np.concatenate(part) ** 2))) if part else 0.0 for part in edges]
    agreement = same / samples if samples else 0.0
    return FloatParity(len(streams), seconds, agreement, largest, *rms), TflmParity(samples, mismatches)


def float_run(
    weights: Weights, reference: Int8Reference, imu: Imu, stream: Recording
) -> tuple[npt.NDArray[np.int32], Floats]:
    """Return the float network's logits, int32 (T, outputs) in steps of FLOAT_Y_SCALE, and states (T, states)."""
    spec = reference.spec
    network = FloatNetwork(weights, spec.tau_epsilon, spec.solver)
    when = timing(stream.t_us, spec)
    x = network_input(to_codes(stream.samples, imu), when, spec)
    dt = model_dt(when.delta_us, spec)
    state = network.start(1)
    logits = np.empty((len(x), len(weights.d)), np.float32)
    states = np.empty((len(x), sum(weights.units)), np.float32)
    for t in range(len(x)):
        if when.reset[t]:
            state = network.start(1)
        state, y = network.step(x[t : t + 1], state, dt[t : t + 1])
        logits[t] = y[0]
        states[t] = np.concatenate(state, axis=1)[0]
    return np.rint(logits / FLOAT_Y_SCALE).astype(np.int32), states


def _winners(
    logits: npt.NDArray[np.integer], stream: Recording, when: Timing, decision: DecisionSpec
) -> npt.NDArray[np.uint8]:
    return Decision(decision, logits.shape[1]).run(logits, stream.t_us, when.delta_us, when.reset).winner


class _Mismatches:
    """Compares every right-hand side of one stream with TFLM's."""

    def __init__(self, tflm: TflmRightHandSide) -> None:
        self._tflm = tflm
        self.count = 0

    def __call__(self, step: int, x_q: Int8s, h_q: Int8s, f: Int8s, z: Int8s, y: Int8s) -> None:
        for ours, theirs in zip((f[0], z[0], y[0]), self._tflm.rhs(x_q[0], h_q[0]), strict=True):
            self.count += int((ours != theirs).sum())
