"""Read a .tflite into frozen dataclasses. The bytes are not trusted: each offset is checked before it is used.

Field numbers and enumerations are those of TensorFlow Lite's public schema (version 3).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from toolchain.errors import ModelError
from toolchain.int8.flatbuffer_table import MAX_COUNT, DamageError, Reader, Table
from toolchain.int8.schema import ACTIVATIONS, IDENTIFIER, OPCODES, SCHEMA_VERSION, TYPES

MAX_DIMENSIONS = 8
_HINT = "Convert the run again: `tinyltc convert`."

# Operator: number of its table in the `BuiltinOptions` union, field of the activation.
_OPTIONS: dict[str, tuple[int, int | None]] = {
    "FULLY_CONNECTED": (8, 0),
    "SOFTMAX": (9, None),
    "CONCATENATION": (10, 1),
    "ADD": (11, 0),
    "RESHAPE": (17, None),
    "MUL": (21, 0),
    "SUB": (28, 0),
    "DIV": (29, 0),
}


@dataclass(frozen=True, eq=False)
class Tensor:
    """One tensor. ``data`` is a read-only array of ``shape`` for constants and None for what is computed.

    ``type`` is the schema's name (``INT8``, ``INT32``, ``FLOAT32``, ...). ``scales`` and ``zero_points`` are empty
    for tensors that are not quantized and hold one entry for per-tensor quantization. Scales are float32 values.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    type: str
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()
    quantized_dimension: int = 0
    data: npt.NDArray[Any] | None = field(default=None, repr=False)
    is_variable: bool = False
    is_sparse: bool = False

    @property
    def scale(self) -> float:
        """The one scale; raises ModelError unless the tensor is quantized per tensor."""
        self._require_per_tensor()
        return self.scales[0]

    @property
    def zero_point(self) -> int:
        """The one zero point; raises ModelError unless the tensor is quantized per tensor."""
        self._require_per_tensor()
        return self.zero_points[0]

    def _require_per_tensor(self) -> None:
        if len(self.scales) != 1 or len(self.zero_points) != 1:
            what = f"Tensor '{self.name}' has {len(self.scales)} scales, expected one (per-tensor quantization)."
            raise ModelError(what, _HINT)


@dataclass(frozen=True)
class Operator:
    """One operator. ``inputs`` and ``outputs`` index the model's tensors; -1 is an optional input left out.

    ``name`` is the schema's name of the builtin operator. ``axis`` is CONCATENATION's, ``beta`` SOFTMAX's,
    ``new_shape`` RESHAPE's (None where the file gives none there), all None elsewhere. Of FULLY_CONNECTED:
    ``keep_num_dims``, ``shuffled_weights`` (a layout of the weights that is not the plain one) and ``bias_type``, the
    type that an absent bias would have. ``pot_scale_int16`` is that of ADD and SUB.
    """

    index: int
    name: str
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    activation: str = "NONE"
    axis: int | None = None
    beta: float | None = None
    new_shape: tuple[int, ...] | None = None
    keep_num_dims: bool = False
    shuffled_weights: bool = False
    bias_type: str = "FLOAT32"
    pot_scale_int16: bool = False


@dataclass(frozen=True, eq=False)
class TfliteModel:
    """A .tflite's main graph. ``inputs`` and ``outputs`` index ``tensors``, in the file's order.

    ``subgraphs`` counts all graphs of the file; the others (initializers of variables, loop bodies) are not read.
    """

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    description: str = ""
    size: int = 0
    subgraphs: int = 1

    def input_names(self) -> list[str]:
        """Names of the graph's inputs in the file's order."""
        return [self.tensors[index].name for index in self.inputs]

    def output_names(self) -> list[str]:
        """Names of the graph's outputs in the file's order."""
        return [self.tensors[index].name for index in self.outputs]


