"""The table of operations: each stated once, beside its derivative.

Read it from the top: elementwise operations are one row each, with the partial derivative by each
input. Below stand those that are linear, by their transpose. `indexing.py` adds two of these, and
the floor above all that networks need besides; to the engine their rows are like these.

Convention where a derivative has a choice: |x| takes 0 at the kink.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ..errors.shapes import (
    Shape,
    axis_numbers,
    blank,
    broadcast_shape,
    broadcast_to_shape,
    matmul_shape,
    reduced,
    transpose_shape,
)
from .node import Node
from .stating import elementwise, linear

# --- elementwise: the partial derivatives, as formulas that are shown and run ---------------------

# Partial derivatives that compute with one input alone take it in the dtype of the result. In
# another a quotient or a logarithm has too few digits, and a square or y − 1 may wrap around.

Y_LIKE_OUT = "(y if y.dtype == out.dtype else astype(y, out.dtype))"


def as_dtype_of(out: Any, x: Any) -> Any:
    """An input in the dtype of the result."""
    return x if x.dtype == out.dtype else astype(x, out.dtype)


def _power_by_first(out: Any, x: Any, y: Any) -> Any:
    """y · x^(y − 1), with exponent 0 where x and y are both 0, for 0 · 0⁻¹ is no number."""
    y = as_dtype_of(out, y)
    if isinstance(y, Node) or y.shape:
        return y * x ** (y - 1 + equal(x, 0) * equal(y, 0))
    return y * x ** (y - 1 if y else y)


def _power_by_second(out: Any, x: Any, y: Any) -> Any:
    """out · log x, and 0 where x is 0."""
    x = as_dtype_of(out, x)
    return out * log(x + equal(x, 0))


# Each row: name, symbol, what it computes, how, and the partial derivative by each input. In a pair
# the first formula is shown and the second runs, with care at single points. The functions of
# `operator` are ten times as fast as np.add and so on for scalars, and the same for arrays.
# fmt: off
add      = elementwise("add",      "+",    "x + y",           operator.add,     "1", "1")
subtract = elementwise("subtract", "−",    "x − y",           operator.sub,     "1", "-1")
multiply = elementwise("multiply", "×",    "x · y",           operator.mul,     "y", "x")
divide   = elementwise("divide",   "÷",    "x / y",           operator.truediv,
                       ("1 / y",            f"1 / {Y_LIKE_OUT}"), "-out / y")
power    = elementwise("power",    "^",    "x to the power y", operator.pow,
                       ("y * x ** (y - 1)", _power_by_first),
                       ("out * log(x)",     _power_by_second))
negative = elementwise("negative", "−",    "−x",              operator.neg,     "-1")
absolute = elementwise("absolute", "|x|",  "|x|",             operator.abs,     "sign(x)")
square   = elementwise("square",   "x²",   "x · x",           np.square,        "2 * x")
sqrt     = elementwise("sqrt",     "√",    "√x",              np.sqrt,          "0.5 / out")
exp      = elementwise("exp",      "exp",  "eˣ",              np.exp,           "out")
log      = elementwise("log",      "log",  "the natural logarithm of x", np.log, "1 / x")
sin      = elementwise("sin",      "sin",  "sin x, in radians", np.sin,         "cos(x)")
cos      = elementwise("cos",      "cos",  "cos x, in radians", np.cos,         "-sin(x)")
tanh     = elementwise("tanh",     "tanh", "tanh x",          np.tanh,          "1 - out * out")
sign     = elementwise("sign",     "sign", "−1, 0 or 1",      np.sign,          "0")

# Booleans, which carry no gradient.
equal         = elementwise("equal",         "=", "whether x = y", np.equal,         "0", "0")
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
    return reshaped(sum(g, axis=(*range(new), *stretched)), shape)


def reshaped(x: Any, shape: Shape) -> Any:
    """A value in a shape, which it may have already."""
    return x if x.shape == shape else reshape(x, shape)


def kept(g: Any, shape: Shape, axis: Any) -> Any:
    """Put back, with size 1, the axes that a reduction took away."""
    return reshaped(g, reduced(shape, axis, keepdims=True))


def spread(g: Any, shape: Shape, axis: Any) -> Any:
    """Undo the shape change of a reduction: give every summand its share of g."""
    return broadcast_to(kept(g, shape, axis) if g.shape else g, shape)


def is_half(x: Any) -> bool:
    """Whether a value is float16, which has 3 digits and ends at 65,504: too few for sums."""
    return isinstance(x, np.ndarray | np.generic) and x.dtype.char == "e"


@linear("Σ", lambda g, out, x, axis, keepdims: spread(g, x.shape, axis), shape=reduced)
def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum over `axis` (None: over all)."""
    if is_half(x):
        return np.sum(x, axis, np.float32, keepdims=keepdims).astype(x.dtype)
    return np.add.reduce(x, axis=axis, keepdims=keepdims)  # type: ignore  # a fast np.sum


