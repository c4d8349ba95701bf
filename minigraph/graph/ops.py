"""The table of operations: every primitive, stated once.

Read it from the top: elementwise operations are one row each, with the partial derivative by each
input. Below stand those that are linear, by their transpose, and the few that are neither.
`functions.py` composes more of them, `operators.py` gives Node its operators.

Conventions where a derivative has a choice: |x| and relu take 0 at the kink; maximum, minimum, max
and min share the gradient equally between ties, as PyTorch does.
"""

from __future__ import annotations

import builtins
import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from string import ascii_letters
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple
from numpy.lib.stride_tricks import sliding_window_view

from .errors import NodeTypeError, ShapeError
from .node import Node, describe
from .operation import (
    EachInput,
    NumberTypeError,
    Shape,
    broadcast_shape,
    elementwise,
    general,
    linear,
    may_be_int,
    variadic,
)

# --- elementwise: the partial derivatives, as formulas that are shown and run ---------------------


def in_floats(x: Any) -> Any:
    """Whole numbers and booleans as the floats that NumPy's exp takes them for.

    Differences of whole numbers are none: without a sign, or with few bits, they wrap around.
    """
    if not hasattr(x, "dtype"):
        x = np.asarray(x)
    return x if x.dtype.kind == "f" else astype(x, np.result_type(x.dtype, np.float16))


def _sigmoid(x: Any) -> Any:
    """1 / (1 + e⁻ˣ), with e only ever raised to a negative power, so that nothing overflows."""
    x = in_floats(x)
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, small) / (1 + small)


def _relu(x: Any) -> Any:
    return np.maximum(x, 0)


def _xlogy(x: Any, y: Any) -> Any:
    at_zero = np.equal(x, 0)
    y = np.asarray(y).astype(np.arctan2(x, y).dtype)  # that of the result, for few bits are few
    return np.where(at_zero, 0, x * np.log(np.where(at_zero, 1, y)))


_erf_of_doubles = np.vectorize(math.erf, otypes=[np.float64])  # NumPy has none


def _erf(x: Any) -> Any:
    x = np.asarray(x)
    return _erf_of_doubles(x).astype(np.result_type(x, np.float32), copy=False)[()]


# Partial derivatives that compute with one input alone take it in the dtype of the result. In
# another a quotient or a logarithm has too few digits, and a square or y − 1 may wrap around.

_Y = "(y if y.dtype == out.dtype else astype(y, out.dtype))"


def _as(out: Any, x: Any) -> Any:
    return x if x.dtype == out.dtype else astype(x, out.dtype)


def _power_by_first(out: Any, x: Any, y: Any) -> Any:
    """y · x^(y − 1), with exponent 0 where x and y are both 0, for 0 · 0⁻¹ is no number."""
    y = _as(out, y)
    if isinstance(y, Node) or y.shape:
        return y * x ** (y - 1 + equal(x, 0) * equal(y, 0))
    return y * x ** (y - 1 if y else y)


def _power_by_second(out: Any, x: Any, y: Any) -> Any:
    """out · log x, and 0 where x is 0."""
    x = _as(out, x)
    return out * log(x + equal(x, 0))


def _angle_by_first(out: Any, x: Any, y: Any) -> Any:
    x, y = _as(out, x), _as(out, y)
    return y / (x * x + y * y)


def _angle_by_second(out: Any, x: Any, y: Any) -> Any:
    x, y = _as(out, x), _as(out, y)
    return -x / (x * x + y * y)


# Each row: name, symbol, what it computes, how, and the partial derivative by each input. In a pair
# the first formula is shown and the second runs, with care at single points. The functions of
# `operator` are ten times as fast as np.add and so on for scalars, and the same for arrays.
# fmt: off
add      = elementwise("add",      "+",    "x + y",           operator.add,     "1", "1")
subtract = elementwise("subtract", "−",    "x − y",           operator.sub,     "1", "-1")
multiply = elementwise("multiply", "×",    "x · y",           operator.mul,     "y", "x")
divide   = elementwise("divide",   "÷",    "x / y",           operator.truediv,
                       ("1 / y",            f"1 / {_Y}"), "-out / y")
power    = elementwise("power",    "^",    "x to the power y", operator.pow,
                       ("y * x ** (y - 1)", _power_by_first),
                       ("out * log(x)",     _power_by_second))
negative = elementwise("negative", "−",    "−x",              operator.neg,     "-1")
absolute = elementwise("absolute", "|x|",  "|x|",             operator.abs,     "sign(x)")
square   = elementwise("square",   "x²",   "x · x",           np.square,        "2 * x")
sqrt     = elementwise("sqrt",     "√",    "√x",              np.sqrt,          "0.5 / out")
exp      = elementwise("exp",      "exp",  "eˣ",              np.exp,           "out")
log      = elementwise("log",      "log",  "the natural logarithm of x", np.log, "1 / x")
expm1    = elementwise("expm1",    "eˣ−1", "eˣ − 1, precise near 0", np.expm1, "out + 1")
exp2     = elementwise("exp2",     "2ˣ",   "2 to the power x", np.exp2,
                       ("out * log(2)",       "out * 0.6931471805599453"))