def read_tflite(source: Path | str | bytes) -> TfliteModel:
    """Read a .tflite from a path or from its bytes.

    Raises ModelError with one sentence if the file is missing, truncated or garbled.
    """
    if isinstance(source, bytes):
        data, where = source, "The .tflite"
    else:
        where = str(source)
        try:
            data = Path(source).read_bytes()
        except OSError as reason:
            raise ModelError(f"{where} cannot be read ({reason.strerror}).", _HINT) from None
    try:
        return _model(data)
    except DamageError as reason:
        what = f"{where} ({len(data)} bytes) is damaged or not a .tflite: {reason}."
        raise ModelError(what, _HINT) from None


def _model(data: bytes) -> TfliteModel:
    if len(data) < 8 or data[4:8] != IDENTIFIER:
        raise DamageError(f"it does not carry the identifier {IDENTIFIER.decode()}")
    reader = Reader(data)
    root = Table(reader, reader.follow(0))
    version = root.scalar(0, "<I", 0)
    if version != SCHEMA_VERSION:
        raise DamageError(f"schema version {version}, expected {SCHEMA_VERSION}")
    codes = root.tables(1, _operator_code)
    buffers = root.tables(4, lambda table: table.array(0, "|u1"))
    subgraphs = root.tables(2, lambda table: table)
    if not subgraphs:
        raise DamageError("it holds no graph")
    graph = subgraphs[0]

    tensors: list[Tensor] = []
    graph.tables(0, lambda table: tensors.append(_tensor(table, len(tensors), buffers)))
    operators: list[Operator] = []
    graph.tables(3, lambda table: operators.append(_operator(table, len(operators), codes, len(tensors))))
    return TfliteModel(
        tensors=tuple(tensors),
        operators=tuple(operators),
        inputs=_indices(graph.array(1, "<i4"), len(tensors), 0, "the graph's inputs"),
        outputs=_indices(graph.array(2, "<i4"), len(tensors), 0, "the graph's outputs"),
        description=root.text(3),
        size=len(data),
        subgraphs=len(subgraphs),
    )


def _indices(values: npt.NDArray[Any], count: int, lowest: int, what: str) -> tuple[int, ...]:
    if len(values) > MAX_COUNT or ((values < lowest) | (values >= count)).any():
        raise DamageError(f"{what} name a tensor that is not there")
    return tuple(int(value) for value in values)


def _operator_code(table: Table) -> tuple[str, int]:
    # Files from before schema 3a hold the code in a byte; the larger of the two counts.
    code = max(table.scalar(0, "<b", 0), table.scalar(3, "<i", 0))
    return OPCODES.get(code, f"BUILTIN_{code}"), table.scalar(2, "<i", 1)


def _tensor(table: Table, index: int, buffers: list[npt.NDArray[Any]]) -> Tensor:
    name = table.text(3)
    shape = tuple(int(size) for size in table.array(0, "<i4"))
    if len(shape) > MAX_DIMENSIONS or any(size < 0 for size in shape):
        raise DamageError(f"tensor {index} has the shape {shape[: MAX_DIMENSIONS + 1]}")
    code = table.scalar(1, "<b", 0)
    if code not in TYPES:
        raise DamageError(f"tensor {index} has the unknown type {code}")
    type_name, dtype = TYPES[code]
    buffer = table.scalar(2, "<I", 0)
    if buffer >= max(len(buffers), 1):
        raise DamageError(f"tensor {index} names buffer {buffer} of {len(buffers)}")
    scales, zero_points, dimension = _quantization(table.table(4), index)
    return Tensor(
        index=index,
        name=name,
        shape=shape,
        type=type_name,
        scales=scales,
        zero_points=zero_points,
        quantized_dimension=dimension,
        data=_constant(buffers[buffer] if buffers else None, shape, dtype, index),
        is_variable=bool(table.scalar(5, "<B", 0)),
        is_sparse=table.position(6) is not None,
    )


