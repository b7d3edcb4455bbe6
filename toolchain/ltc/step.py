"""The reference of one step (docs/SPEC.md, section 2), in numpy float32: time, solver, rates and the float network.

The network is the liquid time-constant cell of Hasani et al., "Liquid Time-constant Networks" (AAAI 2021) with a
time constant that depends on the input alone: ``dh/dt = -h/tau(in) + f``, ``f = tanh(W [in, h] + b)``,
``tau = softplus(V in + c) + tau_epsilon``. One semi-implicit step (implicit in the leak, explicit in the drive)
is ``h' = A (h + dt f)``, ``A = 1/(1 + dt/tau)``: stable for every dt, and ``|h| <= max(tau)`` since ``|f| <= 1``.
Every layer and the head read the states before the step. The other solvers stand in :mod:`toolchain.ltc.solvers`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toolchain.ltc.modelspec import ModelSpec
from toolchain.ltc.prepare import features
from toolchain.ltc.solvers import ONE_EVALUATION, Solver, reciprocals, require_stable, rk4
from toolchain.ltc.weights import Floats, Weights

RATE_STEPS = 1 << 16
"""A rate is 1 to RATE_STEPS units of the model."""
RATE_ZERO = (1 << 15) + 1
"""A rate of so many units is stored as int16 0."""
DIVISOR_BITS = 22
_DRIVE_LSB = np.float32(0.0078125)
"""f = q / 128 (docs/SPEC.md, 2.4)."""


def drive(f_q: npt.NDArray[np.int8]) -> Floats:
    """Return the int8 drive in model units: float32, exact."""
    return f_q.astype(np.float32) * _DRIVE_LSB


def solver(h: Floats, g: Floats, rate: Floats, dt: Floats | np.float32, unit: float) -> Floats:
    """One step of the semi-implicit solver, bit for bit as on the device (docs/SPEC.md, 2.5).

    ``h`` float32 states in model units, the last axis that of one layer's units (or of layers whose widths are
    multiples of TOGETHER); ``g`` float32 drive; ``rate`` float32 1/tau in whole ``unit``; ``dt`` float32 model time,
    broadcast against them.
    """
    dt = np.asarray(dt, np.float32)
    decay = reciprocals(divisors(rate, dt, unit))
    return np.asarray(decay * (h + dt * g), np.float32)


def divisors(rate: Floats, dt: Floats, unit: float) -> Floats:
    """Return 1 + dt * rate as the device has it: 2**22 * (1 + dt * rate) is computed in integers, then rounded."""
    time = (dt * np.float32(unit * 2.0 ** (DIVISOR_BITS + 16))).astype(np.int64)
    entry = (rate / np.float32(unit)).astype(np.int64) - RATE_ZERO
    least = (1 << DIVISOR_BITS) + ((time * RATE_ZERO) >> 16)
    return (least + ((time * entry) >> 16)).astype(np.float32) * np.float32(2.0**-DIVISOR_BITS)


def softplus(z: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """``log(1 + exp(z))`` without overflow, in the precision of ``z``."""
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def rate_table(z_scale: float, z_zero_point: int, tau_epsilon: float) -> npt.NDArray[np.float64]:
    """Return 1/tau for every int8 pre-time-constant z: (256,), indexed by z + 128 (docs/SPEC.md, 2.5)."""
    z = (np.arange(-128, 128, dtype=np.float64) - z_zero_point) * z_scale
    return np.asarray(1.0 / (softplus(z) + tau_epsilon))


def _exact_rates(spec: ModelSpec) -> npt.NDArray[np.float64]:
    if spec.int8 is None:
        raise ValueError("the spec has no int8 part")
    pairs = zip(spec.int8.z_scale, spec.int8.z_zero_point, strict=True)
    return np.stack([rate_table(scale, zero, spec.tau_epsilon) for scale, zero in pairs])


def rate_unit(spec: ModelSpec) -> float:
    """Return what the device counts rates in: the smallest power of two of which RATE_STEPS reach the largest rate."""
    return float(2.0 ** np.ceil(np.log2(_exact_rates(spec).max() / RATE_STEPS)))


def rate_tables(spec: ModelSpec) -> Floats:
    """Return the tables of all layers, float32 (layers, 256), in whole units; the spec must hold its int8 part."""
    unit = rate_unit(spec)
    steps = np.clip(np.rint(_exact_rates(spec) / unit), 1, RATE_STEPS)
    return np.asarray(steps * unit, np.float32)


def require_stable_rates(spec: ModelSpec) -> None:
    """Raise ModelError if the spec's solver is unstable with the largest rate that the device can look up."""
    # The semi-implicit solver must not leave its integers for any rate that a table can hold.
    reach = RATE_STEPS * rate_unit(spec)
    rate = reach if spec.solver == "semi_implicit" else float(rate_tables(spec).max())
    require_stable(spec.solver, rate, spec.time_scale, spec.dt_max_us, spec.period_us)


@dataclass(frozen=True)
class Timing:
    """What the stamps of T samples say.

    ``delta_us`` uint32 (T,) to integrate over; ``reset`` bool (T,): the state starts again before this sample;
    ``gap_resets``: how many of these a stamp caused (the first sample of all is not one).
    """

    delta_us: npt.NDArray[np.uint32]
    reset: npt.NDArray[np.bool_]
    gap_resets: int


