"""Nodes and the graphs they make: order, leaves, names, values, and the ways into NumPy and out."""

from __future__ import annotations

import cmath
import contextlib
import gc
import math
import operator
import threading
import warnings
import weakref
from array import array as buffer
from graphlib import TopologicalSorter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigraph as mg
from minigraph.core.order import leaves
from minigraph.graph.promises import check_graph

DEEP = 100_000


def diamond():
    """y = (a + b) · (b − c), by name."""
    a, b, c = (mg.variable(v, name=n) for n, v in {"a": 2.0, "b": 3.0, "c": 1.0}.items())
    d, e = (a + b).named("d"), (b - c).named("e")
    return {node.name: node for node in (a, b, c, d, e, (d * e).named("y"))}


def chain(length):
    x = y = mg.variable(1.0)
    for _ in range(length):
        y = y + 1.0
    return x, y


@st.composite
def graphs(draw):
    """The Nodes of a random graph with fan-out, repeated inputs and several outputs."""
    nodes = [mg.variable(1.0), mg.constant(2.0)]
    for _ in range(draw(st.integers(0, 15))):
        pick = st.sampled_from(nodes)
        nodes.append(draw(st.sampled_from([operator.add, operator.mul]))(draw(pick), draw(pick)))
    return nodes


# --- order ----------------------------------------------------------------------------------------


@given(graphs(), st.data())
def test_inputs_come_before_their_users_and_nothing_is_missing_or_twice(nodes, data):
    outputs = data.draw(st.lists(st.sampled_from(nodes), min_size=1))
    order = mg.topological_order(outputs)
    reachable, waiting = set(), list(outputs)
    while waiting:
        node = waiting.pop()
        reachable.add(node)
        waiting += node.inputs
    assert len(order) == len(set(order))
    assert set(order) == reachable

    # graphlib, asked for this very order: it agrees that each Node was ready when its turn came.
    sorter = TopologicalSorter({node: set(node.inputs) for node in order})
    sorter.prepare()
    ready = set()
    for node in order:
        ready.update(sorter.get_ready())
        assert node in ready
        sorter.done(node)
    assert not sorter.is_active()
    check_graph(order)


def test_of_all_orders_it_is_that_of_creation():
    graph = diamond()
    names = [node.name for node in mg.topological_order(graph["y"])]
    assert names == ["a", "b", "c", "d", "e", "y"]


def test_several_outputs_have_one_order_and_none_have_an_empty_one():
    graph = diamond()
    d, e = graph["d"], graph["e"]
    for outputs in ([e, d], (d, e), iter([e, d, e])):
        assert [node.name for node in mg.topological_order(outputs)] == ["a", "b", "c", "d", "e"]
    assert mg.topological_order([]) == []


@pytest.mark.parametrize("wrong", [3, 3.0, None, "y", [3.0], [None]])
def test_only_nodes_have_an_order(wrong):
    with pytest.raises(mg.NodeTypeError, match="must be a Node, not"):
        mg.topological_order(wrong)


def test_leaves_are_the_variables_and_constants_in_the_order_they_were_made():
    a, k, unused = mg.variable(1.0), mg.constant(2.0), mg.variable(3.0)
    y = (a * k + 5.0) * a
    assert y.leaves() == leaves(y)
    assert [x.value for x in y.leaves()] == [1, 2, 5]
    assert unused not in y.leaves()
    assert [x.kind for x in y.leaves()] == ["variable", "constant", "constant"]
    assert a.leaves() == [a]


def broken_order(graph):
    return mg.topological_order(graph["y"])[::-1]


def broken_seq(graph):
    graph["d"].seq = -1
    return [graph[n] for n in "abcdey"]


def broken_arity(graph):
    graph["d"].inputs = (graph["a"],)
    return mg.topological_order(graph["y"])


def broken_shape(graph):
    graph["d"]._value = np.zeros(3)
    return mg.topological_order(graph["y"])


def broken_leaf(graph):
    graph["d"].op = None
    return mg.topological_order(graph["y"])


@pytest.mark.parametrize(
    ("spoil", "promise"),
    [
        (broken_order, "inputs come before"),
        (broken_seq, "made after its inputs"),
        (broken_arity, "an input for each parameter"),
        (broken_shape, r"shape is \(\)"),
        (broken_leaf, "only operations have inputs"),
    ],
)
def test_check_graph_names_the_node_that_breaks_a_promise(spoil, promise):
    with pytest.raises(mg.MinigraphError, match=promise) as caught:
        check_graph(spoil(diamond()))
    assert caught.value.nodes


