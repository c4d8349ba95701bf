"""The table of operations: every primitive, stated once.

Read it from the top: elementwise operations are one row each, with the partial derivative by each
input. Below stand those that are linear, by their transpose, and the few that are neither. At the
foot Node gets its operators.

Conventions where a derivative has a choice: |x| and relu take 0 at the kink; maximum, minimum, max
and min share the gradient equally between ties, as PyTorch does.
"""

from __future__ import annotations

import difflib
import operator
from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from .errors import NodeTypeError
from .node import Node, describe
from .operation import (
    FUNCTIONS,
    Function,
    Operation,
    Shape,
    broadcast_shape,
    elementwise,
    explained,
    general,
    linear,
    operand,
    record,
)

# --- elementwise: the partial derivatives, as formulas that are shown and run ---------------------


def _sigmoid(x: Any) -> Any:
    """1 / (1 + e⁻ˣ), with e only ever raised to a negative power, so that nothing overflows."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, small) / (1 + small)


def _relu(x: Any) -> Any:
    return np.maximum(x, 0)


def _xlogy(x: Any, y: Any) -> Any:
    at_zero = np.equal(x, 0)
    return np.where(at_zero, 0, x * np.log(np.where(at_zero, 1, y)))


def _power_slope(x: Any, y: Any) -> Any:
    """y · x^(y − 1), with exponent 0 where x and y are both 0, for 0 · 0⁻¹ is no number."""
    if isinstance(y, Node) or y.shape:
        return y * x ** (y - 1 + equal(x, 0) * equal(y, 0))
    return y * x ** (y - 1 if y else y)


# Each row: name, symbol, what it computes, how, and the partial derivative by each input. In a pair
# the first formula is shown and the second runs, with care at single points. The functions of
# `operator` are ten times as fast as np.add and so on for scalars, and the same for arrays.
# fmt: off
add      = elementwise("add",      "+",    "x + y",           operator.add,     "1", "1")
subtract = elementwise("subtract", "−",    "x − y",           operator.sub,     "1", "-1")
multiply = elementwise("multiply", "×",    "x · y",           operator.mul,     "y", "x")
divide   = elementwise("divide",   "÷",    "x / y",           operator.truediv, "1 / y", "-out / y")
power    = elementwise("power",    "^",    "x to the power y", operator.pow,
                       ("y * x ** (y - 1)", _power_slope),
                       ("out * log(x)",     "out * log(x + equal(x, 0))"))
negative = elementwise("negative", "−",    "−x",              operator.neg,     "-1")
absolute = elementwise("absolute", "|x|",  "|x|",             operator.abs,     "sign(x)")
square   = elementwise("square",   "x²",   "x · x",           np.square,        "2 * x")
sqrt     = elementwise("sqrt",     "√",    "√x",              np.sqrt,          "0.5 / out")
exp      = elementwise("exp",      "exp",  "eˣ",              np.exp,           "out")
log      = elementwise("log",      "log",  "the natural logarithm of x", np.log, "1 / x")
sin      = elementwise("sin",      "sin",  "sin x, in radians", np.sin,         "cos(x)")
cos      = elementwise("cos",      "cos",  "cos x, in radians", np.cos,         "-sin(x)")
tanh     = elementwise("tanh",     "tanh", "tanh x",          np.tanh,          "1 - out * out")
sigmoid  = elementwise("sigmoid",  "σ",    "1 / (1 + e⁻ˣ)",   _sigmoid,         "out * (1 - out)")
relu     = elementwise("relu",     "relu", "x if x > 0, else 0", _relu,
                       ("1 if x > 0 else 0", "greater(x, 0)"))
maximum  = elementwise("maximum",  "max",  "the larger of x and y", np.maximum,
                       ("1 if x > y else 0", "greater(x, y) + 0.5 * equal(x, y)"),
                       ("1 if y > x else 0", "greater(y, x) + 0.5 * equal(x, y)"))
minimum  = elementwise("minimum",  "min",  "the smaller of x and y", np.minimum,
                       ("1 if x < y else 0", "less(x, y) + 0.5 * equal(x, y)"),
                       ("1 if y < x else 0", "less(y, x) + 0.5 * equal(x, y)"))
xlogy    = elementwise("xlogy",    "xlogy", "x · log y, 0 where x = 0", _xlogy, "log(y)", "x / y")
sign     = elementwise("sign",     "sign", "−1, 0 or 1",      np.sign,          "0")

# Booleans, which carry no gradient.
equal         = elementwise("equal",         "=", "whether x = y", np.equal,         "0", "0")
greater       = elementwise("greater",       ">", "whether x > y", np.greater,       "0", "0")
greater_equal = elementwise("greater_equal", "≥", "whether x ≥ y", np.greater_equal, "0", "0")
less          = elementwise("less",          "<", "whether x < y", np.less,          "0", "0")
less_equal    = elementwise("less_equal",    "≤", "whether x ≤ y", np.less_equal,    "0", "0")
# fmt: on


# --- linear: the transpose takes a gradient of the output back to the input -----------------------


def unbroadcast(g: Any, shape: Shape) -> Any:
    """Sum over the axes that broadcasting added or stretched. The one place that does."""
    if g.shape == shape:
        return g
    new = len(g.shape) - len(shape)
    stretched = tuple(i + new for i, n in enumerate(shape) if n == 1 and g.shape[i + new] != 1)
    return _reshaped(sum(g, axis=(*range(new), *stretched)), shape)


def _reshaped(x: Any, shape: Shape) -> Any:
    return x if x.shape == shape else reshape(x, shape)


def _axes(ndim: int, axis: Any) -> tuple[int, ...]:
    """The axes that `axis` names, as numbers from 0; raises NumPy's AxisError (a ValueError)."""
    if axis is None or (ndim == 0 and axis in (0, -1)):  # NumPy lets a scalar be reduced so
        return tuple(range(ndim))
    return normalize_axis_tuple(axis, ndim)


