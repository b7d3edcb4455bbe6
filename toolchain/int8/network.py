"""The int8 right-hand side as the toolchain knows it, read from a .tflite and checked tensor by tensor.

A converter that is fed badly leaves half of a model in float, per channel, or with another scale, and the model
still runs. So nothing is assumed: every operator, type, scale and shape is compared with docs/SPEC.md (2.4), and the
first difference names the operator and the tensor.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from toolchain.errors import ModelError
from toolchain.int8.flatbuffer import Operator, Tensor, TfliteModel
from toolchain.int8.ops.fully_connected import dense_multiplier
from toolchain.int8.ops.lookup import tanh_table

TANH_SCALE = 1.0 / 128.0
_HINT = "The converter did not make the graph of docs/SPEC.md; convert again with this version of the toolchain."


@dataclass(frozen=True, eq=False)
class Dense:
    """One FULLY_CONNECTED: ``weights`` int8 (outputs, inputs), ``bias`` int32 (outputs,); inputs have zero point 0.

    Output = clamp(zero_point + (weights @ q + bias) * multiplier / 2**31 * 2**shift), TFLM's roundings.
    """

    name: str
    weights: npt.NDArray[np.int8]
    bias: npt.NDArray[np.int32]
    weight_scale: float
    output_scale: float
    output_zero_point: int
    multiplier: int
    shift: int


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer: ``drive`` reads [in, h] and goes through ``tanh`` (int8 (256,), index q + 128); ``gate`` gives z."""

    drive: Dense
    gate: Dense
    tanh: npt.NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Network:
    """The whole right-hand side. ``input_position`` / ``output_position``: place of each name in the file's lists."""

    state_scale: float
    layers: tuple[Layer, ...]
    head: Dense
    input_position: dict[str, int]
    output_position: dict[str, int]

    @property
    def inputs(self) -> int:
        """Width of x."""
        return int(self.layers[0].gate.weights.shape[1])

    @property
    def units(self) -> list[int]:
        """Width of each layer."""
        return [int(layer.gate.weights.shape[0]) for layer in self.layers]

    @property
    def states(self) -> int:
        """Sum of the layer widths."""
        return sum(self.units)

    @property
    def outputs(self) -> int:
        """Number of logits."""
        return int(self.head.weights.shape[0])

    @property
    def shares_rates(self) -> bool:
        """Whether all z have one scale and zero point, so that one table gives 1/tau of all layers."""
        return len({(layer.gate.output_scale, layer.gate.output_zero_point) for layer in self.layers}) == 1


def input_names(layers: int) -> list[str]:
    """Names of the graph's inputs in the order that docs/SPEC.md uses."""
    return ["x", *(f"h{layer + 1}" for layer in range(layers))]


def output_names(layers: int) -> list[str]:
    """Names of the graph's outputs in the order that docs/SPEC.md uses."""
    return [name for layer in range(layers) for name in (f"f{layer + 1}", f"z{layer + 1}")] + ["y"]


def read_network(model: TfliteModel) -> Network:
    """Find the right-hand side in ``model`` by its input names and its data flow, and check all of it.

    Raises ModelError that names the operator and the tensor of the first difference.
    """
    return _Finder(model).network()


def canonical(model: TfliteModel) -> TfliteModel:
    """Return ``model`` with the names, the input and output order and the operator order of docs/SPEC.md.

    Raises ModelError if it is not a right-hand side.
    """
    finder = _Finder(model)
    finder.network()
    order = finder.order
    names = {index: name for name, index in {**finder.input_tensor, **finder.output_tensor}.items()}
    used = [*finder.input_tensor.values()]
    for operator in order:
        used += [index for index in (*operator.inputs, *operator.outputs) if index not in used]
    place = {old: new for new, old in enumerate(used)}
    tensors = [replace(model.tensors[old], index=new, name=names.get(old, "")) for old, new in place.items()]
    operators = [
        replace(
            operator,
            index=index,
            inputs=tuple(place[i] for i in operator.inputs),
            outputs=tuple(place[i] for i in operator.outputs),
        )
        for index, operator in enumerate(order)
    ]
    layers = len(finder.input_tensor) - 1
    return TfliteModel(
        tensors=tuple(tensors),
        operators=tuple(operators),
        inputs=tuple(place[finder.input_tensor[name]] for name in input_names(layers)),
        outputs=tuple(place[finder.output_tensor[name]] for name in output_names(layers)),
    )


