"""Every operation of the table against PyTorch, finite differences and NumPy's shapes.

PyTorch and NumPy mean the same by nearly everything here. Where they differ, minigraph takes
NumPy's values and shapes:

* a reduction over `axis=()` reduces nothing; PyTorch takes `dim=()` for all axes;
* a float64 without axes makes a float32 array float64; in PyTorch the array's type prevails;
* a slice may step backwards; PyTorch's cannot, so indexing is compared through flat positions.

Derivatives at a kink, at a tie or in a limit stand in CONVENTIONS below, ours beside PyTorch's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from math import prod
from operator import add
from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigraph as mg
from minigraph.graph.operation import FUNCTIONS, OPERATIONS
from minigraph.graph.order import check_graph

pytestmark = [
    pytest.mark.filterwarnings("ignore:Mean of empty slice"),
    pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning"),
]

# --- the cases: for each operation, PyTorch's, the inputs it takes and where they may lie ---------

# Eighths are exact in float32 and meet often: at 0, at ties, at the kink.
REAL = tuple(i / 8 for i in range(-24, 25))
POSITIVE = tuple(i / 8 for i in range(4, 25))
NONZERO = (*POSITIVE, *(-x for x in POSITIVE))
BOOLEAN = (False, True)

Example = tuple[tuple[tuple[int, ...], ...], dict[str, Any]]  # shapes, attrs


@dataclass(frozen=True)
class Case:
    """How an operation is tested.

    Attributes:
        torch: (torch, *tensors, **attrs) -> tensor.
        domains: the values that each input may take.
        examples: a strategy for the shapes of the inputs, and the attrs.
    """

    torch: Callable[..., Any]
    domains: tuple[tuple, ...]
    examples: st.SearchStrategy[Example]


SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)


def together(count):
    """Shapes that broadcast together, with axes of size 0 and 1 and without axes."""
    return hnp.mutually_broadcastable_shapes(
        num_shapes=count, max_dims=3, min_side=0, max_side=3
    ).map(lambda found: (found.input_shapes, {}))


def axis_of(ndim):
    one = st.integers(-ndim, ndim - 1) if ndim else st.sampled_from([0, -1])
    return st.none() | one | hnp.valid_tuple_axes(ndim)


@st.composite
def reductions(draw, shapes=SHAPES):
    shape = draw(shapes)
    return (shape,), {"axis": draw(axis_of(len(shape))), "keepdims": draw(st.booleans())}


def summed_axes(shape, axis):
    """The axes, counted from 0, that a reduction takes away."""
    if axis is None:
        return tuple(range(len(shape)))
    return tuple(i % len(shape) for i in np.atleast_1d(axis).astype(int)) if shape else ()


def chooses_from_something(example):
    (shape,), attrs = example
    return 0 not in [shape[i] for i in summed_axes(shape, attrs["axis"])]


def has_a_mean(example):
    """NumPy refuses the mean of a scalar over axis 0, though not its sum."""
    (shape,), attrs = example
    return shape or attrs["axis"] not in (0, -1)


@st.composite
def reshapes(draw):
    shape = draw(SHAPES)
    targets = [shape[::-1], (*shape, 1), (prod(shape),), prod(shape)]
    targets += [(-1,), -1, (1, -1)] + [(-1, n) for n in shape if n]
    return (shape,), {"shape": draw(st.sampled_from(targets))}


@st.composite
def transposes(draw):
    shape = draw(SHAPES)
    order = draw(st.permutations(range(len(shape))))
    signed = tuple(i - draw(st.sampled_from([0, len(shape)])) for i in order)
    return (shape,), {"axes": draw(st.sampled_from([signed, signed, None]))}


@st.composite
def stretches(draw):
    (shape, other), _ = draw(together(2))
    return (shape,), {"shape": np.broadcast_shapes(shape, other)}


@st.composite
def indices(draw, shape):
    """Basic indices, arrays of integers (repeated too), masks, and both kinds together."""
    kinds = [hnp.basic_indices(shape, allow_newaxis=True, max_dims=4), hnp.arrays(bool, shape)]
    if shape and 0 not in shape:
        kinds.append(hnp.integer_array_indices(shape, result_shape=SHAPES))
        rows = hnp.arrays(np.int64, (3,), elements=st.integers(-shape[0], shape[0] - 1))
        kinds += [rows, rows.map(np.ndarray.tolist), st.tuples(rows, st.just(...), st.none())]
        kinds.append(st.tuples(st.just(slice(None, None, -1)), rows) if shape[1:] else rows)
        kinds[-1] = kinds[-1].filter(lambda index: fits(index, shape))
    return draw(st.one_of(kinds))


def fits(index, shape):
    try:
        np.empty(shape)[index]
    except IndexError:
        return False
    return True


@st.composite
def gathers(draw):
    shape = draw(SHAPES)
    return (shape,), {"index": draw(indices(shape))}


@st.composite
def scatters(draw):
    shape = draw(SHAPES)
    index = draw(indices(shape))
    return (np.empty(shape)[index].shape,), {"index": index, "shape": shape}


def places(torch, shape, index):
    """The flat positions that an index picks, as NumPy sees it."""
    flat = np.arange(prod(shape)).reshape(shape)[index]
    return torch.tensor(np.array(flat), dtype=torch.int64)


def reduced(f):
    def reference(torch, x, axis, keepdims):
        axes = summed_axes(x.shape, axis)
        return getattr(torch, f)(x, axes, keepdims) if axes else x

    return reference


def unary(domain, f):
    return Case(f, (domain,), together(1))


def binary(first, second, f):
    return Case(f, (first, second), together(2))


CASES = {
    "add": binary(REAL, REAL, lambda t, x, y: t.add(x, y)),
    "subtract": binary(REAL, REAL, lambda t, x, y: t.subtract(x, y)),
    "multiply": binary(REAL, REAL, lambda t, x, y: t.multiply(x, y)),
    "divide": binary(REAL, NONZERO, lambda t, x, y: t.divide(x, y)),
    "power": binary(POSITIVE, REAL, lambda t, x, y: t.pow(x, y)),
    "negative": unary(REAL, lambda t, x: t.negative(x)),
    "absolute": unary(REAL, lambda t, x: t.abs(x)),
    "square": unary(REAL, lambda t, x: t.square(x)),
    "sqrt": unary(POSITIVE, lambda t, x: t.sqrt(x)),
    "exp": unary(REAL, lambda t, x: t.exp(x)),
    "log": unary(POSITIVE, lambda t, x: t.log(x)),
    "sin": unary(REAL, lambda t, x: t.sin(x)),
    "cos": unary(REAL, lambda t, x: t.cos(x)),
    "tanh": unary(REAL, lambda t, x: t.tanh(x)),
    "sigmoid": unary(REAL, lambda t, x: t.sigmoid(x)),
    "relu": unary(REAL, lambda t, x: t.relu(x)),
    "maximum": binary(REAL, REAL, lambda t, x, y: t.maximum(x, y)),
    "minimum": binary(REAL, REAL, lambda t, x, y: t.minimum(x, y)),
    "xlogy": binary(REAL, POSITIVE, lambda t, x, y: t.xlogy(x, y)),
    "sign": unary(REAL, lambda t, x: t.sign(x)),
    "equal": binary(REAL, REAL, lambda t, x, y: t.eq(x, y)),
    "greater": binary(REAL, REAL, lambda t, x, y: t.gt(x, y)),
    "greater_equal": binary(REAL, REAL, lambda t, x, y: t.ge(x, y)),
    "less": binary(REAL, REAL, lambda t, x, y: t.lt(x, y)),
    "less_equal": binary(REAL, REAL, lambda t, x, y: t.le(x, y)),
    "where": Case(lambda t, c, x, y: t.where(c, x, y), (BOOLEAN, REAL, REAL), together(3)),
    "sum": Case(reduced("sum"), (REAL,), reductions()),
    "mean": Case(reduced("mean"), (REAL,), reductions().filter(has_a_mean)),
    "max": Case(reduced("amax"), (REAL,), reductions().filter(chooses_from_something)),
    "min": Case(reduced("amin"), (REAL,), reductions().filter(chooses_from_something)),
    "reshape": Case(
        lambda t, x, shape: t.reshape(x, np.atleast_1d(shape).tolist()), (REAL,), reshapes()
    ),
    "transpose": Case(
        lambda t, x, axes: t.permute(x, tuple(range(x.ndim))[::-1] if axes is None else axes),
        (REAL,),
        transposes(),
    ),
    "matrix_transpose": Case(
        lambda t, x: t.transpose(x, -1, -2),
        (REAL,),
        SHAPES.filter(lambda s: len(s) > 1).map(lambda s: ((s,), {})),
    ),
    "broadcast_to": Case(lambda t, x, shape: t.broadcast_to(x, shape), (REAL,), stretches()),
    "astype": Case(
        lambda t, x, dtype: x.to(getattr(t, np.dtype(dtype).name)),
        (REAL,),
        st.tuples(
            st.tuples(SHAPES),
            st.fixed_dictionaries({"dtype": st.sampled_from([np.float32, np.float64])}),
        ),
    ),
    "getitem": Case(
        lambda t, x, index: x.reshape(-1)[places(t, x.shape, index)], (REAL,), gathers()
    ),
    "scatter_add": Case(
        lambda t, x, index, shape: (
            t.zeros(prod(shape), dtype=x.dtype)
            .index_add(0, places(t, shape, index).reshape(-1), x.reshape(-1))
            .reshape(shape)
        ),
        (REAL,),
        scatters(),
    ),
    "matmul": Case(
        lambda t, x, y: t.matmul(x, y),
        (REAL, REAL),
        hnp.mutually_broadcastable_shapes(
            signature=np.matmul.signature, max_dims=2, min_side=0, max_side=3
        ).map(lambda found: (found.input_shapes, {})),
    ),
}  # fmt: skip

COMPARISONS = {"equal", "greater", "greater_equal", "less", "less_equal"}
DIFFERENTIABLE = [name for name in CASES if name not in COMPARISONS]


def test_every_operation_of_the_table_has_a_case():
    assert CASES.keys() == OPERATIONS.keys() == FUNCTIONS.keys()


# --- one example: arrays, in several layouts, some of them variables ------------------------------

LAYOUTS = {
    "as made": lambda x: x,
    "transposed": lambda x: x.T,
    "reversed": lambda x: x[..., ::-1] if x.ndim else x,
}


@dataclass
class Drawn:
    """The inputs of one run: `arrays`, those at `by` differentiable."""

    name: str
    arrays: list[np.ndarray]
    attrs: dict[str, Any]
    by: list[int]
    layout: str

    def nodes(self):
        """The inputs as Nodes that are no leaves, so that their values are views where possible."""
        view = LAYOUTS[self.layout]
        makes = [mg.variable if i in self.by else mg.constant for i in range(len(self.arrays))]
        return [view(make(view(a))) for make, a in zip(makes, self.arrays)]

    def tensors(self, torch):
        return [torch.tensor(a).requires_grad_(i in self.by) for i, a in enumerate(self.arrays)]

    def node(self, *inputs):
        return FUNCTIONS[self.name](*inputs, **self.attrs)

    def tensor(self, torch, *inputs):
        return CASES[self.name].torch(torch, *inputs, **self.attrs)

    def close(self, ours, theirs):
        """Assert that a value of ours has the shape, the type and the numbers of PyTorch's."""
        theirs = theirs.numpy(force=True)
        assert ours.shape == theirs.shape
        assert ours.dtype == theirs.dtype
        single = np.float32 in [*(a.dtype for a in self.arrays), self.attrs.get("dtype")]
        tolerance = 2e-4 if single else 1e-11
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


