"""The fast scan of one layer: gates outside the loop, hand-written backward pass, made for XLA.

tau depends on the layer's input alone, so the input's share of the drive, and what a solver makes of tau and dt, come
from two large matrix products before the loop. Inside remains ``h = keep * h + gain * tanh(u + h W_h)``. The backward
pass keeps the loop as small: the derivatives of tanh are taken for all samples at once, and the weights' gradients are
one matrix product after the loop. Everything here is time major: (T, B, ...).
"""

from __future__ import annotations

from typing import Any

from toolchain.ltc.solvers import Solver
from toolchain.ltc.tf import tf

Tensor = Any
"""A tf.Tensor; TensorFlow carries no types."""


def scan_layer(
    source: Tensor,
    dt: Tensor,
    h: Tensor,
    w: Tensor,
    b: Tensor,
    v: Tensor,
    c: Tensor,
    epsilon: float,
    solver: Solver = "semi_implicit",
) -> Tensor:
    """All steps of one layer.

    ``source`` (T, B, m) is the layer's input at each step, ``dt`` (T, B) model time, ``h`` (B, n) the state before
    the first; weights as in docs/SPEC.md, section 7; ``solver`` as in :func:`coefficients`. Returns the states after
    each step, (T, B, n).
    """
    inputs = source.shape[-1]
    # custom_gradient wants tensors: a variable would have to be handed over as one of its `variables`.
    w = tf.convert_to_tensor(w)
    dt = dt[:, :, None]
    u = tf.tensordot(source, w[:inputs], 1) + b
    z = tf.tensordot(source, tf.convert_to_tensor(v), 1) + c
    if solver == "semi_implicit":
        decay = gate(z, dt, epsilon)
        return recurrence(u, decay, decay * dt, h, w[inputs:])
    return recurrence(u, *coefficients(solver, tf.math.softplus(z) + epsilon, dt), h, w[inputs:])


def coefficients(solver: Solver, tau: Tensor, dt: Tensor) -> tuple[Tensor, Tensor]:
    """Return (keep, gain) of ``h' = keep * h + gain * f``, shaped as ``tau``; ``dt`` is broadcast against it.

    Raises ValueError for a solver that needs the right-hand side at more than one state.
    """
    if solver == "semi_implicit":
        decay = 1.0 / (1.0 + dt / tau)
        return decay, decay * dt
    if solver == "exponential":
        return tf.exp(-dt / tau), -tf.math.expm1(-dt / tau) * tau
    if solver == "euler":
        return 1.0 - dt / tau, dt * tf.ones_like(tau)
    raise ValueError(f"a network cannot be trained through {solver}")


def gate(z: Tensor, dt: Tensor, epsilon: float) -> Tensor:
    """``keep`` of semi_implicit from ``z`` (T, B, n), of which ``tau = softplus(z) + epsilon``, and ``dt`` (T, B, 1).

    The derivative is taken together with the value, from the same exponential, and both are settled: XLA would
    otherwise work them out again, and without vector instructions, inside whatever reads them. That halves the time
    of the whole layer.
    """

    @tf.custom_gradient
    def value(z: Tensor, dt: Tensor) -> Any:
        small = tf.exp(-tf.abs(z))
        tau = tf.maximum(z, 0.0) + tf.math.log(1.0 + small) + epsilon
        inverse = 1.0 / (tau + dt)
        decay = _settled(tau * inverse)
        slope = _settled(dt * inverse * inverse * tf.where(z > 0, 1.0, small) / (1.0 + small))

        def backward(g: Tensor) -> tuple[Tensor, Tensor]:
            return g * slope, -tf.reduce_sum(g * decay * inverse, axis=-1, keepdims=True)

        return decay, backward

    return value(z, dt)


def _settled(x: Tensor) -> Tensor:
    """Return ``x`` (..., n) by way of memory: XLA fuses nothing across a matrix product, and this one is exact."""
    return tf.tensordot(x, tf.eye(x.shape[-1], dtype=x.dtype), 1)


@tf.custom_gradient
def recurrence(u: Tensor, keep: Tensor, gain: Tensor, h: Tensor, w_h: Tensor) -> Any:
    """``h_t = keep_t * h_(t-1) + gain_t * tanh(u_t + h_(t-1) w_h)`` for t = 0..T-1.

    ``u``, ``keep``, ``gain`` (T, B, n), ``h`` (B, n), ``w_h`` (n, n), all of one float type; static shapes.
    Returns all h_t, (T, B, n).
    """
    steps = u.shape[0]
    blank = tf.TensorArray(h.dtype, steps, element_shape=h.shape)

    def forward(t: Tensor, h: Tensor, states: Any) -> tuple[Tensor, Tensor, Any]:
        h = keep[t] * h + gain[t] * tf.tanh(u[t] + tf.matmul(h, w_h))
        return t + 1, h, states.write(t, h)

    _, _, written = tf.while_loop(lambda t, *_: t < steps, forward, (0, h, blank), maximum_iterations=steps)
    states = written.stack()

    def backward(g_states: Tensor) -> tuple[Tensor, ...]:
        before = shifted(h, states)
        f = tf.tanh(u + tf.tensordot(before, w_h, 1))
        through_tanh = gain * (1.0 - f * f)
        back = _settled(tf.transpose(w_h))

        def step(t: Tensor, g: Tensor, gradients: Any) -> tuple[Tensor, Tensor, Any]:
            g = g + g_states[t]
            gradients = gradients.write(t, g)
            g = g * keep[t] + tf.matmul(g * through_tanh[t], back)
            return t - 1, g, gradients

        start = (steps - 1, tf.zeros_like(h), tf.TensorArray(h.dtype, steps, element_shape=h.shape))
        _, g_h, written = tf.while_loop(lambda t, *_: t >= 0, step, start, maximum_iterations=steps)
        g = written.stack()
        g_u = g * through_tanh
        g_w = tf.tensordot(before, g_u, [[0, 1], [0, 1]])
        return g_u, g * before, g * f, g_h, g_w

    return states, backward


def shifted(h: Tensor, states: Tensor) -> Tensor:
    """Return what a reader before the update sees: ``h`` (B, n), then all of ``states`` (T, B, n) but the last."""
    return tf.concat([h[None], states[:-1]], axis=0)