class _Finder:
    """Walks from the inputs through concatenations, fully connected layers and tanh to the outputs."""

    def __init__(self, model: TfliteModel) -> None:
        self.model = model
        self.input_tensor: dict[str, int] = {}
        self.output_tensor: dict[str, int] = {}
        self.order: list[Operator] = []

    def network(self) -> Network:
        self._check_operators()
        self._find_inputs()
        layers = len(self.input_tensor) - 1
        scale = self._common_scale()
        found = []
        source = self.input_tensor["x"]
        for layer in range(1, layers + 1):
            found.append(self._layer(layer, source, scale))
            source = self.input_tensor[f"h{layer}"]
        head = self._dense(self._reader("FULLY_CONNECTED", (source,)), scale)
        self.output_tensor["y"] = self.order[-1].outputs[0]
        if len(self.order) != len(self.model.operators):
            left = next(op for op in self.model.operators if op not in self.order)
            raise ModelError(f"Operator {self._where(left)} does not belong to the right-hand side.", _HINT)
        if sorted(self.model.outputs) != sorted(self.output_tensor.values()):
            raise ModelError(
                f"The graph's outputs are {self.model.output_names()}, expected one f and z per layer and y.", _HINT
            )
        return Network(
            state_scale=scale,
            layers=tuple(found),
            head=head,
            input_position={name: self.model.inputs.index(index) for name, index in self.input_tensor.items()},
            output_position={name: self.model.outputs.index(index) for name, index in self.output_tensor.items()},
        )

    def _where(self, operator: Operator) -> str:
        tensor = self.model.tensors[operator.outputs[0]].name if operator.outputs else "nothing"
        return f"{operator.index} ({operator.name}, which makes tensor '{tensor}')"

    def _check_operators(self) -> None:
        for operator in self.model.operators:
            if operator.name not in ("CONCATENATION", "FULLY_CONNECTED", "TANH"):
                raise ModelError(
                    f"Operator {self._where(operator)} must not occur; "
                    "expected only CONCATENATION, FULLY_CONNECTED and TANH.",
                    _HINT,
                )
            if operator.activation != "NONE" or len(operator.outputs) != 1 or -1 in operator.inputs:
                raise ModelError(f"Operator {self._where(operator)} has a fused activation or a missing tensor.", _HINT)
            for index in (*operator.inputs, *operator.outputs):
                self._check_type(operator, self.model.tensors[index])

    def _check_type(self, operator: Operator, tensor: Tensor) -> None:
        is_bias = operator.name == "FULLY_CONNECTED" and tensor.index in operator.inputs[2:]
        expected = "INT32" if is_bias else "INT8"
        if tensor.type != expected:
            raise ModelError(
                f"Tensor '{tensor.name}' of operator {self._where(operator)} is {tensor.type}, expected {expected}.",
                _HINT,
            )
        if len(tensor.scales) != 1:
            raise ModelError(
                f"Tensor '{tensor.name}' of operator {self._where(operator)} has {len(tensor.scales)} scales, "
                "expected one (per tensor).",
                _HINT,
            )

    def _find_inputs(self) -> None:
        for index in self.model.inputs:
            name = self.model.tensors[index].name.removeprefix("serving_default_").removesuffix(":0")
            self.input_tensor[name] = index
        layers = len(self.model.inputs) - 1
        expected = input_names(layers)
        if layers < 1 or sorted(self.input_tensor) != sorted(expected):
            raise ModelError(f"The graph's inputs are {self.model.input_names()}, expected x, h1, h2, ...", _HINT)
        self.input_tensor = {name: self.input_tensor[name] for name in expected}
        for name, index in self.input_tensor.items():
            tensor = self.model.tensors[index]
            if tensor.type != "INT8" or len(tensor.shape) != 2 or tensor.shape[0] != 1 or tensor.data is not None:
                raise ModelError(
                    f"Input '{name}' is {tensor.type} of shape {tensor.shape}, expected INT8 (1, n).", _HINT
                )

    def _common_scale(self) -> float:
        scale = self.model.tensors[self.input_tensor["x"]].scale
        for name, index in self.input_tensor.items():
            self._check_scale(self.model.tensors[index], scale, 0, f"input '{name}'")
        return scale

    def _check_scale(self, tensor: Tensor, scale: float, zero_point: int, where: str) -> None:
        if tensor.scale != scale or tensor.zero_point != zero_point:
            raise ModelError(
                f"Tensor '{tensor.name}' ({where}) has scale {tensor.scale:.9g} and zero point {tensor.zero_point}, "
                f"expected {scale:.9g} and {zero_point}.",
                _HINT,
            )

    def _reader(self, name: str, inputs: tuple[int, ...]) -> Operator:
        found = [op for op in self.model.operators if op.name == name and op.inputs[: len(inputs)] == inputs]
        if len(found) != 1:
            tensors = ", ".join(f"'{self.model.tensors[index].name}'" for index in inputs)
            raise ModelError(f"{len(found)} operators {name} read tensor {tensors}, expected exactly 1.", _HINT)
        self.order.append(found[0])
        return found[0]

    def _layer(self, layer: int, source: int, scale: float) -> Layer:
        state = self.input_tensor[f"h{layer}"]
        joined = self._reader("CONCATENATION", (source, state))
        width = sum(self.model.tensors[index].shape[-1] for index in (source, state))
        tensor = self.model.tensors[joined.outputs[0]]
        self._check_scale(tensor, scale, 0, f"operator {self._where(joined)}")
        if joined.axis not in (1, -1) or tensor.shape != (1, width) or len(joined.inputs) != 2:
            raise ModelError(f"Operator {self._where(joined)} does not join its inputs along the last axis.", _HINT)
        drive = self._dense(self._reader("FULLY_CONNECTED", (tensor.index,)), scale)
        before = self.model.tensors[self.order[-1].outputs[0]]
        tanh = self._reader("TANH", (before.index,))
        after = self.model.tensors[tanh.outputs[0]]
        self._check_scale(after, TANH_SCALE, 0, f"operator {self._where(tanh)}")
        if len(tanh.inputs) != 1 or after.shape != before.shape:
            raise ModelError(f"Operator {self._where(tanh)} changes the shape {before.shape} to {after.shape}.", _HINT)
        self.output_tensor[f"f{layer}"] = after.index
        gate = self._dense(self._reader("FULLY_CONNECTED", (source,)), scale)
        self.output_tensor[f"z{layer}"] = self.order[-1].outputs[0]
        units = self.model.tensors[state].shape[-1]
        for dense in (drive, gate):
            if len(dense.bias) != units:
                raise ModelError(
                    f"Tensor '{dense.name}' has {len(dense.bias)} elements, expected {units} of h{layer}.", _HINT
                )
        table = tanh_table(before.scale, before.zero_point)
        return Layer(drive, gate, table)

    def _dense(self, operator: Operator, scale: float) -> Dense:
        if len(operator.inputs) != 3:
            raise ModelError(f"Operator {self._where(operator)} has {len(operator.inputs)} inputs, expected 3.", _HINT)
        source, weights, bias = (self.model.tensors[index] for index in operator.inputs)
        output = self.model.tensors[operator.outputs[0]]
        if weights.data is None or bias.data is None:
            raise ModelError(f"Operator {self._where(operator)} has weights or a bias that are not constants.", _HINT)
        rows = output.shape[-1] if output.shape else 0
        if weights.shape != (rows, source.shape[-1]) or bias.shape != (rows,) or output.shape != (1, rows):
            raise ModelError(
                f"Operator {self._where(operator)} multiplies {source.shape} by {weights.shape} plus {bias.shape} "
                f"into {output.shape}.",
                _HINT,
            )
        if weights.zero_point != 0 or not -128 <= output.zero_point <= 127:
            raise ModelError(f"Operator {self._where(operator)} has a zero point that int8 kernels do not take.", _HINT)
        largest = np.abs(weights.data.astype(np.int64)).sum(axis=1) * 128 + np.abs(bias.data.astype(np.int64))
        if (largest >= 2**31).any():
            raise ModelError(f"Operator {self._where(operator)} can overflow its 32-bit accumulator.", _HINT)
        self._check_bias_scale(operator, scale * weights.scale, bias, output)
        multiplier, shift = dense_multiplier(scale, weights.scale, output.scale)
        if not -31 <= shift <= 0 or multiplier == 0:
            raise ModelError(
                f"Operator {self._where(operator)} scales by {scale * weights.scale / output.scale:.3g}, "
                "expected between 2**-32 and 1.",
                _HINT,
            )
        return Dense(
            output.name, weights.data, bias.data, weights.scale, output.scale, output.zero_point, multiplier, shift
        )

    def _check_bias_scale(self, operator: Operator, product: float, bias: Tensor, output: Tensor) -> None:
        # TFLM refuses a bias whose scale is off by this much (kernel_util.cc, GetQuantizedConvolutionMultipler).
        if abs(product - bias.scale) / output.scale > 0.02 or bias.zero_point != 0:
            raise ModelError(
                f"Tensor '{bias.name}' of operator {self._where(operator)} has scale {bias.scale:.6g}, "
                f"expected {product:.6g} (input times weights).",
                _HINT,
            )