def _constant(
    raw: npt.NDArray[Any] | None, shape: tuple[int, ...], dtype: str | None, index: int
) -> npt.NDArray[Any] | None:
    if raw is None or not len(raw) or dtype is None:
        return None
    expected = math.prod(shape) * np.dtype(dtype).itemsize
    if len(raw) != expected:
        raise DamageError(f"tensor {index} of shape {shape} holds {len(raw)} bytes, expected {expected}")
    # bool rejects bytes other than 0 and 1 nowhere, so any content is a valid array.
    return np.frombuffer(raw.tobytes(), dtype).reshape(shape)


def _quantization(table: Table | None, index: int) -> tuple[tuple[float, ...], tuple[int, ...], int]:
    if table is None:
        return (), (), 0
    scales = table.array(2, "<f4")
    zero_points = table.array(3, "<i8")
    if len(scales) != len(zero_points) and len(zero_points):
        raise DamageError(f"tensor {index} has {len(scales)} scales and {len(zero_points)} zero points")
    if not np.isfinite(scales).all() or (scales <= 0).any():
        raise DamageError(f"tensor {index} has a scale that is no positive number")
    if not len(zero_points):
        zero_points = np.zeros(len(scales), "<i8")
    return tuple(map(float, scales)), tuple(map(int, zero_points)), table.scalar(6, "<i", 0)


def _operator(table: Table, index: int, codes: list[tuple[str, int]], tensors: int) -> Operator:
    code = table.scalar(0, "<I", 0)
    if code >= len(codes):
        raise DamageError(f"operator {index} names operator code {code} of {len(codes)}")
    name, version = codes[code]
    return Operator(
        index=index,
        name=name,
        version=version,
        inputs=_indices(table.array(1, "<i4"), tensors, -1, f"the inputs of operator {index} ({name})"),
        outputs=_indices(table.array(2, "<i4"), tensors, 0, f"the outputs of operator {index} ({name})"),
        **_options(table, index, name),
    )


def _options(table: Table, index: int, name: str) -> dict[str, Any]:
    """Return the fields of Operator that come from its options; an absent field has the schema's default."""
    if name not in _OPTIONS:
        return {}
    union, activation_slot = _OPTIONS[name]
    present = table.scalar(3, "<B", 0)
    if present not in (0, union):
        raise DamageError(f"operator {index} ({name}) carries options of kind {present}, expected {union}")
    options = table.table(4) if present else None

    def scalar(slot: int, layout: str, default: int) -> Any:
        return default if options is None else options.scalar(slot, layout, default)

    found: dict[str, Any] = {}
    if activation_slot is not None:
        activation = scalar(activation_slot, "<b", 0)
        if activation not in ACTIVATIONS:
            raise DamageError(f"operator {index} ({name}) has the unknown activation {activation}")
        found["activation"] = ACTIVATIONS[activation]
    if name == "CONCATENATION":
        found["axis"] = scalar(0, "<i", 0)
    elif name == "SOFTMAX":
        found["beta"] = float(scalar(0, "<f", 0))
    elif name == "FULLY_CONNECTED":
        bias_type = scalar(4, "<b", 0)
        if bias_type not in TYPES:
            raise DamageError(f"operator {index} ({name}) has the unknown bias type {bias_type}")
        found["shuffled_weights"] = bool(scalar(1, "<b", 0))
        found["keep_num_dims"] = bool(scalar(2, "<B", 0))
        found["bias_type"] = TYPES[bias_type][0]
    elif name in ("ADD", "SUB"):
        found["pot_scale_int16"] = bool(scalar(1, "<B", 1))
    elif name == "RESHAPE" and options is not None and options.position(0) is not None:
        shape = options.array(0, "<i4")
        if len(shape) > MAX_DIMENSIONS:
            raise DamageError(f"operator {index} ({name}) asks for {len(shape)} dimensions")
        found["new_shape"] = tuple(int(size) for size in shape)
    return found