def _reduced(shape: Shape, axis: Any = None, keepdims: bool = False) -> Shape:
    axes = _axes(len(shape), axis)
    if keepdims:
        return tuple(1 if i in axes else n for i, n in enumerate(shape))
    return tuple(n for i, n in enumerate(shape) if i not in axes)


def _spread(g: Any, shape: Shape, axis: Any) -> Any:
    """Undo the shape change of a reduction: give every summand its share of g."""
    return broadcast_to(_reshaped(g, _reduced(shape, axis, keepdims=True)), shape)


@linear("Σ", lambda g, out, x, axis, keepdims: _spread(g, x.shape, axis), shape=_reduced)
def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum over `axis` (None: over all)."""
    return np.sum(x, axis=axis, keepdims=keepdims)


def _mean_transpose(g: Any, out: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    count = prod(x.shape[i] for i in _axes(len(x.shape), axis))
    return _spread(g / count, x.shape, axis)


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
    order = range(len(old))[::-1] if axes is None else _axes(len(old), axes)
    if len(order) != len(old):
        raise ValueError(f"axes {axes} must name each of the axes 0 to {len(old) - 1} once")
    return tuple(old[i] for i in order)


def _transpose_transpose(g: Any, out: Any, x: Any, axes: Any) -> Any:
    if axes is not None:
        axes = tuple(np.argsort(_axes(len(x.shape), axes)).tolist())
    return transpose(g, axes)


@linear("ᵀ", _transpose_transpose, shape=_transpose_shape)
def transpose(x: Any, axes: Any = None) -> Any:
    """The axes in another order; None reverses them."""
    return np.transpose(x, axes)


@linear("ᵀ", lambda g, out, x: matrix_transpose(g), shape=lambda s: _blank(s).mT.shape)
def matrix_transpose(x: Any) -> Any:
    """The last two axes swapped."""
    return np.swapaxes(x, -1, -2)


def _broadcast_to_shape(old: Shape, shape: Any) -> Shape:
    wanted = _blank(shape).shape  # a tuple, though NumPy takes a list or number too
    if broadcast_shape(old, wanted) != wanted:
        raise ValueError(f"shape {old} cannot be stretched to {wanted}")
    return wanted


@linear("↔", lambda g, out, x, shape: unbroadcast(g, x.shape), shape=_broadcast_to_shape)
def broadcast_to(x: Any, shape: Any) -> Any:
    """x repeated along new or one-sized axes until it has `shape`."""
    return np.broadcast_to(x, shape)


@linear("cast", lambda g, out, x, dtype: astype(g, x.dtype), shape=lambda s, dtype: s)
def astype(x: Any, dtype: Any) -> Any:
    """x in another dtype of real numbers."""
    if np.dtype(dtype).kind not in "fiub":
        raise TypeError(f"a Node holds real numbers, not {np.dtype(dtype)}")
    return x.astype(dtype, copy=False)


@linear(
    "[ ]",
    lambda g, out, x, index: scatter_add(g, index, x.shape),
    shape=lambda s, index: _blank(s)[index].shape,
)
def getitem(x: Any, index: Any) -> Any:
    """x[index], with NumPy's basic and advanced indexing."""
    return x[index]


@linear(
    "[ ]ᵀ",
    lambda g, out, x, index, shape: getitem(g, index),
    shape=lambda s, index, shape: tuple(shape),
)
def scatter_add(x: Any, index: Any, shape: Any) -> Any:
    """Zeros of `shape` with x added at `index`; places that are named twice receive twice."""
    out = np.zeros(shape, x.dtype)
    np.add.at(out, index, x)
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