log1p    = elementwise("log1p",    "log1p", "log(1 + x), precise near 0", np.log1p, "1 / (1 + x)")
log2     = elementwise("log2",     "log₂", "the logarithm of x to base 2", np.log2,
                       ("1 / (x * log(2))",   "1.4426950408889634 / x"))
log10    = elementwise("log10",    "log₁₀", "the logarithm of x to base 10", np.log10,
                       ("1 / (x * log(10))",  "0.4342944819032518 / x"))
logaddexp = elementwise("logaddexp", "logaddexp", "log(eˣ + eʸ)", np.logaddexp,
                        "exp(x - out)", "exp(y - out)")
reciprocal = elementwise("reciprocal", "1/x", "1 / x",        np.reciprocal,    "-out * out")
hypot    = elementwise("hypot",    "hypot", "√(x² + y²)",     np.hypot, "x / out", "y / out")
sin      = elementwise("sin",      "sin",  "sin x, in radians", np.sin,         "cos(x)")
cos      = elementwise("cos",      "cos",  "cos x, in radians", np.cos,         "-sin(x)")
tan      = elementwise("tan",      "tan",  "tan x, in radians", np.tan,         "1 + out * out")
arcsin   = elementwise("arcsin",   "arcsin", "the angle in radians with sine x", np.arcsin,
                       "1 / sqrt(1 - x * x)")
arccos   = elementwise("arccos",   "arccos", "the angle in radians with cosine x", np.arccos,
                       "-1 / sqrt(1 - x * x)")
arctan   = elementwise("arctan",   "arctan", "the angle in radians with tangent x", np.arctan,
                       "1 / (1 + x * x)")
arctan2  = elementwise("arctan2",  "arctan2", "the angle in radians of point (y, x)", np.arctan2,
                       ("y / (x * x + y * y)",  _angle_by_first),
                       ("-x / (x * x + y * y)", _angle_by_second))
sinh     = elementwise("sinh",     "sinh", "sinh x",          np.sinh,          "cosh(x)")
cosh     = elementwise("cosh",     "cosh", "cosh x",          np.cosh,          "sinh(x)")
tanh     = elementwise("tanh",     "tanh", "tanh x",          np.tanh,          "1 - out * out")
arcsinh  = elementwise("arcsinh",  "arcsinh", "the number whose sinh is x", np.arcsinh,
                       "1 / sqrt(x * x + 1)")
arccosh  = elementwise("arccosh",  "arccosh", "the number whose cosh is x", np.arccosh,
                       "1 / sqrt(x * x - 1)")
arctanh  = elementwise("arctanh",  "arctanh", "the number whose tanh is x", np.arctanh,
                       "1 / (1 - x * x)")
erf      = elementwise("erf",      "erf",  "the error function of x", _erf,
                       ("2 / sqrt(pi) * exp(-x ** 2)", "1.1283791670955126 * exp(-x * x)"))
sigmoid  = elementwise("sigmoid",  "σ",    "1 / (1 + e⁻ˣ)",   _sigmoid,         "out * (1 - out)")
relu     = elementwise("relu",     "relu", "x if x > 0, else 0", _relu,
                       ("1 if x > 0 else 0", "greater(x, 0)"))
maximum  = elementwise("maximum",  "max",  "the larger of x and y", np.maximum,
                       ("1 if x > y else 0", "greater(x, y) + 0.5 * equal(x, y)"),
                       ("1 if y > x else 0", "greater(y, x) + 0.5 * equal(x, y)"))
minimum  = elementwise("minimum",  "min",  "the smaller of x and y", np.minimum,
                       ("1 if x < y else 0", "less(x, y) + 0.5 * equal(x, y)"),
                       ("1 if y < x else 0", "less(y, x) + 0.5 * equal(x, y)"))
xlogy    = elementwise("xlogy",    "xlogy", "x · log y, 0 where x = 0", _xlogy,
                       ("log(y)",           f"log({_Y})"), "x / y")
remainder = elementwise("remainder", "%",  "what is left of x after division by y", operator.mod,
                        "1", ("-floor(x / y)", "-rint((x - out) / y)"))
sign     = elementwise("sign",     "sign", "−1, 0 or 1",      np.sign,          "0")
floor    = elementwise("floor",    "⌊x⌋",  "the next whole number below x", np.floor, "0")
ceil     = elementwise("ceil",     "⌈x⌉",  "the next whole number above x", np.ceil,  "0")
rint     = elementwise("rint",     "round", "the nearest whole number", np.rint,      "0")

