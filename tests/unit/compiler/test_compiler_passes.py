"""Each pass: what it changed, and that the graph computes what it computed before."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from small_graphs import LOGISTIC, TANH, Net, assert_unchanged, names

from toolchain.compiler.ir import Graph, View, check
from toolchain.compiler.passes.constants import fold_constants
from toolchain.compiler.passes.dead import drop_dead
from toolchain.compiler.passes.fuse import fuse_tables
from toolchain.compiler.passes.memory import plan_memory
from toolchain.compiler.passes.merge import merge_dense
from toolchain.compiler.passes.order import order_nodes
from toolchain.compiler.passes.place import place_values
from toolchain.compiler.passes.tables import make_tables
from toolchain.compiler.pipeline import optimize
from toolchain.errors import ModelError


def test_constants_are_folded_but_outputs_are_still_written():
    net = Net()
    x = net.input(1, 4)
    k = net.tensor((1, 4), data=np.array([[1, -9, 100, -128]], np.int8))
    tanh = net.op("TANH", [k], (1, 4), **TANH)
    total = net.op("ADD", [x, tanh], (1, 4))
    alone = net.op("TANH", [k], (1, 4), **TANH)
    before = net.graph(total, alone)
    after = check(fold_constants(before))
    assert names(before) == ["TANH", "ADD", "TANH"]
    assert names(after) == ["ADD", "TANH"]
    assert after.values[tanh].is_constant
    assert_unchanged(net, before, after)


def test_dead_nodes_and_values_go_and_inputs_stay():
    net = Net()
    x, unused = net.input(1, 4), net.input(1, 9)
    dead = net.op("TANH", [x], (1, 4), **TANH)
    dead = net.op("LOGISTIC", [dead], (1, 4), **LOGISTIC)
    alive = net.dense(x, 3)
    before = net.graph(alive)
    after = check(drop_dead(before))
    assert names(after) == ["FULLY_CONNECTED"]
    assert dead not in after.values
    assert after.inputs == (x, unused)
    assert_unchanged(net, before, after)


def test_one_int8_variable_becomes_a_table():
    net = Net()
    x = net.input(2, 5)
    scalar = net.tensor((), 0.03, -7, data=np.array(55, np.int8))
    one = net.tensor((1, 1), 0.03, -7, data=np.array([[-3]], np.int8))
    row = net.tensor((5,), 0.03, -7, data=np.arange(5, dtype=np.int8))
    wide = net.op("QUANTIZE", [x], (2, 5), type_="INT16", scale=1e-4, zero_point=0)
    made = [
        net.op("TANH", [x], (2, 5), **TANH),
        net.op("QUANTIZE", [x], (2, 5), scale=0.11, zero_point=-20),
        net.op("SUB", [scalar, x], (2, 5), {"activation": "RELU"}),
        net.op("MUL", [x, one], (2, 5), scale=0.3),
        net.op("MUL", [x, x], (2, 5), scale=0.3),
        net.op("ADD", [x, row], (2, 5)),
        net.op("TANH", [wide], (2, 5), type_="INT16", scale=1 / 32768, zero_point=0),
    ]
    before = net.graph(*made)
    after = check(make_tables(before))
    # The square is a table too; a row of constants and int16 are not.
    assert names(after) == ["QUANTIZE", *["LOOKUP"] * 5, "ADD", "TANH"]
    assert_unchanged(net, before, after)


def test_tables_go_into_tables_and_into_fully_connected():
    net = Net()
    x = net.input(1, 6)
    dense = net.dense(x, 8, {"activation": "RELU6"})
    tanh = net.op("TANH", [dense], (1, 8), **TANH)
    twice = net.op("LOGISTIC", [tanh], (1, 8), **LOGISTIC)
    last = net.op("QUANTIZE", [twice], (1, 8), scale=0.01, zero_point=5)
    before = make_tables(net.graph(last))
    after = check(fuse_tables(before))
    assert names(after) == ["FULLY_CONNECTED"]
    assert after.nodes[0].outputs == (last,)
    assert_unchanged(net, before, after)


@pytest.mark.parametrize("why", ["read twice", "an output"])
def test_a_table_stays_where_its_input_is_needed(why):
    net = Net()
    dense = net.dense(net.input(1, 6), 8)
    tanh = net.op("TANH", [dense], (1, 8), **TANH)
    other = net.dense(dense, 2)
    before = make_tables(net.graph(tanh, other) if why == "read twice" else net.graph(tanh, dense))
    after = check(fuse_tables(before))
    assert names(after) == names(before)
    assert_unchanged(net, before, after)


def test_fully_connected_of_one_input_are_merged():
    net = Net()
    x = net.input(2, 6)
    a = net.dense(x, 8)
    b = net.dense(a, 4)
    c = net.dense(x, 3, {"activation": "RELU"}, scale=0.4)
    before = net.graph(b, c)
    after = check(merge_dense(before))
    assert [node.outputs for node in after.nodes] == [(a, c), (b,)]
    assert_unchanged(net, before, after)


def test_other_readings_of_the_same_input_are_not_merged():
    net = Net()
    x = net.input(1, 12)
    as_rows = net.op("RESHAPE", [x], (3, 4), {"new_shape": (3, 4)})
    outputs = net.dense(x, 2), net.dense(as_rows, 2)
    assert names(merge_dense(net.graph(*outputs))).count("FULLY_CONNECTED") == 2


def test_the_order_with_fewer_bytes_alive_wins():
    net = Net()
    x = net.input(1, 8)
    wide = [net.dense(x, 120) for _ in range(3)]
    small = [net.dense(value, 2) for value in wide]
    last = net.op("CONCATENATION", small, (1, 6), {"axis": 1}, scale=0.9)
    before = net.graph(last)
    after = check(order_nodes(before))
    assert plan_memory(place_values(after)).arena_bytes <= plan_memory(place_values(before)).arena_bytes - 200
    assert [node.outputs[0] for node in after.nodes[:2]] == [wide[0], small[0]]
    assert_unchanged(net, before, after)


def test_reshapes_and_concatenations_need_no_copy_where_the_values_are_free():
    net = Net()
    x = net.input(1, 6)
    a, b = net.dense(x, 4), net.dense(x, 5)
    joined = net.op("CONCATENATION", [a, b], (1, 9), {"axis": 1}, scale=0.9)
    shaped = net.op("RESHAPE", [joined], (3, 3), {"new_shape": (3, 3)}, scale=0.9)
    out = net.dense(shaped, 2)
    before = net.graph(out)
    after = check(place_values(before))
    assert after.views == {a: View(joined, 0), b: View(joined, 4), shaped: View(joined, 0)}
    assert after.place(b) == (joined, 4)
    assert_unchanged(net, before, after)


def test_what_belongs_to_the_caller_or_lies_elsewhere_is_copied():
    net = Net()
    x = net.input(1, 4, scale=0.9)
    k = net.tensor((1, 2), 0.9, data=np.array([[4, -4]], np.int8))
    a = net.dense(x, 4)
    parts = [x, k, a, a]
    joined = net.op("CONCATENATION", parts, (1, 14), {"axis": 1}, scale=0.9)
    shaped = net.op("RESHAPE", [joined], (14,), {"new_shape": (14,)}, scale=0.9)
    before = net.graph(joined, shaped)
    after = check(place_values(before))
    # Of a, the first use is placed; both outputs have memory of their own.
    assert after.views == {a: View(joined, 6)}
    assert_unchanged(net, before, after)


def test_parts_of_several_rows_are_not_placed():
    net = Net()
    x = net.input(2, 4)
    a, b = net.dense(x, 3), net.dense(x, 3)
    side = net.op("CONCATENATION", [a, b], (2, 6), {"axis": 1}, scale=0.9)
    below = net.op("CONCATENATION", [a, b], (4, 3), {"axis": 0}, scale=0.9)
    after = place_values(net.graph(side, below))
    assert after.views == {a: View(below, 0), b: View(below, 6)}


def test_memory_is_shared_only_by_values_that_are_never_alive_together():
    net = Net()
    x = net.input(1, 20)
    value = x
    for rows in (64, 30, 64, 7, 64):
        value = net.op("TANH", [net.dense(value, rows)], (1, rows), **TANH)
    graph = net.graph(value)
    plan = plan_memory(graph)
    slots = [*plan.slots.values(), *plan.scratch.values()]
    assert len(slots) == 9 + 5
    for a, b in itertools.combinations(slots, 2):
        together = a.first <= b.last and b.first <= a.last
        assert not together or a.offset + a.bytes <= b.offset or b.offset + b.bytes <= a.offset
    assert all(slot.offset % 4 == 0 and slot.offset + slot.bytes <= plan.arena_bytes for slot in slots)
    assert plan.arena_bytes < sum(slot.bytes for slot in slots) / 2


def test_all_passes_leave_a_sound_graph():
    net = Net()
    x = net.input(1, 6)
    first = net.op("TANH", [net.dense(x, 8)], (1, 8), **TANH)
    second = net.op("LOGISTIC", [net.dense(x, 8)], (1, 8), **TANH | {"zero_point": -128})
    product = net.op("MUL", [first, second], (1, 8), scale=1 / 128, zero_point=0)
    before = net.graph(product)
    after = optimize(before)
    assert names(after) == ["FULLY_CONNECTED", "MUL"]
    assert_unchanged(net, before, after)


def test_the_check_finds_what_no_pass_may_leave():
    net = Net()
    a = net.dense(net.input(1, 4), 3)
    graph = net.graph(net.dense(a, 2))
    with pytest.raises(ModelError, match="before it is made"):
        check(graph.with_nodes(reversed(graph.nodes)))
    with pytest.raises(ModelError, match="which is there already"):
        check(graph.with_nodes([*graph.nodes, graph.nodes[0]]))
    with pytest.raises(ModelError, match="No operator makes the output"):
        check(graph.with_nodes(graph.nodes[:1]))
    outside = Graph(graph.values, graph.nodes, graph.inputs, graph.outputs, {a: View(graph.outputs[0], 1)})
    with pytest.raises(ModelError, match="does not lie inside"):
        check(outside)