def timing(t_us: npt.NDArray[np.integer], spec: ModelSpec, last_us: int | None = None) -> Timing:
    """Apply the rule of docs/SPEC.md, 2.1, to stamps in microseconds (T,).

    ``last_us`` is the stamp of the sample before; None: there was none.
    """
    stamps = np.asarray(t_us).astype(np.uint64)
    before = np.empty_like(stamps)
    before[1:] = stamps[:-1]
    if len(stamps):
        before[0] = stamps[0] if last_us is None else last_us
    # A stamp that goes back wraps to a huge difference, so one comparison finds it together with the gaps.
    delta = stamps - before
    reset = (delta > np.uint64(spec.dt_max_us)) | (delta == 0)
    gaps = int(reset.sum()) - int(len(stamps) > 0 and last_us is None)
    return Timing(np.where(reset, np.uint64(spec.period_us), delta).astype(np.uint32), reset, gaps)


def dt_per_us(spec: ModelSpec) -> np.float32:
    """Model time per microsecond as the device holds it."""
    return np.float32(spec.time_scale * 1e-6)


def model_dt(delta_us: npt.NDArray[np.integer], spec: ModelSpec) -> Floats:
    """Return dt in model time: float32, the shape of ``delta_us``."""
    return np.asarray(delta_us).astype(np.uint32).astype(np.float32) * dt_per_us(spec)


def network_input(codes: npt.NDArray[np.integer], when: Timing, spec: ModelSpec) -> Floats:
    """Return the network's float input (T, inputs) for one recording's IMU codes (T, 6) and its timing."""
    return float_input(features(codes, when.delta_us, when.reset, spec.preparation), spec)


def float_input(prepared: npt.NDArray[np.integer], spec: ModelSpec) -> Floats:
    """Return the float input for prepared integers (..., inputs): gain per input, then the clip."""
    gain = np.asarray(spec.input_gain, np.float32)
    clip = np.float32(spec.input_clip)
    return np.clip(prepared.astype(np.float32) * gain, -clip, clip)


class FloatNetwork:
    """The float step on float weights, over any number of streams at once."""

    def __init__(self, weights: Weights, tau_epsilon: float, solver: Solver = "semi_implicit") -> None:
        self.weights = weights
        self._epsilon = np.float32(tau_epsilon)
        self._solver: Solver = solver

    def start(self, streams: int) -> list[Floats]:
        """Return the zero state: per layer float32 (streams, units)."""
        return [np.zeros((streams, units), np.float32) for units in self.weights.units]

    def step(self, x: Floats, state: list[Floats], dt: Floats) -> tuple[list[Floats], Floats]:
        """One sample: ``x`` (N, inputs), ``state`` per layer (N, units), ``dt`` (N,) model time.

        Returns the new state and the logits (N, outputs); all of them read the state before the step.
        """
        dt = dt[:, None]
        slopes = self._slopes(x, state)
        if self._solver == "rk4":
            after = self._rk4(x, state, slopes, dt)
        else:
            advance = ONE_EVALUATION[self._solver]
            after = [advance(h, f, rate, dt) for h, (f, rate) in zip(state, slopes, strict=True)]
        return after, state[-1] @ self.weights.u + self.weights.d

    def _slopes(self, x: Floats, state: list[Floats]) -> list[tuple[Floats, Floats]]:
        """Return per layer (f, 1/tau) at ``state``, (N, units) each."""
        result = []
        for layer, source, h in zip(self.weights.layers, [x, *state[:-1]], state, strict=True):
            f = np.tanh(np.concatenate([source, h], axis=1) @ layer.w + layer.b)
            tau = softplus(source @ layer.v + layer.c) + self._epsilon
            result.append((f, np.float32(1.0) / tau))
        return result

    def _rk4(self, x: Floats, state: list[Floats], slopes: list[tuple[Floats, Floats]], dt: Floats) -> list[Floats]:
        """All layers side by side: each reads the stage state of the one below."""
        borders = np.cumsum(self.weights.units)[:-1]

        def joined(parts: list[tuple[Floats, Floats]]) -> tuple[Floats, Floats]:
            f, rates = (np.concatenate(part, axis=1) for part in zip(*parts, strict=True))
            return f, rates

        def at(stage: Floats) -> tuple[Floats, Floats]:
            return joined(self._slopes(x, np.split(stage, borders, axis=1)))

        return np.split(rk4(np.concatenate(state, axis=1), joined(slopes), at, dt), borders, axis=1)

    def run(
        self, x: Floats, dt: Floats, reset: npt.NDArray[np.bool_] | None = None, state: list[Floats] | None = None
    ) -> tuple[Floats, list[Floats]]:
        """All samples of N streams: ``x`` (N, T, inputs), ``dt`` (N, T); ``reset`` (N, T) zeroes a state before a step.

        Returns the logits (N, T, outputs) and the last state. A sample with dt 0 leaves its state as it is, so
        streams of unequal length can be padded in front.
        """
        state = self.start(len(x)) if state is None else state
        logits = np.empty((*dt.shape, len(self.weights.d)), np.float32)
        for t in range(dt.shape[1]):
            if reset is not None and reset[:, t].any():
                keep = ~reset[:, t, None]
                state = [h * keep for h in state]
            state, logits[:, t] = self.step(x[:, t], state, dt[:, t])
        return logits, state

    def run_codes(
        self, codes: npt.NDArray[np.integer], t_us: npt.NDArray[np.integer], spec: ModelSpec
    ) -> tuple[Floats, Timing]:
        """One recording from h = 0: IMU codes (T, 6) and stamps (T,) give the logits (T, outputs) and its timing."""
        when = timing(t_us, spec)
        dt = model_dt(when.delta_us, spec)
        logits, _ = self.run(network_input(codes, when, spec)[None], dt[None], when.reset[None])
        return logits[0], when
