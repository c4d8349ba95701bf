"""Every function of minigraph against PyTorch, finite differences and NumPy's shapes.

What each is compared with, and where, stands in cases.py. Derivatives at a kink, at a tie or in a
limit stand in CONVENTIONS below, ours beside PyTorch's.
"""

from __future__ import annotations

from contextlib import nullcontext
from functools import reduce
from itertools import product
from math import prod
from operator import add

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from cases import CASES, DIFFERENTIABLE, DISCRETE
from examples import drawn, each, weights
from hypothesis import given, settings
from hypothesis import strategies as st

import minigraph as mg
from minigraph.core.operation import FUNCTIONS, OPERATIONS
from minigraph.graph.promises import check_graph

pytestmark = [
    pytest.mark.filterwarnings("ignore:Mean of empty slice"),
    pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning"),
]


def examples(count):
    """So many of each function on an ordinary run, and ten times as many on one that explores."""
    return settings(max_examples=settings.default.max_examples * count // 100)


def test_every_function_has_a_case():
    assert CASES.keys() | {"dropout"} == FUNCTIONS.keys() >= OPERATIONS.keys()


@each(sorted(DISCRETE))
@given(data=st.data())
@examples(15)
def test_the_truth_is_pytorchs(torch, name, data):
    run = data.draw(drawn(name))
    y = run.node(*run.nodes())
    run.close(y.value, run.tensor(torch, *run.tensors(torch)))
    check_graph(mg.topological_order(y))


@each(DIFFERENTIABLE)
@given(data=st.data())
@examples(15)
def test_value_gradient_and_gradient_of_gradient_are_pytorchs(torch, name, data):
    run = data.draw(drawn(name))
    xs, ts = run.nodes(), run.tensors(torch)
    y, t = run.node(*xs), run.tensor(torch, *ts)
    run.close(y.value, t)
    check_graph(mg.topological_order(y))
    seed = weights(y.shape, y.dtype)
    y.backward(seed=seed)
    ours = mg.grad(y, [xs[i] for i in run.by], seed=mg.constant(seed))
    theirs = torch.autograd.grad(
        t, [ts[i] for i in run.by], torch.from_numpy(seed), create_graph=True
    )
    for i, g, expected in zip(run.by, ours, theirs):
        run.close(xs[i].grad, expected)
        run.close(g.value, expected)
        check_graph(mg.topological_order(g))

    # The gradient of Σ v · gradient, through whatever of it still depends on the inputs.
    vs = [weights(g.shape, g.dtype) for g in ours]
    total = reduce(add, [mg.sum(g * v) for g, v in zip(ours, vs)])
    total_t = reduce(add, [(g * torch.from_numpy(v)).sum() for g, v in zip(theirs, vs)])
    for x in xs:
        x.grad = None
    if total.requires_grad:
        total.backward()
    second = [torch.zeros_like(ts[i]) for i in run.by]
    if total_t.requires_grad:
        inputs = [ts[i] for i in run.by]
        second = torch.autograd.grad(total_t, inputs, allow_unused=True, materialize_grads=True)
    for i, expected in zip(run.by, second):
        found = np.zeros(xs[i].shape, xs[i].dtype) if xs[i].grad is None else xs[i].grad
        run.close(found, expected)


@each(DIFFERENTIABLE)
@given(data=st.data())
@examples(6)
def test_the_jvp_is_pytorchs(torch, name, data):
    run = data.draw(drawn(name))
    xs, ts = run.nodes(), [t.detach() for t in run.tensors(torch)]
    tangents = [weights(xs[i].shape, xs[i].dtype) for i in run.by]

    def f(*inputs):
        given_ = dict(zip(run.by, inputs))
        return run.tensor(torch, *[given_.get(i, t) for i, t in enumerate(ts)])

    primals = tuple(ts[i] for i in run.by)
    _, expected = torch.func.jvp(f, primals, tuple(map(torch.from_numpy, tangents)))
    change = mg.jvp(run.node(*xs), {xs[i]: v for i, v in zip(run.by, tangents)})
    run.close(change.value, expected)


# --- finite differences, where no other system has a say ------------------------------------------


def generic(shape, domain, i):
    """Distinct numbers of a domain in no order, none at a kink or a tie."""
    n = prod(shape)
    places = np.linspace(0, len(domain) - 1, n + 2)[1:-1].round().astype(int)
    spread = np.sort(domain)[places] + 0.0123 * (i + 1) + np.linspace(0, 0.02, n)
    return np.random.default_rng(i).permutation(spread).reshape(shape)


@each(sorted(set(DIFFERENTIABLE) - {"astype"}))
@given(data=st.data())
@examples(4)
def test_first_and_second_derivatives_are_those_of_finite_differences(name, data):
    case = CASES[name]
    shapes, attrs = data.draw(case.examples)
    arrays = [
        generic(shape, domain, i)
        if i in case.by
        else data.draw(hnp.arrays(case.dtype(i, None), shape, elements=st.sampled_from(domain)))
        for i, (shape, domain) in enumerate(zip(shapes, case.domains))
    ]

    def f(*free):
        given_ = dict(zip(case.by, free))
        inputs = [given_.get(i, a) for i, a in enumerate(arrays)]
        return case.ours(FUNCTIONS[name], *inputs, **attrs)

    free = [arrays[i] for i in case.by]
    assert mg.gradcheck(f, *free)
    assert mg.gradcheck(f, *free, order=2, rtol=1e-4, atol=1e-6)


# --- shapes: the rule, which needs no values, says what NumPy's computation says ------------------


def outcome(f, *args, **attrs):
    """The shape that f gives, or "refused"."""
    try:
        return f(*args, **attrs)
    except (ValueError, TypeError, IndexError):
        return "refused"


NUMBERS = st.integers(-4, 4)
# Drawn as a whole, which takes a tenth of the time of hnp.array_shapes.
ANY_SHAPES = st.one_of(st.sampled_from([*product(range(4), repeat=n)]) for n in range(5))
ANY_ATTRS = {
    "axis": st.none() | NUMBERS | st.lists(NUMBERS, max_size=3).map(tuple),
    "axes": st.none() | st.lists(NUMBERS, max_size=3).map(tuple),
    "keepdims": st.booleans(),
    "shape": ANY_SHAPES | st.lists(st.integers(-1, 4), max_size=4).map(tuple) | st.integers(-1, 9),
    "index": NUMBERS
    | hnp.basic_indices((2, 3), allow_newaxis=True)
    | hnp.arrays(np.int64, (2,), elements=NUMBERS)
    | hnp.arrays(bool, ANY_SHAPES),
    "dtype": st.sampled_from(["f4", "i8", "?"]),
    "classes": st.just(2),
    "stride": st.integers(-1, 3) | st.tuples(st.integers(0, 2), st.integers(1, 2)),
}


FIXED_ARITY = {name for name, op in OPERATIONS.items() if not op.parameters[-1].startswith("*")}


@each(sorted(FIXED_ARITY))
@given(data=st.data())
@examples(25)
def test_the_shape_rule_gives_the_shape_of_the_value_and_refuses_what_numpy_refuses(name, data):
    op = OPERATIONS[name]
    shapes = [data.draw(ANY_SHAPES) for _ in op.parameters]
    settings_ = list(FUNCTIONS[name].__signature__.parameters)[len(op.parameters) :]
    attrs = {key: data.draw(ANY_ATTRS[key]) for key in settings_}

    def value_shape():
        return op.forward(*[np.ones(s) for s in shapes], **attrs).shape

    by_rule = outcome(lambda: op.shape(*shapes, **attrs))
    if name == "mean" and shapes == [()] and attrs["axis"] in (0, -1):
        assert by_rule == ()  # NumPy's mean is stricter here than its sum, max and min
    else:
        assert by_rule == outcome(value_shape)


# --- conventions: where mathematics leaves a choice, or takes a limit -----------------------------

CONVENTIONS = [
    # what, function, at, our gradient, PyTorch's
    ("|x| at the kink", lambda t, x: abs(x), [0.0], [0], [0]),
    ("relu at the kink", lambda t, x: t.relu(x), [0.0], [0], [0]),
    ("a tie of two is shared", lambda t, x, y: t.maximum(x, y), [1.0, 1.0], [0.5, 0.5], [0.5, 0.5]),
    ("so is the smaller", lambda t, x, y: t.minimum(x, y), [1.0, 1.0], [0.5, 0.5], [0.5, 0.5]),
    ("x⁰ at 0", lambda t, x: x**0.0, [0.0], [0], [0]),
    ("x¹ at 0", lambda t, x: x**1.0, [0.0], [1], [1]),
    ("x² below 0", lambda t, x: x**2.0, [-3.0], [-6], [-6]),
    ("0ʸ above 0", lambda t, x, y: x**y, [0.0, 2.0], [0, 0], [0, 0]),
    ("0⁰", lambda t, x, y: x**y, [0.0, 0.0], [0, 0], [0, 0]),
    ("a power of a negative number", lambda t, x, y: x**y, [-2.0, 2.0], [-4, np.nan], [-4, np.nan]),
    ("√x at 0", lambda t, x: t.sqrt(x), [0.0], [np.inf], [np.inf]),
    ("log x at 0", lambda t, x: t.log(x), [0.0], [np.inf], [np.inf]),
    ("x · log y at 0, 1", lambda t, x, y: t.xlogy(x, y), [0.0, 1.0], [0, 0], [0, 0]),
    ("x log y at 0, 0", lambda t, x, y: t.xlogy(x, y), [0.0, 0.0], [-np.inf, np.nan], [0, np.nan]),
    ("1 / x at 0", lambda t, x: 1.0 / x, [0.0], [-np.inf], [-np.inf]),
]  # fmt: skip


@pytest.mark.parametrize(("what", "f", "at", "ours", "theirs"), CONVENTIONS)
def test_where_a_derivative_has_a_choice_it_is_the_documented_one(torch, what, f, at, ours, theirs):
    xs = [mg.variable(x) for x in at]
    f(mg, *xs).backward()
    np.testing.assert_array_equal([x.grad for x in xs], ours)
    ts = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in at]
    np.testing.assert_array_equal(torch.autograd.grad(f(torch, *ts), ts), theirs)


