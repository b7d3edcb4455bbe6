"""onnxruntime's static post-training quantization of a step graph.

Only the matrix products of the right-hand side become int8; the solver stays in float, as it does on the device: a step
whose state is int8 throughout freezes (docs/DESIGN.md, decision 1).
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from toolchain.ltc.weights import Floats

QUANTIZED = ["Gemm"]


class _Rows(CalibrationDataReader):
    """Hands representative rows over, all at once: the ranges are those of all of them."""

    def __init__(self, samples: dict[str, Floats], dt: float) -> None:
        rows = len(samples["x"])
        self._batches: Iterator[dict[str, Floats]] = iter([samples | {"dt": np.full((rows, 1), dt, np.float32)}])

    def get_next(self) -> dict[str, Floats] | None:
        return next(self._batches, None)


def quantized(model: bytes, samples: dict[str, Floats], dt: float) -> bytes:
    """Return the step graph ``model`` with int8 products, as QuantizeLinear / DequantizeLinear.

    ``samples``: representative inputs by name, float32 (rows, width); row i of all belongs together. ``dt``: model time
    of a sample. Weights are int8 per output channel and symmetric, activations int8 per tensor by their extremes.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        root = logging.getLogger()
        before = root.level
        # It recommends shape inference as a step before, which a graph with all its shapes does not need.
        root.setLevel(logging.ERROR)
        try:
            quantize_static(
                # It takes the graph apart that it is given.
                onnx.load_from_string(model),
                path,
                _Rows(samples, dt),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=QUANTIZED,
                per_channel=True,
                activation_type=QuantType.QInt8,
                weight_type=QuantType.QInt8,
            )
        finally:
            root.setLevel(before)
        return path.read_bytes()