def _matmul_first(g: Any, out: Any, x: Any, y: Any) -> Any:
    g, rows, columns = _as_matrices(g, x, y)
    return _reshaped(unbroadcast(matmul(g, matrix_transpose(columns)), rows.shape), x.shape)


def _matmul_second(g: Any, out: Any, x: Any, y: Any) -> Any:
    g, rows, columns = _as_matrices(g, x, y)
    return _reshaped(unbroadcast(matmul(matrix_transpose(rows), g), columns.shape), y.shape)


@linear("@", _matmul_first, _matmul_second, shape=_matmul_shape)
def matmul(x: Any, y: Any) -> Any:
    """The matrix product x @ y, over stacks of matrices where there are more than two axes."""
    return np.matmul(x, y)


# --- general --------------------------------------------------------------------------------------


def _extremum_vjp(g: Any, out: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    chosen = _chosen(out, x, axis)
    return _spread(g, x.shape, axis) * chosen


def _extremum_jvp(tangents: Any, out: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    return sum(tangents[0] * _chosen(out, x, axis), axis, keepdims)


def _chosen(out: Any, x: Any, axis: Any) -> Any:
    """1 at the extremum of each slice, in equal parts where several elements share it."""
    hits = astype(equal(x, _spread(out, x.shape, axis)), x.dtype)
    return hits / sum(hits, axis, keepdims=True)


def _extremum_shape(shape: Shape, axis: Any = None, keepdims: bool = False) -> Shape:
    if 0 in (shape[i] for i in _axes(len(shape), axis)):
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


# --- Node's operators -----------------------------------------------------------------------------


def _binary(function: Function) -> Function:
    """The method for an operator: the fast path of `apply` for one Node and another operand."""
    op: Operation = function.op  # type: ignore[attr-defined]
    forward = op.forward

    def method(self: Node, other: Any) -> Any:
        if other.__class__ is not Node:
            other = operand(other, self)
        try:
            value = forward(self._value, other._value)
        except (ValueError, TypeError) as error:
            raise explained(op, (self, other), {}, error) from None
        return record(op, (self, other), value)

    return method


def _reflected(function: Function) -> Function:
    def method(self: Node, other: Any) -> Any:
        return function(other, self)

    return method


def _plain_index(index: Any) -> Any:
    """The index to keep for later: Nodes replaced by their values, arrays copied."""
    if isinstance(index, tuple):
        return tuple(_plain_index(i) for i in index)
    if isinstance(index, Node):
        index = index.value
    return np.array(index) if isinstance(index, (list, np.ndarray)) else index


def _length(self: Node) -> int:
    if not self.shape:
        raise NodeTypeError(f"{describe(self)} is a scalar and has no length", (self,))
    return self.shape[0]


def _iterate(self: Node) -> Iterator[Node]:
    return (self[i] for i in range(len(self)))


def _array_ufunc(self: Node, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
    function = FUNCTIONS.get(ufunc.__name__)
    if function is None or method != "__call__" or options:
        raise _unsupported(
            ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}", options
        )
    return function(*inputs)


def _array_function(self: Node, f: Any, types: Any, args: tuple, options: dict) -> Any:
    function = FUNCTIONS.get(f.__name__)
    if function is None or getattr(np, f.__name__, None) is not f:
        raise _unsupported(f.__name__, {})
    return function(*args, **options)


def _unsupported(name: str, options: dict[str, Any]) -> NodeTypeError:
    if options:
        return NodeTypeError(f"np.{name} on a Node takes no {', '.join(options)}")
    near = difflib.get_close_matches(name, FUNCTIONS, n=3)
    hint = f"there is {', '.join(near)}" if near else "compose it, or make it with mg.custom"
    return NodeTypeError(f"np.{name} does not work on Nodes; {hint}")


for _name, _function in {
    "add": add, "sub": subtract, "mul": multiply, "truediv": divide, "pow": power, "matmul": matmul,
}.items():  # fmt: skip
    setattr(Node, f"__{_name}__", _binary(_function))
    setattr(Node, f"__r{_name}__", _reflected(_function))
for _name, _method in {
    "__gt__": greater,
    "__lt__": less,
    "__ge__": greater_equal,
    "__le__": less_equal,
    "__neg__": negative,
    "__pos__": lambda self: self,
    "__abs__": absolute,
    "__getitem__": lambda self, index: getitem(self, _plain_index(index)),
    "__len__": _length,
    "__iter__": _iterate,
    "__array_ufunc__": _array_ufunc,
    "__array_function__": _array_function,
    "T": property(transpose),
    "sum": sum,
    "mean": mean,
    "reshape": lambda self, *shape: reshape(self, shape[0] if len(shape) == 1 else shape),
    "transpose": lambda self, *axes: transpose(self, axes[0] if len(axes) == 1 else axes or None),
}.items():
    setattr(Node, _name, _method)
