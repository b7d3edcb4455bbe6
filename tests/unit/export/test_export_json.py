"""network.json: everything in it, exact, and back to the same run; a damaged one is refused with one sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from rich.console import Console

from toolchain.errors import ConfigError, ModelError
from toolchain.export.export import export_json, import_json
from toolchain.export.network_json import SCHEMA, schema
from toolchain.files import write_json
from toolchain.ltc.modelspec import ModelSpec, load_spec
from toolchain.ltc.weights import Weights, load_weights, save_weights
from toolchain.runs import Run

QUIET = Console(quiet=True)


def exported(run: Run) -> tuple[Path, dict[str, Any]]:
    path = export_json(run, None, QUIET)
    return path, json.loads(path.read_text())


def test_the_schema_in_the_docs_is_the_code_s() -> None:
    assert json.loads(SCHEMA.read_text()) == schema()


def test_a_file_keeps_to_the_schema_and_says_everything(run: Run, spec: ModelSpec) -> None:
    _, value = exported(run)
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.validate(value, schema())
    model = value["model"]
    assert model["preparation"] == "difference"
    assert model["solver"] == spec.solver
    assert model["time_scale"] == spec.time_scale
    assert model["classes"] == spec.classes
    assert model["decision"] == spec.decision.model_dump()  # type: ignore[union-attr]
    assert len(value["graph"]["operators"]) == 9
    del value["model"]["solver"], value["weights"]["w0"]["shape"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(value, schema())


def test_export_and_import_give_the_same_network_bit_for_bit(run: Run, tmp_path: Path) -> None:
    path, _ = exported(run)
    back = Run(tmp_path / "runs" / "back")
    import_json(path, back, QUIET)
    spec = load_spec(back.model_json)
    ours, theirs = (load_weights(one.weights, spec).to_arrays() for one in (run, back))
    assert ours.keys() == theirs.keys()
    assert all(ours[key].tobytes() == theirs[key].tobytes() for key in ours)
    assert back.tflite.read_bytes() == run.tflite.read_bytes()
    assert back.model_json.read_bytes() == run.model_json.read_bytes()
    assert back.project() == run.project()
    again = export_json(back, None, QUIET)
    assert again.read_bytes() == path.read_bytes()


def test_extreme_floats_survive(run: Run, weights: Weights, tmp_path: Path) -> None:
    weights.d[:] = np.array([-0.0, 1e-45, 3.4028235e38, 0.1, np.float32(1) / 3], np.float32)
    save_weights(run.weights, weights)
    path, _ = exported(run)
    back = Run(tmp_path / "runs" / "back")
    import_json(path, back, QUIET)
    assert load_weights(back.weights, load_spec(back.model_json)).d.tobytes() == weights.d.tobytes()


def test_a_run_that_was_not_converted_goes_without_its_graph(run: Run, spec: ModelSpec, tmp_path: Path) -> None:
    write_json(run.model_json, spec.model_copy(update={"int8": None, "decision": None}).model_dump())
    path, value = exported(run)
    assert value["graph"] is None
    back = Run(tmp_path / "runs" / "back")
    import_json(path, back, QUIET)
    assert not back.tflite.exists()


def test_a_run_that_exists_is_not_written_over(run: Run) -> None:
    path, _ = exported(run)
    with pytest.raises(ConfigError, match="exists already"):
        import_json(path, run, QUIET)


def _drop(value: dict[str, Any]) -> None:
    del value["weights"]["w1"]


def _misname(value: dict[str, Any]) -> None:
    value["project"]["task"]["classes"][1] = "another"


def _misspell(value: dict[str, Any]) -> None:
    value["project"]["trainning"] = {}


def _widen(value: dict[str, Any]) -> None:
    value["weights"]["d"]["values"][0] = 0.1


def _stretch(value: dict[str, Any]) -> None:
    value["weights"]["d"]["values"].append(1.0)


def _rename(value: dict[str, Any]) -> None:
    value["weights"]["w9"] = value["weights"]["d"]


def _cross(value: dict[str, Any]) -> None:
    value["graph"]["operators"][0]["inputs"][0] = 99


def _overflow(value: dict[str, Any]) -> None:
    next(t for t in value["graph"]["tensors"] if t["type"] == "INT8" and t["values"])["values"][0] = 128


def _rescale(value: dict[str, Any]) -> None:
    value["model"]["int8"]["y_scale"] *= 2


def _unknown(value: dict[str, Any]) -> None:
    value["model"]["cellar"] = 1


@pytest.mark.parametrize(
    "spoil", [_drop, _misname, _misspell, _widen, _stretch, _rename, _cross, _overflow, _rescale, _unknown]
)
def test_a_damaged_file_is_refused_and_leaves_nothing(
    run: Run, tmp_path: Path, spoil: Callable[[dict[str, Any]], None]
) -> None:
    path, value = exported(run)
    spoil(value)
    path.write_text(json.dumps(value))
    back = Run(tmp_path / "runs" / "back")
    with pytest.raises(ModelError):
        import_json(path, back, QUIET)
    assert not back.path.exists()
