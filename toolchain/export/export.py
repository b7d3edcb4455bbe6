"""The stages ``export`` and ``import``: from a run's network to files for other tools, and back to a run."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from rich.console import Console

from toolchain.board import Board
from toolchain.errors import ConfigError, MissingToolError, ModelError, ParityError
from toolchain.export.agreement import Agreement, agreement
from toolchain.export.network_json import from_file, read_file, to_file
from toolchain.files import sha256_of, write_bytes, write_json, write_text
from toolchain.int8.calibration import choose_scale, representative
from toolchain.int8.convert import parity_streams
from toolchain.ltc.decision import decision_spec, in_float_steps
from toolchain.ltc.evaluate import FLOAT_Y_SCALE
from toolchain.ltc.modelspec import DecisionSpec, ModelSpec, load_spec, save_spec
from toolchain.ltc.step import model_dt
from toolchain.ltc.weights import Floats, Weights, load_weights, save_weights
from toolchain.project import Project
from toolchain.recordings.catalog import load_set
from toolchain.runs import Run

LARGEST_LOGIT_ERROR = 1e-3
"""Beyond this the float graph is not the network: rounding alone leaves about 1e-5."""


def export_json(run: Run, folder: Path | None, console: Console) -> Path:
    """Write the run's network.json and return its path; ``folder``: default the run's ``export/``.

    Raises ModelError for a run that was never trained.
    """
    spec = load_spec(run.model_json)
    weights = load_weights(run.weights, spec)
    tflite = run.tflite.read_bytes() if spec.int8 is not None and run.tflite.exists() else None
    file = to_file(run.project(), spec, weights, tflite)
    path = (folder or run.path / "export") / "network.json"
    write_text(path, json.dumps(file.model_dump(mode="json"), allow_nan=False) + "\n")
    what = "float" if tflite is None else "float and int8"
    console.print(f"{path}: {weights.parameters:,} parameters, {what}, {path.stat().st_size:,} bytes", highlight=False)
    return path


def import_json(path: Path, run: Run, console: Console) -> None:
    """Make the run ``run`` of an exported network.json: project.json, model.npz, model.json, and model.tflite if it
    was converted.

    Raises ModelError for a file that is not one, ConfigError if the run exists already. What only training and
    conversion know (scores, the data card) is not in the file: `tinyltc convert` and `tinyltc evaluate` make it again.
    """
    if run.path.exists():
        raise ConfigError(f"{run.path} exists already.", "Choose another name with --run.")
    file = read_file(path)
    project, weights, tflite = from_file(file, path)
    save_weights(run.weights, weights)
    if tflite is not None:
        write_bytes(run.tflite, tflite)
    save_spec(run.model_json, file.model)
    run.save_project(project)
    next_step = "generate" if tflite is not None else "convert"
    console.print(f"{run.path}: {weights.parameters:,} parameters. Next: `tinyltc {next_step} --run {run.path.name}`")


def export_onnx(run: Run, board: Board, folder: Path | None, console: Console) -> list[Path]:
    """Write model.onnx, model_int8.onnx and onnx.json and return their paths; ``folder``: default ``export/``.

    Both graphs are run in onnxruntime beside the numpy network over streams of test people; onnx.json has their
    :class:`Agreement`. The int8 graph is calibrated on the training recordings. Raises MissingToolError without the
    extra, ModelError for a run that was never trained, DataError without its data set, ParityError if the float graph
    is not the network.
    """
    try:
        import onnxruntime

        from toolchain.export.onnx_graph import OPSET, step_graph
        from toolchain.export.onnx_int8 import quantized
        from toolchain.export.onnx_run import OnnxNetwork
    except ImportError as reason:
        raise MissingToolError(
            f"ONNX files need the packages onnx and onnxruntime ({reason}).", "pip install 'tinyltc[export]'"
        ) from None
    project = run.project()
    spec = load_spec(run.model_json)
    weights = load_weights(run.weights, spec)
    _check_board(spec, board)
    data = load_set(project.data, project.task, board.imu.rate_hz)
    whole = step_graph(weights, spec)
    samples = _clamped(weights, representative(weights, spec, board.imu, data.train))
    small = quantized(whole, samples, float(model_dt(np.array(spec.period_us), spec)))
    streams, decision = parity_streams(data), _decision(project, spec)
    made = {
        name: agreement(OnnxNetwork(content), weights, spec, decision, board.imu, streams)
        for name, content in (("float", whole), ("int8", small))
    }
    if not made["float"].max_logit_error <= LARGEST_LOGIT_ERROR:
        raise ParityError(
            f"The ONNX graph differs from the network by {made['float'].max_logit_error:.3g} in a logit, expected at "
            f"most {LARGEST_LOGIT_ERROR:g}.",
            "Check the installed version of onnxruntime against pyproject.toml.",
        )
    folder = folder or run.path / "export"
    paths = [folder / name for name in ("model.onnx", "model_int8.onnx", "onnx.json")]
    write_bytes(paths[0], whole)
    write_bytes(paths[1], small)
    write_json(
        paths[2],
        {
            "source": "measured on host (onnxruntime)",
            "onnxruntime": onnxruntime.__version__,
            "opset": OPSET,
            "weights_sha256": sha256_of(run.weights),
            "bytes": {"float": len(whole), "int8": len(small)},
            "agreement": {name: asdict(one) for name, one in made.items()},
        },
    )
    for path, one in zip(paths, made.values(), strict=False):
        console.print(f"{path}: {path.stat().st_size:,} bytes; {_sentence(one)}", highlight=False)
    return paths


def _clamped(weights: Weights, samples: dict[str, Floats]) -> dict[str, Floats]:
    """Return ``samples`` within the range that disturbs the network least: rare extremes cost the rest resolution."""
    limit = np.float32(127 * choose_scale(weights, samples))
    return {name: np.clip(values, -limit, limit) for name, values in samples.items()}


def _sentence(made: Agreement) -> str:
    return (
        f"{made.agreement:.4f} of the decisions are the float network's over {made.seconds:.0f} s of people it never "
        f"saw; logits differ by {made.rms_logit_error:.2g} (root mean square), at most {made.max_logit_error:.2g}"
    )


def _decision(project: Project, spec: ModelSpec) -> DecisionSpec:
    """Return the decision for float logits: the converted run's own, else the project's."""
    if spec.decision is not None and spec.int8 is not None:
        return in_float_steps(spec.decision, spec.int8.y_scale, FLOAT_Y_SCALE)
    return decision_spec(project.decision, spec.classes.index(project.task.background), FLOAT_Y_SCALE)


def _check_board(spec: ModelSpec, board: Board) -> None:
    if spec.rate_hz != board.imu.rate_hz:
        raise ModelError(
            f"The run was trained for {spec.rate_hz:g} Hz, board '{board.name}' gives {board.imu.rate_hz:g}.",
            f"Train again for it: `tinyltc train --board {board.name}`.",
        )