# --- depth ----------------------------------------------------------------------------------------


def test_a_deep_chain_is_walked_differentiated_and_freed_without_recursion():
    x, y = chain(DEEP)
    assert len(mg.topological_order(y)) == 2 * DEEP + 1
    assert len(y.leaves()) == DEEP + 1
    y.backward()
    assert x.grad == 1
    assert mg.jvp(y, {x: 1.0}).value == 1
    gone = weakref.ref(y)
    del x, y
    gc.collect()
    assert gone() is None


def test_the_gradient_graph_of_a_deep_chain_is_deep_too():
    x = y = mg.variable(1.0)
    for _ in range(20_000):
        y = y * x
    assert mg.grad(y, x).value == 20_001


def test_a_graph_is_freed_with_its_last_node_without_waiting_for_the_garbage_collector():
    gc.disable()
    try:
        x = mg.variable(np.ones(3))
        y = mg.sum(x * x)
        y.backward()
        seen = [weakref.ref(node) for node in mg.topological_order(y)[1:]]
        del y
        assert [ref() for ref in seen] == [None] * len(seen)
    finally:
        gc.enable()


# --- what a Node is -------------------------------------------------------------------------------


def test_a_repeated_input_is_there_twice():
    x = mg.variable(3.0)
    y = x * x
    assert y.inputs == (x, x)
    assert mg.topological_order(y) == [x, y]
    y.backward()
    assert x.grad == 6


def test_nodes_are_compared_and_hashed_by_identity():
    a, b = mg.variable(2.0), mg.variable(2.0)
    assert a == a
    assert a != b
    assert len({a, b, a}) == 2
    assert {a: "a", b: "b"}[b] == "b"
    assert weakref.WeakKeyDictionary({a: "a", b: "b"})[b] == "b"
    vectors = [mg.variable([1.0, 2.0]) for _ in range(2)]
    assert vectors.index(vectors[1]) == 1
    assert vectors[1] in vectors
    assert vectors[0] not in vectors[1:]
    assert (a, b) == (a, b) != (b, a)
    assert (a == b) == (b == a) == False != (a == a)  # noqa: E712
    assert a != None and a != "a"  # noqa: E711, PT018


ZERO_ONE = np.array([0.0, 1.0])


@pytest.mark.parametrize("other", [0, 1.5, True, np.float64, ZERO_ONE, [0, 1], (0, 1)], ids=repr)
@pytest.mark.parametrize("compare", [operator.eq, operator.ne])
def test_a_node_is_not_compared_with_numbers_by_a_sign_that_asks_for_identity(compare, other):
    x = mg.variable(ZERO_ONE, name="x")
    if other is np.float64:  # NumPy's numbers ask first, and compare elements
        assert mg.where(compare(np.float64(1), x), 1, 2).value.tolist() == [
            1 if compare(1, v) else 2 for v in ZERO_ONE
        ]
        other = np.float64(1)
    with pytest.raises(mg.NodeTypeError, match=r"x \(variable.* write mg\.equal"):
        compare(x, other)


@pytest.mark.parametrize("same", [True, False])
@pytest.mark.parametrize("compare", [operator.eq, operator.ne])
@pytest.mark.parametrize(
    "use",
    [
        lambda mask, x: mg.where(mask, x, 0),
        lambda mask, x: mg.where(mask, 1.0, 2.0),
        lambda mask, x: np.where(mask, ZERO_ONE, 2),
        lambda mask, x: mg.mean(mask),
        lambda mask, x: np.mean([mask, mask]),
        lambda mask, x: mask * x,
        lambda mask, x: x * mask,
        lambda mask, x: ZERO_ONE + mask,
        lambda mask, x: sum([mask, mask]),
        lambda mask, x: ~mask,
        lambda mask, x: mask & (x > 0),
        lambda mask, x: x[mask],
        lambda mask, x: ZERO_ONE[mask],
        lambda mask, x: mask.mean(),
        lambda mask, x: float(mask),
        lambda mask, x: mg.constant(mask),
    ],
)
def test_nobody_computes_with_the_answer_whether_two_nodes_are_the_same(use, compare, same):
    x = mg.variable(ZERO_ONE)
    mask = compare(x, x if same else mg.variable(ZERO_ONE))
    with pytest.raises(mg.NodeTypeError, match=r"mg\.equal"):
        use(mask, x)