def test_the_gradient_of_a_power_can_be_differentiated_at_zero():
    # d²/dx² xⁿ at 0 for n = 0, 1, 2, 3: no 0 · ∞ on the way.
    for n, expected in enumerate([0, 0, 2, 0]):
        for exponent in (mg.constant(float(n)), mg.variable(float(n))):
            x = mg.variable(0.0)
            assert mg.grad(mg.grad(x**exponent, x), x).value == expected


def test_the_mixed_derivative_of_a_power_is_right_where_the_exponent_is_zero():
    # ∂²(xʸ)/∂y∂x = xʸ⁻¹ (1 + y log x), which is 1/2 at x = 2, y = 0; PyTorch says 0.
    x, y = mg.variable(2.0), mg.variable(0.0)
    by_x, by_y = mg.grad(x**y, [x, y])
    assert mg.grad(by_x, y).value == mg.grad(by_y, x).value == 0.5


@pytest.mark.parametrize("name", ["max", "min"])
def test_several_largest_elements_share_the_gradient(name):
    x = mg.variable([[2.0, 2.0, 2.0], [1.0, 1.0, 2.0]])
    FUNCTIONS[name](x).backward()
    assert x.grad.sum() == pytest.approx(1)
    assert len(set(x.grad[x.grad > 0])) == 1


