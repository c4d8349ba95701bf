"""Graphs written as JSON and read back, copied, and refused where they cannot be."""

from __future__ import annotations

import copy
import json
import pickle

import numpy as np
import pytest
from checks import EXPLORES
from hypothesis import given, settings
from programs import programs, run

import minigraph as mg
from minigraph.graph.promises import check_graph


def read_back(y):
    return mg.from_json(mg.to_json(y))


@given(programs())
@settings(max_examples=50)
def test_a_random_program_comes_back_with_its_values_and_gradients(program):
    inputs, steps = program
    xs = [mg.variable(x, name=f"x{i}") for i, x in enumerate(inputs)]
    y = run(mg, xs, steps)
    z = read_back(y)
    assert z.value == y.value
    check_graph(mg.topological_order(z))
    y.backward()
    z.backward()
    ours = {x.name: x.grad for x in y.leaves() if x.name}
    theirs = {x.name: x.grad for x in z.leaves() if x.name}
    assert ours.keys() == theirs.keys()
    for name, gradient in ours.items():
        np.testing.assert_array_equal(gradient, theirs[name])


def awkward():
    """Every kind of option and value that a graph can hold."""
    x = mg.variable(np.arange(12.0).reshape(3, 4), name="x · größe")
    with mg.scope("outer"):
        rows = mg.constant([2, 0], name="rows")
        h = mg.sum(x[rows, 1:], axis=(0,), keepdims=True)
    h = mg.concatenate([h, x[..., ::-2, None].reshape(3, 2)[:1]], axis=-1)
    h = mg.astype(mg.einsum("ij,kj->ik", h, h), np.float32)
    h = mg.windows(mg.pad(h, 2), (2, 2), 2)
    return [mg.softmax(h)[:, :, [0, 1], mg.constant(1)], mg.max(x), x[x > 3]]


def test_every_kind_of_option_comes_back():
    outputs = awkward()
    again = read_back(outputs)
    for y, z in zip(outputs, again, strict=True):
        np.testing.assert_array_equal(z.value, y.value)
        assert (z.dtype, z.op, z.scope) == (y.dtype, y.op, y.scope)
    names = [(n.name, n.scope, n.kind) for n in mg.topological_order(outputs)]
    assert names == [(n.name, n.scope, n.kind) for n in mg.topological_order(again)]
    assert mg.to_json(again) == mg.to_json(outputs)


@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", "i8", "u8", "i4", "u1", "?"])
@pytest.mark.parametrize("shape", [(), (2,), (0, 3), (2, 0), (1, 2, 2)])
def test_values_of_every_dtype_and_shape_come_back(dtype, shape):
    value = np.random.default_rng(0).normal(size=shape).astype(dtype)
    node = read_back(mg.constant(value))
    assert (node.shape, node.dtype) == (value.shape, value.dtype)
    np.testing.assert_array_equal(node.value, value)


def test_numbers_come_back_to_the_last_bit_even_those_that_json_lacks():
    values = [0.1, 1 / 3, 5e-324, -0.0, np.nan, np.inf, -np.inf, 1.7976931348623157e308]
    text = mg.to_json(mg.variable(values))
    json.loads(text, parse_constant=pytest.fail)
    np.testing.assert_array_equal(mg.from_json(text).value, values)
    assert np.signbit(mg.from_json(text).value[3])


def test_operations_of_ones_own_come_back_if_they_are_given():
    @mg.custom(lambda g, out, x: g * 3 * x * x)
    def cube(x):
        return x**3

    text = mg.to_json(cube(mg.variable(2.0)) * 2)
    assert mg.from_json(text, operations={"cube": cube}).value == 16
    with pytest.raises(mg.FormatError, match=r"node 1 \(cube\): there is no operation 'cube'"):
        mg.from_json(text)


def test_what_cannot_be_written_is_refused_by_name():
    kept = mg.checkpoint(mg.sin)(mg.variable(1.0))
    with pytest.raises(mg.FormatError, match=r"checkpoint of sin.*cannot be written"):
        mg.to_json(kept)

    def double(x):
        return 2 * x

    def relu(x):
        return x

    x = mg.variable(1.0)
    doubles = [mg.custom(lambda g, out, x: 2 * g)(double) for _ in range(2)]
    for outputs in ([mg.custom(lambda g, out, x: g)(relu)(x)], [f(x) for f in doubles]):
        with pytest.raises(mg.FormatError, match="a name of its own"):
            mg.to_json(outputs)

    @mg.custom(lambda g, out, x, how: g)
    def bend(x, how=None):
        return x

    with pytest.raises(mg.FormatError, match="has an option of the type dict"):
        mg.to_json(bend(mg.variable(1.0), how={}))
    y = mg.from_json(mg.to_json(bend(mg.variable(1.0), how=-np.inf)), operations={"bend": bend})
    assert y.attrs == {"how": -np.inf}


GOOD = json.loads(mg.to_json(mg.variable([1.0, 2.0]) * 3.0))


def spoiled(**change):
    return json.dumps({**GOOD, **change})