def test_kinds_say_what_a_vertex_is():
    x, k = mg.variable(1.0), mg.constant(1.0)
    assert [n.kind for n in (x, k, x + k, k + k)] == ["variable", "constant"] + ["operation"] * 2
    assert [n.requires_grad for n in (x, k, x + k, k + k)] == [True, False, True, False]
    assert x.op is k.op is None
    assert (x + k).op.name == "add"
    assert x.inputs == ()


def test_scalars_are_numpy_scalars_and_arrays_are_arrays():
    x = mg.variable([[1.0, 2.0]])
    assert type(mg.variable(1).value) is np.float64
    assert type(mg.sum(x).value) is np.float64
    assert type(x[0, 1].value) is np.float64
    assert type((mg.variable(2) ** 2).value) is np.float64
    assert type(mg.variable(np.array(2.0)).value) is np.float64
    assert type(mg.constant(np.float32(1)).value) is np.float32
    assert (x.shape, x.dtype, x.ndim, x.size) == ((1, 2), np.float64, 2, 2)
    assert mg.variable([1, 2]).dtype == np.float64
    assert mg.constant([True]).dtype == bool


def test_a_value_is_copied_so_that_later_changes_outside_do_not_reach_it():
    array = np.ones(2)
    x = mg.variable(array)
    array[0] = 9
    assert x.value.tolist() == [1, 1]


def test_values_and_gradients_cannot_be_changed_in_place():
    x = mg.variable([1.0, 2.0])
    h = x * 2
    y = mg.sum(h + h)
    y.backward()
    y.backward()
    nodes = [x, h, x[:1], x.T, mg.sum(x[None], axis=0)]
    for array in [node.value for node in nodes] + [x.grad, h.grad]:
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 7


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i2", "i4", "u8"])
def test_numbers_of_either_byte_order_are_the_same_numbers(dtype):
    """Files of other machines hold the last byte first; the dtype of a Node is this machine's."""
    native = np.array([[1, 2], [3, 4]], dtype)
    swapped = native.astype(native.dtype.newbyteorder())
    assert swapped.dtype != native.dtype
    x = mg.placeholder("x", native.shape, swapped.dtype)
    assert x.dtype == mg.constant(swapped).dtype == native.dtype
    assert mg.astype(mg.constant([1.5, 2.5]), swapped.dtype).dtype == native.dtype
    graph = mg.Graph([x[::-1], mg.astype(x, swapped.dtype), x.T * swapped])
    compiled = mg.compile(lambda x: [x[::-1], mg.astype(x, swapped.dtype), x.T * swapped])
    expected = [native[::-1], native, native.T * native]
    plan = graph.compile()
    for results in (graph.run({"x": swapped}), plan(x=swapped), compiled(swapped)):
        for found, wanted in zip(results, expected, strict=True):
            assert found.dtype == wanted.dtype
            np.testing.assert_array_equal(found, wanted)
    w = mg.variable(swapped.astype(">f8"), name="w")
    mg.sum(w * w).backward()
    assert w.grad.dtype == w.dtype == np.float64
    mg.Graph(mg.sum(w)).compile(updates={w: w * 2.0})()
    np.testing.assert_array_equal(w.value, 2.0 * native)
    again = mg.from_json(mg.to_json(mg.constant(swapped)))
    assert again.dtype == native.dtype
    np.testing.assert_array_equal(again.value, native)


@pytest.mark.parametrize(
    ("attribute", "new"), [("shape", (1, 2)), ("dtype", np.int64), ("strides", (0,))]
)
def test_shape_and_dtype_of_a_node_cannot_be_set_through_its_value(attribute, new):
    x = mg.variable([1.0, 2.0])
    y = x * 3
    for node in (x, y):
        with warnings.catch_warnings(), contextlib.suppress(AttributeError, ValueError):
            warnings.simplefilter("ignore")  # NumPy deprecates some of this
            setattr(node.value, attribute, new)
        with pytest.raises(ValueError, match="WRITEABLE"):
            node.value.setflags(write=True)
    assert (x.shape, x.dtype, y.shape, y.dtype) == ((2,), np.float64) * 2
    assert [x.value.tolist(), y.value.tolist()] == [[1, 2], [3, 6]]


