"""What the compiler does not take is refused by name; what nobody vouches for raises nothing but ModelError."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_graphs import LOGISTIC, TANH, Net, names

from toolchain.compiler.frontend import read_graph
from toolchain.compiler.generate import compile_model
from toolchain.compiler.interpret import interpret
from toolchain.errors import ModelError
from toolchain.int8.flatbuffer import read_tflite
from toolchain.int8.flatbuffer_writer import write_tflite


def refused(net, outputs, said, **changes):
    """Check that the net, with ``changes`` to its model, is refused with ``said``."""
    with pytest.raises(ModelError, match=said) as caught:
        read_graph(replace(net.model(*outputs), **changes))
    assert "\n" not in str(caught.value)


def with_tensor(net, place, **changes):
    net.tensors[place] = replace(net.tensors[place], **changes)


@pytest.fixture
def chain():
    """x -> FULLY_CONNECTED (tensors 1 to 3) -> TANH."""
    net = Net()
    net.tanh = net.op("TANH", [net.dense(net.input(1, 4, name="x"), 3)], (1, 3), **TANH, name="y")
    return net


def test_an_unknown_operator_names_itself_its_output_and_its_type(chain):
    other = chain.op("EXP", [chain.tanh], (1, 3), name="strange")
    refused(chain, [other], r"Operator 2 \(EXP, which makes INT8 tensor 'strange'\).*there is no EXP.*known are ADD,")


def test_custom_operators_are_refused(chain):
    refused(chain, [chain.op("CUSTOM", [chain.tanh], (1, 3))], r"Operator 2 \(CUSTOM")


@pytest.mark.parametrize("type_", ["FLOAT32", "FLOAT16", "UINT8", "INT4", "INT32", "RESOURCE"])
def test_other_types_are_refused(chain, type_):
    with_tensor(chain, 0, type=type_)
    refused(chain, [chain.tanh], rf"Operator 0 \(FULLY_CONNECTED.*tensor 'x' is {type_}, expected INT8 or INT16")


@pytest.mark.parametrize(
    ("place", "changes", "said"),
    [
        (0, {"shape": (0, 4)}, r"tensor 'x' has the shape \(0, 4\) \(empty or dynamic\)"),
        (0, {"is_sparse": True}, "tensor 'x' is sparse"),
        (1, {"is_sparse": True}, "Operator 0 .*tensor 't1' is sparse"),
        (0, {"is_variable": True}, "tensor 'x' is a variable"),
        (0, {"shape": (1 << 12, 1 << 13)}, "tensor 'x' has 33,554,432 elements"),
        (0, {"scales": (), "zero_points": ()}, "Operator 0 .*Tensor 'x' has 0 scales"),
        (0, {"shape": (1, 5)}, r"\(1, 5\) times weights \(3, 4\) does not give \(1, 3\)"),
        (0, {"zero_points": (200,)}, "Operator 0 .*zero point 200"),
        (1, {"data": None}, "its weights 't1' are not constant"),
        (1, {"type": "INT4", "data": None}, "its weights 't1' are INT4"),
        (1, {"zero_points": (1,)}, "weights with a zero point other than 0"),
        (1, {"scales": (0.1,) * 4, "zero_points": (0,) * 4, "quantized_dimension": 1}, "each entry of axis 1"),
        (2, {"data": None}, "its bias 't2' is not constant"),
        (2, {"scales": (3.0,)}, "a bias whose scale is not input scale times weight scale"),
        (2, {"type": "INT8"}, "a bias of type INT8"),
    ],
)
def test_tensors_that_do_not_fit_are_refused(chain, place, changes, said):
    with_tensor(chain, place, **changes)
    refused(chain, [chain.tanh], said)


def test_more_than_one_graph_is_refused(chain):
    refused(chain, [chain.tanh], "The model has 2 graphs", subgraphs=2)


def test_a_graph_without_ends_is_refused(chain):
    refused(chain, [], "The model has no outputs")
    refused(chain, [chain.tanh], "The model has no inputs", inputs=())


def test_inputs_that_are_something_else_too_are_refused(chain):
    refused(chain, [chain.tanh], "input 'y' is made by Operator 1 .* too", inputs=(0, chain.tanh))
    refused(chain, [chain.tanh], "input 'x' is an input twice too", inputs=(0, 0))
    refused(chain, [chain.tanh], "input 't1' is constant too", inputs=(0, 1))


def test_values_out_of_order_or_never_made_are_refused(chain):
    refused(chain, [chain.tanh], "reads 't3' before it is made", operators=tuple(reversed(chain.operators)))
    refused(chain, [chain.tanh], "reads 't3' before it is made", operators=(chain.operators[1],))


def test_a_value_made_twice_is_refused(chain):
    again = replace(chain.operators[1], index=2)
    refused(chain, [chain.tanh], "its output is made by Operator 1", operators=(*chain.operators, again))


def test_a_constant_that_is_made_is_refused(chain):
    with_tensor(chain, chain.tanh, data=np.zeros((1, 3), np.int8))
    refused(chain, [chain.tanh], "its output is constant already")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"axis": 2}, "its axis 2 is none of the output's 2"),
        ({"axis": -3}, "its axis -3"),
        ({"axis": 1, "activation": "RELU"}, "the fused activation RELU"),
        ({"axis": 0}, "do not fit along axis 0"),
    ],
)
def test_concatenations_that_do_not_fit_are_refused(options, said):
    net = Net()
    x = net.input(1, 4)
    refused(net, [net.op("CONCATENATION", [x, x], (1, 8), options)], said)


def test_a_concatenation_that_would_have_to_rescale_is_refused():
    net = Net()
    joined = net.op("CONCATENATION", [net.input(1, 4), net.input(1, 4, scale=0.3)], (1, 8), {"axis": 1})
    refused(net, [joined], "tensor 't1' has another scale or zero point than the output")


def test_a_shape_that_is_computed_is_refused():
    net = Net()
    shape = net.tensor((1,), type_="INT32", name="wanted")
    refused(net, [net.op("RESHAPE", [net.input(1, 4), shape], (4,))], r"its shape, tensor 'wanted', is not constant")


def test_a_fused_activation_that_tflm_does_not_fuse_is_refused(chain):
    other = chain.dense(chain.tanh, 2, {"activation": "SIGN_BIT"})
    refused(chain, [other], "Activation SIGN_BIT cannot be fused")


def test_what_is_passed_through_or_listed_twice_is_copied():
    net = Net()
    x = net.input(1, 4)
    k = net.tensor((1, 2), data=np.array([[7, 8]], np.int8))
    y = net.op("LOGISTIC", [x], (1, 4), **LOGISTIC)
    graph = net.graph(y, x, y, k)
    assert names(graph) == ["LOGISTIC", "RESHAPE", "RESHAPE", "RESHAPE"]
    given = np.array([[1, 2, 3, 4]], np.int8)
    first, same, again, constant = interpret(graph, [given])
    np.testing.assert_array_equal(same, given)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(constant, [[7, 8]])


def test_the_options_that_are_written_are_read_back():
    net = Net()
    x = net.input(2, 3, 4)
    dense = net.dense(x, 4, {"keep_num_dims": True, "shuffled_weights": True, "bias_type": "INT32"})
    shaped = net.op("RESHAPE", [dense], (6, 4), {"new_shape": (-1, 4)})
    bare = net.op("RESHAPE", [dense], (6, 4))
    soft = net.op("SOFTMAX", [shaped], (6, 4), {"beta": 0.625})
    total = net.op("ADD", [soft, bare], (6, 4), {"activation": "RELU6", "pot_scale_int16": True})
    less = net.op("SUB", [soft, total], (6, 4), {"activation": "RELU_N1_TO_1"})
    for name in ("LOGISTIC", "QUANTIZE", "TANH"):
        less = net.op(name, [less], (6, 4))
    net.op("MUL", [less, less], (6, 4), {"activation": "RELU"})
    net.op("CONCATENATION", [less, less], (6, 8), {"axis": -1})
    model = net.model(less)
    assert read_tflite(write_tflite(model)).operators == model.operators
    refused(net, [less], "stored in a shuffled layout")


def compiles(data):
    """Whether the compiler takes ``data``; a refusal is one sentence and a hint."""
    try:
        compile_model(data, "net")
    except ModelError as reason:
        return "\n" in str(reason)
    return True


def test_damage_raises_nothing_but_model_errors(chain):
    data = chain.data(chain.tanh)
    taken = 0
    for position in range(0, len(data), 5):
        damaged = bytearray(data)
        damaged[position] ^= 1 << (position % 8)
        taken += compiles(bytes(damaged))
    # Some flips only change a weight; flips in the structure must be noticed.
    assert len(data) // 50 < taken < len(data) // 6


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(cuts=st.lists(st.tuples(st.integers(0, 10**6), st.binary(min_size=1, max_size=8)), min_size=1, max_size=6))
def test_random_damage_raises_nothing_but_model_errors(chain, cuts):
    damaged = bytearray(chain.data(chain.tanh))
    for at, patch in cuts:
        start = at % (len(damaged) - len(patch))
        damaged[start : start + len(patch)] = patch
    compiles(bytes(damaged))
