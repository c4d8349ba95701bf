"""Every form of an index and of a setting that NumPy takes means the same in each way to run it.

Each call is made at once, in a graph that is run, in one that is compiled, with and without passes;
NumPy says what is right. What NumPy refuses is refused everywhere.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from checks import EXPLORES
from examples import each

import minigraph as mg

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
REFUSED = (IndexError, ValueError, TypeError, OverflowError, ZeroDivisionError)
# With passes and places used again, with neither; and, with time for it, with one of the two.
WAYS = [(None, True), ([], False), *([(None, False), ([], True)] if EXPLORES else [])]


def answers(f, arrays, nodes=mg.constant):
    """What a function of arrays gives: at once, run, and compiled in two ways, or in all four."""
    yield f(*map(nodes, arrays)).value
    inputs = [mg.placeholder(f"x{i}", x.shape, x.dtype) for i, x in enumerate(arrays)]
    graph = mg.Graph(f(*inputs), inputs)
    feeds = {f"x{i}": x for i, x in enumerate(arrays)}
    yield graph.run(feeds)
    for passes, reuse in WAYS:
        plan = graph.compile(passes, reuse=reuse)
        plan._interpreted = lambda values, error: pytest.fail(f"{error!r}")
        yield plan(**feeds)


def agree(f, arrays, expected):
    for found in answers(f, arrays):
        assert (np.shape(found), found.dtype) == (expected.shape, expected.dtype)
        assert isinstance(found, np.ndarray if expected.shape else np.generic)
        np.testing.assert_allclose(found, expected, rtol=1e-13)


def refused(f, arrays):
    """It is refused by name while it is built, or when a graph of it runs."""
    with pytest.raises(mg.MinigraphError):
        f(*map(mg.constant, arrays))
    inputs = [mg.placeholder(f"x{i}", x.shape, x.dtype) for i, x in enumerate(arrays)]
    feeds = {f"x{i}": x for i, x in enumerate(arrays)}
    for run in (lambda g: g.run(feeds), lambda g: g.compile()(**feeds)):
        with pytest.raises(mg.MinigraphError):
            run(mg.Graph(f(*inputs), inputs))


# --- indices --------------------------------------------------------------------------------------

X = np.sin(np.arange(24.0)).reshape(2, 3, 4)


class Place:
    """What Python takes for an index."""

    def __index__(self):
        return 1


ONE = [
    0, 1, -1, np.int64(1), np.uint8(1), np.int8(-2), np.array(1), np.array(1, np.uint16), Place(),
    True, False, np.True_, np.array(False), None, ...,
    slice(None), slice(1, None), slice(np.int64(1)), slice(None, None, -1), slice(-1, None),
    slice(np.uint8(0), np.int32(2), np.int64(2)), slice(5, 9), slice(Place(), Place()),
    [], [0], [1, 0, 1], [-1, 0], [[0, 1], [1, 1]], [[]], (0, 1), range(2), np.array([], int),
    np.array([1, 0, 0, 1], np.uint8), np.array([[1], [0]], np.uint64), np.array([1, -2], np.int8),
    [True, False], np.array([False, True]), (True, True), memoryview(np.array([1, 1])),
    X[:, :, 0] > 0, X > 0.5, np.zeros((2, 3), bool), X[0] > 0, [False, True, True],
]  # fmt: skip
BESIDE = [
    0, np.int64(-1), np.array(1), True, None, ..., slice(None), slice(np.int64(1), None),
    [0, 1], [1], np.array([[1], [0]], np.uint8), np.array([2, 0, 1]), np.array([True, False, True]),
]  # fmt: skip
LAST = [0, ..., slice(0, 2), [0, 1], np.array([3, 1], np.uint8)]
WRONG = [
    5, -3, 2**70, np.uint64(2**63), 1.0, np.float64(1), "a", [0.5], [0, 2], np.array([-3]),
    np.array([1.0]), np.array([], float), [True], np.ones((2, 2), bool), [[0], [0, 1]], slice(0.5),
    slice("a"), (0, 0, 0, 0), (..., ...), {0: 1}, np.array([0, 255], np.uint8), 1j,
]  # fmt: skip


def spelled(index):
    return repr(index).replace("\n", "").replace(" ", "")[:50]


def taken(index):
    """What NumPy takes with an index; None if it refuses. X[(0, 1),] takes rows, X[0, 1] one."""
    try:
        return np.array(X[index])[()]
    except REFUSED:
        return None


def added(index, g):
    """The gradient of what is taken, by NumPy alone."""
    out = np.zeros_like(X)
    np.add.at(out, index, g)
    return out


def check_index(index):
    expected = taken(index)
    if expected is None:
        refused(lambda x: x[index], [X])
        return
    agree(lambda x: x[index], [X], expected)
    weights = np.cos(np.arange(expected.size)).reshape(expected.shape)

    def slope(x):
        x = x if x.requires_grad else mg.variable(x.value)
        return mg.grad(mg.sum(x[index] * weights), x)

    agree(slope, [X], added(index, weights))
    agree(lambda g: mg.scatter_add(g, index, X.shape), [weights], added(index, weights))


@each(range(len(ONE)))
def test_an_index_takes_what_numpy_takes(name):
    check_index((ONE[name],))
    if not isinstance(ONE[name], tuple):  # which would be several
        check_index(ONE[name])


@each(range(len(BESIDE)))
def test_two_and_three_indices_take_what_numpy_takes(name):
    for place, item in enumerate(BESIDE):
        check_index((BESIDE[name], item))
        for last in LAST if EXPLORES else (LAST * 6)[name + place :][:2]:  # any two meet
            check_index((BESIDE[name], item, last))


@each([*map(spelled, WRONG)])
def test_an_index_that_numpy_refuses_is_refused(name):
    index = {spelled(index): index for index in WRONG}[name]
    assert taken(index) is None
    check_index(index)


NODES = {
    "a number": (np.int64(1), lambda i: i),
    "a number of no sign, and the rest": (np.uint8(1), lambda i: (i, ...)),
    "the rest, and a number": (np.int64(2), lambda i: (..., i)),
    "numbers all along": (np.int64(1), lambda i: (i, i, i)),
    "numbers and the rest": (np.int64(1), lambda i: (i, ..., i, i)),
    "a list": (np.array([1, 0, 1], np.uint8), lambda i: i),
    "a list beside a number": (np.array([1, 0, -1]), lambda i: (0, i)),
    "lists apart": (np.array([1, 0, 1]), lambda i: (i, slice(None), i)),
    "beside numbers that rise": (np.array([1, 0, 1]), lambda i: (i, np.array([0, 1, 2], "u1"))),
    "beside numbers that do not": (np.array([1, 1, 1]), lambda i: (i, np.array([2, 1, 2], "u1"))),
    "beside a mask": (np.array([1, 0]), lambda i: (i, np.array([True, False, True]))),
    "a matrix": (np.array([[0, 1], [1, 1]]), lambda i: (slice(None), i)),
    "none": (np.array([], np.int64), lambda i: i),
}  # fmt: skip


@each(NODES)
def test_nodes_in_an_index_take_what_their_values_take(name):
    i, form = NODES[name]
    expected = np.array(X[form(i)])[()]
    agree(lambda x, i: x[form(i)], [X, i], expected)
    weights = np.cos(np.arange(expected.size)).reshape(expected.shape)

    def slope(x, i):
        x = x if x.requires_grad else mg.variable(x.value)
        return mg.grad(mg.sum(x[form(i)] * weights), x)

    agree(slope, [X, i], added(form(i), weights))


def test_a_mask_among_nodes_chooses_at_once_and_is_refused_before_there_are_numbers():
    mask = X > 0
    np.testing.assert_array_equal(mg.constant(X)[mg.constant(mask)].value, X[mask])
    with pytest.raises(mg.SymbolicError, match=r"mg\.where"):
        mg.placeholder("x", X.shape)[mg.constant(mask)]
    for x in (mg.constant(X), mg.placeholder("x", X.shape)):
        for index in (mg.constant(1.0), (0, mg.placeholder("i")), [mg.constant(1)]):
            with pytest.raises(mg.NodeTypeError):
                x[index]


def test_an_index_is_kept_as_it_was():
    places, mask = np.array([0, 1]), np.array([True, False])
    y = [mg.constant(X)[index] for index in (places, mask)]
    graphs = [mg.Graph(mg.placeholder("x", X.shape)[index]) for index in (places, mask)]
    before = [[*map(str, node.attrs["index"])] for node in y]
    places[:], mask[:] = 1, True
    assert before == [[*map(str, node.attrs["index"])] for node in y]
    np.testing.assert_array_equal(graphs[0].compile()(x=X), X)
    np.testing.assert_array_equal(graphs[1].run({"x": X}), X[:1])


@pytest.mark.parametrize("index", [(..., 0), (0, ...), (..., np.array(0))], ids=spelled)
@pytest.mark.parametrize("reuse", [False, True])
def test_an_element_is_a_number_and_no_view(index, reuse):
    """What stands in its array later does not reach it, nor do later calls reach what was given."""
    x, w = mg.placeholder("x", (3,)), mg.variable(np.zeros(3), name="w")
    h = mg.tanh(x)
    i = mg.constant(0)
    elements = [h[index], h[..., i], x[index], w[index], mg.reshape(h[:1], ())]
    elements = [mg.reshape(e, ()) for e in elements] + [mg.sum(e) for e in elements]
    s = mg.variable(0.0, name="s")
    later = mg.exp(mg.sin(h))  # in the place of h
    graph = mg.Graph([later, *elements], [x])
    plan = graph.compile(updates={s: mg.reshape(h[index], ()), w: w + x}, reuse=reuse)
    for value in (np.array([1.0, 2, 3]), np.array([4.0, 5, 6])):
        expected = [np.array(y) for y in graph.run({"x": value})]
        found = plan(x=value)
        for y, wanted in zip(found, expected, strict=True):
            np.testing.assert_allclose(y, wanted, rtol=1e-14)
        assert all(isinstance(y, np.float64) for y in found[1:])
        assert type(s.value) is np.float64
        assert s.value == np.tanh(value[0])
    total = mg.Graph(mg.exp(mg.sin(h)) + mg.sum(h[index]), [x])
    value = np.array([1.0, 2, 3])
    wanted = np.exp(np.sin(np.tanh(value))) + np.tanh(1.0)
    np.testing.assert_allclose(total.compile(reuse=reuse)(x=value), wanted, rtol=1e-14)


# --- settings -------------------------------------------------------------------------------------

AXES = [
    None, 0, 1, -1, np.int64(1), np.int8(-2), (0,), (0, 2), (-1, 0), (np.int64(0), 1), (), [0, 1],
    [np.int64(-1)], np.array(1), np.array([0, 2]), 3, -4, (0, 0), (0, 3), 1.0, "a", True,
]  # fmt: skip
ONE_AXIS = [0, -1, np.int64(1), np.uint8(2), np.int8(-3), np.array(1), 3, -4, 1.5, "a"]
SHAPES = [
    24, -1, np.int64(24), (4, 6), [6, 4], np.array([2, 12]), (np.int64(2), -1), (np.int64(-1), 3),
    (2, 3, np.uint8(4)), (5, 5), (-1, -1), (-1, 5), 2.0, (2.0, 12), "a",
]  # fmt: skip
WIDER = [
    (2, 2, 3, 4), [5, 2, 3, 4], np.array([1, 2, 3, 4]), (np.int64(2), 2, np.uint8(3), 4), (3, 4),
    4, np.int64(4), (2, 3, 5), (2.0, 2, 3, 4),
]  # fmt: skip
DTYPES = [
    float, int, bool, "float32", "f2", np.float32, np.dtype(np.int8), "<i4", ">f8", "uint8",
    np.bool_, complex, "U3", "nothing",
]  # fmt: skip
PLACES = [
    0, -1, np.int64(1), np.array(1), [0, 1, 1], (1, 0), [[0], [1]], np.array([1, 0], np.uint8),
    range(2), [], 5, [0, 9], np.array([0.5]), [True, False],
]  # fmt: skip
WIDTHS = [
    1, 0, np.int64(2), (1,), (1, 2), [2, 1], np.array([1, 0]), ((1, 2),), ((1, 0), (0, 2), (1, 1)),
    np.array([[1, 0], [0, 0], [2, 1]]), [[1, 2], (0, 1), np.array([1, 1])], ((1,), (2,), (0,)),
    ((0, 0), (0, 0), (0, 0)), -1, (1, 2, 3), ((1, 2), (3, 4)),
]  # fmt: skip
ORDERS = [
    None, (0, 1, 2), [2, 0, 1], (-1, 0, 1), np.array([1, 2, 0]), (np.int64(2), 1, 0), (0, 1),
    (0, 0, 1), (0, 1, 3), (0.0, 1, 2),
]  # fmt: skip
SECTIONS = [1, 2, 3, np.int64(2), [1], (1, 2), np.array([1, 1]), [np.int64(1), 5], [-1], 5, 0]
PAIRS = [(0, 1), (-1, 0), (np.int64(1), 2), (0, 0), (0, 3), (1.0, 0)]
POSITIVE = X - X.min() + 0.5


def named(name, *settings):
    """A call of one function with each of some settings: ours, and NumPy's."""
    return [
        (
            f"{name} {spelled(s)[:40]}",
            lambda x, s=s: getattr(mg, name)(x, **s),
            lambda x, s=s: getattr(np, name)(x, **s),
        )
        for s in settings
    ]


