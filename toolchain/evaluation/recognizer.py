"""A finished run as a function from recordings to commands: the int8 reference of the device, or the float network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.progress import Progress, TaskID

from toolchain.board import Imu
from toolchain.errors import ModelError
from toolchain.evaluation.conditions import Fed
from toolchain.evaluation.score import Heard
from toolchain.int8.reference import Int8Reference
from toolchain.ltc.decision import in_float_steps
from toolchain.ltc.evaluate import FLOAT_Y_SCALE, Logits, decide_recordings, float_logits
from toolchain.ltc.modelspec import DecisionSpec, load_spec
from toolchain.ltc.step import FloatNetwork, timing
from toolchain.ltc.weights import load_weights
from toolchain.runs import Run

TOGETHER = 64
"""Recordings at once: enough for numpy, few enough for a bar that moves and for memory."""


class Recognizer:
    """A finished run. ``use_float``: the float network with the same decision in finer steps."""

    def __init__(self, run: Run, imu: Imu, *, use_float: bool = False) -> None:
        """Raise ModelError when the run is not converted or was made for another IMU than the board's."""
        name = run.path.name
        self.spec = load_spec(run.model_json)
        decision = self.spec.decision
        if decision is None or self.spec.int8 is None:
            raise ModelError(f"{run.model_json} is not converted.", f"Run `tinyltc convert --run {name}` first.")
        if (self.spec.acc_lsb, self.spec.gyro_lsb) != (imu.acc_lsb, imu.gyro_lsb):
            raise ModelError(f"{name} was trained for another IMU range than the board's.", "Name its --board.")
        self.decision: DecisionSpec = decision
        self._logits: Logits
        if use_float:
            network = FloatNetwork(load_weights(run.weights, self.spec), self.spec.tau_epsilon, self.spec.solver)
            self._logits = float_logits(network, self.spec, imu)
            self.decision = in_float_steps(decision, self.spec.int8.y_scale, FLOAT_Y_SCALE)
        else:
            if not run.tflite.exists():
                raise ModelError(f"{run.tflite} does not exist.", f"Run `tinyltc convert --run {name}` first.")
            self._logits = Int8Reference(self.spec, run.tflite.read_bytes()).logits(imu)

    def hear(self, fed: Sequence[Fed], bar: Progress | None = None, task: TaskID | None = None) -> list[Heard]:
        """Run every recording from rest and return what was said to each, in order."""
        heard: list[Heard | None] = [None] * len(fed)
        # Like lengths together: what is padded is computed in vain.
        order = np.argsort([len(one.told.t_us) for one in fed], kind="stable").tolist()
        for first in range(0, len(order), TOGETHER):
            chosen = order[first : first + TOGETHER]
            told = [fed[i].told for i in chosen]
            made = decide_recordings(told, self._logits(told), self.spec, self.decision)
            for index, decisions in zip(chosen, made, strict=True):
                true = fed[index].true
                at = np.flatnonzero(decisions.fired)
                commands = tuple(zip(true.t_us[at].tolist(), decisions.winner[at].tolist(), strict=True))
                resets = timing(fed[index].told.t_us, self.spec).gap_resets
                heard[index] = Heard(true, commands, decisions.winner, resets)
            if bar is not None and task is not None:
                bar.advance(task, sum(len(fed[i].told.t_us) for i in chosen))
        return [one for one in heard if one is not None]
