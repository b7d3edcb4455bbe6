"""A whole network as one JSON file, and back (docs/SPEC.md, 8; the schema is docs/network.schema.json).

Numbers are exact: a float32 is written as the shortest decimal of the double that equals it, so that reading it back
gives the same bits; scales that model.json holds as doubles stay doubles. The int8 graph of a converted run is written
tensor by tensor, and gives the same .tflite byte for byte.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator

import toolchain
from toolchain.errors import ModelError
from toolchain.files import read_json, validated
from toolchain.int8.flatbuffer import Operator, Tensor, TfliteModel, read_tflite
from toolchain.int8.flatbuffer_writer import write_tflite
from toolchain.int8.network import read_network
from toolchain.int8.reference import matching_int8
from toolchain.ltc.modelspec import ModelSpec
from toolchain.ltc.weights import Floats, Weights, from_arrays
from toolchain.project import Project

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "network.schema.json"
_HINT = "Export the run again: `tinyltc export RUN --format json`."
Finite = Annotated[float, Field(allow_inf_nan=False)]
Index = Annotated[int, Field(ge=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FloatArray(_Strict):
    """A float32 array, row after row."""

    shape: list[Annotated[int, Field(ge=1)]] = Field(min_length=1, max_length=2)
    values: list[Finite]

    @model_validator(mode="after")
    def _whole(self) -> FloatArray:
        if math.prod(self.shape) != len(self.values):
            raise ValueError(f"{len(self.values)} values do not make the shape {self.shape}")
        return self


class GraphTensor(_Strict):
    """A tensor of the int8 graph: real value = scale * (integer - zero point); ``values`` only of constants."""

    name: str
    shape: list[Annotated[int, Field(ge=1)]]
    type: Literal["INT8", "INT32"]
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    zero_point: int
    values: list[Annotated[int, Field(ge=-(2**31), lt=2**31)]] | None = None

    @model_validator(mode="after")
    def _whole(self) -> GraphTensor:
        if self.values is not None:
            if math.prod(self.shape) != len(self.values):
                raise ValueError(f"{len(self.values)} values do not make the shape {self.shape}")
            if self.type == "INT8" and not all(-128 <= value <= 127 for value in self.values):
                raise ValueError("values of INT8 must lie in -128..127")
        return self


class GraphOperator(_Strict):
    """An operator of the int8 graph; ``inputs`` and ``outputs`` are indices of tensors."""

    name: Literal["CONCATENATION", "FULLY_CONNECTED", "TANH"]
    version: int
    inputs: list[Index]
    outputs: list[Index]
    axis: int | None = Field(default=None, description="CONCATENATION's")


class Int8Graph(_Strict):
    """The int8 right-hand side (docs/SPEC.md, 2.4), as the .tflite holds it."""

    description: str
    inputs: list[Index]
    outputs: list[Index]
    tensors: list[GraphTensor]
    operators: list[GraphOperator]


class NetworkFile(_Strict):
    """A trained network with all that is needed to run it.

    ``model``: widths, preparation of the inputs, solver, time scale, labels, decision (model.json). ``weights``: the
    float network, arrays named as in docs/SPEC.md, 7. ``graph``: the int8 right-hand side, of a converted run.
    ``project``: what it was trained from and for (project.json; checked by its own rules).
    """

    format: Literal["tinyltc-network"] = "tinyltc-network"
    version: Literal[1] = 1
    made_by: str
    project: dict[str, Any]
    model: ModelSpec
    weights: dict[str, FloatArray]
    graph: Int8Graph | None = None


def to_file(project: Project, spec: ModelSpec, weights: Weights, tflite: bytes | None) -> NetworkFile:
    """Return the file of a network. Raises ModelError if ``tflite`` is not what this toolchain writes."""
    arrays = {
        name: FloatArray(shape=list(value.shape), values=value.ravel().astype(np.float64).tolist())
        for name, value in weights.to_arrays().items()
    }
    graph = None if tflite is None else _graph(tflite)
    if graph is not None and _tflite(graph) != tflite:
        raise ModelError("The .tflite is not as `tinyltc convert` writes it.", "Convert the run again.")
    return NetworkFile(
        made_by=f"tinyltc {toolchain.__version__}",
        project=project.model_dump(mode="json"),
        model=spec,
        weights=arrays,
        graph=graph,
    )


def read_file(path: Path) -> NetworkFile:
    """Read and check a file; raises ModelError that names what is wrong."""
    return validated(NetworkFile, read_json(path, ModelError, _HINT), path, ModelError)


def from_file(file: NetworkFile, where: Path) -> tuple[Project, Weights, bytes | None]:
    """Return project, float weights and .tflite (None without one); raises ModelError if they do not fit the model.

    ``where`` names the file in messages.
    """
    spec = file.model
    project = validated(Project, file.project, where, ModelError)
    if project.task.classes != spec.classes:
        raise ModelError(f"The project and the model of {where} name different classes.", _HINT)
    arrays: dict[str, Floats] = {}
    for name, array in file.weights.items():
        wide = np.array(array.values, np.float64)
        narrow = wide.astype(np.float32)
        if (narrow != wide).any():
            raise ModelError(f"The weights '{name}' hold a number that is no float32.", _HINT)
        arrays[name] = narrow.reshape(array.shape)
    weights = from_arrays(arrays, spec.units, len(spec.classes), spec.inputs)
    unknown = set(arrays) - set(weights.to_arrays())
    if unknown:
        raise ModelError(f"The weights hold '{min(unknown)}', which the model does not have.", _HINT)
    if file.graph is None:
        return project, weights, None
    tflite = _tflite(file.graph)
    matching_int8(spec, read_network(read_tflite(tflite)))
    return project, weights, tflite


def schema() -> dict[str, Any]:
    """Return the JSON Schema of the file (draft 2020-12)."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **NetworkFile.model_json_schema()}