def each_of(key, values, **others):
    return [{key: value, **others} for value in values]


CALLS = [
    *[
        call
        for name in ("sum", "mean", "max", "min", "var", "std")
        for call in named(name, *each_of("axis", AXES), *each_of("axis", AXES[:12], keepdims=True))
    ],
    *named("sum", {"axis": 1, "keepdims": np.True_}, {"axis": None, "keepdims": 1}),
    *named("var", *each_of("ddof", [1, np.int64(1), 0.5]), {"axis": (0, 1), "ddof": 1}),
    *[
        call
        for name in ("argmax", "argmin", "cumsum", "argsort", "sort")
        for call in named(name, *each_of("axis", [None, *ONE_AXIS]))
    ],
    # Lists of axes, which NumPy takes for flip and not for prod, are taken for both.
    *named("prod", *each_of("axis", [a for a in AXES if type(a) not in (list, np.ndarray, bool)])),
    *named("flip", *each_of("axis", AXES)),
    *named("reshape", *each_of("shape", SHAPES)),
    *named("broadcast_to", *each_of("shape", WIDER)),
    *named("transpose", *each_of("axes", ORDERS)),
    *named("expand_dims", *each_of("axis", [*ONE_AXIS, (0, 2), [0, -1], (np.int64(1), 3), (0, 0)])),
    *named("take", *each_of("indices", PLACES), *each_of("indices", PLACES, axis=np.int64(1))),
    *named("take", *each_of("axis", [None, *ONE_AXIS], indices=[1, 0, 1])),
    *named("pad", *each_of("pad_width", WIDTHS), *each_of("pad_width", WIDTHS, constant_values=2)),
    *named("pad", *each_of("constant_values", [np.float64(3), -1, 0.5], pad_width=1)),
    *named("swapaxes", *({"axis1": i, "axis2": j} for i, j in PAIRS)),
    *named("moveaxis", *({"source": i, "destination": j} for i, j in PAIRS)),
    *named("moveaxis", {"source": [0, 1], "destination": (-1, np.int64(0))}),
    *named("diagonal", *({"axis1": i, "axis2": j} for i, j in PAIRS)),
    *named("diagonal", *each_of("offset", [1, -1, np.int64(1), 7])),
    *named("trace", *each_of("offset", [1, -1, np.int64(1)])),
    *named("tril", *each_of("k", [0, 1, -1, np.int64(1)])),
    *named("triu", *each_of("k", [0, 1, -1, np.int64(1)])),
    *[
        (
            f"split {spelled(s)} {axis!r} {part}",
            lambda x, s=s, axis=axis, part=part: mg.split(x, s, axis)[part],
            lambda x, s=s, axis=axis, part=part: np.split(x, s, axis)[part],
        )
        for s, (axis, part) in product(SECTIONS, [(0, 0), (np.int64(1), -1), (-1, 0), (3, 0)])
    ],
    *[
        (
            f"{name} {axis!r}",
            lambda x, name=name, axis=axis: getattr(mg, name)([x, x * 2.0], axis=axis),
            lambda x, name=name, axis=axis: getattr(np, name)([x, x * 2.0], axis=axis),
        )
        for name, axis in [
            *product(["concatenate", "stack"], ONE_AXIS), ("concatenate", None), ("stack", 3),
        ]
    ],
    *[
        (
            f"tensordot {spelled(axes)}",
            lambda x, axes=axes: mg.tensordot(x, x, axes),
            lambda x, axes=axes: np.tensordot(x, x, axes),
        )
        for axes in [
            0, np.int64(3), 3, (0, 0), ([1, 2], [1, 2]), ((-1,), [np.int64(2)]), (np.array([0]), 0),
            ([0], [1]), ([0, 1], [0]), 4,
        ]
    ],
    *[
        (
            f"astype {dtype}",
            lambda x, dtype=dtype: mg.astype(x, dtype),
            lambda x, dtype=dtype: real(x.astype(np.dtype(dtype).newbyteorder("="))),
        )
        for dtype in DTYPES
    ],
    *[
        (
            f"windows {spelled(shape)} {stride!r}",
            lambda x, shape=shape, stride=stride: mg.windows(x, shape, stride),
            lambda x, shape=shape, stride=stride: slid(x, shape, stride),
        )
        for shape, stride in product(
            [(2,), [2], (2, 3), (np.int64(2), 2), np.array([3, 2]), (4, 2), (0,)],
            [1, 2, np.int64(2), (1, 2), 0],
        )
    ],
]  # fmt: skip