@st.composite
def drawn(draw, name):
    shapes, attrs = draw(CASES[name].examples)
    dtype = draw(st.sampled_from([np.float64, np.float32]))
    arrays = [
        draw(
            hnp.arrays(
                bool if domain is BOOLEAN else dtype, shape, elements=st.sampled_from(domain)
            )
        )
        for shape, domain in zip(shapes, CASES[name].domains)
    ]
    possible = [i for i, vjp in enumerate(OPERATIONS[name].vjps) if vjp]
    by = draw(st.sampled_from([possible, *([i] for i in possible)]))
    return Drawn(name, arrays, attrs, by, draw(st.sampled_from(list(LAYOUTS))))


def weights(shape, dtype):
    """Distinct numbers, so that a gradient that lands in the wrong place is seen."""
    return np.linspace(0.5, 1.5, prod(shape)).reshape(shape).astype(dtype)


def each(names):
    return pytest.mark.parametrize("name", names)


@each(sorted(COMPARISONS))
@given(data=st.data())
@settings(max_examples=40)
def test_the_truth_is_pytorchs(torch, name, data):
    run = data.draw(drawn(name))
    y = run.node(*run.nodes())
    run.close(y.value, run.tensor(torch, *run.tensors(torch)))
    check_graph(mg.topological_order(y))