def test_names_and_messages_move_no_cursor():
    name = "red\x1b[31m\r\nnext\u202egnirts\x07"
    x, p = mg.variable(1.0, name=name), mg.placeholder(name, (2,))
    h = (x * 2).named(name)
    messages = [repr(x), repr(h), repr(p), repr(mg.Graph(p * 2)), repr(mg.Graph(h, [x]))]
    for fails in (
        lambda: h + mg.variable([1.0, 2.0]) @ mg.variable([1.0]),
        lambda: mg.matmul(x, h),
        lambda: float(h),
        lambda: p.value,
        lambda: bool(p * 2),
        lambda: mg.Graph(p * 2).run({name: 1.0}),
        lambda: mg.Graph(p * 2).run({}),
        lambda: mg.Graph(p * 2).run({"other": 1.0}),
        lambda: mg.Graph(p * 2).compile()(**{name: "text"}),
        lambda: mg.parse("a +\x1b[31m", a=1.0),
        lambda: mg.parse("(\x07", a=1.0),
    ):
        with pytest.raises(mg.MinigraphError) as caught:
            fails()
        messages.append(str(caught.value).replace("\n", ""))
    assert all(message.isprintable() for message in messages)
    assert r"red\x1b[31m\r\nnext\u202egnirts\x07" in messages[0]


def test_an_index_array_may_be_changed_afterwards():
    rows = np.array([0, 1])
    x = mg.variable([1.0, 2.0, 3.0])
    y = mg.sum(x[rows] * x[rows])
    rows[:] = 2
    y.backward()
    assert x.grad.tolist() == [2, 4, 0]


@pytest.mark.parametrize("new", [5, 5.0, np.float32(5)])
def test_a_leaf_takes_a_new_value_of_its_shape_and_keeps_its_dtype(new):
    x = mg.variable(1.0)
    x.value = new
    assert x.value == 5
    assert type(x.value) is np.float64


def test_a_value_that_does_not_fit_is_refused():
    x, k = mg.variable([1.0, 2.0], name="w"), mg.constant(2)
    with pytest.raises(mg.ShapeError, match=r"w \(variable, .* a value of shape \(3,\)"):
        x.value = np.ones(3)
    with pytest.raises(mg.NodeTypeError, match="computed from its inputs"):
        (x + 1).value = [1.0, 2.0]
    with pytest.raises(mg.NodeTypeError, match="without rounding"):
        k.value = 2.7
    assert k.value == 2


def test_a_detached_node_is_a_constant_with_the_same_value():
    x = mg.variable([1.0, 2.0], name="x")
    d = (x * 3).named("h").detach()
    assert (d.kind, d.name, d.inputs) == ("constant", "h", ())
    assert d.value.tolist() == [3, 6]
    mg.sum(x * d).backward()
    assert x.grad.tolist() == [3, 6]


def test_a_gradient_that_was_not_computed_is_none():
    x = mg.variable(1.0)
    y = x * mg.constant(2.0)
    assert [n.grad for n in mg.topological_order(y)] == [None] * 3


# --- Python's protocols ---------------------------------------------------------------------------


@given(st.floats(-5, -0.5) | st.floats(0.5, 5), st.floats(0.5, 5))
def test_operators_compute_what_python_computes(a, b):
    x, y = mg.variable(a), mg.variable(b)
    for f in (operator.add, operator.sub, operator.mul, operator.truediv, operator.gt, operator.lt,
              operator.ge, operator.le):  # fmt: skip
        assert f(x, y).value == f(a, b)
        assert f(x, b).value == f(a, b)
        assert f(b, x).value == f(b, a)
    assert (y**x).value == pytest.approx(b**a)
    assert (2**x).value == pytest.approx(2**a)
    assert (-x).value == -a
    assert +x is x
    assert abs(x).value == abs(a)
    x += 1
    assert x.value == a + 1


def test_one_element_is_a_number_and_more_are_not():
    one, more = mg.constant([[2.5]]), mg.variable([1.0, 2.0], name="w")
    assert (float(one), int(one), bool(one), f"{one:.2f}") == (2.5, 2, True, "2.50")
    assert bool(mg.variable(0.0)) is False
    for convert in (float, int, bool, "{:.2f}".format):
        with pytest.raises(mg.NodeTypeError, match=r"w \(variable, shape \(2,\)\) has 2 elements"):
            convert(more)
    if mg.variable(2.0) > 1:
        return
    pytest.fail("a comparison of scalars chooses a branch")


