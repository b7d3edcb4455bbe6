"""An exported step beside the numpy reference, over streams: how far apart they ever are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from toolchain.board import Imu
from toolchain.ltc.evaluate import FLOAT_Y_SCALE, decide_recordings
from toolchain.ltc.modelspec import DecisionSpec, ModelSpec
from toolchain.ltc.step import FloatNetwork, model_dt, network_input, timing
from toolchain.ltc.weights import Floats, Weights
from toolchain.recordings.codes import to_codes
from toolchain.recordings.recording import Recording

EDGE_S = 5.0
"""The state's error is given for so many first and last seconds: drift would show as growth."""


class Stepper(Protocol):
    """What makes a step: the numpy network or a runtime with an exported file."""

    def step(self, x: Floats, state: list[Floats], dt: Floats) -> tuple[list[Floats], Floats]:
        """As :meth:`toolchain.ltc.step.FloatNetwork.step`."""
        ...


@dataclass(frozen=True)
class Agreement:
    """``agreement``: fraction of the samples with the same winner after the decision's smoothing (docs/SPEC.md, 3).

    Errors of logits and states are in their own units; the edges' are root mean squares over the first and last EDGE_S
    of the streams.
    """

    streams: int
    seconds: float
    agreement: float
    max_logit_error: float
    rms_logit_error: float
    max_state_error: float
    start_rms_state_error: float
    end_rms_state_error: float


def agreement(
    other: Stepper,
    weights: Weights,
    spec: ModelSpec,
    decision: DecisionSpec,
    imu: Imu,
    streams: Sequence[Recording],
) -> Agreement:
    """Run ``streams`` side by side from rest through the numpy network and ``other``.

    ``decision``: for logits in steps of FLOAT_Y_SCALE.
    """
    reference = FloatNetwork(weights, spec.tau_epsilon, spec.solver)
    lengths = np.array([len(stream.t_us) for stream in streams])
    longest = int(lengths.max())
    x = np.zeros((longest, len(streams), spec.inputs), np.float32)
    dt = np.zeros((longest, len(streams)), np.float32)
    keep = np.ones((longest, len(streams), 1), np.float32)
    for row, stream in enumerate(streams):
        # A sample with dt 0 leaves a state at rest: shorter streams are padded in front.
        when = timing(stream.t_us, spec)
        x[-len(stream.t_us) :, row] = network_input(to_codes(stream.samples, imu), when, spec)
        dt[-len(stream.t_us) :, row] = model_dt(when.delta_us, spec)
        keep[-len(stream.t_us) :, row, 0] = ~when.reset
    logits = np.empty((2, longest, len(streams), len(spec.classes)), np.float32)
    # Per sample and stream: mean square and largest magnitude of the states' difference.
    square, largest = np.zeros((longest, len(streams))), 0.0
    states = [reference.start(len(streams)) for _ in range(2)]
    for t in range(longest):
        for which, network in enumerate((reference, other)):
            state = [h * keep[t] for h in states[which]]
            states[which], logits[which, t] = network.step(x[t], state, dt[t])
        difference = np.concatenate(states[0], axis=1) - np.concatenate(states[1], axis=1)
        square[t] = np.mean(difference**2, axis=1)
        largest = max(largest, float(np.abs(difference).max()))
    error = [logits[0, -n:, row] - logits[1, -n:, row] for row, n in enumerate(lengths)]
    squares = [square[-n:, row] for row, n in enumerate(lengths)]
    edge = round(EDGE_S * spec.rate_hz)
    winners = []
    for made in logits:
        steps = [np.rint(made[-n:, row] / FLOAT_Y_SCALE).astype(np.int32) for row, n in enumerate(lengths)]
        decided = decide_recordings(streams, steps, spec, decision)
        winners.append(np.concatenate([one.winner for one in decided]))
    return Agreement(
        streams=len(streams),
        seconds=sum(stream.seconds for stream in streams),
        agreement=float(np.mean(winners[0] == winners[1])),
        max_logit_error=float(max(np.abs(one).max() for one in error)),
        rms_logit_error=float(np.sqrt(np.mean(np.concatenate(error) ** 2))),
        max_state_error=largest,
        start_rms_state_error=float(np.sqrt(np.mean(np.concatenate([s[:edge] for s in squares])))),
        end_rms_state_error=float(np.sqrt(np.mean(np.concatenate([s[-edge:] for s in squares])))),
    )
