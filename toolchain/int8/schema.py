"""Numbers of TensorFlow Lite's public schema, as far as this toolchain reads or writes them."""

from __future__ import annotations

IDENTIFIER = b"TFL3"
SCHEMA_VERSION = 3

TYPES: dict[int, tuple[str, str | None]] = {
    0: ("FLOAT32", "<f4"),
    1: ("FLOAT16", "<f2"),
    2: ("INT32", "<i4"),
    3: ("UINT8", "|u1"),
    4: ("INT64", "<i8"),
    5: ("STRING", None),
    6: ("BOOL", "|b1"),
    7: ("INT16", "<i2"),
    8: ("COMPLEX64", None),
    9: ("INT8", "|i1"),
    10: ("FLOAT64", "<f8"),
    11: ("COMPLEX128", None),
    12: ("UINT64", "<u8"),
    13: ("RESOURCE", None),
    14: ("VARIANT", None),
    15: ("UINT32", "<u4"),
    16: ("UINT16", "<u2"),
    17: ("INT4", None),
    18: ("BFLOAT16", None),
}
"""Schema `TensorType`: name and, where numpy can hold it, dtype."""

OPCODES = {
    0: "ADD",
    2: "CONCATENATION",
    6: "DEQUANTIZE",
    9: "FULLY_CONNECTED",
    14: "LOGISTIC",
    18: "MUL",
    22: "RESHAPE",
    25: "SOFTMAX",
    28: "TANH",
    32: "CUSTOM",
    36: "GATHER",
    39: "TRANSPOSE",
    41: "SUB",
    42: "DIV",
    45: "STRIDED_SLICE",
    47: "EXP",
    49: "SPLIT",
    114: "QUANTIZE",
    129: "CALL_ONCE",
    142: "VAR_HANDLE",
    143: "READ_VARIABLE",
    144: "ASSIGN_VARIABLE",
}
"""Schema `BuiltinOperator`, as far as this toolchain names it; others appear as `BUILTIN_<number>`."""

ACTIVATIONS = {0: "NONE", 1: "RELU", 2: "RELU_N1_TO_1", 3: "RELU6", 4: "TANH", 5: "SIGN_BIT"}
