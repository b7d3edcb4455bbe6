"""What an operation is to the compiler: one object for each name that a node can have.

An operation reads its integer parameters from the .tflite's operator, computes in numpy, and writes its C call. The
modules of :mod:`toolchain.compiler.ops` hold one object for each; docs/adding-an-op.md says how to add another.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from toolchain.compiler.ir import Array, Graph, Node, Value
from toolchain.errors import ModelError
from toolchain.int8.flatbuffer import Operator, Tensor
from toolchain.int8.ops.quantized import Quantized

HINT = "docs/use-in-your-firmware.md lists what the compiler takes."


@dataclass(frozen=True)
class Reading:
    """An operator of the .tflite that is being read. A None among ``inputs`` is an optional input left out."""

    operator: Operator
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]
    origin: str

    def refuse(self, what: str) -> ModelError:
        """Return the error that names this operator; ``what`` says what is wrong with it."""
        return ModelError(f"{self.origin} cannot be compiled: {what}.", HINT)

    def input(self, place: int) -> Tensor:
        """Return an input that must be there."""
        if place >= len(self.inputs) or (tensor := self.inputs[place]) is None:
            raise self.refuse(f"its input {place} is missing")
        return tensor

    def expect_inputs(self, count: int) -> None:
        """Refuse another number of inputs."""
        if len(self.inputs) != count:
            raise self.refuse(f"it has {len(self.inputs)} inputs, expected {count}")

    def expect_size(self, tensor: Tensor) -> None:
        """Refuse an input that has another number of elements than the output."""
        output = self.outputs[0]
        if math.prod(tensor.shape) != math.prod(output.shape):
            raise self.refuse(f"the shapes {tensor.shape} and {output.shape} do not hold as many elements")

    def quantized(self, tensor: Tensor) -> Quantized:
        """Return type, scale and zero point of a data tensor."""
        return Quantized.of(tensor)


class CWriter(Protocol):
    """What an operation needs of the C that is being written."""

    graph: Graph

    def pointer(self, value: int) -> str:
        """C expression for the first element of ``value``."""

    def constant(self, c_type: str, hint: str, numbers: Array) -> str:
        """Name of a ``static const`` array of ``numbers``; the same array is written once."""

    def record(self, c_type: str, hint: str, fields: Sequence[str | int]) -> str:
        """Name of a ``static const`` structure of these fields."""

    def include(self, kernel: str) -> None:
        """Use firmware/engine/kernels/``kernel``.h."""

    def scratch(self, node: Node) -> str:
        """C expression of the node's scratch memory, ``uint32_t *``."""


class Operation(ABC):
    """One kind of node. ``tflite``: names of the operators that are read as it; ``elementwise``: each output element
    depends on the input elements at its place alone.
    """

    name: str
    tflite: tuple[str, ...] = ()
    elementwise = False

    @abstractmethod
    def read(self, reading: Reading) -> tuple[tuple[Tensor, ...], Any]:
        """Return the tensors that the node reads and its parameters; raises ModelError for what is not supported."""

    @abstractmethod
    def evaluate(self, node: Node, inputs: Sequence[Array], outputs: Sequence[Value]) -> list[Array]:
        """Return the outputs for these inputs, exactly as TensorFlow Lite Micro computes them."""

    @abstractmethod
    def emit(self, node: Node, c: CWriter) -> list[str]:
        """Return the C statements that compute the node."""

    def scratch_bytes(self, node: Node, graph: Graph) -> int:
        """Return the bytes of scratch memory that the node needs while it runs; starts at a multiple of 4."""
        return 0

    def macs(self, node: Node, graph: Graph) -> int:
        """Return the number of multiply-accumulates of one run."""
        return 0

    def weight_bytes(self, node: Node) -> int:
        """Return the bytes of the model's weights and biases, before packing."""
        return 0