@each(DIFFERENTIABLE)
@given(data=st.data())
@settings(max_examples=60)
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
@settings(max_examples=25)
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
    spread = np.linspace(min(domain), max(domain), prod(shape) + 2)[1:-1] + 0.0123 * (i + 1)
    return np.random.default_rng(i).permutation(spread).reshape(shape)


@each(sorted(set(DIFFERENTIABLE) - {"astype"}))
@given(data=st.data())
@settings(max_examples=6)
def test_first_and_second_derivatives_are_those_of_finite_differences(name, data):
    shapes, attrs = data.draw(CASES[name].examples)
    arrays = [generic(s, d, i) for i, (s, d) in enumerate(zip(shapes, CASES[name].domains))]
    if name == "where":
        arrays[0] = arrays[0] > 0.5
    fixed = [a for a, vjp in zip(arrays, OPERATIONS[name].vjps) if not vjp]
    free = arrays[len(fixed) :]

    def first(*xs):
        return FUNCTIONS[name](*fixed, *xs, **attrs)

    def second(*xs):
        y = first(*xs)
        gradients = mg.grad(y, xs, seed=weights(y.shape, y.dtype))
        return reduce(add, [mg.sum(g * x) for g, x in zip(gradients, xs)])

    assert mg.gradcheck(first, *free)
    assert mg.gradcheck(second, *free, rtol=1e-4, atol=1e-6)