def test_zero_times_the_logarithm_of_zero_is_zero(torch):
    x, y = [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]
    expected = torch.xlogy(torch.tensor(x), torch.tensor(y)).tolist()
    assert mg.xlogy(mg.variable(x), y).value.tolist() == expected == [0, 0, -np.inf]


def test_the_mean_of_nothing_is_nan_and_its_sum_is_zero():
    empty = mg.variable(np.zeros((0, 3)))
    with pytest.warns(RuntimeWarning):
        assert np.isnan(mg.mean(empty).value)
    assert mg.sum(empty).value == 0
    mg.sum(empty).backward()
    assert empty.grad.shape == (0, 3)


@pytest.mark.parametrize("x", [1000.0, -1000.0])
def test_the_sigmoid_does_not_overflow(x):
    x = mg.variable(x)
    with np.errstate(over="raise"):
        y = mg.sigmoid(x)
        y.backward()
    assert y.value == (x.value > 0)
    assert x.grad == 0


@pytest.mark.parametrize("axes", [(0, 1), (1, 0), (-1, 0), (1, -2), (-1, -2), (0, -1)])
def test_a_transpose_is_undone_however_its_axes_are_counted(axes):
    seed = np.array([[1.0, 2.0], [3.0, 4.0]])
    x = mg.variable(np.zeros((2, 2)))
    mg.transpose(x, axes).backward(seed=seed)
    assert mg.transpose(x.grad, axes).tolist() == seed.tolist()


# --- types ----------------------------------------------------------------------------------------


@each(sorted(name for name in DISCRETE if len(OPERATIONS[name].parameters) == 2))
def test_a_comparison_has_no_gradient_and_says_so(name):
    x, y = mg.variable([1.0, 2.0]), mg.variable([2.0, 2.0])
    truth = FUNCTIONS[name](x, y)
    assert truth.dtype == bool
    assert not truth.requires_grad
    with pytest.raises(mg.GradientError, match="bool"):
        truth.backward(seed=[1, 1])


