"""The ONNX step: onnxruntime gives what numpy gives, float and quantized, and the solver keeps the state in float."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from rich.console import Console

from toolchain.board import Board
from toolchain.errors import MissingToolError, ModelError, ParityError
from toolchain.export import export
from toolchain.export.agreement import agreement
from toolchain.export.onnx_graph import OPSET, SPEC_KEY, step_graph
from toolchain.export.onnx_int8 import quantized
from toolchain.export.onnx_run import OnnxNetwork
from toolchain.ltc.modelspec import ModelSpec
from toolchain.ltc.solvers import SOLVERS, Solver
from toolchain.ltc.step import FloatNetwork, model_dt
from toolchain.ltc.weights import Floats, Weights
from toolchain.recordings.recording import DataSet, Recording
from toolchain.runs import Run

QUIET = Console(quiet=True)


def with_solver(spec: ModelSpec, solver: Solver) -> ModelSpec:
    return spec.model_copy(update={"solver": solver})


def rows_of(weights: Weights, spec: ModelSpec) -> dict[str, Floats]:
    """Inputs and states as they occur over noise."""
    random, state = np.random.default_rng(5), FloatNetwork(weights, spec.tau_epsilon).start(50)
    network = FloatNetwork(weights, spec.tau_epsilon, spec.solver)
    for _ in range(60):
        x = random.normal(0, 1, (50, spec.inputs)).astype(np.float32)
        state, _ = network.step(x, state, np.full(50, 0.2, np.float32))
    return {"x": x, **{f"h{index + 1}": h for index, h in enumerate(state)}}


@pytest.mark.parametrize("solver", SOLVERS)
def test_onnxruntime_gives_what_numpy_gives(
    weights: Weights, spec: ModelSpec, board: Board, streams: list[Recording], solver: Solver
) -> None:
    spec = with_solver(spec, solver)
    network = OnnxNetwork(step_graph(weights, spec))
    assert spec.decision is not None
    made = agreement(network, weights, spec, spec.decision, board.imu, streams)
    assert made.max_logit_error < 1e-5
    assert made.max_state_error < 1e-5
    assert made.agreement > 0.999
    assert made.streams == 3


def test_a_different_network_does_not_agree(
    weights: Weights, spec: ModelSpec, board: Board, streams: list[Recording]
) -> None:
    weights.layers[1].c[:] += 0.05
    network = OnnxNetwork(step_graph(weights, spec))
    weights.layers[1].c[:] -= 0.05
    assert spec.decision is not None
    assert agreement(network, weights, spec, spec.decision, board.imu, streams).max_state_error > 1e-3


def test_the_graph_says_what_it_is(weights: Weights, spec: ModelSpec) -> None:
    model = onnx.load_from_string(step_graph(weights, spec))
    assert [(one.domain, one.version) for one in model.opset_import] == [("", OPSET)]
    assert [one.name for one in model.graph.input] == ["x", "dt", "h1", "h2"]
    assert [one.name for one in model.graph.output] == ["y", "h1_next", "h2_next"]
    told = {one.key: one.value for one in model.metadata_props}
    assert ModelSpec.model_validate_json(told[SPEC_KEY]) == spec


@pytest.mark.parametrize("solver", SOLVERS)
def test_the_quantized_step_keeps_its_state_in_float(weights: Weights, spec: ModelSpec, solver: Solver) -> None:
    """A state that the solver reads through a rounding freezes: the trap of docs/DESIGN.md, decision 1."""
    spec = with_solver(spec, solver)
    rows = rows_of(weights, spec)
    model = onnx.load_from_string(quantized(step_graph(weights, spec), rows, 0.1))
    readers = {node.op_type for node in model.graph.node if "h1" in node.input}
    assert "QuantizeLinear" not in readers
    assert {"Identity", "Add", "Mul"} & readers >= {"Identity"}
    constants = {one.name: one for one in model.graph.initializer}
    assert onnx.numpy_helper.to_array(constants["w0_quantized"]).dtype == np.int8
    # A step so short that no int8 state could move moves this one by the drive.
    network = OnnxNetwork(model.SerializeToString())
    state = [rows["h1"][:1], rows["h2"][:1]]
    dt = np.full(1, 1e-4, np.float32)
    after, _ = network.step(rows["x"][:1], state, dt)
    exact, _ = FloatNetwork(weights, spec.tau_epsilon, solver).step(rows["x"][:1], state, dt)
    for h, moved, wanted in zip(state, after, exact, strict=True):
        assert np.corrcoef((moved - h)[0], (wanted - h)[0])[0, 1] > 0.99


def test_the_quantized_step_follows_the_float_one(
    weights: Weights, spec: ModelSpec, board: Board, streams: list[Recording]
) -> None:
    assert spec.decision is not None
    small = OnnxNetwork(
        quantized(step_graph(weights, spec), rows_of(weights, spec), float(model_dt(np.array(5000), spec)))
    )
    made = agreement(small, weights, spec, spec.decision, board.imu, streams)
    assert made.max_logit_error > 1e-4
    assert made.rms_logit_error < 0.3
    assert made.end_rms_state_error < 2 * made.start_rms_state_error


@pytest.fixture
def with_data(monkeypatch: pytest.MonkeyPatch, spec: ModelSpec, streams: list[Recording]) -> None:
    """The stage's data set, without simulating one."""

    def load(*_: object) -> DataSet:
        labels = np.arange(len(streams[0].t_us), dtype=np.int16) % 5
        parts = [
            tuple(
                Recording(s.samples[:500], s.t_us[:500], labels[: len(s.t_us[:500])], f"{part}", kind="stream")
                for s in streams[::2]
            )
            for part in range(3)
        ]
        return DataSet("made", tuple(spec.classes), 0, *parts)

    monkeypatch.setattr(export, "load_set", load)


@pytest.mark.usefixtures("with_data")
def test_the_stage_writes_both_graphs_and_their_agreement(run: Run, board: Board) -> None:
    paths = export.export_onnx(run, board, None, QUIET)
    assert [path.name for path in paths] == ["model.onnx", "model_int8.onnx", "onnx.json"]
    assert all(path.parent == run.path / "export" for path in paths)
    told = json.loads(paths[2].read_text())
    assert told["source"] == "measured on host (onnxruntime)"
    assert told["agreement"]["float"]["max_logit_error"] < 1e-4
    assert told["agreement"]["int8"]["max_logit_error"] > 1e-4
    assert told["bytes"] == {"float": paths[0].stat().st_size, "int8": paths[1].stat().st_size}


@pytest.mark.usefixtures("with_data")
def test_a_graph_that_is_not_the_network_is_not_written(
    run: Run, board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "LARGEST_LOGIT_ERROR", 1e-9)
    with pytest.raises(ParityError, match="differs from the network"):
        export.export_onnx(run, board, tmp_path / "out", QUIET)
    assert not (tmp_path / "out").exists()


def test_without_the_extra_it_says_how_to_get_it(run: Run, board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    with pytest.raises(MissingToolError, match=r"tinyltc\[export\]"):
        export.export_onnx(run, board, None, QUIET)


def test_a_run_that_was_never_trained_is_refused(tmp_path: Path, board: Board) -> None:
    with pytest.raises(ModelError, match="train"):
        export.export_onnx(Run(tmp_path / "none"), board, None, QUIET)
