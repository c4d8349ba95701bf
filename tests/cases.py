"""For each function of minigraph: what PyTorch has for it, which inputs it takes, and where.

PyTorch and NumPy mean the same by nearly everything here. Where they differ, minigraph takes
NumPy's values and shapes:

* a reduction over `axis=()` reduces nothing; PyTorch takes `dim=()` for all axes;
* a float64 without axes makes a float32 array float64; in PyTorch the array's type prevails;
* a slice may step backwards; PyTorch's cannot, so indexing is compared through flat positions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
from hypothesis import strategies as st

# Eighths are exact in float32 and meet often: at 0, at ties, at the kink.
REAL = tuple(i / 8 for i in range(-24, 25))
POSITIVE = tuple(i / 8 for i in range(4, 25))
NONZERO = (*POSITIVE, *(-x for x in POSITIVE))
WITHIN_ONE = tuple(i / 8 for i in range(-7, 8))
ABOVE_ONE = tuple(i / 8 for i in range(9, 25))
BOOLEAN = (False, True)
PLACES = (0, 1, 2)  # indices of an axis of size 3
ANY = (0.0, 1.0, -1.5, np.nan, np.inf, -np.inf)

Example = tuple[tuple[tuple[int, ...], ...], dict[str, Any]]  # shapes, attrs


@dataclass(frozen=True)
class Case:
    """How an operation is tested.

    Attributes:
        torch: (torch, *tensors, **attrs) -> tensor.
        domains: the values that each input may take; only those of floats are differentiated.
        examples: a strategy for the shapes of the inputs, and the attrs.
        ours: (function, *inputs, **attrs) -> how minigraph's function is called.
    """

    torch: Callable[..., Any]
    domains: tuple[tuple, ...]
    examples: st.SearchStrategy[Example]
    ours: Callable[..., Any] = lambda f, *inputs, **attrs: f(*inputs, **attrs)

    @property
    def by(self) -> list[int]:
        """The inputs that can be differentiated by."""
        return [i for i, domain in enumerate(self.domains) if type(domain[0]) is float]

    def dtype(self, i: int, floats: Any) -> Any:
        """The dtype of input i."""
        return floats if i in self.by else np.dtype(type(self.domains[i][0]))


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


def one_axis(ndim):
    return st.integers(-ndim, ndim - 1)


@st.composite
def with_axis(draw, none=True, min_dims=1, min_side=0):
    """A shape and one of its axes, or None."""
    shape = draw(hnp.array_shapes(min_dims=min_dims, max_dims=3, min_side=min_side, max_side=3))
    axes = one_axis(len(shape)) if shape else st.none()
    return (shape,), {"axis": draw(axes | st.none() if none else axes)}


@st.composite
def places_found(draw):
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3))
    return (shape,), {"axis": draw(one_axis(len(shape))), "keepdims": draw(st.booleans())}


@st.composite
def joined(draw):
    """Shapes that agree but for one axis."""
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=3))
    axis = draw(one_axis(len(shape)))
    k = axis % len(shape)
    sizes = draw(st.lists(st.integers(0, 3), min_size=2, max_size=2))
    return tuple((*shape[:k], n, *shape[k + 1 :]) for n in sizes), {"axis": axis}


@st.composite
def framed(draw, inverse=False):
    """A shape, windows that fit into its last one or two axes, and a stride."""
    k = draw(st.integers(1, 2))
    window = draw(st.tuples(*[st.integers(1, 3)] * k))
    inner = tuple(w + draw(st.integers(0, 4)) for w in window)
    outer_ = draw(hnp.array_shapes(min_dims=0, max_dims=1, max_side=2))
    stride = draw(st.sampled_from([1, 2, 3, tuple(range(1, k + 1))]))
    if not inverse:
        return ((*outer_, *inner),), {"shape": window, "stride": stride}
    steps = [stride] * k if isinstance(stride, int) else stride
    found = [(n - w) // s + 1 for n, w, s in zip(inner, window, steps)]
    return ((*outer_, *found, *window),), {"shape": inner, "stride": stride}


def torch_windows(torch, x, shape, stride):
    k = len(shape)
    steps = [stride] * k if isinstance(stride, int) else stride
    for size, step in zip(shape, steps):
        x = x.unfold(-k, size, step)
    return x


def torch_overlap_add(torch, x, shape, stride):
    k = len(shape)
    window = x.shape[-k:]
    zeros = torch.zeros((*x.shape[: x.ndim - 2 * k], *shape), dtype=x.dtype)
    _, transpose = torch.func.vjp(lambda z: torch_windows(torch, z, window, stride), zeros)
    return transpose(x)[0]


EINSUMS = [
    ("ij,jk->ik", (2, 3), (3, 2)),
    ("ij,jk", (2, 3), (3, 2)),
    ("i,i", (3,), (3,)),
    ("i,j->ji", (2,), (3,)),
    ("bij,bjk->bki", (2, 3, 2), (2, 2, 3)),
    ("...ij,...jk->...ik", (2, 1, 2, 3), (2, 3, 2)),
    ("...i,...", (2, 3), (2,)),
    ("ij,j->", (2, 3), (3,)),
    ("ab,cd->ac", (2, 3), (1, 3)),
    ("ii,i->i", (3, 3), (3,)),
    ("iij,ji->j", (2, 2, 3), (3, 2)),
    ("iji,k->jk", (2, 3, 2), (2,)),
    ("ij,ik->kj", (0, 2), (0, 3)),
    ("i...,i->...", (3,), (3,)),
]


def einsums():
    return st.sampled_from(EINSUMS).map(lambda case: (case[1:], {"subscripts": case[0]}))


@st.composite
def picked(draw):
    """An array with an axis of size 3, and indices into it."""
    shape = list(draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3)))
    axis = draw(one_axis(len(shape)))
    shape[axis] = 3
    return (tuple(shape), draw(SHAPES)), {"axis": axis}


@st.composite
def picked_along(draw):
    (shape, _), attrs = draw(picked())
    places = list(shape)
    places[attrs["axis"]] = draw(st.integers(0, 4))
    return (shape, tuple(places)), attrs


@st.composite
def exchanges(draw):
    shape = draw(hnp.array_shapes(min_dims=2, max_dims=3, min_side=0, max_side=3))
    return (shape,), {"axis1": draw(one_axis(len(shape))), "axis2": draw(one_axis(len(shape)))}


@st.composite
def moves(draw):
    shape = draw(hnp.array_shapes(min_dims=2, max_dims=3, min_side=0, max_side=3))
    ends = [draw(hnp.valid_tuple_axes(len(shape), min_size=2, max_size=2)) for _ in range(2)]
    single = draw(st.booleans())
    return (shape,), dict(zip(["source", "destination"], [e[0] if single else e for e in ends]))


@st.composite
def new_axes(draw):
    shape = draw(SHAPES)
    return (shape,), {"axis": draw(st.integers(-len(shape) - 1, len(shape)))}


@st.composite
def lost_axes(draw):
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=2))
    ones = [i for i, n in enumerate(shape) if n == 1]
    return (shape,), {"axis": draw(st.sampled_from([None, *ones]))}


@st.composite
def paddings(draw):
    shape = draw(SHAPES)
    widths = draw(st.tuples(*[st.tuples(st.integers(0, 2), st.integers(0, 2))] * len(shape)))
    return (shape,), {
        "pad_width": draw(st.sampled_from([widths, 1, 0]) if shape else st.just(1)),
        "constant_values": draw(st.sampled_from([0, 2.5])),
    }


def torch_pad(torch, x, pad_width, constant_values):
    pairs = np.broadcast_to(pad_width, (x.ndim, 2))[::-1].ravel().tolist()
    return torch.nn.functional.pad(x, pairs, value=constant_values) if x.ndim else x


@st.composite
def diagonals(draw):
    shape = draw(hnp.array_shapes(min_dims=2, max_dims=3, min_side=0, max_side=3))
    axis1, axis2 = draw(st.permutations(range(len(shape))))[:2]
    reach = max(shape[axis1], shape[axis2]) if draw(st.booleans()) else 1
    offset = draw(st.integers(-min(reach, shape[axis1]), min(reach, shape[axis2])))
    return (shape,), {"offset": offset, "axis1": axis1, "axis2": axis2}


@st.composite
def triangles(draw):
    shape = draw(hnp.array_shapes(min_dims=2, max_dims=3, min_side=0, max_side=3))
    return (shape,), {"k": draw(st.integers(-3, 3))}


def taken_together(shape, axis):
    """How many elements each sum, mean … of a reduction is over."""
    return prod(shape[i] for i in summed_axes(shape, axis))


@st.composite
def spreads(draw):
    """Something to take the variance of: with more elements than `ddof`, and not all equal."""
    (shape,), attrs = draw(reductions(hnp.array_shapes(min_dims=1, max_dims=3, max_side=3)))
    n = taken_together(shape, attrs["axis"])
    return (shape,), {**attrs, "ddof": draw(st.integers(0, min(1, n - 1)))}


def spread_by(f):
    def reference(torch, x, axis, keepdims, ddof):
        axes = summed_axes(x.shape, axis)
        if not axes:
            return x * 0
        return getattr(torch, f)(x, axes, correction=ddof, keepdim=keepdims)

    return reference


def torch_prod(torch, x, axis, keepdims):
    axes = summed_axes(x.shape, axis)
    for i in axes:
        x = torch.prod(x, i, keepdim=True)
    return x if keepdims else x.reshape([n for i, n in enumerate(x.shape) if i not in axes])


@st.composite
def contractions(draw):
    sizes = draw(st.lists(st.integers(0, 3), min_size=2, max_size=3))
    n = draw(st.integers(0, 2))
    ours = (*draw(SHAPES.filter(lambda s: len(s) < 2)), *sizes[:n])
    theirs = (*sizes[:n], *draw(SHAPES.filter(lambda s: len(s) < 2)))
    pair = (list(range(len(ours) - n, len(ours))), list(range(n)))
    return (ours, theirs), {"axes": draw(st.sampled_from([n, pair]))}


DOTS = [((), (3,)), ((2, 3), ()), ((3,), (3,)), ((2, 3), (3,)), ((2, 3), (3, 2)),
        ((2, 2, 3), (3,)), ((2, 2, 3), (2, 3, 2)), ((3,), (2, 3, 2))]  # fmt: skip


def torch_dot(torch, x, y):
    if not x.ndim or not y.ndim:
        return x * y
    return torch.tensordot(x, y, ([x.ndim - 1], [max(y.ndim - 2, 0)]))


@st.composite
def classified(draw, probabilities=False):
    rows = draw(hnp.array_shapes(min_dims=0, max_dims=2, min_side=1, max_side=3))
    return ((*rows, 3), (*rows, 3) if probabilities else rows), {}


def torch_cross_entropy(torch, logits, labels):
    return torch.nn.functional.cross_entropy(logits.reshape(-1, 3), labels.reshape(-1))


@st.composite
def convolutions(draw):
    batch, channels, filters = (draw(st.integers(1, 2)) for _ in range(3))
    window = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    image = tuple(w + draw(st.integers(0, 2)) for w in window)
    attrs = {"stride": draw(st.sampled_from([1, 2, (2, 1)]))}
    attrs["padding"] = draw(st.sampled_from([0, 1, (0, 2)]))
    return ((batch, channels, *image), (filters, channels, *window), (filters,)), attrs


@st.composite
def pools(draw):
    window = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    image = tuple(w + draw(st.integers(0, 3)) for w in window)
    lead = draw(hnp.array_shapes(min_dims=2, max_dims=2, max_side=2))
    return ((*lead, *image),), {"size": window, "stride": draw(st.sampled_from([None, 1, 2]))}


def halves(f, *args, **attrs):
    """Both parts of a split in one result."""
    first, second = f(*args, **attrs)
    return first - 2 * second


@st.composite
def halved(draw):
    shape = list(draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3)))
    axis = draw(one_axis(len(shape)))
    shape[axis] *= 2
    cut = draw(st.sampled_from([2, [shape[axis] // 2]]))
    return (tuple(shape),), {"indices_or_sections": cut, "axis": axis}


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
    "tan": unary(WITHIN_ONE, lambda t, x: t.tan(x)),
    "arcsin": unary(WITHIN_ONE, lambda t, x: t.arcsin(x)),
    "arccos": unary(WITHIN_ONE, lambda t, x: t.arccos(x)),
    "arctan": unary(REAL, lambda t, x: t.arctan(x)),
    "arctan2": binary(REAL, NONZERO, lambda t, x, y: t.arctan2(x, y)),
    "sinh": unary(REAL, lambda t, x: t.sinh(x)),
    "cosh": unary(REAL, lambda t, x: t.cosh(x)),
    "arcsinh": unary(REAL, lambda t, x: t.arcsinh(x)),
    "arccosh": unary(ABOVE_ONE, lambda t, x: t.arccosh(x)),
    "arctanh": unary(WITHIN_ONE, lambda t, x: t.arctanh(x)),
    "erf": unary(REAL, lambda t, x: t.erf(x)),
    "expm1": unary(REAL, lambda t, x: t.expm1(x)),
    "exp2": unary(REAL, lambda t, x: t.exp2(x)),
    "log1p": unary(POSITIVE, lambda t, x: t.log1p(x)),
    "log2": unary(POSITIVE, lambda t, x: t.log2(x)),
    "log10": unary(POSITIVE, lambda t, x: t.log10(x)),
    "logaddexp": binary(REAL, REAL, lambda t, x, y: t.logaddexp(x, y)),
    "reciprocal": unary(NONZERO, lambda t, x: t.reciprocal(x)),
    "hypot": binary(NONZERO, REAL, lambda t, x, y: t.hypot(x, y)),
    "remainder": binary(REAL, NONZERO, lambda t, x, y: t.remainder(x, y)),
    "floor": unary(REAL, lambda t, x: t.floor(x)),
    "ceil": unary(REAL, lambda t, x: t.ceil(x)),
    "rint": unary(REAL, lambda t, x: t.round(x)),
    "tanh": unary(REAL, lambda t, x: t.tanh(x)),
    "sigmoid": unary(REAL, lambda t, x: t.sigmoid(x)),
    "relu": unary(REAL, lambda t, x: t.relu(x)),
    "maximum": binary(REAL, REAL, lambda t, x, y: t.maximum(x, y)),
    "minimum": binary(REAL, REAL, lambda t, x, y: t.minimum(x, y)),
    "xlogy": binary(REAL, POSITIVE, lambda t, x, y: t.xlogy(x, y)),
    "sign": unary(REAL, lambda t, x: t.sign(x)),
    "not_equal": binary(REAL, REAL, lambda t, x, y: t.ne(x, y)),
    "logical_and": binary(REAL, ANY, lambda t, x, y: t.logical_and(x, y)),
    "logical_or": binary(REAL, ANY, lambda t, x, y: t.logical_or(x, y)),
    "logical_not": unary(ANY, lambda t, x: t.logical_not(x)),
    "isnan": unary(ANY, lambda t, x: t.isnan(x)),
    "isfinite": unary(ANY, lambda t, x: t.isfinite(x)),
    "stop_gradient": unary(REAL, lambda t, x: x.detach()),
    "argmax": Case(
        lambda t, x, axis, keepdims: t.argmax(x, axis, keepdims), (REAL,), places_found()
    ),
    "argmin": Case(
        lambda t, x, axis, keepdims: t.argmin(x, axis, keepdims), (REAL,), places_found()
    ),
    "class_numbers": Case(
        lambda t, x, classes: t.stack([x == k for k in range(classes)], -1).int().argmax(-1),
        (PLACES,),
        SHAPES.map(lambda shape: ((shape,), {"classes": 3})),
    ),
    "argsort": Case(
        lambda t, x, axis: t.argsort(
            x.reshape(-1) if axis is None else x, dim=axis or 0, stable=True
        ),
        (REAL,),
        with_axis(),
    ),
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
    "logsumexp": Case(
        reduced("logsumexp"), (REAL,), reductions().filter(chooses_from_something)
    ),
    "cumsum": Case(
        lambda t, x, axis: t.cumsum(x.reshape(-1) if axis is None else x, axis or 0),
        (REAL,),
        with_axis(min_dims=0),
    ),
    "concatenate": Case(
        lambda t, *xs, axis: t.concatenate(xs, axis),
        (REAL, REAL),
        joined(),
        lambda f, *xs, **attrs: f(list(xs), **attrs),
    ),
    "einsum": Case(
        lambda t, x, y, subscripts: t.einsum(subscripts, x, y),
        (REAL, REAL),
        einsums(),
        lambda f, *xs, subscripts: f(subscripts, *xs),
    ),
    "windows": Case(torch_windows, (REAL,), framed()),
    "overlap_add": Case(torch_overlap_add, (REAL,), framed(inverse=True)),
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
    # Composed of the operations above.
    "ravel": Case(lambda t, x: t.ravel(x), (REAL,), together(1)),
    "expand_dims": Case(lambda t, x, axis: t.unsqueeze(x, axis), (REAL,), new_axes()),
    "squeeze": Case(
        lambda t, x, axis: t.squeeze(x, tuple(range(x.ndim)) if axis is None else axis),
        (REAL,),
        lost_axes(),
    ),
    "swapaxes": Case(lambda t, x, axis1, axis2: t.swapaxes(x, axis1, axis2), (REAL,), exchanges()),
    "moveaxis": Case(
        lambda t, x, source, destination: t.moveaxis(x, source, destination), (REAL,), moves()
    ),
    "flip": Case(
        lambda t, x, axis: t.flip(x, tuple(range(x.ndim)) if axis is None else [axis]),
        (REAL,),
        with_axis(min_dims=0),
    ),
    "take": Case(
        lambda t, x, places, axis: x.index_select(axis, places.reshape(-1)).reshape(
            (*x.shape[: axis % x.ndim], *places.shape, *x.shape[axis % x.ndim + 1 :])
        ),
        (REAL, PLACES),
        picked(),
    ),
    "take_along_axis": Case(
        lambda t, x, places, axis: t.gather(x, axis, places), (REAL, PLACES), picked_along()
    ),
    "sort": Case(
        lambda t, x, axis: t.sort(
            x.reshape(-1) if axis is None else x, dim=axis or 0, stable=True
        ).values,
        (REAL,),
        with_axis(),
    ),
    "stack": Case(
        lambda t, *xs, axis: t.stack(xs, axis),
        (REAL, REAL),
        new_axes().map(lambda example: (example[0] * 2, example[1])),
        lambda f, *xs, **attrs: f(list(xs), **attrs),
    ),
    "split": Case(
        lambda t, x, indices_or_sections, axis: halves(
            partial(t.tensor_split, x, indices_or_sections), axis
        ),
        (REAL,),
        halved(),
        halves,
    ),
    "pad": Case(torch_pad, (REAL,), paddings()),
    "diagonal": Case(
        lambda t, x, offset, axis1, axis2: t.diagonal(x, offset, axis1, axis2), (REAL,), diagonals()
    ),
    "trace": Case(
        lambda t, x, offset, axis1, axis2: t.diagonal(x, offset, axis1, axis2).sum(-1),
        (REAL,),
        diagonals(),
    ),
    "tril": Case(lambda t, x, k: t.tril(x, k), (REAL,), triangles()),
    "triu": Case(lambda t, x, k: t.triu(x, k), (REAL,), triangles()),
    "clip": Case(
        lambda t, x, a_min, a_max: t.clip(x, a_min, a_max),
        (REAL,),
        st.tuples(
            st.tuples(SHAPES),
            st.sampled_from([(-1.0, 0.5), (None, 1), (0, None)]).map(
                lambda bounds: dict(zip(("a_min", "a_max"), bounds))
            ),
        ),
    ),
    "var": Case(spread_by("var"), (REAL,), spreads()),
    "std": Case(
        spread_by("std"), (tuple(x + 10 * i * i for i, x in enumerate(POSITIVE)),), spreads()
    ),
    "prod": Case(torch_prod, (REAL,), reductions()),
    "tensordot": Case(
        lambda t, x, y, axes: t.tensordot(x, y, axes), (REAL, REAL), contractions()
    ),
    "dot": Case(torch_dot, (REAL, REAL), st.sampled_from(DOTS).map(lambda shapes: (shapes, {}))),
    "outer": Case(
        lambda t, x, y: t.outer(x.reshape(-1), y.reshape(-1)), (REAL, REAL), together(2)
    ),
    "softmax": Case(
        lambda t, x, axis: t.softmax(x, axis), (REAL,), with_axis(none=False, min_side=1)
    ),
    "log_softmax": Case(
        lambda t, x, axis: t.log_softmax(x, axis), (REAL,), with_axis(none=False, min_side=1)
    ),
    "cross_entropy": Case(torch_cross_entropy, (REAL, PLACES), classified()),
    "conv2d": Case(
        lambda t, x, w, b, stride, padding: t.conv2d(x, w, b, stride, padding),
        (REAL, REAL, REAL),
        convolutions(),
    ),
    "max_pool2d": Case(
        lambda t, x, size, stride: torch_windows(t, x, size, stride or size).amax((-2, -1)),
        (REAL,),
        pools(),
    ),
    "avg_pool2d": Case(
        lambda t, x, size, stride: t.nn.functional.avg_pool2d(x, size, stride), (REAL,), pools()
    ),
}  # fmt: skip

# What gives booleans or places, or is taken as a constant, and has no gradient.
DISCRETE = {
    "equal", "not_equal", "greater", "greater_equal", "less", "less_equal", "logical_and",
    "logical_or", "logical_not", "isnan", "isfinite", "argmax", "argmin", "argsort",
    "class_numbers", "stop_gradient",
}  # fmt: skip
DIFFERENTIABLE = [name for name in CASES if name not in DISCRETE]