@linear(
    "reshape",
    lambda g, out, x, shape: reshape(g, x.shape),
    shape=lambda s, shape: blank(s).reshape(shape).shape,
)
def reshape(x: Any, shape: Any) -> Any:
    """The same elements in another shape; one size may be -1, to be found from the others."""
    return np.reshape(x, shape)


def _transpose_transpose(g: Any, out: Any, x: Any, axes: Any) -> Any:
    if axes is not None:
        axes = tuple(np.argsort(axis_numbers(len(x.shape), axes)).tolist())
    return transpose(g, axes)


@linear("ᵀ", _transpose_transpose, shape=transpose_shape)
def transpose(x: Any, axes: Any = None) -> Any:
    """The axes in another order; None reverses them."""
    return np.transpose(x, axes)


@linear("ᵀ", lambda g, out, x: matrix_transpose(g), shape=lambda s: blank(s).mT.shape)
def matrix_transpose(x: Any) -> Any:
    """The last two axes swapped."""
    return x.swapaxes(-1, -2)


@linear("↔", lambda g, out, x, shape: unbroadcast(g, x.shape), shape=broadcast_to_shape)
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


def _as_matrices(g: Any, x: Any, y: Any) -> tuple[Any, Any, Any]:
    """View the vectors among x (a row) and y (a column) as matrices, and g to match."""
    rows, columns = x.shape[-2:-1] or (1,), y.shape[-1:] if len(y.shape) > 1 else (1,)
    batch = broadcast_shape(x.shape[:-2], y.shape[:-2])
    return (
        reshaped(g, (*batch, *rows, *columns)),
        x if len(x.shape) > 1 else reshape(x, (1, *x.shape)),
        y if len(y.shape) > 1 else reshape(y, (*y.shape, 1)),
    )


# The rules of matmul begin with the case of two matrices, for it is most of what networks compute.


def _matmul_first(g: Any, out: Any, x: Any, y: Any) -> Any:
    if len(x.shape) == 2 == len(y.shape):
        return matmul(g, matrix_transpose(y))
    g, rows, columns = _as_matrices(g, x, y)
    return reshaped(unbroadcast(matmul(g, matrix_transpose(columns)), rows.shape), x.shape)


def _matmul_second(g: Any, out: Any, x: Any, y: Any) -> Any:
    if len(x.shape) == 2 == len(y.shape):
        return matmul(matrix_transpose(x), g)
    g, rows, columns = _as_matrices(g, x, y)
    return reshaped(unbroadcast(matmul(matrix_transpose(rows), g), columns.shape), y.shape)


@linear("@", _matmul_first, _matmul_second, shape=matmul_shape)
def matmul(x: Any, y: Any) -> Any:
    """The matrix product x @ y, over stacks of matrices where there are more than two axes."""
    return np.matmul(x, y)
