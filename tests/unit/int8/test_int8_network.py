"""The check of every operator and tensor: what is not the right-hand side is refused, and named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from toolchain.errors import ModelError
from toolchain.int8.flatbuffer import TfliteModel
from toolchain.int8.network import canonical, input_names, output_names, read_network


@pytest.fixture
def model(make_model):
    return make_model(np.random.default_rng(3), [4, 5])


def _tensor(model: TfliteModel, which: str, **changes: object) -> TfliteModel:
    assert which in [tensor.name for tensor in model.tensors]
    changed = [replace(t, **changes) if t.name == which else t for t in model.tensors]
    return replace(model, tensors=tuple(changed))


def _operators(model: TfliteModel, operators: list) -> TfliteModel:
    return replace(model, operators=tuple(replace(op, index=index) for index, op in enumerate(operators)))


def test_a_right_hand_side_is_found(model):
    network = read_network(model)
    assert (network.inputs, network.units, network.outputs) == (6, [4, 5], 5)
    counts = {
        name: sum(op.name == name for op in model.operators) for name in ("CONCATENATION", "FULLY_CONNECTED", "TANH")
    }
    assert counts == {"CONCATENATION": 2, "FULLY_CONNECTED": 5, "TANH": 2}


@pytest.mark.parametrize(
    ("tensor", "changes", "said"),
    [
        ("x", {"zero_points": (1,)}, "'x'.*zero point 1"),
        ("h2", {"scales": (0.5,)}, "'h2'.*scale 0.5"),
        ("joined1", {"scales": (0.5,)}, "'joined1'.*CONCATENATION.*scale 0.5"),
        ("f1", {"scales": (0.01,)}, "'f1'.*TANH.*scale 0.01"),
        ("f2", {"zero_points": (3,)}, "'f2'.*zero point 3"),
        ("z1", {"type": "FLOAT32"}, "'z1'.*FLOAT32, expected INT8"),
        ("z1/w", {"type": "FLOAT32"}, "'z1/w'.*FULLY_CONNECTED.*FLOAT32"),
        ("drive2/w", {"scales": (0.1,) * 5, "zero_points": (0,) * 5}, "'drive2/w'.*5 scales, expected one"),
        ("drive2/w", {"zero_points": (4,)}, "drive2.*zero point"),
        ("y/b", {"type": "INT8"}, "'y/b'.*INT8, expected INT32"),
        ("y/b", {"scales": (9.0,)}, "'y/b'.*scale 9"),
        ("y/w", {"data": None}, "not constants"),
        ("y", {"scales": (1e-9,)}, "scales by"),
        ("z2", {"shape": (1, 9)}, "multiplies"),
        ("h1", {"name": "state"}, "inputs are"),
        ("y/b", {"data": np.full(5, 2**31 - 1, np.int32)}, "overflow"),
    ],
)
def test_a_wrong_tensor_is_named(model, tensor, changes, said):
    with pytest.raises(ModelError, match=said):
        read_network(_tensor(model, tensor, **changes))


def test_a_foreign_operator_is_named(model):
    last = model.operators[-1]
    with pytest.raises(ModelError, match=r"9 \(QUANTIZE, which makes tensor 'y'\)"):
        read_network(_operators(model, [*model.operators, replace(last, name="QUANTIZE")]))


def test_a_superfluous_operator_is_named(model):
    with pytest.raises(ModelError, match="2 operators FULLY_CONNECTED read tensor 'h2'"):
        read_network(_operators(model, [*model.operators, model.operators[-1]]))


def test_a_missing_operator_is_named(model):
    with pytest.raises(ModelError, match="0 operators TANH read tensor 'drive2'"):
        read_network(_operators(model, [op for op in model.operators if op.outputs != model.operators[6].outputs]))


def test_a_fused_activation_is_refused(model):
    operators = [replace(op, activation="RELU") if op.index == 1 else op for op in model.operators]
    with pytest.raises(ModelError, match="fused activation"):
        read_network(_operators(model, operators))


def test_an_output_too_few_is_refused(model):
    with pytest.raises(ModelError, match="outputs are"):
        read_network(replace(model, outputs=model.outputs[:-1]))


def test_canonical_gives_names_and_order(model, shuffled):
    rng = np.random.default_rng(0)
    mixed = _operators(shuffled(rng, model), list(reversed(model.operators)))
    mixed = _tensor(_tensor(mixed, "y", name="Identity_2"), "x", name="serving_default_x:0")
    tidy = canonical(mixed)
    assert tidy.input_names() == input_names(2) == ["x", "h1", "h2"]
    assert tidy.output_names() == output_names(2) == ["f1", "z1", "f2", "z2", "y"]
    was, now = read_network(model), read_network(tidy)
    np.testing.assert_array_equal(was.head.weights, now.head.weights)
    np.testing.assert_array_equal(was.layers[1].drive.weights, now.layers[1].drive.weights)
    assert now.output_position == {name: place for place, name in enumerate(output_names(2))}
