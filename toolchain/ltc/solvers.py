"""One step of dh/dt = g - r h by each solver (docs/SPEC.md, 2.5), and the time steps for which it is stable.

``g`` is the drive f in model units, ``r`` = 1/tau. Every line is one operation on its arrays in the order that SPEC
gives, so float32 arrays give the bits of the device (whose semi-implicit step is in :mod:`toolchain.ltc.step`: it has
integers in its leak, and divides for several units at once). Semi-implicit: implicit in the leak, explicit in the
drive.
Exponential: exact for a drive and a rate that are frozen over the step (Hochbruck and Ostermann, "Exponential
integrators", Acta Numerica 19, 2010). RK4: the classical method of Kutta, four right-hand sides a step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from toolchain.errors import ModelError

Solver = Literal["semi_implicit", "exponential", "euler", "rk4"]
SOLVERS: tuple[Solver, ...] = get_args(Solver)
TRAINED_THROUGH: dict[Solver, Solver] = {solver: "exponential" if solver == "rk4" else solver for solver in SOLVERS}
"""The solver of the network in training. Four stages couple all layers, which the scan of one layer at a time cannot
do; the exponential solver follows the same solution."""
STABLE_UP_TO: dict[Solver, float] = {"euler": 1.999, "rk4": 2.785}
"""Largest dt * r. The edges are 2 and 2.78529 (Hairer and Wanner, Solving ODEs II, IV.2); what is missing is left to
float32's rounding. Within them a bounded drive gives a bounded state, also where r changes between RK4's stages."""

COUNTED_UP_TO = 510.0
"""Largest dt * r of the semi-implicit solver, which is stable for any: beyond it the device's integers end. A gap of so
many of the shortest time constants has forgotten everything; let it reset the state instead."""
TOGETHER = 8
"""Units of a layer that share one division on the device."""

Array = npt.NDArray[Any]
Slopes = tuple[Array, Array]
"""(g, r) at some state."""

_LOG2_E = np.float32(1.4426950408889634)
_LN2_HIGH = np.float32(0.693359375)
"""ln 2 in ten bits, so that products with the small whole numbers met here are exact (Cody and Waite, 1980)."""
_LN2_LOW = np.float32(-2.12194440e-4)
_ROUNDER = np.float32(12582912.0)
"""1.5 * 2**23: adding it rounds to a whole number, half to even."""
_ROUNDER_BITS = 0x4B400000
_SATURATED = np.float32(32.0)
"""From here on 1 - exp(-t) is 1."""
_REMAINDER = tuple(
    np.float32(float.fromhex(text))
    for text in ("0x1p-1", "-0x1.5554aep-3", "0x1.555486p-5", "-0x1.12287ep-7", "0x1.6d99bep-10")
)
"""(s - 1 + exp(-s)) / s**2 on |s| <= ln 2 / 2, lowest power first: largest error 1.4e-8 of 1 - exp(-s)."""


def one_minus_exp(t: Array) -> Array:
    """Return ``1 - exp(-t)`` for float32 t >= 0, in float32 operations alone; 1.0e-7 relative (docs/SPEC.md, 2.7).

    With t = n ln 2 + s and Q = 1 - exp(-s), it is (1 - 2**-n) + 2**-n Q: nothing cancels, however small t is.
    """
    t = np.minimum(t, _SATURATED)
    rounded = t * _LOG2_E + _ROUNDER
    n = rounded - _ROUNDER
    s = t - n * _LN2_HIGH
    s = s - n * _LN2_LOW
    remainder = np.full_like(s, _REMAINDER[-1])
    for coefficient in _REMAINDER[-2::-1]:
        remainder = remainder * s + coefficient
    q = s - s * s * remainder
    whole = np.asarray(rounded, np.float32).view(np.int32) - np.int32(_ROUNDER_BITS)
    power = ((np.int32(127) - whole) << np.int32(23)).view(np.float32)
    return np.asarray((np.float32(1.0) - power) + power * q)


def reciprocals(d: Array) -> Array:
    """``1 / d``, with one division for TOGETHER neighbours of the last axis, a last group being filled up with ones.

    Of a pair, p = d0 d1 and w = 1 / p give 1 / d0 = w d1 and 1 / d1 = w d0; of more, the products of pairs are inverted
    in the same way first (P. L. Montgomery, Speeding the Pollard and Elliptic Curve Methods of Factorization, Math.
    Comp. 48, 1987, 10.3.1). Good to 4e-7 in float32 while the product of a group is a normal number.
    """
    width = d.shape[-1]
    whole = np.ones((*d.shape[:-1], -(-width // TOGETHER) * TOGETHER), d.dtype)
    whole[..., :width] = d
    return np.asarray(_inverted(whole.reshape(*d.shape[:-1], -1, TOGETHER)).reshape(whole.shape)[..., :width])


def _inverted(group: Array) -> Array:
    """1 / d over a last axis of a power of two, with one division."""
    if group.shape[-1] == 1:
        return np.asarray(np.float32(1.0) / group)
    pairs = group.reshape(*group.shape[:-1], -1, 2)
    inverse = _inverted(pairs[..., 0] * pairs[..., 1])
    return np.asarray((inverse[..., None] * pairs[..., ::-1]).reshape(group.shape))


def semi_implicit(h: Array, g: Array, r: Array, dt: Array) -> Array:
    """``h' = (h + dt g) / (1 + dt r)``: stable for every dt."""
    decay = 1.0 / (1.0 + dt * r)
    return np.asarray(decay * (h + dt * g))


