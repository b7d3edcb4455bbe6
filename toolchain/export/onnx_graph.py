"""One float step of the network as an ONNX graph, written node by node (docs/SPEC.md, 8).

Inputs ``x`` (N, inputs), ``dt`` (N, 1) and the states ``h1`` (N, units), ...; outputs ``y`` (N, outputs) and the states
after the step, ``h1_next``, ...: what :meth:`toolchain.ltc.step.FloatNetwork.step` takes and gives. The operators are
those of ONNX's default domain at opset 17, which every runtime of the last years has.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import toolchain
from toolchain.int8.network import input_names
from toolchain.ltc.modelspec import ModelSpec
from toolchain.ltc.solvers import Solver
from toolchain.ltc.weights import Floats, Weights

OPSET = 17
IR_VERSION = 8
"""The one that belongs to opset 17: older runtimes refuse a newer number."""
RIGHT_HAND_SIDE = "rhs"
"""Nodes of the right-hand side are named ``rhs/...``; those of the solver ``solver/...``."""
SPEC_KEY = "tinyltc.spec"
"""Key of the file's metadata that holds model.json."""
_Slopes = list[tuple[str, str]]
"""Per layer the names of drive g and rate r = 1/tau."""


def _read(state: str) -> str:
    """Return the name of what the right-hand side reads instead of a state."""
    return f"{state}_read"


def next_name(state: str) -> str:
    """Return the name of the output that is the state after the step."""
    return f"{state}_next"


def step_graph(weights: Weights, spec: ModelSpec) -> bytes:
    """Return the ONNX file of one step with ``spec``'s solver, checked by onnx."""
    return bytes(_Step(weights, spec).model().SerializeToString())