# Booleans, which carry no gradient.
equal         = elementwise("equal",         "=", "whether x = y", np.equal,         "0", "0")
not_equal     = elementwise("not_equal",     "≠", "whether x ≠ y", np.not_equal,     "0", "0")
greater       = elementwise("greater",       ">", "whether x > y", np.greater,       "0", "0")
greater_equal = elementwise("greater_equal", "≥", "whether x ≥ y", np.greater_equal, "0", "0")
less          = elementwise("less",          "<", "whether x < y", np.less,          "0", "0")
less_equal    = elementwise("less_equal",    "≤", "whether x ≤ y", np.less_equal,    "0", "0")
logical_and   = elementwise("logical_and", "and",   "whether both hold", np.logical_and, "0", "0")
logical_or    = elementwise("logical_or",  "or",    "whether x or y holds", np.logical_or, "0", "0")
logical_not   = elementwise("logical_not", "not",   "whether x does not hold", np.logical_not, "0")
isnan         = elementwise("isnan",       "NaN?",  "whether x is no number", np.isnan, "0")
isfinite      = elementwise("isfinite",    "finite?", "whether x is finite", np.isfinite, "0")
# fmt: on


# --- linear: the transpose takes a gradient of the output back to the input -----------------------


def unbroadcast(g: Any, shape: Shape) -> Any:
    """Sum over the axes that broadcasting added or stretched. The one place that does."""
    if g.shape == shape:
        return g
    new = len(g.shape) - len(shape)
    if g.shape[new:] == shape:
        return sum(g, axis=0 if new == 1 else tuple(range(new)))
    stretched = tuple(i + new for i, n in enumerate(shape) if n == 1 and g.shape[i + new] != 1)
    return _reshaped(sum(g, axis=(*range(new), *stretched)), shape)


def _reshaped(x: Any, shape: Shape) -> Any:
    return x if x.shape == shape else reshape(x, shape)


def axis_numbers(ndim: int, axis: Any) -> tuple[int, ...]:
    """The axes that `axis` names, as numbers from 0; raises NumPy's AxisError (a ValueError)."""
    if axis is None or (ndim == 0 and axis in (0, -1)):  # NumPy lets a scalar be reduced so
        return tuple(range(ndim))
    return normalize_axis_tuple(axis, ndim)


def _reduced(shape: Shape, axis: Any = None, keepdims: bool = False) -> Shape:
    axes = axis_numbers(len(shape), axis)
    if keepdims:
        return tuple(1 if i in axes else n for i, n in enumerate(shape))
    return tuple(n for i, n in enumerate(shape) if i not in axes)


def _kept(g: Any, shape: Shape, axis: Any) -> Any:
    """Put back, with size 1, the axes that a reduction took away."""
    return _reshaped(g, _reduced(shape, axis, keepdims=True))


def _spread(g: Any, shape: Shape, axis: Any) -> Any:
    """Undo the shape change of a reduction: give every summand its share of g."""
    return broadcast_to(_kept(g, shape, axis) if g.shape else g, shape)


def _is_half(x: Any) -> bool:
    """Whether a value is float16, which has 3 digits and ends at 65,504: too few for sums."""
    return isinstance(x, np.ndarray | np.generic) and x.dtype.char == "e"


@linear("Σ", lambda g, out, x, axis, keepdims: _spread(g, x.shape, axis), shape=_reduced)
def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum over `axis` (None: over all)."""
    if _is_half(x):
        return np.sum(x, axis, np.float32, keepdims=keepdims).astype(x.dtype)
    return np.add.reduce(x, axis=axis, keepdims=keepdims)  # type: ignore  # a fast np.sum


def _holds(dtype: np.dtype, count: int) -> bool:
    """Whether a dtype of floats holds all whole numbers up to a count."""
    return count <= {"e": 1 << 11, "f": 1 << 24}.get(dtype.char, 1 << 53)


def _mean_transpose(g: Any, out: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    count = prod(x.shape) // (prod(out.shape) or 1)
    share = g / count if _holds(g.dtype, count) else astype(g / np.float64(count), g.dtype)
    return _spread(share, x.shape, axis)


@linear("mean", _mean_transpose, shape=_reduced)
def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean over `axis` (None: over all)."""
    return np.mean(x, axis=axis, keepdims=keepdims)


def _blank(shape: Shape) -> np.ndarray:
    """An array of any shape in one byte of memory, to ask NumPy what shape a view of it has."""
    return np.broadcast_to(np.False_, shape)


@linear(
    "reshape",
    lambda g, out, x, shape: reshape(g, x.shape),
    shape=lambda s, shape: _blank(s).reshape(shape).shape,
)
def reshape(x: Any, shape: Any) -> Any:
    """The same elements in another shape; one size may be -1, to be found from the others."""
    return np.reshape(x, shape)


def _transpose_shape(old: Shape, axes: Any = None) -> Shape:
    order = range(len(old))[::-1] if axes is None else axis_numbers(len(old), axes)
    if len(order) != len(old):
        raise ValueError(f"axes {axes} must name each of the axes 0 to {len(old) - 1} once")
    return tuple(old[i] for i in order)


def _transpose_transpose(g: Any, out: Any, x: Any, axes: Any) -> Any:
    if axes is not None:
        axes = tuple(np.argsort(axis_numbers(len(x.shape), axes)).tolist())
    return transpose(g, axes)