def test_a_vector_has_a_length_and_is_iterated_and_a_scalar_is_not():
    x = mg.variable([1.0, 2.0, 3.0])
    a, _, c = x
    assert len(x) == 3
    (a * c).backward()
    assert x.grad.tolist() == [3, 0, 1]
    for f in (len, list):
        with pytest.raises(mg.NodeTypeError, match="scalar and has no length"):
            f(mg.variable(1.0, name="s"))


METHODS = {
    "argmax": (1,), "argmin": (), "astype": (np.float32,), "clip": (1, 3), "cumsum": (0,),
    "diagonal": (), "dot": (np.array([1.0, 2.0, 3.0]),), "max": (0,), "mean": (), "min": (1,),
    "prod": (1,),
    "ravel": (), "squeeze": (), "std": (0,), "sum": (1,), "swapaxes": (0, 1), "take": ([2, 0], 1),
    "trace": (), "var": (1,),
}  # fmt: skip


@pytest.mark.parametrize(("name", "arguments"), METHODS.items(), ids=METHODS)
def test_methods_compute_what_those_of_numpys_arrays_do(name, arguments):
    array = np.array([[0.5, -1.0, 2.5], [4.0, 0.0, 2.0]])
    expected = getattr(array, name)(*arguments)
    node = getattr(mg.variable(array), name)(*arguments)
    assert node.dtype == expected.dtype
    np.testing.assert_allclose(node.value, expected, rtol=1e-15)


def test_methods_reshape_transpose_and_reduce_like_numpys():
    array = np.arange(6.0).reshape(2, 3)
    x = mg.variable(array)
    for f in (
        lambda x: x.reshape(3, 2),
        lambda x: x.reshape((3, 2)),
        lambda x: x.reshape(-1),
        lambda x: x.transpose(),
        lambda x: x.transpose(1, 0),
        lambda x: x.transpose((-1, 0)),
        lambda x: x.T,
        lambda x: x.sum(),
        lambda x: x.sum(0),
        lambda x: x.mean(axis=1, keepdims=True),
        lambda x: x[1:, None, ::-1],
        lambda x: x[x > 2],
    ):
        np.testing.assert_array_equal(f(x).value, f(array))


def test_a_node_shows_what_it_is():
    x = mg.variable(2.0, name="x")
    assert repr(x) == str(x) == f"{x}" == "<variable x = 2.0>"
    assert repr(x * x) == "<multiply = 4.0>"
    assert "shape (3, 4)" in repr(mg.constant(np.zeros((3, 4))))
    assert repr(mg.constant([1.0, 2.0])) == "<constant = [1., 2.]>"


# --- names and scopes -----------------------------------------------------------------------------


def test_a_name_is_given_at_birth_or_later_and_taken_away():
    x = mg.variable(1.0, name="x")
    y = (x * 2).named("y")
    assert (x.name, y.name) == ("x", "y")
    assert y.named(None) is y
    assert y.name is None


@pytest.mark.parametrize("wrong", ["", "  ", 3, b"x", mg])
def test_a_name_is_a_text_that_can_be_read(wrong):
    for give in (lambda: mg.variable(1.0, name=wrong), lambda: mg.variable(1.0).named(wrong)):
        with pytest.raises(mg.NodeTypeError, match="a name is a text"):
            give()
    with pytest.raises(mg.NodeTypeError, match="a scope needs a name"), mg.scope(wrong):
        pass


def test_scopes_nest_and_end_even_through_an_error():
    with mg.scope("encoder"):
        a = mg.variable(1.0)
        with mg.scope("layer1"):
            b = a * 2
        with pytest.raises(ZeroDivisionError), mg.scope("layer2"):
            _ = 1 / 0
        c = b + 1
    assert [x.scope for x in (a, b, c, c + 1)] == ["encoder", "encoder/layer1", "encoder", ""]
    assert b.inputs[1].scope == "encoder/layer1"


def test_a_scope_holds_in_its_own_thread_only():
    inside, found = threading.Event(), []

    def other():
        inside.wait(10)
        found.append(mg.variable(1.0).scope)
        with mg.scope("theirs"):
            found.append(mg.variable(1.0).scope)

    thread = threading.Thread(target=other)
    thread.start()
    with mg.scope("ours"):
        inside.set()
        thread.join()
        assert mg.variable(1.0).scope == "ours"
    assert found == ["", "theirs"]