def with_node(i, row):
    nodes = [*GOOD["nodes"]]
    nodes[i] = row
    return spoiled(nodes=nodes)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "this is no JSON"),
        (None, "this is no JSON"),
        (mg.to_json(mg.variable(1.0))[:-10], "this is no JSON"),
        ("[" * 100_000, "this is no JSON"),
        ("[]", "this JSON is no graph"),
        ("{}", "this JSON is no graph"),
        (spoiled(version=99), "version 99; known is 1"),
        (spoiled(nodes="none"), 'no list of "nodes"'),
        (spoiled(outputs=7), "outputs: there is no node 7"),
        (spoiled(outputs=[0, "1"]), "outputs: there is no node '1'"),
        (spoiled(outputs=True), "there is no node True"),
        (with_node(2, None), "node 2: a node is an object"),
        (with_node(2, {"op": "multiply", "inputs": [0, 2]}), r"node 2 \(multiply\): .*no node 2"),
        (with_node(2, {"op": "multiply", "inputs": [0, -1]}), "no node -1"),
        (with_node(2, {"op": "multiply", "inputs": [0]}), "it has 1 inputs, not 2"),
        (with_node(2, {"op": "multiply", "inputs": 5}), r"node 2 \(multiply\)"),
        (with_node(2, {"op": "mutliply", "inputs": [0, 1]}), "near ones are multiply"),
        (with_node(2, {"op": ["sum"], "inputs": [0]}), "there is no operation"),
        (with_node(2, {"op": "sum", "inputs": [0], "attrs": {"axes": 1}}), "node 2 .*sum"),
        (with_node(2, {"op": "sum", "inputs": [0], "attrs": {"axis": {"x": 1}}}), "no option"),
        (with_node(2, {"op": "sum", "inputs": [0], "attrs": 5}), r"node 2 \(sum\)"),
        (with_node(2, {"op": "getitem", "inputs": [0], "attrs": {"index": {"slot": 4}}}), "node 2"),
        (with_node(0, {"value": "text"}), "a value is made of numbers, not 'text'"),
        (with_node(0, {"value": [[1.0], [1.0, 2.0]]}), r"node 0 \(leaf\)"),
        (with_node(0, {"value": 1.0, "dtype": "object"}), "there is no dtype 'object'"),
        (with_node(0, {"value": np.inf}), "no number Infinity"),
        (with_node(0, {}), "neither an op nor a value"),
        (with_node(0, {"value": 1.0, "name": 5}), "a name is a text"),
        (with_node(0, {"value": 300, "dtype": "uint8"}), r"node 0 \(leaf\)"),
        (with_node(0, {"value": 3, "dtype": "int64", "variable": True}), "floating-point numbers"),
        (with_node(2, {"op": "sum", "inputs": [0]}), r"options \[\], not"),
        (with_node(2, {"op": "exp", "inputs": [0], "attrs": {"where": False}}), r"not \[\]"),
    ],
)
def test_a_text_that_is_no_graph_is_refused_naming_the_node(text, said):
    with pytest.raises(mg.FormatError, match=said):
        mg.from_json(text)


def test_a_deep_graph_is_written_read_copied_and_freed_without_recursion():
    y = x = mg.variable(0.5)
    deep = 100_000 if EXPLORES else 30_000
    for _ in range(deep):
        y = mg.sin(y)
    z, c = read_back(y), copy.deepcopy(y)
    assert z.value == c.value == y.value
    assert len(mg.topological_order(c)) == deep + 1
    assert x not in c.leaves()


# --- copies ---------------------------------------------------------------------------------------


def test_a_copy_is_a_graph_of_its_own():
    w = mg.variable([1.0, 2.0], name="w")
    y = mg.sum(w * w).named("y")
    y.backward()
    twin = copy.deepcopy(y)
    assert (twin.name, twin.value, twin.op) == ("y", y.value, y.op)
    (other,) = [x for x in twin.leaves() if x.name == "w"]
    assert other.grad.tolist() == [2, 4]
    twin.backward()
    assert (w.grad.tolist(), other.grad.tolist()) == ([2, 4], [4, 8])
    check_graph(mg.topological_order(twin))


def test_nodes_that_share_a_graph_share_their_copy():
    w = mg.variable(1.0)
    h = w * 2
    a, b = copy.deepcopy([h + 1, h * 3])
    assert a.inputs[0] is b.inputs[0]
    assert a.leaves()[0] is b.leaves()[0] is not w


def test_a_copy_of_a_stale_graph_is_stale():
    w = mg.variable(1.0)
    y = w * w
    w.value = 5.0
    fresh = w * w
    for graph, stale in ((y, True), (fresh, False)):
        twin = copy.deepcopy(graph)
        if stale:
            with pytest.raises(mg.GradientError, match="was given a new value after"):
                twin.backward()
        else:
            twin.backward()


def test_a_node_is_not_pickled_but_its_errors_are():
    x = mg.variable(1.0, name="x")
    for attempt in (pickle.dumps, copy.copy):
        with pytest.raises(mg.NodeTypeError, match=r"x .*mg\.to_json"):
            attempt(x)
    with pytest.raises(mg.ShapeError) as caught:
        mg.variable(np.ones(2), name="a") + mg.variable(np.ones(3), name="b")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again), again.nodes) == (mg.ShapeError, str(caught.value), ())
    with pytest.raises(mg.ParseError) as caught:
        mg.parse("a +")
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_a_copied_checkpoint_does_not_hide_that_it_knows_the_original():
    w, x = mg.variable(3.0), mg.variable(2.0)
    y = copy.deepcopy(mg.checkpoint(lambda x: x * x * w)(x))
    old = {leaf.value: leaf for leaf in y.leaves()}
    y.backward()
    assert (old[2].grad, old[3].grad) == (12, 4)
    with pytest.raises(mg.GradientError, match="this graph is a copy"):
        mg.grad(y, old[2])  # it would depend on w instead of w's copy