def real(x):
    if x.dtype.kind not in "fiub":
        raise TypeError("no real numbers")
    return x


def slid(x, shape, stride):
    strides = np.broadcast_to(stride, len(shape)) if np.ndim(stride) == 0 else np.array(stride)
    if len(strides) != len(shape) or (strides < 1).any() or np.min(shape) < 1:
        raise ValueError("sizes and strides are 1 or more")
    axes = tuple(range(x.ndim - len(shape), x.ndim))
    every = np.lib.stride_tricks.sliding_window_view(x, tuple(shape), axes)
    steps = [slice(None, None, s) for s in strides]
    return every[(slice(None),) * (x.ndim - len(shape)) + tuple(steps)]


NAMES = list(dict.fromkeys(name.split()[0] for name, _, _ in CALLS))


@each(NAMES)
def test_settings_come_in_every_form_that_numpy_takes(name):
    for text, ours, theirs in CALLS:
        if text.split()[0] != name:
            continue
        try:
            expected = np.array(theirs(POSITIVE))[()]
        except REFUSED:
            expected = None
        try:
            if expected is None:
                refused(ours, [POSITIVE])
            else:
                agree(ours, [POSITIVE], expected)
        except BaseException as error:
            error.add_note(text)
            raise


# --- composed functions: every pair of settings, over dtypes and shapes ---------------------------