def test_threads_make_nodes_whose_order_is_still_one():
    made = []

    def work():
        x = mg.variable(1.0)
        for _ in range(300):
            x = x * 1.0
        made.append(x)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    order = mg.topological_order(made)
    assert len({node.seq for node in order}) == len(order) == 4 * 601
    check_graph(order)


# --- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("a + b", "mg.parse"),
        (None, "lack its return"),
        (1 + 2j, "real and imaginary part"),
        ([1j], "complex"),
        ([[1.0], [1.0, 2.0]], "cannot make an array"),
        (object(), "real numbers, not object"),
        (np.datetime64("2020-01-01"), "real numbers"),
        (["1.0"], "real numbers"),
        ({}, "real numbers, not dict"),
    ],
)
@pytest.mark.parametrize("make", [mg.variable, mg.constant, lambda v: mg.variable(1.0) + v])
def test_what_is_not_made_of_real_numbers_is_refused(make, value, said):
    with pytest.raises(mg.NodeTypeError, match=said):
        make(value)
    with pytest.raises(TypeError):
        make(value)


def test_nodes_inside_a_value_are_refused():
    x = mg.variable(1.0, name="x")
    with pytest.raises(mg.NodeTypeError, match="Node already"):
        mg.variable(x)
    with pytest.raises(mg.NodeTypeError, match=r"x \(variable"):
        mg.variable([x, x])
    hidden = np.empty(1, dtype=object)
    hidden[0] = x
    with pytest.raises(mg.NodeTypeError, match="array of Nodes"):
        mg.constant(hidden)


def test_every_error_is_a_minigraph_error_and_the_builtin_one_expects():
    for error, builtin in {
        mg.NodeTypeError: TypeError,
        mg.ShapeError: ValueError,
        mg.GradientError: ValueError,
        mg.ParseError: ValueError,
    }.items():
        assert issubclass(error, mg.MinigraphError)
        assert issubclass(error, builtin)


# --- NumPy ----------------------------------------------------------------------------------------

ARRAY = np.array([[0.5, 1.0], [2.0, 4.0]])
NUMPY_CALLS = {
    "np.exp(x)": lambda x: np.exp(x),
    "np.add(x, 1)": lambda x: np.add(x, 1),
    "np.maximum(1.5, x)": lambda x: np.maximum(1.5, x),
    "np.matmul(array, x)": lambda x: np.matmul(ARRAY, x),
    "np.sum(x, axis=0)": lambda x: np.sum(x, axis=0),
    "np.sum(x, 1, keepdims=True)": lambda x: np.sum(x, axis=1, keepdims=True),
    "np.mean(x)": lambda x: np.mean(x),
    "np.max(x, axis=1)": lambda x: np.max(x, axis=1),
    "np.where(x > 1, x, 0)": lambda x: np.where(x > 1, x, 0.0),
    "np.reshape(x, 4)": lambda x: np.reshape(x, 4),
    "np.transpose(x)": lambda x: np.transpose(x),
    "np.broadcast_to(x, (2, 2, 2))": lambda x: np.broadcast_to(x, (2, 2, 2)),
    "array * x": lambda x: ARRAY * x,
    "array - x": lambda x: ARRAY - x,
    "array @ x": lambda x: ARRAY @ x,
    "array[0] ** x": lambda x: ARRAY[0] ** x,
    "np.float64(2) / x": lambda x: np.float64(2) / x,
    "np.greater(array, x)": lambda x: np.greater(ARRAY.T, x),
    "np.concatenate": lambda x: np.concatenate([x, ARRAY, x], axis=1),
    "np.stack": lambda x: np.stack([x, x]),
    "np.split": lambda x: np.split(x, 2)[1],
    "np.einsum": lambda x: np.einsum("ij,kj->ik", ARRAY, x),
    "np.tensordot": lambda x: np.tensordot(x, ARRAY, 1),
    "np.dot": lambda x: np.dot(ARRAY, x),
    "np.outer": lambda x: np.outer(x, ARRAY),
    "np.var": lambda x: np.var(x, axis=0, ddof=1),
    "np.std": lambda x: np.std(x, keepdims=True),
    "np.prod": lambda x: np.prod(x, axis=1),
    "np.cumsum": lambda x: np.cumsum(x, 1),
    "np.clip": lambda x: np.clip(x, 0.75, 2.5),
    "np.sort": lambda x: np.sort(-x, axis=0),
    "np.argsort": lambda x: np.argsort(-x),
    "np.argmax": lambda x: np.argmax(x, axis=0),
    "np.take": lambda x: np.take(x, [1, 0, 1], axis=1),
    "np.take_along_axis": lambda x: np.take_along_axis(x, np.array([[1], [0]]), axis=1),
    "np.pad": lambda x: np.pad(x, ((1, 0), (0, 2)), constant_values=3.0),
    "np.flip": lambda x: np.flip(x),
    "np.expand_dims": lambda x: np.expand_dims(x, (0, -1)),
    "np.squeeze": lambda x: np.squeeze(x[None], 0),
    "np.swapaxes": lambda x: np.swapaxes(x, 0, 1),
    "np.moveaxis": lambda x: np.moveaxis(x, 0, -1),
    "np.ravel": lambda x: np.ravel(x),
    "np.diagonal": lambda x: np.diagonal(x, 1),
    "np.trace": lambda x: np.trace(x),
    "np.tril": lambda x: np.tril(x),
    "np.triu": lambda x: np.triu(x, 1),
    "np.arctan2": lambda x: np.arctan2(ARRAY, x),
    "np.logaddexp": lambda x: np.logaddexp(x, 0.5),
    "np.isnan": lambda x: np.isnan(x),
    "np.logical_and": lambda x: np.logical_and(x > 1, x < 3),
    "array % x": lambda x: ARRAY[::-1] % x,
    "x % 0.75": lambda x: x % 0.75,
    "list + x": lambda x: operator.add([1.0, 2.0], x),
}


