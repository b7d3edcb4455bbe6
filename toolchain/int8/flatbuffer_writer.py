"""Write a small .tflite from the dataclasses of :mod:`toolchain.int8.flatbuffer`: no metadata, no spare names.

Serves two purposes: the converter's file loses what the device does not need and gains the names and the order that
docs/SPEC.md promises; and tests make networks of any shape without TensorFlow.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

import flatbuffers
import numpy as np

from toolchain.errors import ModelError
from toolchain.int8.flatbuffer import Operator, Tensor, TfliteModel
from toolchain.int8.schema import ACTIVATIONS, IDENTIFIER, OPCODES, SCHEMA_VERSION, TYPES

_TYPE_CODES = {name: code for code, (name, _) in TYPES.items()}
_OPERATOR_CODES = {name: code for code, name in OPCODES.items()}
_ACTIVATION_CODES = {name: code for code, name in ACTIVATIONS.items()}
_DATA_ALIGNMENT = 16
"""The schema's `force_align` of buffer data."""
_PLAIN = ("LOGISTIC", "QUANTIZE", "TANH")
"""Written without options: every field of theirs is a default."""
_OPTIONS = {"FULLY_CONNECTED": 8, "SOFTMAX": 9, "CONCATENATION": 10, "ADD": 11, "RESHAPE": 17, "MUL": 21, "SUB": 28}
"""Number of each operator's table in the `BuiltinOptions` union."""


def write_tflite(model: TfliteModel) -> bytes:
    """Return the bytes of ``model``: a .tflite with one graph, schema version 3.

    Raises ModelError for an operator whose options this writer does not know.
    """
    builder = flatbuffers.Builder(32 * 1024)
    constants = [tensor for tensor in model.tensors if tensor.data is not None]
    buffer_of = {tensor.index: number + 1 for number, tensor in enumerate(constants)}
    buffers = [_table(builder, 1, [])]
    buffers += [_buffer(builder, tensor) for tensor in constants]

    codes = sorted({(operator.name, operator.version) for operator in model.operators})
    tensors = [_tensor(builder, tensor, buffer_of.get(tensor.index, 0)) for tensor in model.tensors]
    operators = [
        _operator(builder, operator, codes.index((operator.name, operator.version))) for operator in model.operators
    ]
    graph_fields = [
        (0, "offset", _offsets(builder, tensors)),
        (1, "offset", _numbers(builder, "<i", model.inputs)),
        (2, "offset", _numbers(builder, "<i", model.outputs)),
        (3, "offset", _offsets(builder, operators)),
    ]
    graph = _table(builder, 5, graph_fields)
    root_fields = [
        (0, "u32", SCHEMA_VERSION),
        (1, "offset", _offsets(builder, [_operator_code(builder, name, version) for name, version in codes])),
        (2, "offset", _offsets(builder, [graph])),
        (3, "offset", builder.CreateString(model.description)),
        (4, "offset", _offsets(builder, buffers)),
    ]
    builder.Finish(_table(builder, 5, root_fields), IDENTIFIER)
    return bytes(builder.Output())


def _table(builder: flatbuffers.Builder, slots: int, fields: Sequence[tuple[int, str, int]]) -> int:
    prepend: dict[str, Callable[[int, int, int], None]] = {
        "offset": builder.PrependUOffsetTRelativeSlot,
        "u32": builder.PrependUint32Slot,
        "i32": builder.PrependInt32Slot,
        "i8": builder.PrependInt8Slot,
        "u8": builder.PrependUint8Slot,
    }
    builder.StartObject(slots)
    for slot, kind, value in fields:
        prepend[kind](slot, value, 0)
    return int(builder.EndObject())


