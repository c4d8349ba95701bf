"""Operations that users make: their rules are used, drawn, and checked."""

import gc
import math
import weakref

import numpy as np
import pytest

import minigraph as mg
from minigraph.core.operation import OPERATIONS
from minigraph.graph import symbolic
from minigraph.graph.promises import check_graph


@mg.custom(lambda g, out, x: g * mg.sigmoid(x), symbol="soft+")
def softplus(x):
    return np.log1p(np.exp(x))


@mg.custom(lambda g, out, x, w: g * w, lambda g, out, x, w: g * x)
def times(x, w):
    return x * w


def cube_with(*rules):
    @mg.custom(*rules)
    def cube(x):
        return x**3

    return cube


def test_a_custom_operation_computes_arrays_and_records_nodes():
    assert softplus(0.0) == np.log(2)
    node = softplus(mg.variable([0.0, 1.0]))
    assert node.op.name == "softplus"
    assert node.op.symbol == "soft+"
    assert node.op.shape((2, 3)) == (2, 3)
    np.testing.assert_allclose(node.value, np.log1p(np.exp([0.0, 1.0])))


def test_its_derivatives_of_every_kind_follow_from_one_rule():
    x = mg.variable(0.5)
    y = softplus(x)
    s = 1 / (1 + np.exp(-0.5))
    first = mg.grad(y, x)
    assert first.value == pytest.approx(s)
    assert mg.grad(first, x).value == pytest.approx(s * (1 - s))
    assert mg.jvp(y, {x: 2.0}).value == pytest.approx(2 * s)
    assert mg.check_custom(softplus, [[0.5, -1.0], [2.0, 3.0]])


def test_inputs_that_broadcast_get_gradients_of_their_own_shape():
    assert mg.check_custom(times, np.arange(6.0).reshape(2, 3), [1.0, -2.0, 3.0])
    x, w = mg.variable(np.ones((2, 3))), mg.variable([1.0, -2.0, 3.0])
    assert mg.jvp(times(x, w), {w: [1.0, 1.0, 1.0]}).value.shape == (2, 3)


def test_it_stays_out_of_the_table():
    assert "softplus" not in OPERATIONS


def test_an_option_is_no_input():
    @mg.custom(lambda g, out, x, factor: g * factor)
    def scaled(x, factor=2.0):
        return x * factor

    x = mg.variable(1.5)
    assert mg.grad(scaled(x, factor=3.0), x).value == 3.0


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (lambda g, out, x: 3 * x * x, "input 0 .* finite differences give"),
        (lambda g, out, x: g * 2 * x * x, "input 0 .* finite differences give"),
        (lambda g, out, x: g * np.ones(3), r"rule of cube for input 0 gave shape \(3,\)"),
        (
            lambda g, out, x: g * 3 * getattr(x, "value", x) ** 2,
            "at the second order, .* finite differences give",
        ),
        (
            lambda g, out, x: 3 * (getattr(g, "value", g) * getattr(x, "value", x) ** 2).item(),
            "made float of Nodes; write it with operators and minigraph's functions",
        ),
        (
            lambda g, out, x: g * 3 * math.pow(x, 2),
            "rule of cube for input 0 does not take Nodes: .* write it with operators",
        ),
    ],
)
def test_a_wrong_rule_is_named(rule, says):
    with pytest.raises(mg.GradientError, match=says):
        mg.check_custom(cube_with(rule), 1.5)


@pytest.mark.parametrize("rules", [(), (None, None)])
def test_there_is_a_rule_for_each_input(rules):
    with pytest.raises(mg.GradientError, match=r"cube has 1 inputs and . rules"):
        cube_with(*rules)


def test_what_it_returns_becomes_a_value_that_nobody_changes():
    kept = np.zeros(2)

    @mg.custom(lambda g, out, x: g * out)
    def exp(x):
        return np.exp(x, out=kept)[:]

    first = exp(mg.variable([0.0, 0.0]))
    exp(mg.variable([1.0, 1.0]))
    assert first.value.tolist() == [1, 1]