@pytest.mark.parametrize("call", NUMPY_CALLS.values(), ids=NUMPY_CALLS)
def test_numpy_functions_and_arrays_work_on_nodes(call):
    x = mg.variable(ARRAY)
    y = call(x)
    assert isinstance(y, mg.Node)
    assert x in mg.topological_order(y)
    np.testing.assert_allclose(y.value, call(ARRAY), rtol=1e-15)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda x: np.cumprod(x), "np.cumprod does not work on Nodes; there is .*prod"),
        (lambda x: np.fabs(x), "np.fabs does not work on Nodes"),
        (lambda x: np.vstack([x, x]), "np.vstack does not work on Nodes; there is .*stack"),
        (lambda x: np.linalg.norm(x), "np.norm"),
        (lambda x: np.linalg.matmul(x, x), "np.matmul"),
        (lambda x: np.add.reduce(x), r"np\.add\.reduce"),
        (lambda x: np.exp(x, where=[True, False]), "np.exp on a Node takes no where"),
        (lambda x: np.add(ARRAY, x, out=ARRAY.copy()), "np.add on a Node takes no out"),
    ],
)
def test_a_numpy_function_that_no_node_has_is_named_with_near_ones(call, said):
    with pytest.raises(mg.NodeTypeError, match=said):
        call(mg.variable(ARRAY))


def test_an_option_of_numpy_that_no_node_has_is_refused_saying_which_there_are():
    with pytest.raises(TypeError, match=r"call it as sum\(x, axis, keepdims\)"):
        np.sum(mg.variable(ARRAY), where=ARRAY > 1)


def test_elements_are_not_set_in_place():
    x = mg.variable(ARRAY, name="x")
    with pytest.raises(mg.NodeTypeError, match=r"elements of x .* mg\.where"):
        x[0] = 1.0


@pytest.mark.parametrize("convert", [np.asarray, np.array, np.random.default_rng().permutation])
def test_a_node_does_not_leave_the_graph_by_becoming_an_array(convert):
    with pytest.raises(mg.NodeTypeError, match=r"w \(variable.*\.value"):
        convert(mg.variable([1.0, 2.0], name="w"))


def put(array, x):
    array[0] = x
    return array