@pytest.mark.parametrize("operator", ["add", "subtract", "multiply", "divide", "power", "maximum"])
def test_each_gradient_keeps_the_dtype_of_its_variable(torch, operator):
    x, y = np.float32([0.5, 2.0]), np.float64([1.5, 3.0])
    a, b = mg.variable(x), mg.variable(y)
    s, t = torch.tensor(x, requires_grad=True), torch.tensor(y, requires_grad=True)
    out, expected = FUNCTIONS[operator](a, b), CASES[operator].torch(torch, s, t)
    assert (out.dtype, expected.dtype) == (np.float64, torch.float64)
    out.backward(seed=np.ones(2))
    expected.backward(torch.ones(2, dtype=torch.float64))
    for node, tensor in ((a, s), (b, t)):
        assert node.grad.dtype == node.dtype
        np.testing.assert_allclose(node.grad, tensor.grad.numpy(), rtol=1e-6)
    assert mg.jvp(out, {a: [1.0, 1.0]}).dtype == np.float64
    assert mg.jvp(FUNCTIONS[operator](a, 1.5), {a: [1.0, 1.0]}).dtype == np.float32


def test_numbers_of_python_take_the_dtype_of_the_node_beside_them():
    x = mg.variable(np.float32([1.0, 2.0]))
    for y in (x + 1, 2.0 * x, x**2, mg.maximum(x, 0.5), mg.where(x > 1, x, 0.0)):
        assert y.dtype == np.float32
    k = mg.constant([1, 2])
    assert (k * 2).dtype == np.int64
    assert (k * 0.5).dtype == np.float64


BRANCHES = {
    "a node and a number": (lambda c, x: mg.where(c, x, -1), lambda c, x: np.where(c, x, -1)),
    "a number and a node": (lambda c, x: mg.where(c, 2.5, x), lambda c, x: np.where(c, 2.5, x)),
    "two numbers": (lambda c, x: mg.where(c, 1, 2.5), lambda c, x: np.where(c, 1, 2.5)),
    "two whole numbers": (lambda c, x: mg.where(c, 1, -2), lambda c, x: np.where(c, 1, -2)),
    "a small number": (
        lambda c, x: mg.where(c, 1e-9, x * 0),
        lambda c, x: np.where(c, 1e-9, x * 0),
    ),
}


@pytest.mark.parametrize("dtype", ["int64", "int8", "float32", "bool"])
@pytest.mark.parametrize("condition", ["bool", "int8", "uint8", "int64", "float16", "float64"])
@pytest.mark.parametrize("branches", BRANCHES)
def test_the_condition_of_where_has_no_say_in_the_dtype(branches, condition, dtype):
    ours, numpys = BRANCHES[branches]
    c, x = np.array([0, 2, 1]).astype(condition), np.array([1, 0, 3]).astype(dtype)
    expected = numpys(c, x)
    pair = mg.placeholder("c", c.shape, condition), mg.placeholder("x", x.shape, dtype)
    graph = mg.Graph(ours(*pair), pair)
    for found in (
        ours(mg.constant(c), mg.constant(x)).value,
        graph.run({"c": c, "x": x}),
        graph.compile()(c=c, x=x),
        mg.compile(ours)(c, x),
    ):
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("number", [1, 2.5])
def test_numbers_that_a_compiled_function_chooses_between_keep_their_dtype(number):
    def f(c, a):
        return mg.where(c, a, 2)

    c = np.array([True, False])
    for condition in (c, c.astype(np.float16), c.astype(np.int8)):
        expected = np.where(condition, number, 2)
        found = mg.compile(f)(condition, number)
        assert found.dtype == f(mg.constant(condition), number).dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


def test_a_cast_to_integers_cuts_the_gradient_and_one_to_complex_is_refused():
    x = mg.variable([1.5, 2.5])
    whole = mg.astype(x, int)
    assert not whole.requires_grad
    with pytest.raises(mg.GradientError, match="does not reach"):
        mg.grad(mg.sum(whole * mg.variable([1.0, 1.0])), x)
    for dtype in (complex, "U5", object):
        with pytest.raises(mg.NodeTypeError, match="real numbers"):
            mg.astype(x, dtype)


def test_the_condition_of_where_takes_no_gradient_even_if_it_is_a_variable():
    x = mg.variable([0.0, 2.0])
    mg.sum(mg.where(x, x * 3, 5.0)).backward()
    np.testing.assert_array_equal(x.grad, [0, 3])
    with pytest.raises(mg.GradientError, match="does not reach"):
        mg.grad(mg.where(mg.variable(1.0), mg.variable(2.0), 0.0), mg.variable(1.0))


# --- the table itself -----------------------------------------------------------------------------


