"""Random networks of several shapes, the runs they are generated in, and signals for them."""

from __future__ import annotations

import ctypes
import io
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console

from toolchain.board import Board
from toolchain.codegen.generate import Sources, load_sources
from toolchain.codegen.hostlib import (
    Engine,
    HostRecognizer,
    RightHandSide,
    build_library,
    host_recognizer,
    load_library,
)
from toolchain.codegen.kernels import pack
from toolchain.codegen.topology import Topology
from toolchain.int8.calibration import with_full_range
from toolchain.int8.flatbuffer import read_tflite
from toolchain.int8.graph import int8_tflite
from toolchain.int8.network import input_names, read_network
from toolchain.int8.reference import Int8Reference, int8_spec
from toolchain.ltc.modelspec import DecisionSpec, ModelSpec, save_spec
from toolchain.ltc.prepare import Preparation, inputs_of
from toolchain.ltc.weights import Weights, from_arrays, shapes
from toolchain.project import project_for_data
from toolchain.runs import Run

Signal = tuple[npt.NDArray[np.int16], npt.NDArray[np.int64]]
STATE_SCALE = 0.0078125
SHAPES: dict[str, tuple[tuple[int, ...], int, Preparation]] = {
    "two": ((64, 64), 5, "raw"),
    "one": ((20,), 4, "raw"),
    "three": ((8, 16, 5), 3, "raw"),
    "difference": ((12, 9), 4, "difference"),
    "high_pass": ((10,), 3, "high_pass"),
}


@dataclass(frozen=True, eq=False)
class Made:
    """One generated run, and everything made from it."""

    run: Run
    tflm: Run
    """The same run, generated for the tflm engine."""
    board: Board
    spec: ModelSpec
    tflite: bytes
    image: bytes
    libraries: Path

    @property
    def generated(self) -> Path:
        return self.run.generated

    @cached_property
    def sources(self) -> Sources:
        return load_sources(self.run)

    @property
    def topology(self) -> Topology:
        return self.sources.topology

    @property
    def kernels(self) -> bytes:
        """The KERN section."""
        return pack(self.sources.network)

    def reference(self) -> Int8Reference:
        return Int8Reference(self.spec, self.tflite)

    def host(
        self, image: bytes | None = None, engine: Engine = "compiled", rhs: RightHandSide | None = None
    ) -> HostRecognizer:
        lsb = self.spec.acc_lsb, self.spec.gyro_lsb
        return host_recognizer(self.generated, image or self.image, *lsb, self.libraries, engine, rhs)

    def library(self) -> ctypes.CDLL:
        return load_library(build_library(self.generated, "compiled", self.libraries))


def random_weights(units: tuple[int, ...], outputs: int, seed: int, inputs: int = 6) -> Weights:
    """Weights large enough that drives, gates and logits use their whole int8 range."""
    rng = np.random.default_rng(seed)
    arrays = {
        key: rng.normal(0, 1.5 / np.sqrt(shape[0]) if len(shape) == 2 else 0.3, shape).astype(np.float32)
        for key, shape in shapes(list(units), outputs, inputs).items()
    }
    return from_arrays(arrays, list(units), outputs, inputs)


def random_tflite(units: tuple[int, ...], outputs: int, seed: int, inputs: int = 6) -> bytes:
    rng = np.random.default_rng(seed + 1)
    weights = random_weights(units, outputs, seed, inputs)
    widths = zip(input_names(len(units)), (inputs, *units), strict=True)
    samples = {name: rng.uniform(-1, 1, (200, width)).astype(np.float32) for name, width in widths}
    return int8_tflite(weights, with_full_range(weights, samples, STATE_SCALE), STATE_SCALE)


def make_spec(
    board: Board, units: tuple[int, ...], outputs: int, tflite: bytes, preparation: Preparation = "raw"
) -> ModelSpec:
    gain = [1.3e-4, 1.1e-4, 1.2e-4, 9e-5, 1e-4, 3.9e-3]
    spec = ModelSpec(
        classes=["none", *(f"gesture {i}" for i in range(1, outputs))],
        units=list(units),
        rate_hz=board.imu.rate_hz,
        period_us=board.imu.period_us,
        time_scale=40.0,
        dt_max_us=100_000,
        acc_lsb=board.imu.acc_lsb,
        gyro_lsb=board.imu.gyro_lsb,
        preparation=preparation,
        inputs=inputs_of(preparation),
        input_gain=gain * (inputs_of(preparation) // len(gain)),
        input_clip=1.0,
        tau_epsilon=0.05,
        decision=DecisionSpec(
            background=0,
            smoothing_us=33_000,
            confirm_us=20_000,
            holdoff_us=300_000,
            warmup_us=100_000,
            threshold=900,
            threshold_of={1: 700},
        ),
    )
    network = read_network(read_tflite(tflite))
    return ModelSpec.model_validate(spec.model_dump() | {"int8": int8_spec(spec, network).model_dump()})


def write_run(folder: Path, spec: ModelSpec, tflite: bytes) -> Run:
    run = Run(folder)
    run.save_project(project_for_data("wrist"))
    save_spec(run.model_json, spec)
    run.tflite.write_bytes(tflite)
    return run


def quiet() -> Console:
    return Console(file=io.StringIO())


def make_signal(samples: int, seed: int, faults: bool = True) -> Signal:
    """Slowly wandering codes over the whole int16 range; stamps with jitter, gaps, repeats and steps back."""
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.normal(0, 700, (samples, 6)), axis=0) + rng.normal(0, 300, (samples, 6))
    codes = np.clip(34000 * np.sin(walk / 20000), -32768, 32767).astype(np.int16)
    step = rng.integers(3000, 7000, samples)
    if faults:
        chance = rng.random(samples)
        step[chance < 0.003] = rng.integers(90_000, 300_000)
        step[(chance >= 0.003) & (chance < 0.005)] = 0
        step[(chance >= 0.005) & (chance < 0.007)] = -1234
    return codes, (np.cumsum(step) + 10**9).astype(np.int64)
