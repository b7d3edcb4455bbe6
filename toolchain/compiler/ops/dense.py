"""FULLY_CONNECTED: one node may hold several that read the same input."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toolchain.compiler import packing
from toolchain.compiler.ir import Array, Graph, Node, Value
from toolchain.compiler.operation import CWriter, Operation, Reading
from toolchain.int8.flatbuffer import Tensor
from toolchain.int8.ops.fully_connected import DenseParameters, dense, dense_parameters
from toolchain.int8.ops.lookup import lookup

_SUM_LIMIT = 2**47
"""TFLM's wide scaling is defined for sums below this."""


@dataclass(frozen=True, eq=False)
class Part:
    """``weights`` int8 (rows, depth), ``bias`` int64 (rows,); int8 outputs go through ``table``, if there is one."""

    weights: npt.NDArray[np.int8]
    bias: npt.NDArray[np.int64]
    parameters: DenseParameters
    weight_bytes: int
    table: npt.NDArray[np.int8] | None = None

    @property
    def folded_bias(self) -> npt.NDArray[np.int64]:
        """The bias with the input's zero point in it."""
        sums: npt.NDArray[np.int64] = self.weights.astype(np.int64).sum(axis=1)
        return self.bias + self.parameters.input_offset * sums


@dataclass(frozen=True, eq=False)
class Dense:
    """One part for each output of the node."""

    parts: tuple[Part, ...]


class _Dense(Operation):
    name = "FULLY_CONNECTED"
    tflite = ("FULLY_CONNECTED",)

    def read(self, reading: Reading) -> tuple[tuple[Tensor, ...], Dense]:
        if len(reading.inputs) not in (2, 3):
            raise reading.refuse(f"it has {len(reading.inputs)} inputs, expected 2 or 3")
        source, weights, output = reading.input(0), reading.input(1), reading.outputs[0]
        bias = reading.inputs[2] if len(reading.inputs) == 3 else None
        if reading.operator.shuffled_weights:
            raise reading.refuse("its weights are stored in a shuffled layout")
        if weights.type != "INT8":
            raise reading.refuse(f"its weights '{weights.name}' are {weights.type}, expected INT8")
        if weights.data is None:
            raise reading.refuse(f"its weights '{weights.name}' are not constant")
        if len(weights.shape) != 2:
            raise reading.refuse(f"its weights have the shape {weights.shape}, expected two dimensions")
        if bias is not None and bias.data is None:
            raise reading.refuse(f"its bias '{bias.name}' is not constant")
        rows, depth = weights.shape
        batches = math.prod(output.shape) // rows
        if not output.shape or output.shape[-1] != rows or math.prod(source.shape) != batches * depth:
            raise reading.refuse(f"{source.shape} times weights {weights.shape} does not give {output.shape}")
        if len(weights.scales) > 1 and weights.quantized_dimension != 0:
            raise reading.refuse(f"its weights have a scale for each entry of axis {weights.quantized_dimension}")
        numbers = np.zeros(rows, np.int64)
        if bias is not None:
            assert bias.data is not None
            if bias.data.size != rows:
                raise reading.refuse(f"its bias has {bias.data.size} entries for {rows} outputs")
            numbers = bias.data.reshape(-1).astype(np.int64)
        part = Part(
            weights=weights.data,
            bias=numbers,
            parameters=_parameters(reading, source, weights, bias, output),
            weight_bytes=weights.data.nbytes + (0 if bias is None or bias.data is None else bias.data.nbytes),
        )
        low, high = packing.sum_range(part.weights, source.type)
        if max(abs(int(bound)) for bound in (*(low + part.bias), *(high + part.bias))) >= _SUM_LIMIT:
            raise reading.refuse("its sums can leave 47 bits")
        return (source,), Dense((part,))

    def evaluate(self, node: Node, inputs: Sequence[Array], outputs: Sequence[Value]) -> list[Array]:
        results = []
        for part, output in zip(node.parameters.parts, outputs, strict=True):
            rows = inputs[0].reshape(-1, part.weights.shape[1])
            result = dense(part.parameters, rows, part.weights, part.bias)
            if part.table is not None:
                result = lookup(part.table, result.astype(np.int8))
            results.append(result.reshape(output.shape))
        return results

    def emit(self, node: Node, c: CWriter) -> list[str]:
        source = c.graph.values[node.inputs[0]]
        parts: tuple[Part, ...] = node.parameters.parts
        depth = parts[0].weights.shape[1]
        batches = source.size // depth
        lanes = c.scratch(node)
        c.include("lanes")
        calls = []
        for part, output in zip(parts, node.outputs, strict=True):
            kernel = packing.choose_kernel(part.weights, part.folded_bias, part.parameters, source.type)
            c.include(kernel.header)
            record = _record(part, kernel, source.type, c)
            calls.append((kernel.function, record, c.pointer(output), part.weights.shape[0]))
        widen = f"tl_widen_{source.type.lower()}"
        pointer = c.pointer(node.inputs[0])
        if batches == 1:
            return [
                f"{widen}({pointer}, {depth}u, {lanes});",
                *(f"{function}(&{record}, {lanes}, {output});" for function, record, output, _ in calls),
            ]
        return [
            f"for (uint32_t batch = 0; batch < {batches}u; ++batch) {{",
            f"    {widen}({pointer} + batch * {depth}u, {depth}u, {lanes});",
            *(
                f"    {function}(&{record}, {lanes}, {output} + batch * {rows}u);"
                for function, record, output, rows in calls
            ),
            "}",
        ]

    def scratch_bytes(self, node: Node, graph: Graph) -> int:
        return 8 * packing.groups(node.parameters.parts[0].weights.shape[1])

    def macs(self, node: Node, graph: Graph) -> int:
        parts: tuple[Part, ...] = node.parameters.parts
        batches = graph.values[node.inputs[0]].size // int(parts[0].weights.shape[1])
        return batches * sum(int(part.weights.size) for part in parts)

    def weight_bytes(self, node: Node) -> int:
        parts: tuple[Part, ...] = node.parameters.parts
        return sum(part.weight_bytes for part in parts)