ARRAYS = {
    "cube": X,
    "matrix": np.array([[0.5, -1.0, 2.0], [np.nan, 4.0, -0.0]]),
    "vector": np.array([3.0, 1.0, 2.0, 2.0]),
    "scalar": np.float64(2.5),
    "empty": np.zeros((0, 3)),
    "ones": np.ones((1, 3, 1), np.float32),
    "bytes": np.arange(6, dtype=np.uint8).reshape(2, 3),
    "integers": np.arange(6).reshape(2, 3),
    "booleans": np.array([[True, False, True], [False, False, True]]),
}
ALL_WIDTHS = [
    *WIDTHS, {0: (1, 1)}, {-1: 2}, {0: 1, 1: (0, 2)}, {7: 1}, (1.5, 1), ((1, 1), (-1, 0)), "1",
    None, [],
]  # fmt: skip
AROUND = [
    7, -1.7, np.nan, True, None, "a", [3], (7, 9), ((7, 9),), ((1, 2), (3, 4)), ((1,), (2,)),
    ((1, 2), (3, 4), (5, 6)), np.array([7, 9]), (7, 9, 1), ((0, 0), (0, 5)),
]  # fmt: skip
BOUNDS = [
    None, 0, -1, -1.5, 3, 300, np.nan, np.inf, np.float32(1), np.int8(1), np.array([0, np.nan, 2]),
    [2, 0, 1], True, "a",
]  # fmt: skip
DDOFS = [0, 1, 1.5, 2, 3, 30, -1, np.int64(1), np.array(1), True, None, "1"]
PAIRED = {
    "pad": [((w,), {"constant_values": c}) for w, c in product(ALL_WIDTHS, AROUND)]
    + [((1, mode), {}) for mode in ("constant", "edge", None, np.pad)],
    # Between ∞ and 300 NumPy forgets 300, which no byte reaches, and gives ∞.
    "clip": [(pair, {}) for pair in product(BOUNDS, BOUNDS) if pair[0] is not np.inf]
    + [((), {"min": low, "max": high}) for low, high in product(BOUNDS[:6], BOUNDS[:6])]
    + [((0,), {}), ((), {"max": 0}), ((), {}), ((1,), {"a_max": 2})],
    "var": [((axis,), {"ddof": ddof}) for axis, ddof in product((None, 0, (1,)), DDOFS)],
    "std": [((), {"ddof": ddof, "keepdims": True}) for ddof in DDOFS],
    "take": [((p, 0), {"mode": mode}) for p in PLACES for mode in ("raise", "clip", "wrap")],
    "reshape": [((s,), {"order": order}) for s in SHAPES for order in "CFA"],
    "ravel": [((), {"order": order}) for order in "CFAK"],
}