@linear("ᵀ", _transpose_transpose, shape=_transpose_shape)
def transpose(x: Any, axes: Any = None) -> Any:
    """The axes in another order; None reverses them."""
    return np.transpose(x, axes)


@linear("ᵀ", lambda g, out, x: matrix_transpose(g), shape=lambda s: _blank(s).mT.shape)
def matrix_transpose(x: Any) -> Any:
    """The last two axes swapped."""
    return x.swapaxes(-1, -2)


def _broadcast_to_shape(old: Shape, shape: Any) -> Shape:
    wanted = _blank(shape).shape  # a tuple, though NumPy takes a list or number too
    if broadcast_shape(old, wanted) != wanted:
        raise ValueError(f"shape {old} cannot be stretched to {wanted}")
    return wanted


@linear("↔", lambda g, out, x, shape: unbroadcast(g, x.shape), shape=_broadcast_to_shape)
def broadcast_to(x: Any, shape: Any) -> Any:
    """x repeated along new or one-sized axes until it has `shape`."""
    return np.broadcast_to(x, shape) if np.ndim(x) else np.full(shape, x)  # which is faster


@linear("cast", lambda g, out, x, dtype: astype(g, x.dtype), shape=lambda s, dtype: s)
def astype(x: Any, dtype: Any) -> Any:
    """x in another dtype of real numbers."""
    dtype = np.dtype(dtype)
    if dtype.kind not in "fiub":
        raise TypeError(f"a Node holds real numbers, not {dtype}")
    return x.astype(dtype if dtype.isnative else dtype.newbyteorder("="), copy=False)


# Indexing. An index is an attribute of the operation, but the Nodes in it are inputs: so that a
# graph whose indices are computed can be run again with others.


@dataclass(frozen=True)
class Slot:
    """Stands, in the index of `getitem` and `scatter_add`, for one of their inputs `indices`."""

    number: int


def _index_and_inputs(index: Any, keep: bool) -> tuple[Any, tuple[Node, ...]]:
    """Replace the Nodes in an index by Slots; put the rest into `_kept_item`'s form if asked to."""
    if type(index) is int:
        return index, ()
    nodes: list[Node] = []
    items: list[Any] = []
    for item in index_items(index):
        if isinstance(item, Node):
            if may_be_int(item):
                raise NumberTypeError
            if item.dtype.kind not in "iub":
                raise NodeTypeError(
                    f"an index is made of whole numbers or booleans, and {describe(item)} is "
                    f"{item.dtype}; see mg.astype",
                    (item,),
                )
            items.append(Slot(len(nodes)))
            nodes.append(item)
        else:
            items.append(_kept_item(item) if keep else item)
    return tuple(items) if isinstance(index, tuple) else items[0], tuple(nodes)


def _kept_item(item: Any) -> Any:
    """An item of an index as an operation keeps it: None, ..., an int, a slice of ints, an array.

    Arrays are copies, of whole numbers in one dtype or of booleans. What NumPy does not take for an
    index stays as it is, to be refused when it is used.
    """
    if item is None or item is ... or type(item) is int:
        return item
    try:
        if isinstance(item, slice):
            parts = item.start, item.stop, item.step
            return slice(*[p if p is None else operator.index(p) for p in parts])
        if not isinstance(item, bool):
            return operator.index(item)
    except TypeError:
        if isinstance(item, slice):
            return item
    try:
        array = np.array(item)
    except ValueError:
        return item
    is_empty = not array.size and not isinstance(item, np.ndarray)  # [] is an array of floats
    return array.astype(np.intp) if is_empty or array.dtype.kind in "iu" else array


def index_items(index: Any) -> tuple[Any, ...]:
    """The items of an index, one for each comma-separated part."""
    return index if isinstance(index, tuple) else (index,)


# Two questions about an index in the form that operations keep. All who ask, ask here.


def is_basic(index: Any) -> bool:
    """Whether it has no arrays and no Nodes, so that NumPy gives a view.

    That holds for single elements, too: x[0, ...] is a view without axes where x[0] is a number.
    """
    return all(i is None or i is ... or type(i) in (int, slice) for i in index_items(index))


def names_places_once(index: Any) -> bool:
    """Whether it is sure to name no place twice: it is basic, or has numbers that rise.

    Nodes may stand in it, in place of arrays whose values are not known.
    """
    items = index_items(index)
    others = tuple(i for i in items if not isinstance(i, np.ndarray | Node))
    if len(others) == len(items):
        return is_basic(index)
    arrays = [i for i in items if isinstance(i, np.ndarray | Node)]
    plain = is_basic(others) and all(x.dtype.kind in "iu" and x.ndim == 1 for x in arrays)
    return plain and any(
        isinstance(x, np.ndarray) and x.shape == builtins.max(y.shape for y in arrays) and _rises(x)
        for x in arrays
    )


def _rises(x: np.ndarray) -> bool:
    return bool((x >= 0).all() and (x[1:] > x[:-1]).all())