class _Step:
    """Collects the nodes and constants of the graph."""

    def __init__(self, weights: Weights, spec: ModelSpec) -> None:
        self._weights, self._spec = weights, spec
        self._nodes: list[Any] = []
        self._constants: dict[str, Floats] = {}
        self._states = input_names(len(weights.layers))[1:]

    def model(self) -> Any:
        for key, value in self._weights.to_arrays().items():
            self._constants[key] = value
        first = self._slopes(self._states, "")
        self._rhs("Gemm", [_read(self._states[-1]), "u", "d"], "y")
        if self._spec.solver == "rk4":
            self._rk4(first)
        else:
            for state, slopes in zip(self._states, first, strict=True):
                self._advance(self._spec.solver, state, *slopes)
        graph = helper.make_graph(
            self._nodes,
            "tinyltc_step",
            [self._value("x", self._spec.inputs), self._value("dt", 1), *self._state_values(self._states)],
            [self._value("y", len(self._spec.classes)), *self._state_values([next_name(s) for s in self._states])],
            [numpy_helper.from_array(value, name) for name, value in self._constants.items()],
            doc_string="One step of a liquid time-constant network; docs/SPEC.md, sections 7 and 8.",
        )
        made = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="tinyltc",
            producer_version=toolchain.__version__,
        )
        helper.set_model_props(made, {SPEC_KEY: self._spec.model_dump_json()})
        onnx.checker.check_model(made, full_check=True)
        return made

    def _value(self, name: str, width: int) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", width])

    def _state_values(self, names: list[str]) -> list[Any]:
        return [self._value(name, units) for name, units in zip(names, self._weights.units, strict=True)]

    def _node(self, group: str, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self._nodes.append(helper.make_node(operator, inputs, [output], name=f"{group}/{output}", **attributes))
        return output

    def _rhs(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        return self._node(RIGHT_HAND_SIDE, operator, inputs, output, **attributes)

    def _do(self, operator: str, inputs: list[str], output: str) -> str:
        return self._node("solver", operator, inputs, output)

    def _constant(self, value: float) -> str:
        name = f"constant_{value:.9g}"
        self._constants[name] = np.array([[value]], np.float32)
        return name

    def _slopes(self, states: list[str], stage: str) -> _Slopes:
        """Add the right-hand side at ``states``; ``stage`` ends the names of what it makes.

        It reads copies: quantization puts its rounding where a tensor is made, for everyone who reads it, and the
        solver must have the state as it is.
        """
        read = [self._rhs("Identity", [h], _read(h)) for h in states]
        result = []
        for index, (source, h) in enumerate(zip(["x", *read[:-1]], read, strict=True)):
            name = f"{index + 1}{stage}"
            both = self._rhs("Concat", [source, h], f"in{name}", axis=1)
            before = self._rhs("Gemm", [both, f"w{index}", f"b{index}"], f"a{name}")
            drive = self._rhs("Tanh", [before], f"f{name}")
            z = self._rhs("Gemm", [source, f"v{index}", f"c{index}"], f"z{name}")
            positive = self._do("Softplus", [z], f"softplus{name}")
            tau = self._do("Add", [positive, self._constant(self._spec.tau_epsilon)], f"tau{name}")
            result.append((drive, self._do("Reciprocal", [tau], f"r{name}")))
        return result

    def _slope(self, h: str, g: str, r: str) -> str:
        """``g - r h``."""
        leak = self._do("Mul", [r, h], f"leak_{g}")
        return self._do("Sub", [g, leak], f"k_{g}")

    def _advance(self, solver: Solver, h: str, g: str, r: str) -> str:
        """One of the solvers with one evaluation (docs/SPEC.md, 2.5); returns the state after."""
        if solver == "semi_implicit":
            moved = self._do("Add", [h, self._do("Mul", ["dt", g], f"p_{h}")], f"s_{h}")
            divisor = self._do("Add", [self._constant(1.0), self._do("Mul", ["dt", r], f"t_{h}")], f"d_{h}")
            return self._do("Div", [moved, divisor], next_name(h))
        if solver == "euler":
            weight = "dt"
        else:
            # 1 - exp(-t) = 2 T / (1 + T) with T = tanh(t / 2): nothing cancels for small t.
            t = self._do("Mul", ["dt", r], f"t_{h}")
            tanh = self._do("Tanh", [self._do("Mul", [t, self._constant(0.5)], f"half_{h}")], f"tanh_{h}")
            twice = self._do("Mul", [tanh, self._constant(2.0)], f"twice_{h}")
            share = self._do("Div", [twice, self._do("Add", [tanh, self._constant(1.0)], f"n_{h}")], f"E_{h}")
            weight = self._do("Div", [share, r], f"w_{h}")
        step = self._do("Mul", [weight, self._slope(h, g, r)], f"p_{h}")
        return self._do("Add", [h, step], next_name(h))

    def _rk4(self, first: _Slopes) -> None:
        """Four right-hand sides; every layer reads the stage state of the one below."""
        half = self._do("Mul", ["dt", self._constant(0.5)], "half_dt")
        sixth = self._do("Mul", ["dt", self._constant(1.0 / 6.0)], "sixth_dt")
        k = [self._slope(h, g, r) for h, (g, r) in zip(self._states, first, strict=True)]
        total = list(k)
        for number, length in ((2, half), (3, half), (4, "dt")):
            stage = f"_s{number}"
            at = []
            for h, slope in zip(self._states, k, strict=True):
                at.append(self._do("Add", [h, self._do("Mul", [length, slope], f"{h}{stage}_p")], f"{h}{stage}"))
            k = [self._slope(h, g, r) for h, (g, r) in zip(at, self._slopes(at, stage), strict=True)]
            for index, (h, slope) in enumerate(zip(self._states, k, strict=True)):
                more = slope if number == 4 else self._do("Add", [slope, slope], f"{h}{stage}_twice")
                total[index] = self._do("Add", [total[index], more], f"{h}{stage}_sum")
        for h, whole in zip(self._states, total, strict=True):
            self._do("Add", [h, self._do("Mul", [sixth, whole], f"p_{h}")], next_name(h))