@each([name for name, op in OPERATIONS.items() if op.partials])
@given(data=st.data())
@settings(max_examples=5)
def test_the_formula_shown_on_an_edge_is_the_derivative(name, data):
    """The shown partial, evaluated by Python, is what the rule multiplies the gradient by."""
    op = OPERATIONS[name]
    drawn_values = [data.draw(st.sampled_from(domain)) for domain in CASES[name].domains]
    values = [np.float64(v + 0.01 * i) for i, v in enumerate(drawn_values, start=1)]
    known = dict(zip(op.parameters, values), out=op.forward(*values))
    for vjp, formula in zip(op.vjps, op.partials):
        expected = eval(formula, dict(vars(np)), known)
        assert vjp(1.0, known["out"], values, {}) == pytest.approx(expected, rel=1e-12)


def test_functions_and_operations_carry_names_signatures_and_documentation():
    for name, function in FUNCTIONS.items():
        assert function.__name__ == name
        assert getattr(mg, name) is function
        assert name in mg.__all__
        assert function.__doc__
        if name in OPERATIONS:
            assert function.op is OPERATIONS[name]
            assert function.op.name == name
            assert function.op.symbol


def test_a_function_given_arrays_alone_computes_arrays():
    assert mg.sin(np.array([0.0])) == [0.0]
    assert mg.sum(np.ones((2, 3)), axis=1).tolist() == [3, 3]
    assert type(mg.add(1.0, 2.0)) is float


def test_a_function_called_wrongly_says_how_to_call_it():
    x = mg.variable([1.0, 2.0])
    for call in (lambda: mg.sum(x, 0, False, 1), lambda: mg.mean(x, dim=0)):
        with pytest.raises(TypeError, match=r"call it as \w+\("):
            call()
    with pytest.raises(TypeError, match=r"add.*missing 1 required positional argument: 'y'"):
        mg.add(x)
    with pytest.raises(TypeError, match=r"concatenate\(\) missing .*'arrays'"):
        mg.concatenate()


SHAPE_FAULTS = [
    (lambda a, b: a + b, ["weights (variable, shape (2, 3))", "bias", "axis -1 has sizes 3 and 4"]),
    (lambda a, b: a @ b, ["matmul", "size 3", "axis -1 of the second 4"]),
    (lambda a, b: mg.matmul(a, mg.variable(np.ones((4, 3)))), ["axis -2 of the second 4"]),
    (lambda a, b: a @ 2.0, ["multiply with *"]),
    (lambda a, b: a.reshape(7), ["reshape", "weights", "7"]),
    (lambda a, b: a.transpose(0, 0), ["transpose", "weights"]),
    (lambda a, b: a.transpose(0), ["must name each of the axes 0 to 1 once"]),
    (lambda a, b: mg.sum(a, axis=2), ["sum", "weights", "axis 2 is out of bounds"]),
    (lambda a, b: a[5], ["getitem", "weights", "index 5 is out of bounds"]),
    (lambda a, b: mg.max(a[:0]), ["has no elements to choose from"]),
    (lambda a, b: mg.broadcast_to(a, (3, 2)), ["broadcast_to", "weights"]),
    (lambda a, b: mg.matrix_transpose(b), ["matrix_transpose", "bias"]),
]


@pytest.mark.parametrize(("fault", "said"), SHAPE_FAULTS)
def test_shapes_that_do_not_fit_are_refused_naming_the_nodes_and_what_would_fit(fault, said):
    a = mg.variable(np.ones((2, 3)), name="weights")
    b = mg.variable(np.ones(4), name="bias")
    with pytest.raises(mg.ShapeError) as caught:
        fault(a, b)
    for text in said:
        assert text in str(caught.value)
    assert all(isinstance(node, mg.Node) for node in caught.value.nodes)


LARGE = 2**70
TOO_LARGE = [
    lambda x: mg.sum(x, axis=LARGE),
    lambda x: mg.max(x, axis=(0, -LARGE)),
    lambda x: mg.cumsum(x, LARGE),
    lambda x: mg.argsort(x, LARGE),
    lambda x: mg.softmax(x, LARGE),
    lambda x: mg.flip(x, LARGE),
    lambda x: mg.expand_dims(x, LARGE),
    lambda x: mg.swapaxes(x, 0, LARGE),
    lambda x: mg.moveaxis(x, 0, LARGE),
    lambda x: mg.transpose(x, (0, LARGE)),
    lambda x: mg.concatenate([x], LARGE),
    lambda x: mg.stack([x, x], LARGE),
    lambda x: mg.tensordot(x, x, LARGE),
    lambda x: mg.tril(x, LARGE),
    lambda x: x[LARGE],
    lambda x: x[mg.constant(np.uint64(2**64 - 1))],
    lambda x: mg.scatter_add(x, mg.constant(np.uint64(2**64 - 1)), (3, 2, 2)),
]


