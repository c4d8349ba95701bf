"""Forms of arguments: each that NumPy takes is understood as NumPy does, or refused by name.

What is understood gives the same eagerly, in a run, in a plan, and through NumPy's own function.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from checks import EXPLORES

import minigraph as mg

ARRAYS = {
    "cube": np.arange(24.0).reshape(2, 3, 4) - 7.5,
    "matrix": np.array([[0.5, -1.0, 2.0], [np.nan, 4.0, -0.0]]),
    "vector": np.array([3.0, 1.0, 2.0, 2.0]),
    "scalar": np.float64(2.5),
    "empty": np.zeros((0, 3)),
    "ones": np.ones((1, 3, 1), np.float32),
    "integers": np.arange(6).reshape(2, 3),
    "small": np.arange(6, dtype=np.uint8).reshape(2, 3),
    "booleans": np.array([[True, False, True], [False, False, True]]),
}


def call(*args, **options):
    return args, options


AXES = [
    None, 0, 1, -1, 2, 5, (0,), (0, 1), (-1, 0), (0, 0), (), [0], np.int64(1), np.array(1), 1.0,
    "0",
]  # fmt: skip
INTEGERS = [0, 1, -1, 2, -5, np.int64(1), 1.0, None, "1"]
WIDTHS = [
    0, 1, (1,), (1, 2), [1, 2], ((1, 2),), ((1, 2), (3, 4)), ((1, 2), (3, 4), (0, 1)), ((1,), (2,)),
    ((1,), (2,), (3,)), np.array([1, 2], np.int8), 1.0, (1.5, 1), -1, ((1, 1), (-1, 0)), (1, 2, 3),
    "1", None, {0: (1, 1)}, {-1: 2}, {0: 1, 1: (0, 2)}, {7: 1}, [],
]  # fmt: skip
FILLS = [
    7, -1.7, np.nan, True, None, "a", [3], (7, 9), ((7, 9),), ((1, 2), (3, 4)), ((1,), (2,)),
    ((1, 2), (3, 4), (5, 6)), np.array([7, 9]), (7, 9, 1), ((0, 0), (0, 5)),
]  # fmt: skip
BOUNDS = [None, 0, -1.5, 3, np.nan, np.inf, np.float32(1), np.array([0.0, np.nan, 2.0]), [2, 0, 1]]
PLACES = [
    0, -1, 9, [0], [1, 0], [[0, 1], [1, 0]], np.array([0, 1], np.uint8), [True, False], True, [1.0],
    [], np.array([], int), None, "a", slice(0, 1), range(2), np.int8(1),
]  # fmt: skip
SECTIONS = [
    1, 2, 3, 0, -1, [1], [1, 2], (0,), (5,), [2, 1], [-1], np.array([1]), np.int64(2), None, "2",
    [], [[1]],
]  # fmt: skip
SHAPES = [
    6, -1, (-1,), (3, 2), [3, 2], (2, -1), (-1, -1), np.array([3, 2]), (3, 2.0), (), None,
    (2, 2, 3), (5, 2, 3), (2, 3, 4), np.int64(6), (0, -1), "6",
]  # fmt: skip
REDUCTIONS = ["sum", "mean", "max", "min", "prod", "var", "std", "argmax", "argmin"]

FORMS = {
    **{
        name: [
            *[call(axis=axis) for axis in AXES],
            *[call(axis=axis, keepdims=True) for axis in AXES],
            *[call(axis) for axis in AXES],
            *[call(dtype=None), call(dtype=np.float32), call(out=None), call(where=True)],
            *[call(initial=1), call(0, None, None)],
        ]
        for name in REDUCTIONS
    },
    **{
        name: [call(axis=axis) for axis in AXES]
        for name in ("cumsum", "sort", "argsort", "flip", "squeeze", "expand_dims")
    },
    "pad": [call(w) for w in WIDTHS]
    + [call(w, constant_values=c) for w, c in product(WIDTHS, FILLS)]
    + [call(1, mode) for mode in ("constant", "edge", None, np.pad)],
    "clip": [call(*pair) for pair in product(BOUNDS, BOUNDS)]
    + [call(min=low, max=high) for low, high in product(BOUNDS, BOUNDS)]
    + [call(0), call(min=0), call(max=0), call(), call(1, a_max=2), call("a", 1)],
    "take": [call(p, axis=axis) for p, axis in product(PLACES, AXES)]
    + [call(p, 0, mode=mode) for p, mode in product(PLACES, ("raise", "clip", "wrap", "x"))],
    "split": [call(s, axis=axis) for s, axis in product(SECTIONS, AXES)],
    "reshape": [call(s) for s in SHAPES] + [call(s, order=o) for s in SHAPES for o in "CFA"],
    "broadcast_to": [call(s) for s in SHAPES],
    "transpose": [
        call(axes)
        for axes in (
            None,
            (1, 0),
            [1, 0],
            (-1, 0),
            (0,),
            (0, 0),
            (2, 0, 1),
            1,
            np.array([1, 0]),
            "a",
        )
    ],
    "swapaxes": [call(*pair) for pair in product(AXES, AXES)],
    "moveaxis": [call(*pair) for pair in product(AXES, AXES)],
    "diagonal": [call(k) for k in INTEGERS] + [call(1, *pair) for pair in product(AXES, AXES)],
    "trace": [call(k) for k in INTEGERS] + [call(-1, *pair) for pair in product(AXES, AXES)],
    "tril": [call(k) for k in INTEGERS],
    "triu": [call(k=k) for k in INTEGERS],
    "ravel": [call(), *[call(order=o) for o in "CFAK"]],
    "astype": [call(t) for t in ("f4", np.float32, float, int, bool, "c8", "O", "S3", ">f4", "x")],
    "tensordot": [
        call(ARRAYS["matrix"].T, axes)
        for axes in (
            0,
            1,
            2,
            -1,
            3,
            (0, 1),
            ([0], [1]),
            ([1, 0], [0, 1]),
            (1, 1),
            1.0,
            None,
            [[1], [0]],
        )
    ],
    "exp": [call(where=True), call(dtype=float), call(out=None), call(casting="no")],
}
for name in ("var", "std"):
    FORMS[name] += [
        call(axis=axis, ddof=ddof)
        for axis, ddof in product(
            (None, 0, (1,)), (0, 1, 1.5, 2, 3, 30, -1, np.int64(1), np.array(1), True, None, "1")
        )
    ] + [call(correction=1), call(mean=0.0)]


def outcome(f):
    """What a call gives; or None if it is refused with an error that Python users expect."""
    try:
        return f()
    except (TypeError, ValueError, IndexError, OverflowError, ZeroDivisionError):
        return None


def parts(found):
    """The arrays of a result, which may be one or a list of them."""
    many = found if isinstance(found, list | tuple) else [found]
    return [x.value if isinstance(x, mg.Node) else x for x in many]


def equal(found, expected):
    assert len(found) == len(expected)
    for ours, theirs in zip(found, map(np.asarray, expected)):
        assert np.shape(ours) == theirs.shape
        assert np.asarray(ours).dtype == theirs.dtype.newbyteorder("=")  # as Nodes hold them
        tolerance = 1e-5 if theirs.dtype == np.float32 else 1e-12
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


@pytest.mark.filterwarnings("ignore")  # NumPy warns of empty means and of casts
@pytest.mark.parametrize("array", ARRAYS)
@pytest.mark.parametrize("name", FORMS)
def test_a_form_of_arguments_means_what_it_means_to_numpy_or_is_refused(name, array):
    x = ARRAYS[array]
    numpys, ours = getattr(np, name), getattr(mg, name)
    # Without time for all, a form of many meets the cube and every third array, one in a plan.
    every = EXPLORES or array == "cube" or len(FORMS[name]) < 40
    turn, understood = [*ARRAYS].index(array), 0
    for place, (args, options) in enumerate(FORMS[name]):
        if not every and (place + place // 3 + turn) % 3:
            continue
        node = mg.constant(x, name="x")
        expected = outcome(lambda a=args, o=options: numpys(x, *a, **o))
        for f in (numpys, ours):
            found = outcome(lambda f=f, n=node, a=args, o=options: f(n, *a, **o))
            if found is None or expected is None:  # refused by either
                continue
            understood += 1
            equal(parts(found), parts(expected))
            if f is numpys:
                outputs = found if isinstance(found, list) else [found]
                if any(y is node for y in outputs):
                    continue
                graph = mg.Graph(outputs, [node])
                equal(graph.run({"x": x}), parts(expected))
                if array in ("matrix", "integers", "booleans"):  # a plan takes its time
                    equal(graph.compile()(x=x), parts(expected))
        given = outcome(lambda a=args, o=options: ours(x, *a, **o))  # arrays alone
        if given is not None and expected is not None:
            equal(parts(given), parts(expected))
    assert understood or array in ("scalar", "vector", "empty", "ones", "booleans", "small")


def test_what_is_refused_is_refused_by_name():
    x = mg.variable(ARRAYS["cube"], name="x")
    for name, forms in FORMS.items():
        for args, options in forms:
            refusal = refused(getattr(mg, name), x, *args, **options)
            if refusal and name != "exp":  # of one input and nothing else, as Python says by itself
                assert isinstance(refusal, mg.MinigraphError), (name, args, options)
                assert "object has no attribute" not in str(refusal)


def refused(f, *args, **options):
    """The error that a call ends in, if any."""
    try:
        f(*args, **options)
    except (TypeError, ValueError, IndexError) as error:
        return error
    return None


def test_a_bound_that_is_no_number_makes_the_result_none(torch):
    x, low = mg.placeholder("x", (3,)), mg.placeholder("low", (3,))
    graph = mg.Graph(mg.clip(x, low, 2.0))
    feeds = {"x": [-1.0, 1.0, 5.0], "low": [0.0, np.nan, 0.0]}
    expected = torch.clamp(torch.tensor(feeds["x"]), torch.tensor(feeds["low"]), torch.tensor(2.0))
    for found in (graph.run(feeds), graph.compile()(**feeds)):
        np.testing.assert_array_equal(found, expected.numpy())
