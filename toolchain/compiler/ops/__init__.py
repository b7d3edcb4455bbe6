"""The operations that the compiler knows, by the name that a node carries and by the .tflite's operator."""

from __future__ import annotations

from toolchain.compiler.operation import Operation
from toolchain.compiler.ops.activation import LOGISTIC, TANH
from toolchain.compiler.ops.concatenation import CONCATENATION
from toolchain.compiler.ops.dense import DENSE
from toolchain.compiler.ops.elementwise import ADD, MUL, SUB
from toolchain.compiler.ops.lookup import LOOKUP
from toolchain.compiler.ops.quantize import QUANTIZE
from toolchain.compiler.ops.reshape import RESHAPE
from toolchain.compiler.ops.softmax import SOFTMAX

_ALL: tuple[Operation, ...] = (
    *(ADD, CONCATENATION, DENSE, LOGISTIC, LOOKUP, MUL, QUANTIZE, RESHAPE, SOFTMAX, SUB, TANH),
)
OPERATIONS = {operation.name: operation for operation in _ALL}
"""By the name of a node."""
READERS = {name: operation for operation in _ALL for name in operation.tflite}
"""By the name of a .tflite operator: what the compiler takes."""
