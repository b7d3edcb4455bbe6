"""The exact reference of the device, in numpy: IMU codes to int8, int8 right-hand side, float32 solver, decision.

docs/SPEC.md, sections 2 and 3, bit for bit, over many streams at once. Everything else (TFLM, the generated C, the
emulated board) is compared with this.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolchain.board import Imu
from toolchain.errors import ModelError
from toolchain.int8.flatbuffer import TfliteModel, read_tflite
from toolchain.int8.network import Network, read_network
from toolchain.int8.ops.fixed_point import multiply_by_quantized_multiplier
from toolchain.ltc.decision import Decision
from toolchain.ltc.evaluate import Logits
from toolchain.ltc.modelspec import Int8Spec, ModelSpec
from toolchain.ltc.prepare import features
from toolchain.ltc.solvers import ONE_EVALUATION, TOGETHER, Slopes, rk4
from toolchain.ltc.step import drive, model_dt, rate_tables, rate_unit, solver, timing
from toolchain.recordings.codes import to_codes
from toolchain.recordings.recording import Recording

Int8s = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float32]
Observer = Callable[[int, Int8s, Int8s, Int8s, Int8s, Int8s], None]
"""Told (step, x_q, h_q, f, z, y) of all streams after every right-hand side (RK4 has four a step); rows are streams."""

LIMIT = 127
"""x and h are clamped to +-LIMIT, so that a packed multiplication on the device cannot overflow."""
_EXACT_IN_FLOAT32 = 2**24
_TOGETHER = 64


@dataclass(frozen=True)
class Trace:
    """Every sample of one stream (T, ...) or of B streams (B, T, ...).

    ``x_q`` int8 (..., 6); ``y`` int8 (..., outputs); ``winner`` uint8; ``margin`` int32; ``fired`` bool; ``delta_us``
    uint32; ``reset`` bool; ``state_crc`` uint32, zlib's CRC-32 of the state's bytes after the step; ``state`` float32
    (..., states) after the step, or None if it was not asked for.
    """

    x_q: Int8s
    y: Int8s
    winner: npt.NDArray[np.uint8]
    margin: npt.NDArray[np.int32]
    fired: npt.NDArray[np.bool_]
    delta_us: npt.NDArray[np.uint32]
    reset: npt.NDArray[np.bool_]
    state_crc: npt.NDArray[np.uint32]
    state: Floats | None


class Int8RightHandSide:
    """All FULLY_CONNECTED and TANH of the network in one matrix product and two look-ups; exact.

    The columns are the drives of all layers, then the gates, then the logits. The product is done in floating point,
    which is exact as long as no partial sum can leave the format's integers.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        states = network.states
        matrix = np.zeros((network.inputs + states, 2 * states + network.outputs))
        parts = []
        source, start = slice(0, network.inputs), 0
        for layer, units in zip(network.layers, network.units, strict=True):
            own = slice(network.inputs + start, network.inputs + start + units)
            width = source.stop - source.start
            drive, gate = slice(start, start + units), slice(states + start, states + start + units)
            matrix[source, drive] = layer.drive.weights[:, :width].T
            matrix[own, drive] = layer.drive.weights[:, width:].T
            matrix[source, gate] = layer.gate.weights.T
            parts += [(drive, layer.drive), (gate, layer.gate)]
            source, start = own, start + units
        head = slice(2 * states, 2 * states + network.outputs)
        matrix[source, head] = network.head.weights.T
        parts.append((head, network.head))

        exact = np.abs(matrix).sum(axis=0).max() * 128 < _EXACT_IN_FLOAT32
        self._matrix = matrix.astype(np.float32 if exact else np.float64)
        columns = np.zeros((4, matrix.shape[1]), np.int64)
        for place, dense in parts:
            columns[0, place] = dense.bias
            columns[1:, place] = np.array([[dense.multiplier], [dense.shift], [dense.output_zero_point]])
        self._bias, self._multiplier, self._shift, self._zero_point = columns
        self._tanh = np.concatenate([layer.tanh for layer in network.layers])
        self.table_row = np.repeat(np.arange(len(network.layers)) * 256, network.units) + 128
        """Add an int8 to its unit's entry to index tables of 256 per layer laid end to end."""

    def __call__(self, x: Int8s, h: Int8s) -> tuple[Int8s, Int8s, Int8s]:
        """Return (f, z, y), int8 (B, states), (B, states), (B, outputs), for x (B, inputs) and h (B, states)."""
        states = self.network.states
        product = np.concatenate([x, h], axis=1).astype(self._matrix.dtype) @ self._matrix
        scaled = multiply_by_quantized_multiplier(product.astype(np.int64) + self._bias, self._multiplier, self._shift)
        q = np.clip(scaled + self._zero_point, -128, 127)
        out = q.astype(np.int8)
        return self._tanh[q[:, :states] + self.table_row], out[:, states : 2 * states], out[:, 2 * states :]


