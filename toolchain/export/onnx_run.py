"""A step graph in onnxruntime, with the interface of :class:`toolchain.ltc.step.FloatNetwork`."""

from __future__ import annotations

from typing import Any

import onnxruntime

from toolchain.ltc.weights import Floats


class OnnxNetwork:
    """Runs the graph of docs/SPEC.md, section 8, float or quantized, sample by sample on one core."""

    def __init__(self, model: bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session: Any = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.state_names = [one.name for one in self._session.get_inputs() if one.name not in ("x", "dt")]

    def step(self, x: Floats, state: list[Floats], dt: Floats) -> tuple[list[Floats], Floats]:
        """One sample: ``x`` (N, inputs), ``state`` per layer (N, units), ``dt`` (N,) model time.

        Returns the new state and the logits (N, outputs).
        """
        given = {"x": x, "dt": dt[:, None], **dict(zip(self.state_names, state, strict=True))}
        logits, *after = self._session.run(None, given)
        return list(after), logits