@pytest.mark.parametrize("call", TOO_LARGE)
def test_numbers_too_large_for_any_array_are_refused_naming_the_node(call):
    for x in (mg.variable(np.ones((2, 2)), name="x"), mg.placeholder("x", (2, 2))):
        with pytest.raises(mg.ShapeError, match=r"of .*x"):
            mg.Graph(call(x)).run({"x": np.ones((2, 2))})


def test_an_index_that_is_fed_may_be_too_large_for_any_array():
    x, i = mg.placeholder("x", (3,)), mg.placeholder("i", (), np.uint64)
    graph = mg.Graph([x[i], mg.scatter_add(x[0], i, (3,))], [x, i])
    plan = graph.compile()
    with pytest.raises(mg.ShapeError, match="getitem of x"):
        graph.run({"x": np.ones(3), "i": np.uint64(2**64 - 1)})
    with pytest.raises(mg.ShapeError, match=r"(getitem|scatter_add) of"):
        plan(x=np.ones(3), i=np.uint64(2**64 - 1))
    assert plan(x=np.arange(3.0), i=2)[0] == 2.0


# --- settings and dtypes --------------------------------------------------------------------------


def test_a_setting_may_be_changed_after_the_call():
    x = mg.variable(np.arange(24.0).reshape(2, 3, 4))
    axes, stride = [2, 0, 1], [2, 1]
    moved = mg.transpose(x, axes)
    wins = mg.windows(x, (2, 2), stride)
    before = [
        mg.grad(y, x, seed=np.sqrt(np.arange(y.size).reshape(y.shape))) for y in (moved, wins)
    ]
    axes[:] = [1, 2, 0]
    stride[:] = [1, 1]
    after = [mg.grad(y, x, seed=np.sqrt(np.arange(y.size).reshape(y.shape))) for y in (moved, wins)]
    for old, new in zip(before, after):
        assert np.array_equal(old.value, new.value)


def test_a_setting_that_is_given_twice_is_refused():
    with pytest.raises(TypeError, match=r"call it as sum\("):
        mg.sum(mg.variable(np.ones((2, 3))), 0, axis=1)


NUMBERS = (2, 2.5, True, -1, np.float32(2), np.int16(2))


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int32", "float16", "float32"])
def test_results_have_numpys_dtypes(dtype):
    a = np.array([[1, 0, 1], [1, 1, 1]], dtype)
    x, mask = mg.constant(a), np.array([True, False, True])
    pairs = [
        (getattr(mg, f)(x), getattr(np, f)(a)) for f in ("sum", "mean", "prod", "tril", "triu")
    ]
    for n in NUMBERS:
        if n == -1 and dtype == "uint8":
            continue  # NumPy refuses; here the result is an int64
        pairs += [(x + n, a + n), (n * x, n * a), (x / 2, a / 2)]
        pairs += [(mg.where(mg.constant(mask), x, n), np.where(mask, a, n))]
        pairs += [(mg.where(mg.constant(mask), a, n), np.where(mask, a, n))]
    for ours, theirs in pairs:
        assert ours.dtype == theirs.dtype
        assert np.array_equal(ours.value, theirs)


@pytest.mark.parametrize("ddof", [0, 1, 2, 3, 5])
@pytest.mark.parametrize("shape", [(0,), (1,), (2,), (3,), (0, 2)])
def test_a_variance_of_fewer_elements_than_are_taken_off_is_numpys(shape, ddof):
    values = np.arange(prod(shape), dtype=float).reshape(shape) ** 2
    with pytest.warns(RuntimeWarning) if ddof >= prod(shape) else nullcontext():
        expected = [f(values, ddof=ddof) for f in (np.var, np.std)]
    found = [f(mg.constant(values), ddof=ddof).value for f in (mg.var, mg.std)]
    np.testing.assert_allclose(found, expected, rtol=1e-15)


def test_a_whole_number_too_large_for_the_dtype_brings_its_own():
    assert (mg.constant(np.uint8([200])) + 300).value.tolist() == [500]
    with pytest.raises(mg.NodeTypeError, match="real numbers, not int"):
        mg.variable(1.0) + 10**400


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "uint16", "int32", "uint64"])
@each(["sigmoid", "logsumexp", "softmax", "log_softmax"])
def test_whole_numbers_do_not_wrap_around_where_a_difference_is_taken(name, dtype):
    whole = np.array([[1, 0, 7], [3, 3, 2]]).astype(dtype)
    found = getattr(mg, name)(mg.constant(whole))
    assert found.dtype == np.exp(whole).dtype
    expected = getattr(mg, name)(mg.constant(whole.astype(float))).value
    eps = np.finfo(found.dtype).eps
    np.testing.assert_allclose(found.value, expected, rtol=8 * eps, atol=4 * eps)
    made = getattr(mg, name)(mg.placeholder("x", whole.shape, dtype))
    assert (made.shape, made.dtype) == (found.shape, found.dtype)
    graph = mg.Graph(made)
    for again in (graph.run({"x": whole}), graph.compile()(x=whole)):
        np.testing.assert_allclose(again, found.value, rtol=2 * eps)