def _parameters(
    reading: Reading, source: Tensor, weights: Tensor, bias: Tensor | None, output: Tensor
) -> DenseParameters:
    quantized = reading.quantized(source)
    if bias is not None:
        given = (bias.type, bias.scales[0] if bias.scales else 0.0)
    elif reading.operator.bias_type == "INT32":
        # The sums of 16x8 without a bias have the width that the bias would have.
        given = ("INT32", quantized.scale * weights.scales[0] if weights.scales else 0.0)
    else:
        given = None
    return dense_parameters(
        quantized,
        weights.scales,
        weights.shape[0],
        reading.quantized(output),
        given,
        reading.operator.activation,
        weights.zero_points,
    )


def _record(part: Part, kernel: packing.Kernel, source_type: str, c: CWriter) -> str:
    p, bias = part.parameters, part.folded_bias
    words = (
        packing.pack_pairs(part.weights) if kernel == packing.PAIRS else packing.pack_words(part.weights, source_type)
    )
    multipliers, shifts = list(p.multipliers), list(p.shifts)
    if kernel == packing.PAIRS:
        shifts = [-shift for shift in shifts]
    elif kernel == packing.WIDE:
        multipliers, shifts = packing.reduced_multipliers(p), packing.reduced_rights(p)
    per_row = len({*zip(multipliers, shifts, strict=True)}) > 1
    if not per_row:
        multipliers, shifts = multipliers[:1], shifts[:1]
    # Sums of 32 bits wrap where TFLM's do, so the bias may too.
    wide = kernel == packing.LONG
    fields: list[str | int] = [
        c.constant("uint32_t", "weights", words),
        "NULL" if wide else c.constant("int32_t", "bias", ((bias + 2**31) % 2**32 - 2**31).astype(np.int32)),
        c.constant("int64_t", "bias", bias) if wide else "NULL",
        c.constant("int32_t", "multiplier", np.array(multipliers, np.int32)),
        c.constant("int8_t", "shift", np.array(shifts, np.int8)),
        "NULL" if part.table is None else c.constant("int8_t", "table", _clamped_table(part.table, p)),
        f"{len(part.weights)}u",
        f"{packing.groups(part.weights.shape[1])}u",
        f"{int(per_row)}u",
        *(p.output_offset, p.activation_min, p.activation_max),
    ]
    return c.record("tl_dense", "dense", fields)


def _clamped_table(table: npt.NDArray[np.int8], p: DenseParameters) -> npt.NDArray[np.int8]:
    """Return ``table`` with the fused activation before it, so that the kernel only saturates."""
    return lookup(table, np.clip(np.arange(-128, 128), p.activation_min, p.activation_max).astype(np.int8))


DENSE = _Dense()
