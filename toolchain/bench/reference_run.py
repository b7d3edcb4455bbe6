"""A network to measure without training one: seeded random weights in the shape that is asked for.

Cycles hang on the shape, not on what the weights are; the scales are chosen so that sums use the int8 range.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from toolchain.board import Board
from toolchain.files import write_bytes
from toolchain.int8.flatbuffer import Operator, Tensor, TfliteModel, read_tflite
from toolchain.int8.flatbuffer_writer import write_tflite
from toolchain.int8.graph import with_shared_rates
from toolchain.int8.network import canonical, input_names, output_names, read_network
from toolchain.int8.reference import int8_spec
from toolchain.ltc.modelspec import DecisionSpec, ModelSpec, save_spec
from toolchain.ltc.prepare import CHANNELS, Preparation, inputs_of
from toolchain.project import project_for_data
from toolchain.runs import Run

UNITS = (64, 64)
OUTPUTS = 5
"""The reference shape: 6 inputs, 17,472 multiplications a right-hand side."""
SEED = 1
STATE_SCALE = 1.0 / 64
_TYPICAL = 74.0
"""Root mean square of a uniform int8."""


class _Graph:
    """Collects the tensors and operators of a right-hand side (docs/SPEC.md, 2.4)."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.tensors: list[Tensor] = []
        self.operators: list[Operator] = []

    def tensor(self, width: int, scale: float, zero_point: int = 0) -> int:
        """Add a computed int8 tensor (1, width)."""
        index = len(self.tensors)
        self.tensors.append(Tensor(index, f"t{index}", (1, width), "INT8", (float(np.float32(scale)),), (zero_point,)))
        return index

    def operator(self, name: str, inputs: tuple[int, ...], output: int, axis: int | None = None) -> int:
        """Add an operator; return its output."""
        self.operators.append(Operator(len(self.operators), name, 1, inputs, (output,), "NONE", axis))
        return output

    def concatenation(self, parts: tuple[int, ...]) -> int:
        """Join tensors of one scale."""
        joined = self.tensor(sum(self.tensors[part].shape[1] for part in parts), STATE_SCALE)
        return self.operator("CONCATENATION", parts, joined, axis=1)

    def dense(self, source: int, rows: int) -> int:
        """Add a FULLY_CONNECTED with random weights whose outputs use most of int8."""
        width = self.tensors[source].shape[1]
        out_scale = self.rng.uniform(0.01, 0.03)
        weight_scale = float(np.float32(out_scale * 50.0 / (_TYPICAL**2 * STATE_SCALE * np.sqrt(width))))
        weights = self.rng.integers(-127, 128, (rows, width)).astype(np.int8)
        bias = self.rng.integers(-8000, 8000, rows).astype(np.int32)
        first = len(self.tensors)
        bias_scale = float(np.float32(np.float32(STATE_SCALE) * np.float32(weight_scale)))
        self.tensors += [
            Tensor(first, f"t{first}", (rows, width), "INT8", (weight_scale,), (0,), 0, weights),
            Tensor(first + 1, f"t{first + 1}", (rows,), "INT32", (bias_scale,), (0,), 0, bias),
        ]
        output = self.tensor(rows, out_scale, int(self.rng.integers(-30, 31)))
        return self.operator("FULLY_CONNECTED", (source, first, first + 1), output)


def right_hand_side(units: tuple[int, ...], outputs: int, seed: int, inputs: int = CHANNELS) -> bytes:
    """Return the .tflite of a random right-hand side: ``inputs``, layers of ``units``, ``outputs`` logits."""
    graph = _Graph(seed)
    widths = (inputs, *units)
    named = {
        name: graph.tensor(width, STATE_SCALE) for name, width in zip(input_names(len(units)), widths, strict=True)
    }
    source = named["x"]
    for layer, width in enumerate(units, 1):
        drive = graph.dense(graph.concatenation((source, named[f"h{layer}"])), width)
        named[f"f{layer}"] = graph.operator("TANH", (drive,), graph.tensor(width, 1.0 / 128))
        named[f"z{layer}"] = graph.dense(source, width)
        source = named[f"h{layer}"]
    named["y"] = graph.dense(source, outputs)
    tensors = list(graph.tensors)
    for name in input_names(len(units)):
        # The names are what tells the inputs apart.
        old = tensors[named[name]]
        tensors[named[name]] = Tensor(old.index, name, old.shape, old.type, old.scales, old.zero_points)
    model = TfliteModel(
        tuple(tensors),
        tuple(graph.operators),
        tuple(named[name] for name in input_names(len(units))),
        tuple(named[name] for name in output_names(len(units))),
    )
    return write_tflite(with_shared_rates(canonical(model)))


def write_reference_run(
    folder: Path,
    board: Board,
    units: tuple[int, ...] = UNITS,
    outputs: int = OUTPUTS,
    seed: int = SEED,
    preparation: Preparation = "raw",
) -> Run:
    """Write model.json, model.tflite and project.json of a random network for ``board``, as a converted run has them.

    The longest gap is short enough for every solver to be stable (dt / tau at most 0.8).
    """
    inputs = inputs_of(preparation)
    tflite = right_hand_side(units, outputs, seed, inputs)
    spec = ModelSpec(
        classes=["none", *(f"class {index}" for index in range(1, outputs))],
        units=list(units),
        rate_hz=board.imu.rate_hz,
        period_us=board.imu.period_us,
        time_scale=40.0,
        dt_max_us=20_000,
        acc_lsb=board.imu.acc_lsb,
        gyro_lsb=board.imu.gyro_lsb,
        preparation=preparation,
        inputs=inputs,
        input_gain=[1e-4] * inputs,
        input_clip=127 * STATE_SCALE,
        tau_epsilon=1.0,
        decision=DecisionSpec(
            background=0,
            smoothing_us=40_000,
            confirm_us=0,
            holdoff_us=300_000,
            warmup_us=100_000,
            threshold=900,
        ),
    )
    spec = spec.model_copy(update={"int8": int8_spec(spec, read_network(read_tflite(tflite)))})
    run = Run(folder)
    run.save_project(project_for_data("wrist"))
    save_spec(run.model_json, spec)
    write_bytes(run.tflite, tflite)
    return run