def test_a_loss_of_whole_logits_is_that_of_the_same_numbers_as_floats():
    logits = np.array([[2, 0, 1], [0, 5, 3]])
    expected = mg.cross_entropy(mg.constant(logits.astype(float)), [1, 1]).value
    for dtype in (np.uint32, np.uint64, np.int64):
        assert mg.cross_entropy(mg.constant(logits.astype(dtype)), [1, 1]).value == expected


NARROW = ["bool", "int8", "uint8", "int16", "float16", "float32"]


@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("place", [0, 1])
@each(["add", "multiply", "divide", "power", "arctan2", "hypot", "logaddexp", "xlogy", "remainder",
       "maximum"])  # fmt: skip
def test_a_gradient_is_as_precise_as_the_result_whatever_stands_beside_the_variable(
    name, place, dtype
):
    """The gradient beside few bits is that beside the same numbers as float64."""
    numbers = np.array([1, 3, 100, 127]).astype(dtype)
    point = np.array([0.7, 20.3, 1.9, 2.1])
    found = []
    for beside in (numbers, numbers.astype(float)):
        x = mg.variable(point)
        y = getattr(mg, name)(*[(x, beside), (beside, x)][place])
        slope = mg.grad(mg.sum(y), x)
        mg.sum(y).backward()
        np.testing.assert_array_equal(x.grad, slope.value)
        again = mg.placeholder("x", point.shape)
        z = getattr(mg, name)(*[(again, beside), (beside, again)][place])
        plan = mg.Graph(mg.grad(mg.sum(z), again), [again]).compile()
        np.testing.assert_allclose(plan(x=point), x.grad, rtol=1e-13)
        found.append(x.grad)
    np.testing.assert_allclose(*found, rtol=1e-14)


def test_the_slope_of_a_power_does_not_wrap_around_with_its_exponent():
    for dtype in (np.uint8, np.uint64, np.int8):
        x = mg.variable([20.0, 1e9, 2.0])
        exponents = np.array([0, 0, 1], dtype)
        mg.sum(x**exponents).backward()
        assert x.grad.tolist() == [0, 0, 1]


def test_the_logarithm_in_xlogy_has_the_digits_of_the_result():
    x, y = np.array([0.5, 2.0, 0.0]), np.array([3, 7, 0])
    expected = [0.5 * np.log(3.0), 2 * np.log(7.0), 0]
    for dtype in (np.int8, np.uint8, np.int16, np.float16, np.float32):
        found = mg.xlogy(mg.variable(x), y.astype(dtype)).value
        np.testing.assert_allclose(found, expected, rtol=1e-15)


def test_the_remainder_is_differentiated_by_the_quotient_that_it_was_computed_with(torch):
    x, y = mg.variable(1.0), mg.variable(0.1)  # 0.1 fits 9 times, though 1 / 0.1 rounds to 10
    t = torch.tensor(0.1, dtype=torch.float64, requires_grad=True)
    torch.remainder(torch.tensor(1.0, dtype=torch.float64), t).backward()
    (x % y).backward()
    assert y.grad == t.grad.item() == -9


@pytest.mark.parametrize(("m", "n"), [(3, 1), (1, 3), (1, 1)])
def test_einsum_stretches_axes_of_size_one(torch, m, n):
    a, b = np.arange(2.0 * m).reshape(2, m) + 1, np.arange(4.0 * n).reshape(n, 4) + 1
    x, y = mg.variable(a), mg.variable(b)
    s, t = (torch.tensor(v, requires_grad=True) for v in (a, b))
    mg.sum(mg.square(mg.einsum("ij,jk->ik", x, y))).backward()
    torch.einsum("ij,jk->ik", s, t).square().sum().backward()
    for ours, theirs in ((x, s), (y, t)):
        np.testing.assert_allclose(ours.grad, theirs.grad.numpy())


def test_arrays_are_made_flat_where_they_are_concatenated_along_no_axis():
    x, y = mg.variable([[1.0, 2.0]]), mg.variable(3.0)
    flat = np.concatenate([x, y], axis=None)
    assert flat.value.tolist() == [1, 2, 3]
    mg.sum(flat * [1.0, 2.0, 3.0]).backward()
    assert x.grad.tolist() == [[1, 2]]
    assert y.grad == 3