@pytest.mark.parametrize(
    "take",
    [
        float,
        int,
        complex,
        np.float64,
        np.float32,
        np.int64,
        math.exp,
        math.floor,
        cmath.sin,
        "%.2f".__mod__,
        lambda x: math.hypot(1.0, x),
        lambda x: math.fsum([1.0, x]),
        lambda x: np.array([x, 1.0]),
        lambda x: np.array([[x], [x]], dtype=np.float64),
        lambda x: np.exp([x, x]),
        lambda x: np.ones(2) @ [x, x],
        lambda x: np.fromiter([x, x], np.float64),
        lambda x: np.full(3, x),
        lambda x: np.linspace(0, x, 3),
        lambda x: np.zeros(3).fill(x),
        lambda x: np.random.default_rng(0).normal(x),
        lambda x: np.vectorize(lambda k: k * x)(np.arange(3)),
        lambda x: buffer("d", [x]),
        lambda x: put(np.zeros(3), x),
        lambda x: put(np.zeros(3, np.float32), x),
        lambda x: put(np.zeros(3, np.int64), x),
        lambda x: put(np.zeros(3, complex), x),
        lambda x: put(np.zeros((3, 2)), x),
        lambda x: put([0.0], mg.variable([x, x])),
    ],
)
def test_no_value_leaves_the_graph_without_a_word(take):
    w = mg.variable(2.0, name="w")
    for x in (w, w * w):
        with pytest.raises((mg.NodeTypeError, ValueError)) as caught:
            take(x)
        # Where a number is put into an array, NumPy says of the refusal that it was the cause.
        said = caught.value.__cause__ or caught.value
        assert isinstance(said, mg.NodeTypeError)
        assert ".value" in str(said)


def test_what_loses_no_gradient_may_leave():
    c, w = mg.constant(2.5), mg.variable(2.0)
    assert math.sqrt(c * 2.5) == 2.5
    assert put(np.zeros(1), c).tolist() == [2.5]
    assert f"{w:.1f} {w * w:g}" == "2.0 4"
    assert [1.0 if w > 1 else 2.0, 3 if w else 4] == [1.0, 3]
    assert put(np.empty(1, object), w)[0] is w
    with mg.no_grad():
        assert math.exp(w * 0) == 1
    assert (int(mg.argmax(mg.stack([w, c]))), float(w.detach())) == (1, 2.0)


def test_an_array_in_place_does_not_swallow_a_node():
    total = np.zeros(2)
    with pytest.raises(mg.NodeTypeError, match="out"):
        total += mg.variable([1.0, 2.0])


def test_integers_to_negative_powers_are_refused_with_the_names_of_the_nodes():
    with pytest.raises(mg.MinigraphError, match=r"power of k .*negative integer powers"):
        mg.constant(2, name="k") ** -1


def test_functions_take_lists_as_arrays():
    assert list(mg.add([1, 2], [3, 4])) == [4, 6]
    assert mg.multiply([1.0, 2.0], 3.0).tolist() == [3.0, 6.0]


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.sum(a=x),
        lambda x: np.sum(x, 0, None, None, True),
        lambda x: np.sum(x, axis=0, dtype=None, out=None, keepdims=False),
        lambda x: np.max(x, 0, None, True),
        lambda x: np.var(x, 0, None, None, 1),
        lambda x: np.clip(x, min=1, max=3),
        lambda x: np.clip(x, None, 3),
        lambda x: np.reshape(x, (3, 2), "C"),
        lambda x: np.argsort(x, 0, kind=None),
        lambda x: np.take(x, [1, 0], 1, mode="raise"),
        lambda x: np.pad(x, 1, "constant", constant_values=7),
        lambda x: np.concatenate((x, x), 1, None),
        lambda x: np.stack([x, x], 1),
        lambda x: np.split(ary=x, indices_or_sections=[1], axis=1)[1],
        lambda x: np.where(x > 2, x, -1),
        lambda x: np.trace(x, 1),
        lambda x: np.einsum("ij->j", x),
    ],
)
def test_numpys_ways_to_pass_an_argument_work_on_nodes(call):
    a = np.arange(6.0).reshape(2, 3)
    ours, theirs = call(mg.variable(a)), call(a)
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours.value, theirs)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda x: np.sum(x, 0, np.float32), "np.sum on a Node takes no dtype"),
        (lambda x: np.cumsum(x, 0, None, np.zeros(2)), "np.cumsum on a Node takes no out"),
        (lambda x: np.reshape(x, (1, 2), order="F"), "np.reshape on a Node takes no order"),
    ],
)
def test_an_option_by_place_is_not_mistaken_for_another(call, said):
    with pytest.raises(mg.NodeTypeError, match=said):
        call(mg.variable([1.0, 2.0]))


def test_masked_elements_are_refused():
    masked = np.ma.array([1.0, 2.0], mask=[False, True])
    for make in (mg.variable, lambda m: mg.variable([1.0, 1.0]) + m):
        with pytest.raises(mg.NodeTypeError, match="no masked elements"):
            make(masked)