class Int8Reference:
    """The device's whole step for one model."""

    def __init__(self, spec: ModelSpec, tflite: bytes | TfliteModel) -> None:
        """Raise ModelError if ``tflite`` is not the right-hand side that ``spec`` describes."""
        model = read_tflite(tflite) if isinstance(tflite, bytes) else tflite
        self.spec = spec
        self.network = read_network(model)
        self._int8 = matching_int8(spec, self.network)
        self.rhs = Int8RightHandSide(self.network)
        self._rates = rate_tables(spec).reshape(-1)
        self._inv_scale = np.float32(1.0 / self._int8.state_scale)
        self._rate_unit = rate_unit(spec)
        self._parts = _parts(self.network.units)

    def prepare(
        self, codes: npt.NDArray[np.integer], delta_us: npt.NDArray[np.integer], reset: npt.NDArray[np.bool_]
    ) -> Int8s:
        """IMU codes (..., T, 6) and their timing (..., T) to the int8 input (..., T, inputs) (docs/SPEC.md, 2.2)."""
        multiplier = np.array(self._int8.prepare_multiplier, np.int32)
        prepared = features(codes, delta_us, reset, self.spec.preparation)
        scaled = (prepared * multiplier + 32768) >> 16
        return np.clip(scaled, -LIMIT, LIMIT).astype(np.int8)

    def quantize_state(self, h: Floats) -> Int8s:
        """Float32 states to int8 (docs/SPEC.md, 2.3)."""
        return np.clip(np.rint(h * self._inv_scale), -LIMIT, LIMIT).astype(np.int8)

    def integrate(
        self,
        x_q: Int8s,
        dt: Floats,
        reset: npt.NDArray[np.bool_],
        *,
        keep_state: bool = False,
        state_crc: npt.NDArray[np.uint32] | None = None,
        observe: Observer | None = None,
    ) -> tuple[Int8s, Floats | None]:
        """Run B streams from rest: ``x_q`` (B, T, inputs), ``dt`` (B, T) in model time, ``reset`` (B, T).

        Returns the logits int8 (B, T, outputs) and, if ``keep_state``, the states (B, T, states) after each step;
        fills ``state_crc`` (B, T) if given. A sample with dt 0 leaves a state at rest, so streams of unequal length
        are padded in front.
        """
        streams, length = dt.shape
        h = np.zeros((streams, self.network.states), np.float32)
        y = np.empty((streams, length, self.network.outputs), np.int8)
        states = np.empty((*dt.shape, self.network.states), np.float32) if keep_state else None
        any_reset: npt.NDArray[np.bool_] = np.asarray(reset.any(axis=0))
        for t in range(length):
            if any_reset[t]:
                h[reset[:, t]] = 0.0
            y[:, t], h = self._step(t, x_q[:, t], h, dt[:, t, None], observe)
            if states is not None:
                states[:, t] = h
            if state_crc is not None:
                state_crc[:, t] = [zlib.crc32(row.tobytes()) for row in h.astype("<f4", copy=False)]
        return y, states

    def _step(self, t: int, x: Int8s, h: Floats, dt: Floats, observe: Observer | None) -> tuple[Int8s, Floats]:
        """Return the logits, which read ``h`` (B, states), and the states after the step (docs/SPEC.md, 2.3 to 2.5)."""

        def evaluate(state: Floats) -> tuple[Int8s, Slopes]:
            h_q = self.quantize_state(state)
            f, z, y = self.rhs(x, h_q)
            if observe is not None:
                observe(t, x, h_q, f, z, y)
            return y, (drive(f), self._rates[z + self.rhs.table_row])

        y, slopes = evaluate(h)
        if self.spec.solver == "rk4":
            return y, rk4(h, slopes, lambda stage: evaluate(stage)[1], dt)
        if self.spec.solver == "semi_implicit":
            return y, self.semi_implicit(h, *slopes, dt)
        return y, ONE_EVALUATION[self.spec.solver](h, *slopes, dt)

    def semi_implicit(self, h: Floats, g: Floats, rate: Floats, dt: Floats) -> Floats:
        """States (B, states) a step later: drive ``g`` and ``rate`` (B, states), ``dt`` (B, 1) in model time."""
        parts = [solver(h[:, part], g[:, part], rate[:, part], dt, self._rate_unit) for part in self._parts]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    def run(self, codes: npt.NDArray[np.integer], t_us: npt.NDArray[np.integer], *, keep_state: bool = False) -> Trace:
        """Every sample of IMU codes (T, 6) with stamps (T,), or of B streams (B, T, 6) with stamps (T,) or (B, T).

        Every stream starts from rest. Raises ModelError if the spec has no decision yet.
        """
        if self.spec.decision is None:
            raise ModelError("model.json holds no decision parameters.", "Run `tinyltc convert` first.")
        single = codes.ndim == 2
        batch = codes[None] if single else codes
        stamps = np.broadcast_to(t_us, batch.shape[:2])
        when = [timing(row, self.spec) for row in stamps]
        delta = np.stack([w.delta_us for w in when])
        reset = np.stack([w.reset for w in when])
        x_q = self.prepare(batch, delta, reset)
        crc = np.empty(delta.shape, np.uint32)
        y, states = self.integrate(x_q, model_dt(delta, self.spec), reset, keep_state=keep_state, state_crc=crc)
        made = [
            Decision(self.spec.decision, self.network.outputs).run(*rows)
            for rows in zip(y, stamps, delta, reset, strict=True)
        ]

        def part(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
            return values[0] if single else values

        return Trace(
            x_q=part(x_q),
            y=part(y),
            winner=part(np.stack([decisions.winner for decisions in made])),
            margin=part(np.stack([decisions.margin for decisions in made])),
            fired=part(np.stack([decisions.fired for decisions in made])),
            delta_us=part(delta),
            reset=part(reset),
            state_crc=part(crc),
            state=None if states is None else part(states),
        )

    def logits(self, imu: Imu) -> Logits:
        """Return the function that toolchain.ltc.evaluate takes: recordings to int8 logits (T, outputs) each."""

        def logits(recordings: Sequence[Recording]) -> list[npt.NDArray[np.integer]]:
            result: list[npt.NDArray[np.integer]] = [np.empty(0, np.int8)] * len(recordings)
            order = np.argsort([len(recording.t_us) for recording in recordings], kind="stable")
            for first in range(0, len(order), _TOGETHER):
                chosen = order[first : first + _TOGETHER].tolist()
                y, _ = self.integrate(*self.padded([recordings[index] for index in chosen], imu))
                for row, index in enumerate(chosen):
                    result[index] = y[row, -len(recordings[index].t_us) :]
            return result

        return logits

    def padded(self, recordings: Sequence[Recording], imu: Imu) -> tuple[Int8s, Floats, npt.NDArray[np.bool_]]:
        """Return (x_q, dt, reset) of recordings of any length, padded in front with samples that change nothing."""
        longest = max(len(recording.t_us) for recording in recordings)
        x_q = np.zeros((len(recordings), longest, self.network.inputs), np.int8)
        dt = np.zeros((len(recordings), longest), np.float32)
        reset = np.zeros((len(recordings), longest), bool)
        for row, recording in enumerate(recordings):
            when = timing(recording.t_us, self.spec)
            length = len(recording.t_us)
            x_q[row, -length:] = self.prepare(to_codes(recording.samples, imu), when.delta_us, when.reset)
            dt[row, -length:] = model_dt(when.delta_us, self.spec)
            reset[row, -length:] = when.reset
        return x_q, dt, reset


def _parts(units: Sequence[int]) -> list[slice]:
    """States that a solver may take as one layer: divisions are shared within a layer, by whole groups of units."""
    if all(width % TOGETHER == 0 for width in units[:-1]):
        return [slice(None)]
    ends = np.cumsum(units).tolist()
    return [slice(end - width, end) for end, width in zip(ends, units, strict=True)]


def int8_spec(spec: ModelSpec, network: Network) -> Int8Spec:
    """Describe ``network`` for model.json. Raises ModelError if an input gain does not fit the integer arithmetic."""
    multipliers = [round(gain * 65536 / network.state_scale) for gain in spec.input_gain]
    for channel, multiplier in enumerate(multipliers):
        if not 1 <= multiplier <= 32767:
            raise ModelError(
                f"Input gain {spec.input_gain[channel]:.4g} of input {channel} needs the multiplier {multiplier}, "
                "expected 1 to 32767.",
                "Choose another input gain or IMU range.",
            )
    return Int8Spec(
        state_scale=network.state_scale,
        z_scale=[layer.gate.output_scale for layer in network.layers],
        z_zero_point=[layer.gate.output_zero_point for layer in network.layers],
        y_scale=network.head.output_scale,
        y_zero_point=network.head.output_zero_point,
        prepare_multiplier=multipliers,
    )


def matching_int8(spec: ModelSpec, network: Network) -> Int8Spec:
    """Return ``spec.int8`` if it and the topology are those of ``network``; else raise ModelError."""
    hint = "Convert the run again: `tinyltc convert`."
    if spec.int8 is None:
        raise ModelError("model.json holds no int8 parameters.", hint)
    shape = (network.inputs, network.units, network.outputs)
    if shape != (spec.inputs, spec.units, len(spec.classes)):
        expected = (spec.inputs, spec.units, len(spec.classes))
        raise ModelError(f"The .tflite has (inputs, units, outputs) {shape}, model.json says {expected}.", hint)
    if spec.int8 != int8_spec(spec, network):
        raise ModelError("The scales in model.json are not those of the .tflite.", hint)
    return spec.int8