@pytest.mark.parametrize("result", [3, 3.0, np.float32(3), np.array(3.0)])
def test_it_may_return_any_number(result):
    times_three = mg.custom(lambda g, out, x: 3 * g)(lambda x: result)
    assert times_three(mg.variable(1.0)).value == 3


@pytest.mark.parametrize("result", [None, 1j, "3"])
def test_what_is_no_real_number_is_refused(result):
    broken = mg.custom(lambda g, out, x: g)(lambda x: result)
    with pytest.raises(mg.NodeTypeError, match="must return real numbers"):
        broken(mg.variable(1.0))


def test_a_rule_without_its_return_is_named():
    forgetful = cube_with(lambda g, out, x: None)
    with pytest.raises(mg.GradientError, match=r"the rule of cube for input 0.*its return"):
        forgetful(mg.variable(2.0)).backward()


def test_it_may_be_a_function_of_numpys_own():
    distance = mg.custom(lambda g, out, x, y: g * x / out, lambda g, out, x, y: g * y / out)
    made = distance(np.hypot)(mg.variable([3.0, 5.0]), mg.variable([4.0, 12.0]))
    assert made.op.name == "hypot"
    assert made.value.tolist() == [5, 13]
    assert mg.check_custom(mg.custom(lambda g, out, x: g * out)(np.exp), 0.3)
    with pytest.raises(mg.GradientError, match="hypot has 2 inputs and 1 rules"):
        mg.custom(lambda g, out, x, y: g)(np.hypot)


# --- static graphs --------------------------------------------------------------------------------

MATRIX = np.array([[2.0, 1.0], [1.0, 3.0]])


@mg.custom(lambda g, out, x: -(out.T @ g @ out.T))
def inverse(x):
    return np.linalg.inv(x)


@mg.custom(None)
def root(x):
    return np.linalg.cholesky(x)


@mg.custom(None, None)
def solved(x, y):
    return np.linalg.solve(x, y)


@mg.custom(None, None)
def picked(x, places):
    return x[places]


@mg.custom(None)
def shares(x):
    if not x.sum() > 0:
        raise ZeroDivisionError("there is nothing to share")
    return x / x.sum()


@mg.custom(None)
def whole(x):
    return x.astype(np.int32)[None]


@pytest.mark.parametrize(
    ("f", "arrays"),
    [
        (inverse, [MATRIX]),
        (inverse, [np.stack([MATRIX, 2 * MATRIX])]),
        (inverse, [MATRIX.astype(np.float32)]),
        (root, [MATRIX]),
        (solved, [MATRIX, np.array([1.0, 2.0])]),
        (picked, [np.array([1.0, 2.0, 3.0]), np.array([2, 0])]),
        (picked, [np.array([1.0, 2.0, 3.0]), np.uint8(2)]),
        (shares, [np.array([1.0, 3.0])]),
        (whole, [np.float64(2.5)]),
    ],
)
def test_a_static_graph_finds_the_shape_and_the_dtype_of_a_result(f, arrays):
    expected = f(*arrays)
    names = ["a", "b"][: len(arrays)]
    symbolic = [mg.placeholder(n, x.shape, x.dtype) for n, x in zip(names, arrays)]
    feeds = dict(zip(names, arrays))
    waiting = f(*symbolic)
    assert (waiting.shape, waiting.dtype) == (np.shape(expected), expected.dtype)
    partly = f(symbolic[0], *arrays[1:])
    assert (partly.shape, partly.dtype) == (waiting.shape, waiting.dtype)
    captured = [mg.constant(x, name=n) for n, x in feeds.items()]
    for graph in (mg.Graph(waiting * 1), mg.Graph(f(*captured) * 1, captured)):
        for found in (graph.run(feeds), graph.compile()(**feeds)):
            np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(mg.compile(f)(*arrays), expected)