# --- many elements of a small dtype ---------------------------------------------------------------

MANY = 70_000  # more than float16 can count, which ends at 65,504 and counts to 2,048
ROWS = np.zeros(MANY, int)
CROWDS = {
    "mean": (lambda x: mg.mean(x), lambda t, x: x.mean()),
    "mean of rows": (
        lambda x: mg.sum(mg.mean(mg.reshape(x, (2, -1)), axis=1)),
        lambda t, x: x.reshape(2, -1).mean(1).sum(),
    ),
    "max": (lambda x: mg.max(x), lambda t, x: x.amax()),
    "min": (
        lambda x: mg.sum(mg.min(mg.reshape(x, (2, -1)), axis=1)),
        lambda t, x: x.reshape(2, -1).amin(1).sum(),
    ),
    "var": (lambda x: mg.var(x * SPREAD), lambda t, x: (x * t.tensor(SPREAD)).var(correction=0)),
    "std": (lambda x: mg.std(x * SPREAD, ddof=1), lambda t, x: (x * t.tensor(SPREAD)).std()),
    "logsumexp": (lambda x: mg.logsumexp(x), lambda t, x: x.logsumexp(0)),
    "softmax": (lambda x: mg.softmax(x)[0] * 1e3, lambda t, x: x.softmax(0)[0] * 1e3),
    "cross_entropy": (
        lambda x: mg.cross_entropy(x, 3),
        lambda t, x: t.nn.functional.cross_entropy(x, t.tensor(3)),
    ),
    "sum of small ones": (lambda x: mg.sum(x * 1e-3), lambda t, x: (x * 1e-3).sum()),
    "sum along the first axis": (
        lambda x: mg.sum(mg.reshape(x * 1e-3, (-1, 2)), axis=0)[0],
        lambda t, x: (x * 1e-3).reshape(-1, 2).sum(0)[0],
    ),
    "sum of what cancels": (
        lambda x: mg.sum(mg.concatenate([x, -x])),
        lambda t, x: t.cat([x, -x]).sum() * 1,
    ),
    "cumsum": (lambda x: mg.cumsum(x * 1e-3)[-1], lambda t, x: (x * 1e-3).cumsum(0)[-1]),
    "one that is stretched": (
        lambda x: mg.mean(x[0] * SPREAD),
        lambda t, x: (x[0] * t.tensor(SPREAD)).mean(),
    ),
    "one that is looked up": (
        lambda x: mg.sum(x[ROWS] * 1e-3),
        lambda t, x: (x[t.tensor(ROWS)] * 1e-3).sum(),
    ),
    "avg_pool2d": (
        lambda x: mg.sum(mg.avg_pool2d(mg.reshape(x[: 2**16], (1, 1, 256, 256)), 256)),
        lambda t, x: x[: 2**16].mean(),
    ),
}
SPREAD = np.linspace(0.5, 1.5, MANY).astype(np.float16)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("name", CROWDS)
def test_counts_and_sums_are_right_in_a_dtype_that_cannot_hold_them(torch, name, dtype):
    ours, theirs = CROWDS[name]
    values = np.ones(MANY, dtype)
    t = torch.ones(MANY, dtype=torch.float64, requires_grad=True)
    z = theirs(torch, t)
    z.backward()
    x = mg.variable(values, name="x")
    y = ours(x)
    y.backward()
    near = {"rtol": 1e-2, "atol": 1e-7}  # 6e-8 is the smallest number of float16
    assert x.grad.dtype == dtype
    np.testing.assert_allclose(y.value, z.detach(), **near)
    np.testing.assert_allclose(x.grad.astype(float), t.grad, **near)
    graph = mg.Graph([y, mg.grad(y, x)], [x])
    for found in (graph.run({"x": values}), graph.compile()(x=values)):
        np.testing.assert_allclose(found[0], z.detach(), **near)
        np.testing.assert_allclose(found[1].astype(float), t.grad, **near)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.bool_])
def test_sums_of_small_integers_do_not_wrap(dtype):
    a = np.full(300, np.iinfo(dtype).max if dtype != np.bool_ else True, dtype)
    x = mg.constant(a, name="x")
    for f in (np.sum, np.mean, np.cumsum, np.prod, np.var):
        with np.errstate(all="ignore"):
            expected = f(a)
        y = f(x)
        graph = mg.Graph(y, [x])
        for found in (y.value, graph.run({"x": a}), graph.compile()(x=a)):
            assert found.dtype == expected.dtype
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