def _bytes(builder: flatbuffers.Builder, data: bytes, item_bytes: int, alignment: int) -> int:
    """Write ``data`` as one vector of items, its first byte aligned in the finished file."""
    builder.StartVector(item_bytes, len(data) // item_bytes, alignment)
    builder.head -= len(data)
    builder.Bytes[builder.head : builder.head + len(data)] = data
    return int(builder.EndVector())


def _numbers(builder: flatbuffers.Builder, layout: str, values: Sequence[float]) -> int:
    size = struct.calcsize(layout)
    return _bytes(builder, b"".join(struct.pack(layout, value) for value in values), size, size)


def _offsets(builder: flatbuffers.Builder, offsets: Sequence[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def _buffer(builder: flatbuffers.Builder, tensor: Tensor) -> int:
    assert tensor.data is not None
    raw = np.ascontiguousarray(tensor.data).tobytes()
    return _table(builder, 1, [(0, "offset", _bytes(builder, raw, 1, _DATA_ALIGNMENT))])


def _operator_code(builder: flatbuffers.Builder, name: str, version: int) -> int:
    code = _OPERATOR_CODES[name]
    # The byte field is what readers from before schema 3a look at; 127 sends them to the wide field.
    builder.StartObject(4)
    builder.PrependInt8Slot(0, min(code, 127), 0)
    builder.PrependInt32Slot(2, version, 1)
    builder.PrependInt32Slot(3, code, 0)
    return int(builder.EndObject())


def _tensor(builder: flatbuffers.Builder, tensor: Tensor, buffer: int) -> int:
    name = builder.CreateString(tensor.name)
    shape = _numbers(builder, "<i", tensor.shape)
    fields = [(0, "offset", shape), (1, "i8", _TYPE_CODES[tensor.type]), (2, "u32", buffer), (3, "offset", name)]
    if tensor.scales:
        quantization = [
            (2, "offset", _numbers(builder, "<f", tensor.scales)),
            (3, "offset", _numbers(builder, "<q", tensor.zero_points)),
            (6, "i32", tensor.quantized_dimension),
        ]
        fields.append((4, "offset", _table(builder, 7, quantization)))
    return _table(builder, 6, fields)


def _operator(builder: flatbuffers.Builder, operator: Operator, code: int) -> int:
    inputs = _numbers(builder, "<i", operator.inputs)
    outputs = _numbers(builder, "<i", operator.outputs)
    fields = [(0, "u32", code), (1, "offset", inputs), (2, "offset", outputs)]
    if operator.name in _OPTIONS:
        fields += [(3, "u8", _OPTIONS[operator.name]), (4, "offset", _options(builder, operator))]
    elif operator.name not in _PLAIN:
        known = ", ".join(sorted((*_PLAIN, *_OPTIONS)))
        raise ModelError(f"Operator {operator.index} is {operator.name}; only {known} can be written.")
    return _table(builder, 5, fields)


def _options(builder: flatbuffers.Builder, operator: Operator) -> int:
    """Write the options of an operator in :data:`_OPTIONS`."""
    activation = _ACTIVATION_CODES[operator.activation]
    if operator.name == "SOFTMAX":
        builder.StartObject(1)
        builder.PrependFloat32Slot(0, operator.beta or 0.0, 0.0)
        return int(builder.EndObject())
    if operator.name == "RESHAPE":
        shape = None if operator.new_shape is None else _numbers(builder, "<i", operator.new_shape)
        return _table(builder, 1, [] if shape is None else [(0, "offset", shape)])
    if operator.name == "CONCATENATION":
        return _table(builder, 2, [(0, "i32", operator.axis or 0), (1, "i8", activation)])
    if operator.name == "FULLY_CONNECTED":
        bias_type = _TYPE_CODES[operator.bias_type]
        named = [(0, "i8", activation), (1, "i8", operator.shuffled_weights), (2, "u8", operator.keep_num_dims)]
        return _table(builder, 5, [*named, (4, "i8", bias_type)])
    if operator.name == "MUL":
        return _table(builder, 1, [(0, "i8", activation)])
    builder.StartObject(2)
    builder.PrependInt8Slot(0, activation, 0)
    builder.PrependBoolSlot(1, operator.pot_scale_int16, True)
    return int(builder.EndObject())