def exponential(h: Array, g: Array, r: Array, dt: Array) -> Array:
    """``h' = h + dt phi(dt r) (g - r h)``, ``phi(t) = (1 - exp(-t)) / t``, float32: stable for every dt."""
    weight = one_minus_exp(dt * r) / r
    return np.asarray(h + weight * slope(h, (g, r)))


def euler(h: Array, g: Array, r: Array, dt: Array) -> Array:
    """``h' = h + dt (g - r h)``."""
    return np.asarray(h + dt * slope(h, (g, r)))


ONE_EVALUATION: dict[Solver, Callable[[Array, Array, Array, Array], Array]] = {
    "semi_implicit": semi_implicit,
    "exponential": exponential,
    "euler": euler,
}
"""The solvers that need the right-hand side at the step's start alone: (h, g, r, dt) give h'."""


def rk4(h: Array, first: Slopes, at: Callable[[Array], Slopes], dt: Array) -> Array:
    """Return the state a step later; ``first`` is (g, r) at ``h``, and ``at`` gives it at the three stage states."""
    half = dt * 0.5
    k = slope(h, first)
    total = k
    for _ in range(2):
        stage = h + half * k
        k = slope(stage, at(stage))
        total = total + (k + k)
    stage = h + dt * k
    total = total + slope(stage, at(stage))
    sixth = dt * (1.0 / 6.0)
    return np.asarray(h + sixth * total)


def slope(h: Array, at: Slopes) -> Array:
    """``g - r h``."""
    g, r = at
    return np.asarray(g - r * h)


def require_stable(solver: Solver, rate: float, time_scale: float, dt_max_us: int, period_us: int) -> None:
    """Raise ModelError if ``solver`` is unstable or leaves the device's integers at the longest step, largest rate.

    ``rate`` is 1/tau in 1/model time.

    ``time_scale``: model time per second. The longest step is ``dt_max_us``, or the sampling period if that is longer.
    """
    limit = COUNTED_UP_TO if solver == "semi_implicit" else STABLE_UP_TO.get(solver)
    longest = max(dt_max_us, period_us)
    per_us = np.float32(time_scale * 1e-6)
    reached = np.float32(longest) * per_us * np.float32(rate)
    if limit is None or reached <= np.float32(limit):
        return
    bound_us = int(limit / (rate * float(per_us)))
    stable = solver not in STABLE_UP_TO
    others = "choose solver exponential" if stable else "choose solver semi_implicit or exponential"
    if bound_us >= period_us:
        hint = (
            f"Set [model] dt_max_s to at most {bound_us * 1e-6:.6f}, lower time_scale, raise tau_epsilon, or {others}."
        )
    else:
        slower = time_scale * bound_us / period_us
        hint = (
            f"A sample alone takes {period_us / 1000:g} ms: with the same tau, time_scale may be {slower:.3g} at most; "
            f"lower it and dt_max_s, raise tau_epsilon, or {others}."
        )
    fault = "cannot count so far" if stable else "is unstable"
    raise ModelError(
        f"Solver '{solver}' {fault} for this model: dt/tau reaches {reached:.6g} with steps of up to "
        f"{longest / 1000:g} ms and a smallest tau of {1000 / (rate * time_scale):.3g} ms, and must stay within "
        f"{limit:g}, which is {bound_us / 1000:.3f} ms.",
        hint,
    )