def filled(index: Any, indices: Sequence[Any]) -> Any:
    """The index with its Slots filled."""
    if not indices:
        return index
    if isinstance(index, tuple):
        return tuple(indices[i.number] if type(i) is Slot else i for i in index)
    return indices[index.number]


def _getitem_called(x: Any, index: Any) -> tuple[tuple, dict]:
    index, nodes = _index_and_inputs(index, keep=type(x) is Node)
    return (x, *nodes), {"index": index}


def _getitem_shape(x: Shape, *indices: Shape, index: Any) -> Shape:
    return _blank(x)[filled(index, [np.zeros(s, int) for s in indices])].shape


@variadic(
    "[ ]",
    [lambda g, out, x, *indices, index: scatter_add(g, filled(index, indices), x.shape)],
    jvp=lambda dxs, out, x, *indices, index: getitem(dxs[0], filled(index, indices)),
    shape=_getitem_shape,
    called=_getitem_called,
)
def getitem(x: Any, *indices: Any, index: Any) -> Any:
    """x[index], with NumPy's basic and advanced indexing; an index may be or hold a Node."""
    found = x[filled(index, indices)]
    return found if found.shape else found[()]  # x[0, ...] is a view, and not a number as x[0] is


def _scatter_called(x: Any, index: Any, shape: Any) -> tuple[tuple, dict]:
    index, nodes = _index_and_inputs(index, keep=type(x) is Node)
    return (x, *nodes), {"index": index, "shape": shape}


@variadic(
    "[ ]ᵀ",
    [lambda g, out, x, *indices, index, shape: getitem(g, filled(index, indices))],
    jvp=lambda dxs, out, x, *indices, index, shape: scatter_add(
        dxs[0], filled(index, indices), shape
    ),
    shape=lambda x, *indices, index, shape: _blank(shape).shape,
    called=_scatter_called,
)
def scatter_add(x: Any, *indices: Any, index: Any, shape: Any) -> Any:
    """Zeros of `shape` with x added at `index`; places that are named twice receive twice."""
    index = filled(index, indices)
    if names_places_once(index):
        out = np.zeros(shape, x.dtype)
        out[index] = x
        return out
    out = np.zeros(shape, np.float32 if _is_half(x) else x.dtype)
    np.add.at(out, index, x)
    return out.astype(x.dtype, copy=False)


def _concatenate_rule(i: int, g: Any, out: Any, arrays: Sequence[Any], axis: int) -> Any:
    before = [x.shape[axis] for x in arrays[: i + 1]]
    part = slice(np.sum(before[:-1], dtype=int).item(), np.sum(before).item())
    return getitem(g, (*[slice(None)] * axis_numbers(len(out.shape), axis)[0], part))


def _concatenate_jvp(tangents: Any, out: Any, *arrays: Any, axis: int) -> Any:
    zeros = [np.zeros(x.shape, x.dtype) for x in arrays]
    return concatenate([zero if t is None else t for t, zero in zip(tangents, zeros)], axis)


def _concatenate_shape(*shapes: Shape, axis: int) -> Shape:
    first = shapes[0]
    k = normalize_axis_index(axis, len(first))
    for i, s in enumerate(shapes):
        if len(s) != len(first) or s[:k] + s[k + 1 :] != first[:k] + first[k + 1 :]:
            raise ValueError(f"array {i} has shape {s}; but for axis {axis} it must be as {first}")
    return (*first[:k], np.sum([s[k] for s in shapes]).item(), *first[k + 1 :])


def _concatenate_called(arrays: Any, axis: int | None = 0) -> tuple[tuple, dict]:
    if axis is None:
        return tuple(reshape(x, -1) for x in arrays), {"axis": 0}
    return tuple(arrays), {"axis": axis}


@variadic(
    "concat",
    EachInput(_concatenate_rule),
    jvp=_concatenate_jvp,
    shape=_concatenate_shape,
    called=_concatenate_called,
)
def concatenate(*arrays: Any, axis: int) -> Any:
    """Several arrays, given as a list, one after another along `axis` (None: made flat)."""
    return np.concatenate(arrays, axis=axis)


def _backwards(x: Any, axis: int) -> Any:
    return getitem(x, (*[slice(None)] * axis_numbers(len(x.shape), axis)[0], slice(None, None, -1)))


def _cumsum_transpose(g: Any, out: Any, x: Any, axis: Any) -> Any:
    along = 0 if axis is None else axis
    return _reshaped(_backwards(cumsum(_backwards(g, along), along), along), x.shape)


def _cumsum_shape(shape: Shape, axis: Any = None) -> Shape:
    if axis is None:
        return (prod(shape),)
    normalize_axis_index(axis, len(shape) or 1)
    return shape or (1,)


@linear("cumsum", _cumsum_transpose, shape=_cumsum_shape)
def cumsum(x: Any, axis: Any = None) -> Any:
    """The sums of the first 1, 2, 3 … elements along `axis` (None: of x made flat)."""
    if _is_half(x):
        return np.cumsum(x, axis, np.float32).astype(x.dtype)
    return np.cumsum(x, axis=axis)


# Windows, for convolution and pooling: every place of a small frame that slides over the last axes.