@pytest.mark.filterwarnings("ignore")  # NumPy warns of casts, too
@pytest.mark.parametrize("other", ARRAYS)
@each(PAIRED)
def test_settings_are_understood_together_or_refused_by_name(name, other):
    x, numpys, ours = ARRAYS[other], getattr(np, name), getattr(mg, name)
    # Without time for all, a pair of many meets the cube and every third array, one in a plan.
    every = EXPLORES or other == "cube" or len(PAIRED[name]) < 50
    turn, understood = [*ARRAYS].index(other), 0
    for place, (args, options) in enumerate(PAIRED[name]):
        if not every and (place + place // 3 + turn) % 3:
            continue
        node = mg.constant(x, name="x")
        try:
            expected = np.array(numpys(x, *args, **options))[()]
        except REFUSED:
            continue  # nothing to compare with; a test above is about refusals
        for f in (numpys, ours):
            try:
                found = f(node, *args, **options)
            except mg.MinigraphError:
                continue
            understood += 1
            results = [found.value, f(x, *args, **options)]
            if found is not node and f is numpys:
                graph = mg.Graph(found, [node])
                results.append(graph.run({"x": x}))
                if other in ("matrix", "vector", "bytes"):  # a plan takes its time
                    results.append(graph.compile()(x=x))
            for result in results:
                assert np.shape(result) == expected.shape
                assert np.asarray(result).dtype == expected.dtype
                np.testing.assert_allclose(result, expected, rtol=1e-6, atol=1e-12)
    assert understood or other == "scalar"


def test_a_constant_that_is_a_node_has_a_gradient_around_an_array(torch):
    x, c = mg.variable([[1.0, 2.0]]), mg.variable(3.0)
    t = torch.tensor([[1.0, 2.0]], dtype=torch.float64, requires_grad=True)
    u = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    y = mg.sum(mg.pad(x, 1, constant_values=c) ** 2)
    around = torch.ones(3, 4, dtype=torch.float64)
    around[1, 1:3] = 0
    theirs = (torch.nn.functional.pad(t, (1, 1, 1, 1)) + around * u).square().sum()
    assert y.value == theirs.item()
    y.backward()
    theirs.backward()
    np.testing.assert_array_equal(x.grad, t.grad)
    assert c.grad == u.grad
    with pytest.raises(mg.NodeTypeError, match="one number, but not p "):
        mg.pad(x, 1, constant_values=mg.variable([1.0, 2.0], name="p"))


def test_a_bound_that_is_no_number_makes_the_result_none(torch):
    x, low = mg.placeholder("x", (3,)), mg.placeholder("low", (3,))
    graph = mg.Graph(mg.clip(x, low, 2.0))
    feeds = {"x": [-1.0, 1.0, 5.0], "low": [0.0, np.nan, 0.0]}
    expected = torch.clamp(torch.tensor(feeds["x"]), torch.tensor(feeds["low"]), torch.tensor(2.0))
    for found in (graph.run(feeds), graph.compile()(**feeds)):
        np.testing.assert_array_equal(found, expected.numpy())


# --- operands of several dtypes -------------------------------------------------------------------

DTYPES_OF_NUMBERS = ["bool", "int8", "uint8", "int64", "float16", "float32", "float64"]


@each(["ij,jk->i", "ij,jk->k", "ij,jk->ik", "ij,jk->", "ij,ij,jk->k", "ii,ij->j", "ij->j", "ij->"])
def test_einsum_sums_in_the_dtype_of_its_result(name):
    count = len(name.split("->")[0].split(","))
    for dtypes in product(DTYPES_OF_NUMBERS, repeat=min(count, 2)):
        arrays = [np.full((9, 9), 5).astype(dtypes[i % 2 - count % 2]) for i in range(count)]
        dtype = np.result_type(*arrays)
        exact = np.einsum(name, *[x.astype("?" if dtype.kind == "b" else float) for x in arrays])
        expected = exact.astype(np.int64).astype(dtype) if dtype.kind in "iu" else exact
        expected = np.asarray(expected, dtype)[()]  # whole numbers wrap around
        agree(lambda *xs: mg.einsum(name, *xs), arrays, expected)
        agree(lambda *xs: np.einsum(name, *xs), arrays, expected)
        if dtype == np.float64 and arrays[0].dtype == np.float64:
            agree(lambda *xs: slope_of_einsum(name, *xs), arrays, exact_slope(name, *arrays))


def slope_of_einsum(name, x, *others):
    x = x if x.requires_grad else mg.variable(x.value)
    return mg.grad(mg.sum(mg.einsum(name, x, *others)), x)


def exact_slope(name, x, *others):
    """The derivative by each element, which the sum is linear in."""
    out = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        only = np.zeros_like(x)
        only[place] = 1
        out[place] = np.einsum(name, only, *[y.astype(float) for y in others]).sum()
    return out


def test_half_precision_holds_the_sums_on_the_way():
    x, y = np.full((1, 2), 1e-3, np.float16), np.full((2, 70_000), 1, np.float16)
    agree(lambda x, y: mg.einsum("ij,jk->i", x, y), [x, y], np.array([140.0], np.float16))
