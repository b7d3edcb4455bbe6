"""Right-hand sides of any shape, made without TensorFlow."""

from __future__ import annotations

import os

# Small matrices: threads of the linear algebra library cost more than they bring.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from toolchain.board import Board, load_board
from toolchain.int8.flatbuffer import Operator, Tensor, TfliteModel
from toolchain.int8.network import Network, input_names, output_names
from toolchain.int8.reference import int8_spec
from toolchain.ltc.modelspec import DecisionSpec, ModelSpec
from toolchain.ltc.weights import LayerWeights, Weights

MakeModel = Callable[..., TfliteModel]


class _Maker:
    """Collects tensors and operators."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.tensors: list[Tensor] = []
        self.operators: list[Operator] = []

    def tensor(self, name, shape, scale, zero_point=0, type_="INT8", data=None):
        index = len(self.tensors)
        self.tensors.append(Tensor(index, name, shape, type_, (float(np.float32(scale)),), (zero_point,), 0, data))
        return index

    def operator(self, name, inputs, output, axis=None):
        self.operators.append(Operator(len(self.operators), name, 1, inputs, (output,), "NONE", axis))

    def dense(self, name, source, rows, scale):
        """Make a FULLY_CONNECTED whose outputs fill int8 about half at random inputs."""
        width = self.tensors[source].shape[1]
        out_scale = self.rng.uniform(0.008, 0.04)
        weight_scale = out_scale * self.rng.uniform(30, 90) / (73 * 73 * scale * np.sqrt(width))
        bias_scale = float(np.float32(np.float32(scale) * np.float32(weight_scale)))
        weights = self.rng.integers(-127, 128, (rows, width)).astype(np.int8)
        bias = self.rng.integers(-8000, 8000, rows).astype(np.int32)
        w = self.tensor(f"{name}/w", (rows, width), weight_scale, data=weights)
        b = self.tensor(f"{name}/b", (rows,), bias_scale, type_="INT32", data=bias)
        out = self.tensor(name, (1, rows), out_scale, int(self.rng.integers(-60, 60)))
        self.operator("FULLY_CONNECTED", (source, w, b), out)
        return out


def _make(rng: np.random.Generator, units: list[int], outputs: int = 5, inputs: int = 6) -> TfliteModel:
    scale = float(np.float32(rng.uniform(0.01, 0.05)))
    maker = _Maker(rng)
    widths = [inputs, *units]
    named = {n: maker.tensor(n, (1, w), scale) for n, w in zip(input_names(len(units)), widths, strict=True)}
    source = named["x"]
    for layer, width in enumerate(units, 1):
        h = named[f"h{layer}"]
        joined = maker.tensor(f"joined{layer}", (1, maker.tensors[source].shape[1] + width), scale)
        maker.operator("CONCATENATION", (source, h), joined, axis=1)
        drive = maker.dense(f"drive{layer}", joined, width, scale)
        named[f"f{layer}"] = maker.tensor(f"f{layer}", (1, width), 1 / 128)
        maker.operator("TANH", (drive,), named[f"f{layer}"])
        named[f"z{layer}"] = maker.dense(f"z{layer}", source, width, scale)
        source = h
    named["y"] = maker.dense("y", source, outputs, scale)
    return TfliteModel(
        tuple(maker.tensors),
        tuple(maker.operators),
        tuple(named[name] for name in input_names(len(units))),
        tuple(named[name] for name in output_names(len(units))),
    )


@pytest.fixture(scope="session")
def make_model() -> MakeModel:
    """``make_model(rng, units, outputs=5)``: a random right-hand side as the toolchain makes them."""
    return _make


@pytest.fixture(scope="session")
def shuffled() -> Callable[[np.random.Generator, TfliteModel], TfliteModel]:
    """Permute a model's input and output lists, as a converter may."""

    def shuffle(rng: np.random.Generator, model: TfliteModel) -> TfliteModel:
        return replace(
            model,
            inputs=tuple(int(i) for i in rng.permutation(model.inputs)),
            outputs=tuple(int(i) for i in rng.permutation(model.outputs)),
        )

    return shuffle


@pytest.fixture(scope="session")
def board() -> Board:
    return load_board("nrf52840")


@pytest.fixture(scope="session")
def make_spec(board: Board) -> Callable[[list[int], int], ModelSpec]:
    """``make_spec(units, outputs)``: a spec without int8 part, as train writes it."""

    def make(units: list[int], outputs: int) -> ModelSpec:
        return ModelSpec(
            classes=[f"class{i}" for i in range(outputs)],
            units=units,
            rate_hz=board.imu.rate_hz,
            period_us=board.imu.period_us,
            time_scale=40.0,
            dt_max_us=100_000,
            acc_lsb=board.imu.acc_lsb,
            gyro_lsb=board.imu.gyro_lsb,
            input_gain=[2.4e-4] * 3 + [2.7e-4] * 3,
            input_clip=4.0,
            tau_epsilon=0.05,
        )

    return make


@pytest.fixture(scope="session")
def complete() -> Callable[[ModelSpec, Network], ModelSpec]:
    """Add the int8 part of a network and a decision to a spec."""

    def add(spec: ModelSpec, network: Network) -> ModelSpec:
        decision = DecisionSpec(
            background=0, smoothing_us=33_000, confirm_us=0, holdoff_us=300_000, warmup_us=100_000, threshold=400
        )
        return spec.model_copy(update={"int8": int8_spec(spec, network), "decision": decision})

    return add


@pytest.fixture(scope="session")
def make_weights() -> Callable[..., Weights]:
    """``make_weights(rng, units, outputs=5)``: float weights of about the size that training gives."""

    def make(rng: np.random.Generator, units: list[int], outputs: int = 5) -> Weights:
        def normal(*shape: int) -> np.ndarray:
            return (rng.normal(size=shape) / np.sqrt(shape[0])).astype(np.float32)

        layers = []
        width = 6
        for n in units:
            c = rng.uniform(-1, 3, n).astype(np.float32)
            layers.append(LayerWeights(normal(width + n, n), normal(n), normal(width, n), c))
            width = n
        return Weights(tuple(layers), normal(width, outputs), normal(outputs))

    return make