def _strides(shape: Shape, stride: Any) -> tuple[int, ...]:
    strides = (stride,) * len(shape) if np.ndim(stride) == 0 else tuple(stride)
    if not len(shape) or len(strides) != len(shape) or any(n < 1 for n in (*strides, *shape)):
        raise ValueError(f"windows {shape} with stride {stride}: sizes and strides are 1 or more")
    return strides


def _windows_shape(x: Shape, shape: Shape, stride: Any = 1) -> Shape:
    k = len(shape)
    strides = _strides(shape, stride)
    lead = len(x) - k
    if lead < 0 or any(w > n for n, w in zip(x[lead:], shape)):
        raise ValueError(f"a window {tuple(shape)} does not fit into shape {x}")
    places = [(n - w) // s + 1 for n, w, s in zip(x[lead:], shape, strides)]
    return (*x[:lead], *places, *shape)


@linear(
    "windows",
    lambda g, out, x, shape, stride: overlap_add(g, x.shape[-len(shape) :], stride),
    shape=_windows_shape,
)
def windows(x: Any, shape: Any, stride: Any = 1) -> Any:
    """All windows of `shape` over the last axes of x, `stride` steps apart.

    The result has the shape (*leading axes, *places of the window, *window); nothing is copied.
    """
    _windows_shape(x.shape, shape, stride)
    k = len(shape)
    every = sliding_window_view(x, tuple(shape), tuple(range(x.ndim - k, x.ndim)))
    steps: Any = (..., *[slice(None, None, s) for s in _strides(shape, stride)])
    return every[(*steps, *[slice(None)] * k)]


def _overlap_add_shape(x: Shape, shape: Shape, stride: Any = 1) -> Shape:
    k = len(shape)
    out = (*x[: len(x) - 2 * k], *shape)
    if len(x) < 2 * k or _windows_shape(out, x[len(x) - k :], stride) != x:
        raise ValueError(f"windows of shape {x} do not come from shape {tuple(shape)}")
    return out


@linear(
    "windowsᵀ",
    lambda g, out, x, shape, stride: windows(g, x.shape[-len(shape) :], stride),
    shape=_overlap_add_shape,
)
def overlap_add(x: Any, shape: Any, stride: Any = 1) -> Any:
    """Windows laid back where `windows` found them in axes of `shape`, added where they overlap."""
    k = len(shape)
    out = np.zeros(_overlap_add_shape(x.shape, shape, stride), x.dtype)
    strides, places = _strides(shape, stride), x.shape[-2 * k : -k]
    for inner in product(*map(range, x.shape[-k:])):
        spots: Any = [slice(i, i + n * s, s) for i, n, s in zip(inner, places, strides)]
        out[(..., *spots)] += x[(..., *inner)]
    return out


def _matmul_shape(x: Shape, y: Shape) -> Shape:
    if not x or not y:
        raise ValueError("a scalar has no axis to sum over; multiply with *")
    if x[-1] != y[-2:][0]:
        raise ValueError(
            f"axis -1 of the first has size {x[-1]}, axis {-1 if len(y) < 2 else -2} of the second "
            f"{y[-2:][0]}; they must be equal"
        )
    return (*broadcast_shape(x[:-2], y[:-2]), *x[-2:-1], *y[-1:][: len(y) - 1])


def _as_matrices(g: Any, x: Any, y: Any) -> tuple[Any, Any, Any]:
    """View the vectors among x (a row) and y (a column) as matrices, and g to match."""
    rows, columns = x.shape[-2:-1] or (1,), y.shape[-1:] if len(y.shape) > 1 else (1,)
    batch = broadcast_shape(x.shape[:-2], y.shape[:-2])
    return (
        _reshaped(g, (*batch, *rows, *columns)),
        x if len(x.shape) > 1 else reshape(x, (1, *x.shape)),
        y if len(y.shape) > 1 else reshape(y, (*y.shape, 1)),
    )


# The rules of matmul begin with the case of two matrices, for it is most of what networks compute.


def _matmul_first(g: Any, out: Any, x: Any, y: Any) -> Any:
    if len(x.shape) == 2 == len(y.shape):
        return matmul(g, matrix_transpose(y))
    g, rows, columns = _as_matrices(g, x, y)
    return _reshaped(unbroadcast(matmul(g, matrix_transpose(columns)), rows.shape), x.shape)


def _matmul_second(g: Any, out: Any, x: Any, y: Any) -> Any:
    if len(x.shape) == 2 == len(y.shape):
        return matmul(matrix_transpose(x), g)
    g, rows, columns = _as_matrices(g, x, y)
    return _reshaped(unbroadcast(matmul(matrix_transpose(rows), g), columns.shape), y.shape)


@linear("@", _matmul_first, _matmul_second, shape=_matmul_shape)
def matmul(x: Any, y: Any) -> Any:
    """The matrix product x @ y, over stacks of matrices where there are more than two axes."""
    return np.matmul(x, y)


def labelled(subscripts: str, ndims: Sequence[int]) -> tuple[list[str], str]:
    """Spell out einsum's subscripts: the axes of each operand and of the result, as letters."""
    left, arrow, result = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(ndims):
        raise ShapeError(f"{subscripts!r} names {len(terms)} operands, not {len(ndims)}")
    if not arrow:
        once = sorted(c for c in {*left} - {*".,"} if left.count(c) == 1)
        result = "..." * ("..." in left) + "".join(once)
    spare = "".join(c for c in ascii_letters if c not in subscripts)
    rest = [n - len(term.replace("...", "")) for n, term in zip(ndims, terms)]
    for term, n, more in zip(terms, ndims, rest):
        if more < 0 or (more and "..." not in term):
            raise ShapeError(f"{term!r} does not name the {n} axes of its operand")
    dots = np.max(rest, initial=0)
    spelled = [t.replace("...", spare[dots - more : dots]) for t, more in zip(terms, rest)]
    return spelled, result.replace("...", spare[:dots])


def diagonal_of(x: Any, axis1: int, axis2: int) -> Any:
    """The elements whose indices along two axes are equal, as a new last axis."""
    i, j = axis_numbers(len(x.shape), (axis1, axis2))
    others = [k for k in range(len(x.shape)) if k not in (i, j)]
    steps = np.arange(np.minimum(x.shape[i], x.shape[j]))
    return getitem(transpose(x, (*others, i, j)), (..., steps, steps))


def _einsum_called(subscripts: str, *operands: Any) -> tuple[tuple, dict]:
    if not isinstance(subscripts, str) or not operands:
        given = describe(subscripts) if isinstance(subscripts, Node) else repr(subscripts)
        raise NodeTypeError(
            'einsum takes a text first, and then the arrays, as in einsum("ij,jk->ik", x, y); '
            f"not {given:.80}"
        )
    operands = tuple(x if isinstance(x, Node) else np.asarray(x) for x in operands)
    terms, result = labelled(subscripts, [len(x.shape) for x in operands])
    inputs = []
    for i, (x, term) in enumerate(zip(operands, terms)):
        while twice := [c for c in term if term.count(c) > 1]:
            first, second = [k for k, c in enumerate(term) if c == twice[0]][:2]
            if x.shape[first] != x.shape[second]:
                sizes = f"{x.shape[first]} and {x.shape[second]}"
                raise ShapeError(f"{twice[0]!r} has sizes {sizes} in one operand of {subscripts!r}")
            x = diagonal_of(x, first, second)
            term = term[:first] + term[first + 1 : second] + term[second + 1 :] + twice[0]
        terms[i] = term
        inputs.append(x)
    return tuple(inputs), {"subscripts": f"{','.join(terms)}->{result}"}


def _einsum_rule(i: int, g: Any, out: Any, inputs: Sequence[Any], subscripts: str) -> Any:
    *terms, result = subscripts.replace("->", ",").split(",")
    others = [k for k in range(len(terms)) if k != i]
    known = {*result}.union(*(terms[k] for k in others))
    kept = "".join(c for c in terms[i] if c in known)
    text = ",".join([result, *(terms[k] for k in others)]) + "->" + kept
    share = einsum(text, g, *(inputs[k] for k in others))
    # Axes that only this input has, or has alone with a size above 1, were summed over: each
    # element gets the same share.
    sizes = iter(share.shape)
    shape = tuple(next(sizes) if c in known else 1 for c in terms[i])
    wide = tuple(m if n == 1 else n for n, m in zip(shape, inputs[i].shape))
    return share if share.shape == wide else broadcast_to(_reshaped(share, shape), wide)


def _einsum_jvp(tangents: Any, out: Any, *inputs: Any, subscripts: str) -> Any:
    changes = [
        einsum(subscripts, *inputs[:i], dx, *inputs[i + 1 :])
        for i, dx in enumerate(tangents)
        if dx is not None
    ]
    total = changes[0]
    for change in changes[1:]:
        total = total + change
    return total


def _einsum_shape(*shapes: Shape, subscripts: str) -> Shape:
    *terms, result = subscripts.replace("->", ",").split(",")
    sizes: dict[str, int] = {}
    for term, shape in zip(terms, shapes):
        for label, n in zip(term, shape):
            if n != 1 and sizes.get(label, 1) not in (1, n):
                raise ValueError(f"{label!r} has sizes {sizes[label]} and {n} in {subscripts!r}")
            sizes[label] = n if n != 1 else sizes.get(label, 1)
    if unknown := {*result} - sizes.keys():
        raise ValueError(f"no operand has the axis {'and '.join(unknown)} of {subscripts!r}")
    return tuple(sizes[label] for label in result)


@variadic(
    "einsum",
    EachInput(_einsum_rule),
    jvp=_einsum_jvp,
    shape=_einsum_shape,
    called=_einsum_called,
)
def einsum(*operands: Any, subscripts: str) -> Any:
    """The products of elements summed as `subscripts` say: einsum("ij,jk->ik", x, y) is x @ y."""
    if len(operands) == 1:
        return np.einsum(subscripts, *operands)
    # In pairs, which is faster, and only then in the dtype of the result: an operand of its own
    # dtype, summed over an axis that no other has, could not hold its sums.
    dtype = np.result_type(*operands)
    wide = np.float32 if dtype == np.float16 else dtype
    found = np.einsum(subscripts, *[np.asarray(x, wide) for x in operands], optimize=True)
    return found.astype(dtype, copy=False)


# --- general --------------------------------------------------------------------------------------


def _extremum_vjp(g: Any, out: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    chosen = _chosen(out, x, axis)
    return _kept(g, x.shape, axis) * chosen


def _extremum_jvp(tangents: Any, out: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    return sum(tangents[0] * _chosen(out, x, axis), axis, keepdims)


def _chosen(out: Any, x: Any, axis: Any) -> Any:
    """1 at the extremum of each slice, in equal parts where several elements share it."""
    hits = equal(x, _kept(out, x.shape, axis))
    if not _holds(x.dtype, prod(x.shape)):
        return astype(hits / sum(hits, axis, keepdims=True), x.dtype)
    hits = astype(hits, x.dtype)
    return hits / sum(hits, axis, keepdims=True)


def _extremum_shape(shape: Shape, axis: Any = None, keepdims: bool = False) -> Shape:
    if 0 in (shape[i] for i in axis_numbers(len(shape), axis)):
        raise ValueError(f"shape {shape} has no elements to choose from")
    return _reduced(shape, axis, keepdims)


@general("max", _extremum_vjp, jvp=_extremum_jvp, shape=_extremum_shape)
def max(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest element over `axis` (None: over all)."""
    return np.max(x, axis=axis, keepdims=keepdims)


@general("min", _extremum_vjp, jvp=_extremum_jvp, shape=_extremum_shape)
def min(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest element over `axis` (None: over all)."""
    return np.min(x, axis=axis, keepdims=keepdims)


def _where_jvp(tangents: Any, out: Any, condition: Any, x: Any, y: Any) -> Any:
    dx, dy = (0 if t is None else t for t in tangents[1:])
    return where(condition, dx, dy)


@general(
    "where",
    None,
    lambda g, out, condition, x, y: where(condition, g, 0),
    lambda g, out, condition, x, y: where(condition, 0, g),
    jvp=_where_jvp,
    shape=broadcast_shape,
)
def where(condition: Any, x: Any, y: Any) -> Any:
    """x where the condition holds, y elsewhere."""
    return np.where(condition, x, y)


def _share(out: Any, x: Any, axis: Any) -> Any:
    """e to the power of each element, divided by their sum over `axis`: the softmax."""
    return exp(x - _kept(out, x.shape, axis))


@general(
    "logsumexp",
    lambda g, out, x, axis, keepdims: _kept(g, x.shape, axis) * _share(out, x, axis),
    jvp=lambda dxs, out, x, axis, keepdims: sum(dxs[0] * _share(out, x, axis), axis, keepdims),
    shape=_extremum_shape,
)
def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """log Σ eˣ over `axis` (None: over all), without overflow."""
    x = in_floats(x)
    if _is_half(x):
        return logsumexp(x.astype(np.float32), axis, keepdims).astype(x.dtype)
    largest = np.max(x, axis=axis, keepdims=True)
    if not np.isfinite(largest).all():
        largest = np.where(np.isfinite(largest), largest, 0)  # ∞ − ∞ is no number
    total = np.log(np.sum(np.exp(x - largest), axis=axis, keepdims=True)) + largest
    return total if keepdims else np.reshape(total, _reduced(np.shape(x), axis))


@general("stop", None, shape=lambda s: s)
def stop_gradient(x: Any) -> Any:
    """x itself, as a constant: no gradient flows through."""
    return x


# Whole numbers, which carry no gradient.


@general("class", None, shape=lambda s, classes: s)
def class_numbers(x: Any, classes: int) -> Any:
    """x itself, which must name classes: whole numbers from 0 to below `classes`."""
    if (wrong := x[(x < 0) | (x >= classes)]).size:
        raise ShapeError(f"label {wrong.flat[0]} is none of the {classes} classes")
    return x


def _place_shape(shape: Shape, axis: Any = None, keepdims: bool = False) -> Shape:
    if axis is not None:
        normalize_axis_index(axis, len(shape) or 1)
    return _extremum_shape(shape, axis, keepdims)


@general("argmax", None, shape=_place_shape)
def argmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The place of the (first) largest element along `axis` (None: in x made flat)."""
    return np.argmax(x, axis=axis, keepdims=keepdims)


@general("argmin", None, shape=_place_shape)
def argmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The place of the (first) smallest element along `axis` (None: in x made flat)."""
    return np.argmin(x, axis=axis, keepdims=keepdims)


@general("argsort", None, shape=lambda s, axis=-1: _cumsum_shape(s, axis))
def argsort(x: Any, axis: Any = -1) -> Any:
    """The places of the elements along `axis` in rising order, equal ones as they stand."""
    return np.argsort(x, axis=axis, kind="stable")
