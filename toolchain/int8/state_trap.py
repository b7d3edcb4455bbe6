"""The all-int8 step, kept to show why it is not used: a state that is requantized at every step freezes.

With a small time step the state moves by less than half an int8 step per sample, and rounding puts it back where it
was. Everything else is the shipped path: the same weights, right-hand side, rates and decision. Two readings of "all
int8": the kindest, where nothing but the state is rounded; and what TensorFlow Lite Micro runs, h' = A h + B f with
int8 MUL and ADD. In both, each layer's state has its own, finest scale.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from toolchain.board import Imu
from toolchain.int8.flatbuffer import Operator, Tensor, TfliteModel
from toolchain.int8.flatbuffer_writer import write_tflite
from toolchain.int8.reference import LIMIT, Floats, Int8Reference, Int8s
from toolchain.int8.tflm import interpreter
from toolchain.ltc.evaluate import Logits
from toolchain.ltc.step import drive, model_dt, rate_tables
from toolchain.recordings.recording import Recording

_TOGETHER = 64


class AllInt8:
    """A network whose state lives in int8 between samples.

    ``state_scales``: one scale per layer; choose the largest magnitude of the layer's states over 127.
    ``through_tflm``: update the state with TFLM's kernels instead of rounding it once.
    """

    def __init__(self, reference: Int8Reference, state_scales: Sequence[float], *, through_tflm: bool = False) -> None:
        self._reference = reference
        self._through_tflm = through_tflm
        self._scale = np.repeat(np.array(state_scales, np.float32), reference.network.units)
        self._rates = rate_tables(reference.spec).reshape(-1)
        self.moves = 0
        """State elements that the float32 solver would have moved."""
        self.frozen = 0
        """Those of them that rounding put back where they were."""

    def logits(self, imu: Imu) -> Logits:
        """Return the function that toolchain.ltc.evaluate takes: recordings to int8 logits (T, outputs) each."""

        def logits(recordings: Sequence[Recording]) -> list[npt.NDArray[np.integer]]:
            result: list[npt.NDArray[np.integer]] = []
            for first in range(0, len(recordings), _TOGETHER):
                chosen = recordings[first : first + _TOGETHER]
                y = self._integrate(*self._reference.padded(chosen, imu))
                result += [y[row, -len(recording.t_us) :] for row, recording in enumerate(chosen)]
            return result

        return logits

    def _integrate(self, x_q: Int8s, dt: Floats, reset: npt.NDArray[np.bool_]) -> Int8s:
        reference = self._reference
        state = np.zeros((len(x_q), reference.network.states), np.int8)
        y = np.empty((*dt.shape, reference.network.outputs), np.int8)
        longest = model_dt(np.array([2 * reference.spec.period_us]), reference.spec)[0]
        update = _TflmUpdate(self._scale, len(x_q), float(longest)) if self._through_tflm else self._rounded
        for t in range(dt.shape[1]):
            state[reset[:, t]] = 0
            h = state * self._scale
            f, z, y[:, t] = reference.rhs(x_q[:, t], reference.quantize_state(h))
            rates, step = self._rates[z + reference.rhs.table_row], dt[:, t, None]
            after = update(state, f, rates, step)
            moving = reference.semi_implicit(h, drive(f), rates, step) != h
            self.moves += int(moving.sum())
            self.frozen += int((moving & (after == state)).sum())
            state = after
        return y

    def _rounded(self, state: Int8s, f: Int8s, rates: Floats, dt: Floats) -> Int8s:
        after = self._reference.semi_implicit(state * self._scale, drive(f), rates, dt)
        return np.clip(np.rint(after / self._scale), -LIMIT, LIMIT).astype(np.int8)


class _TflmUpdate:
    """h' = A h + B f by TFLM's int8 MUL, MUL and ADD, for ``rows`` streams; A = 1/(1 + dt r) and B = dt A are inputs.

    TFLM has no int8 softplus or division, so A and B come from float arithmetic, as good as int8 can hold them.
    """

    def __init__(self, scale: Floats, rows: int, longest_dt: float) -> None:
        self._b_scale = longest_dt / 255
        self._groups = [(np.flatnonzero(scale == value), float(value)) for value in np.unique(scale)]
        self._interpreters = [
            interpreter(_update_graph((rows, len(units)), value, self._b_scale)) for units, value in self._groups
        ]

    def __call__(self, state: Int8s, f: Int8s, rates: Floats, dt: Floats) -> Int8s:
        a = 1.0 / (1.0 + dt * rates)
        a_q = np.clip(np.rint(a * 255) - 128, -128, 127).astype(np.int8)
        b_q = np.clip(np.rint(dt * a / self._b_scale) - 128, -128, 127).astype(np.int8)
        after = np.empty_like(state)
        for (units, _), tflm in zip(self._groups, self._interpreters, strict=True):
            for place, values in enumerate((a_q, state, b_q, f)):
                tflm.set_input(np.ascontiguousarray(values[:, units]), place)
            tflm.invoke()
            after[:, units] = tflm.get_output(0)
        return after


def _update_graph(shape: tuple[int, int], state_scale: float, b_scale: float) -> bytes:
    """Return the .tflite of h' = A h + B f: inputs A, h, B, f."""
    kinds = {
        "a": (1 / 255, -128),
        "h": (state_scale, 0),
        "b": (b_scale, -128),
        "f": (1 / 128, 0),
        "a*h": (state_scale, 0),
        "b*f": (255 * b_scale / 127, 0),
        "next h": (state_scale, 0),
    }
    tensors = tuple(
        Tensor(index, name, shape, "INT8", (scale,), (zero_point,))
        for index, (name, (scale, zero_point)) in enumerate(kinds.items())
    )
    operators = (
        Operator(0, "MUL", 1, (0, 1), (4,)),
        Operator(1, "MUL", 1, (2, 3), (5,)),
        Operator(2, "ADD", 1, (4, 5), (6,)),
    )
    return write_tflite(TfliteModel(tensors, operators, (0, 1, 2, 3), (6,)))