def _graph(tflite: bytes) -> Int8Graph:
    model = read_tflite(tflite)
    read_network(model)
    return Int8Graph(
        description=model.description,
        inputs=list(model.inputs),
        outputs=list(model.outputs),
        tensors=[
            GraphTensor.model_validate(
                {
                    "name": tensor.name,
                    "shape": list(tensor.shape),
                    "type": tensor.type,
                    "scale": tensor.scale,
                    "zero_point": tensor.zero_point,
                    "values": None if tensor.data is None else tensor.data.ravel().tolist(),
                }
            )
            for tensor in model.tensors
        ],
        operators=[
            GraphOperator.model_validate(
                {
                    "name": operator.name,
                    "version": operator.version,
                    "inputs": list(operator.inputs),
                    "outputs": list(operator.outputs),
                    "axis": operator.axis,
                }
            )
            for operator in model.operators
        ],
    )


def _tflite(graph: Int8Graph) -> bytes:
    tensors = len(graph.tensors)
    named = [*graph.inputs, *graph.outputs, *(i for op in graph.operators for i in (*op.inputs, *op.outputs))]
    if any(index >= tensors for index in named):
        raise ModelError(f"The int8 graph names a tensor beyond its {tensors}.", _HINT)
    return write_tflite(
        TfliteModel(
            tensors=tuple(_tensor(index, tensor) for index, tensor in enumerate(graph.tensors)),
            operators=tuple(
                Operator(index, op.name, op.version, tuple(op.inputs), tuple(op.outputs), "NONE", op.axis)
                for index, op in enumerate(graph.operators)
            ),
            inputs=tuple(graph.inputs),
            outputs=tuple(graph.outputs),
            description=graph.description,
        )
    )


def _tensor(index: int, tensor: GraphTensor) -> Tensor:
    data: npt.NDArray[Any] | None = None
    if tensor.values is not None:
        data = np.array(tensor.values, np.int8 if tensor.type == "INT8" else np.int32).reshape(tensor.shape)
    shape = tuple(tensor.shape)
    return Tensor(index, tensor.name, shape, tensor.type, (tensor.scale,), (tensor.zero_point,), 0, data)