def test_the_gradient_of_a_custom_operation_is_right_in_a_static_graph():
    x = mg.placeholder("x", (2, 2))
    graph = mg.Graph(mg.grad(mg.sum(inverse(x)), x))
    eager = mg.variable(MATRIX)
    expected = mg.grad(mg.sum(inverse(eager)), eager).value
    np.testing.assert_allclose(graph.run({"x": MATRIX}), expected, rtol=1e-14)
    np.testing.assert_allclose(graph.compile()(x=MATRIX), expected, rtol=1e-14)


@pytest.mark.parametrize("dtype", [float, bool])
def test_an_option_named_index_is_no_index(dtype):
    @mg.custom(lambda g, out, x, y, index: g * y, lambda g, out, x, y, index: g * x)
    def product(x, y, index=0):
        return x * y + index

    x, y = mg.placeholder("x", (2,)), mg.placeholder("y", (2,), dtype)
    z = product(x, y, index=3)
    assert z.shape == (2,)
    check_graph(mg.topological_order(z))
    known = np.array([1.0, 2.0]), np.array([0, 1]).astype(dtype)
    np.testing.assert_array_equal(mg.Graph(z).run(dict(zip("xy", known))), [3.0, 5.0])
    np.testing.assert_array_equal(mg.Graph(z).compile()(**dict(zip("xy", known))), [3.0, 5.0])


def test_a_result_whose_shape_depends_on_values_is_refused_before_there_are_any():
    @mg.custom(None)
    def positive(x):
        return x[x > 0]

    assert positive(mg.variable([1.0, -1.0])).shape == (1,)
    with pytest.raises(mg.ShapeError, match=r"positive of x .* depends on values: \(0,\).*\(2,\)"):
        positive(mg.placeholder("x", (2,)))


def test_a_function_of_shapes_alone_waits_as_well():
    @mg.custom(None)
    def size(x):
        return np.float64(x.size) + 0 * np.ones(x.shape).sum()

    y = size(mg.placeholder("x", (2, 3)))
    with pytest.raises(mg.SymbolicError, match="waits for x"):
        y.value  # noqa: B018
    assert mg.Graph(y).run({"x": np.zeros((2, 3))}) == 6


def test_a_function_that_refuses_stand_ins_states_its_shape():
    def of_three(x):
        if set(np.ravel(x).tolist()) != {3.0}:
            raise KeyError("only threes")
        return np.stack([x, x])

    x = mg.placeholder("x", (2,), np.float32)
    with pytest.raises(mg.ShapeError, match=r"of_three of x .*KeyError: 'only threes'.*shape=lamb"):
        mg.custom(None)(of_three)(x)
    y = mg.custom(None, shape=lambda s: (2, *s))(of_three)(x)
    assert (y.shape, y.dtype) == ((2, 2), np.float32)
    assert mg.Graph(y).run({"x": [3, 3]}).tolist() == [[3, 3]] * 2


def test_an_error_of_the_function_itself_is_told():
    def broken(x):
        return x + missing  # noqa: F821

    with pytest.raises(NameError, match="missing"):
        mg.custom(None)(broken)(mg.variable(1.0))
    with pytest.raises(mg.ShapeError, match="NameError: name 'missing'"):
        mg.custom(None)(broken)(mg.placeholder("x"))


def test_a_custom_operation_is_freed_with_what_it_knows():
    def used(size):
        table = np.ones(size)
        f = mg.custom(None, None)(lambda x, y: x + y + table[0])
        f(mg.placeholder("x", (size,)), mg.placeholder("y", (size,)))
        return weakref.ref(table)

    found = [used(size) for size in range(1, 20)]
    gc.collect()
    assert not any(ref() is not None for ref in found)


def test_what_is_known_of_dtypes_does_not_grow_with_shapes():
    def fill(size):
        x = mg.placeholder("x", (size, 3))
        return mg.sum(mg.reshape(x[:, 1:] + mg.broadcast_to(x, (2, size, 3))[0, :, 1:], (-1,)))

    fill(1)
    before = len(symbolic._DTYPES)
    for size in range(2, 50):
        fill(size)
    assert len(symbolic._DTYPES) == before