# --- shapes: the rule, which needs no values, says what NumPy's computation says ------------------


def outcome(f, *args, **attrs):
    """The shape that f gives, or "refused"."""
    try:
        return f(*args, **attrs)
    except (ValueError, TypeError, IndexError):
        return "refused"


NUMBERS = st.integers(-4, 4)
ANY_SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3)
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
}


@each(sorted(set(OPERATIONS) - {"scatter_add"}))
@given(data=st.data())
@settings(max_examples=70)
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


@each(sorted(COMPARISONS))
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
        assert function.op is OPERATIONS[name]
        assert function.op.name == function.__name__ == name
        assert getattr(mg, name) is function
        assert name in mg.__all__
        assert function.__doc__
        assert function.op.symbol


def test_a_function_given_arrays_alone_computes_arrays():
    assert mg.sin(np.array([0.0])) == [0.0]
    assert mg.sum(np.ones((2, 3)), axis=1).tolist() == [3, 3]
    assert type(mg.add(1.0, 2.0)) is float


def test_a_function_called_wrongly_says_how_to_call_it():
    x = mg.variable([1.0, 2.0])
    for call in (lambda: mg.add(x), lambda: mg.sum(x, 0, False, 1), lambda: mg.mean(x, dim=0)):
        with pytest.raises(TypeError, match=r"call it as \w+\("):
            call()


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
