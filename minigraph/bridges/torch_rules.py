"""ATen's operations as minigraph's: a rule for each, which makes Nodes.

A rule is given what PyTorch gives, as a tensor without numbers, and then the arguments of the call,
with Nodes for tensors. It may leave the dtype to `torch_taking.py`, which casts where the two
systems differ. Rules that take several operations are folded into one box that opens.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from string import ascii_letters
from typing import Any

import numpy as np
import torch

from ..core.indexing import getitem, scatter_add
from ..core.node import Node, constant
from ..core.operation import FUNCTIONS
from ..core.table import (
    absolute,
    add,
    astype,
    broadcast_to,
    divide,
    equal,
    exp,
    log,
    matmul,
    multiply,
    negative,
    power,
    reshape,
    sign,
    sqrt,
    square,
    subtract,
    sum,
    tanh,
    transpose,
)
from ..graph.composing import folding
from ..graph.functions import (
    clip,
    conv2d,
    cross_entropy,
    diagonal,
    expand_dims,
    flip,
    log_softmax,
    moveaxis,
    outer,
    pad,
    prod,
    softmax,
    split,
    squeeze,
    stack,
    swapaxes,
    take,
    take_along_axis,
    tril,
    triu,
    var,
)
from ..graph.joining import concatenate, stop_gradient, where
from ..graph.products import einsum
from ..graph.reductions import argmax, argmin, argsort, logsumexp, max, mean, min
from ..graph.rows import (
    erf,
    expm1,
    floor,
    greater,
    greater_equal,
    less,
    less_equal,
    log1p,
    logaddexp,
    logical_and,
    logical_not,
    logical_or,
    maximum,
    minimum,
    not_equal,
    rint,
    sigmoid,
)
from ..graph.sliding import overlap_add, windows
from .kernels import convolved, taps
from .torch_dtypes import dtype_of
from .translating import Rules, refusal

RANDOM = (
    "it draws random numbers, and a graph has none: call model.eval() first if it is a layer such "
    "as dropout; else draw them outside, and give them as an example"
)
BY_VALUES = (
    "its shape or number depends on values, and a graph has shapes that are known beforehand: "
    "choose with torch.where, which keeps the shape, or give the number as an example"
)
FROM = Rules(
    "PyTorch",
    {
        "aten.median": "take torch.sort(x, dim)[0] and its middle",
        "aten.cumprod": "take torch.exp(torch.cumsum(torch.log(x), dim)) of positive numbers",
        "aten.as_strided": "take x[…], x.unfold(…) or x.reshape(…)",
    },
)


def _plain(function: Callable[..., Any], *names: str) -> None:
    """State that an operation is a function of minigraph with the same arguments."""

    @FROM.rule(*(f"aten.{name}" for name in names))
    def _(out: Any, x: Any, *args: Any, dtype: torch.dtype | None = None) -> Any:
        return function(_cast(x, dtype), *args)


def _cast(x: Any, dtype: torch.dtype | None) -> Any:
    """x in the dtype in which an operation is to compute, if it names one."""
    return x if dtype is None else astype(x, dtype_of(dtype))


for _name in ("arctan2", "exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "sin", "cos",
              "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh",
              "arctanh", "erf", "sigmoid", "relu", "sign", "floor", "ceil", "square", "sqrt",
              "reciprocal", "absolute", "negative", "maximum", "minimum", "hypot", "logaddexp",
              "xlogy", "isnan", "isfinite", "logical_not", "logical_and", "logical_or", "multiply",
              "remainder", "matmul", "outer", "not_equal", "greater", "greater_equal", "less",
              "less_equal", "cumsum"):  # fmt: skip
    _plain(FUNCTIONS[_name], _name)
for _function, _names in (
    (absolute, ("abs",)), (negative, ("neg",)), (multiply, ("mul",)), (sign, ("sgn",)),
    (equal, ("eq",)), (not_equal, ("ne",)), (greater, ("gt",)), (greater_equal, ("ge",)),
    (less, ("lt",)), (less_equal, ("le",)), (power, ("pow", "float_power")),
    (FUNCTIONS["arcsin"], ("asin",)), (FUNCTIONS["arccos"], ("acos",)),
    (FUNCTIONS["arctan"], ("atan",)), (FUNCTIONS["arctan2"], ("atan2",)),
    (FUNCTIONS["arcsinh"], ("asinh",)), (FUNCTIONS["arccosh"], ("acosh",)),
    (FUNCTIONS["arctanh"], ("atanh",)), (FUNCTIONS["xlogy"], ("special_xlogy",)),
    (FUNCTIONS["exp2"], ("special_exp2",)), (FUNCTIONS["erf"], ("special_erf",)),
    (sigmoid, ("special_expit",)), (expm1, ("special_expm1",)), (log1p, ("special_log1p",)),
    (matmul, ("mm", "bmm", "mv", "dot")),
):  # fmt: skip
    _plain(_function, *_names)


# --- arithmetic -----------------------------------------------------------------------------------


def _scaled(x: Any, alpha: Any) -> Any:
    return x if alpha == 1 else x * alpha


@FROM.rule("aten.add")
def _(out: Any, x: Any, y: Any, *, alpha: Any = 1) -> Any:
    return add(x, _scaled(y, alpha))


@FROM.rule("aten.sub", "aten.subtract")
def _(out: Any, x: Any, y: Any, *, alpha: Any = 1) -> Any:
    return subtract(x, _scaled(y, alpha))


@FROM.rule("aten.rsub")
def _(out: Any, x: Any, y: Any, alpha: Any = 1) -> Any:
    return subtract(y, _scaled(x, alpha))


@folding
def _trunc(x: Any) -> Any:
    return sign(x) * floor(absolute(x))


@FROM.rule("aten.floor_divide")
def _(out: Any, x: Any, y: Any) -> Any:
    return floor(divide(x, y))


@FROM.rule("aten.div", "aten.divide", "aten.true_divide")
def _(out: Any, x: Any, y: Any, *, rounding_mode: str | None = None) -> Any:
    quotient = divide(x, y)
    if rounding_mode == "trunc":
        return _trunc(quotient)
    is_whole = rounding_mode == "floor" or not out.dtype.is_floating_point
    return floor(quotient) if is_whole else quotient


@FROM.rule("aten.fmod")
@folding
def _fmod(out: Any, x: Any, y: Any) -> Any:
    return x - stop_gradient(_trunc(x / y)) * y


_plain(_trunc, "trunc", "fix")


@FROM.rule("aten.frac")
@folding
def _frac(out: Any, x: Any) -> Any:
    return x - _trunc(x)


@FROM.rule("aten.round")
def _(out: Any, x: Any, *, decimals: int = 0) -> Any:
    return rint(x) if decimals == 0 else rint(x * 10.0**decimals) / 10.0**decimals


@FROM.rule("aten.rsqrt")
@folding
def _rsqrt(out: Any, x: Any) -> Any:
    return 1.0 / sqrt(x)


@FROM.rule("aten.erfc", "aten.special_erfc")
@folding
def _erfc(out: Any, x: Any) -> Any:
    return 1.0 - erf(x)


@FROM.rule("aten.sinc", "aten.special_sinc")
@folding
def _sinc(out: Any, x: Any) -> Any:
    flat = equal(x, 0)
    angle = where(flat, 1.0, x * math.pi)
    return where(flat, 1.0, FUNCTIONS["sin"](angle) / angle)


@FROM.rule("aten.logit", "aten.special_logit")
@folding
def _logit(out: Any, x: Any, eps: float | None = None) -> Any:
    x = x if eps is None else clip(x, eps, 1 - eps)
    return log(x / (1.0 - x))


@FROM.rule("aten.addcmul")
def _(out: Any, x: Any, y: Any, z: Any, *, value: Any = 1) -> Any:
    return x + _scaled(y * z, value)


@FROM.rule("aten.addcdiv")
def _(out: Any, x: Any, y: Any, z: Any, *, value: Any = 1) -> Any:
    return x + _scaled(y / z, value)


@FROM.rule("aten.lerp")
def _(out: Any, x: Any, y: Any, weight: Any) -> Any:
    return x + weight * (y - x)


@FROM.rule("aten.deg2rad")
def _(out: Any, x: Any) -> Any:
    return x * (math.pi / 180)


@FROM.rule("aten.rad2deg")
def _(out: Any, x: Any) -> Any:
    return x * (180 / math.pi)


@FROM.rule("aten.logaddexp2")
@folding
def _logaddexp2(out: Any, x: Any, y: Any) -> Any:
    return logaddexp(x * math.log(2), y * math.log(2)) / math.log(2)


@FROM.rule("aten.isinf")
def _(out: Any, x: Any) -> Any:
    return equal(absolute(x), np.inf)


@FROM.rule("aten.logical_xor")
def _(out: Any, x: Any, y: Any) -> Any:
    return not_equal(not_equal(x, 0), not_equal(y, 0))


def _bits(name: str, of_booleans: Callable[..., Any]) -> None:
    """State an operation on bits for booleans only."""

    @FROM.rule(f"aten.bitwise_{name}", f"aten.__{name}__")
    def _(out: Any, *args: Any) -> Any:
        if out.dtype != torch.bool:
            raise refusal(f"bitwise_{name} of whole numbers cannot be translated")
        return of_booleans(*args)


for _name, _function in (
    ("and", logical_and), ("or", logical_or), ("not", logical_not), ("xor", not_equal)
):  # fmt: skip
    _bits(_name, _function)


# --- choices --------------------------------------------------------------------------------------


@FROM.rule("aten.where")
def _(out: Any, condition: Any, x: Any, y: Any) -> Any:
    return where(condition, x, y)


@FROM.rule("aten.masked_fill")
def _(out: Any, x: Any, mask: Any, value: Any) -> Any:
    return where(mask, value, x)


@FROM.rule("aten.clamp", "aten.clip", "aten.clamp_min", "aten.clamp_max")
def _(out: Any, x: Any, min: Any = None, max: Any = None) -> Any:
    return clip(x, min, max)


FROM.rule("aten.clamp_max")(lambda out, x, largest: clip(x, None, largest))


@FROM.rule("aten.hardtanh")
@folding
def _hardtanh(out: Any, x: Any, low: float = -1.0, high: float = 1.0) -> Any:
    return where(less_equal(x, low), low, where(greater_equal(x, high), high, x))


FROM.rule("aten.relu6")(lambda out, x: _hardtanh(out, x, 0.0, 6.0))


@FROM.rule("aten.threshold")
def _(out: Any, x: Any, threshold: float, value: float) -> Any:
    return where(less_equal(x, threshold), value, x)


@FROM.rule("aten.hardshrink")
@folding
def _hardshrink(out: Any, x: Any, width: float = 0.5) -> Any:
    return where(less_equal(absolute(x), width), 0.0, x)


@FROM.rule("aten.softshrink")
@folding
def _softshrink(out: Any, x: Any, width: float = 0.5) -> Any:
    return where(greater(x, width), x - width, where(less(x, -width), x + width, 0.0))


# --- activations ----------------------------------------------------------------------------------


@FROM.rule("aten.gelu")
@folding
def _gelu(out: Any, x: Any, *, approximate: str = "none") -> Any:
    if approximate == "tanh":
        return x * 0.5 * (1.0 + tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))
    return x * 0.5 * (1.0 + erf(x * math.sqrt(0.5)))


@FROM.rule("aten.silu")
@folding
def _silu(out: Any, x: Any) -> Any:
    return x * sigmoid(x)


@FROM.rule("aten.leaky_relu")
@folding
def _leaky_relu(out: Any, x: Any, slope: float = 0.01) -> Any:
    return where(greater(x, 0), x, slope * x)


@FROM.rule("aten.rrelu")
def _(out: Any, x: Any, low: float = 1 / 8, high: float = 1 / 3, training: bool = False, *_: Any):
    if training:
        raise refusal("aten.rrelu in training cannot be translated", instead=RANDOM)
    return _leaky_relu(out, x, (low + high) / 2)


@FROM.rule("aten.prelu", "aten._prelu_kernel")
@folding
def _prelu(out: Any, x: Any, slope: Any) -> Any:
    if slope.shape and len(slope.shape) == 1 < len(x.shape):
        slope = reshape(slope, (-1, *(1,) * (len(x.shape) - 2)))
    return where(greater(x, 0), x, slope * x)


@FROM.rule("aten.elu")
@folding
def _elu(out: Any, x: Any, alpha: Any = 1.0, scale: Any = 1.0, input_scale: Any = 1.0) -> Any:
    is_high = greater(x, 0)
    low = where(is_high, 0.0, x)  # so that what is not chosen does not overflow
    return where(is_high, _scaled(x, scale), alpha * scale * expm1(_scaled(low, input_scale)))


@FROM.rule("aten.selu")
def _(out: Any, x: Any) -> Any:
    return _elu(out, x, 1.6732632423543772848170429916717, 1.0507009873554804934193349852946)


@FROM.rule("aten.celu")
def _(out: Any, x: Any, alpha: float = 1.0) -> Any:
    return _elu(out, x, alpha, 1.0, 1.0 / alpha)


@FROM.rule("aten.softplus")
@folding
def _softplus(out: Any, x: Any, beta: Any = 1, threshold: Any = 20) -> Any:
    scaled = _scaled(x, beta)
    is_high = greater(scaled, threshold)
    return where(is_high, x, logaddexp(where(is_high, 0.0, scaled), 0.0) / beta)


@FROM.rule("aten.log_sigmoid")
@folding
def _log_sigmoid(out: Any, x: Any) -> Any:
    return -logaddexp(-x, 0.0)


@FROM.rule("aten.mish")
@folding
def _mish(out: Any, x: Any) -> Any:
    return x * tanh(_softplus(out, x))


@FROM.rule("aten.hardsigmoid")
@folding
def _hardsigmoid(out: Any, x: Any) -> Any:
    return _hardtanh(out, x + 3.0, 0.0, 6.0) / 6.0


@FROM.rule("aten.hardswish")
@folding
def _hardswish(out: Any, x: Any) -> Any:
    inner = x * (x + 3.0) / 6.0
    return where(less_equal(x, -3.0), 0.0, where(less(x, 3.0), inner, x))


@FROM.rule("aten.glu")
@folding
def _glu(out: Any, x: Any, axis: int = -1) -> Any:
    a, b = split(x, 2, axis)
    return a * sigmoid(b)


@FROM.rule("aten.softmax", "aten._softmax", "aten._safe_softmax")
def _(out: Any, x: Any, axis: int, *_: Any) -> Any:
    dtype = dtype_of(out.dtype)
    return softmax(x if x.dtype == dtype else astype(x, dtype), axis)


@FROM.rule("aten.log_softmax", "aten._log_softmax")
def _(out: Any, x: Any, axis: int, *_: Any) -> Any:
    dtype = dtype_of(out.dtype)
    return log_softmax(x if x.dtype == dtype else astype(x, dtype), axis)


@FROM.rule("aten.dropout", "aten.feature_dropout", "aten.alpha_dropout")
def _(out: Any, x: Any, p: float, train: bool) -> Any:
    if train and p:
        raise refusal("dropout in training cannot be translated", instead=RANDOM)
    return x


# --- reductions -----------------------------------------------------------------------------------


def _axes(axis: Any) -> Any:
    """PyTorch's dims as an axis: none at all, and [], mean all."""
    return axis if isinstance(axis, int) else tuple(axis) if axis else None


def _reduction(function: Callable[..., Any]) -> Callable[..., Any]:
    def rule(out: Any, x: Any, axis: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
        return function(_cast(x, dtype), _axes(axis), keepdim)

    return rule


FROM.rule("aten.sum")(_reduction(sum))
FROM.rule("aten.mean")(_reduction(mean))
FROM.rule("aten.amax")(_reduction(max))
FROM.rule("aten.amin")(_reduction(min))
FROM.rule("aten.argmax")(_reduction(argmax))
FROM.rule("aten.argmin")(_reduction(argmin))
FROM.rule("aten.logsumexp")(_reduction(logsumexp))
FROM.rule("aten.prod")(_reduction(prod))
FROM.rule("aten.any")(_reduction(lambda x, *args: max(not_equal(x, 0), *args)))
FROM.rule("aten.all")(_reduction(lambda x, *args: min(not_equal(x, 0), *args)))


def _one_of(out: Any, x: Any, place: Callable[..., Any], axis: int, keepdim: bool) -> list[Any]:
    """The elements at places along an axis, of which one alone has the gradient; and the places."""
    if not x.shape:
        return [x, place(x)]
    places = place(x, axis, keepdims=True)
    chosen = take_along_axis(x, places, axis)
    return [chosen, places] if keepdim else [squeeze(chosen, axis), squeeze(places, axis)]


def _extreme(name: str, of_all: Callable[..., Any], of_two: Any, place: Any) -> None:
    @FROM.rule(f"aten.{name}")
    def _(out: Any, x: Any, axis: Any = None, keepdim: bool = False) -> Any:
        if axis is None:
            return of_all(x)
        if not isinstance(axis, int):
            return of_two(x, axis)
        return _one_of(out, x, place, axis, keepdim)


_extreme("max", max, maximum, argmax)
_extreme("min", min, minimum, argmin)


def _ddof(correction: Any, unbiased: bool) -> Any:
    return int(unbiased) if correction is None else correction


@FROM.rule("aten.var")
def _(
    out: Any, x: Any, axis: Any = None, unbiased: Any = True, keepdim: bool = False,
    *, correction: Any = None,
) -> Any:  # fmt: skip
    if isinstance(axis, bool):  # var(x, unbiased)
        axis, unbiased = None, axis
    return var(x, _axes(axis), ddof=_ddof(correction, unbiased), keepdims=keepdim)


@FROM.rule("aten.std")
def _(
    out: Any, x: Any, axis: Any = None, unbiased: Any = True, keepdim: bool = False,
    *, correction: Any = None,
) -> Any:  # fmt: skip
    if isinstance(axis, bool):
        axis, unbiased = None, axis
    return FUNCTIONS["std"](x, _axes(axis), ddof=_ddof(correction, unbiased), keepdims=keepdim)


@FROM.rule("aten.var_mean")
def _(
    out: Any, x: Any, axis: Any = None, unbiased: Any = True, keepdim: bool = False,
    *, correction: Any = None,
) -> Any:  # fmt: skip
    if isinstance(axis, bool):
        axis, unbiased = None, axis
    ddof = _ddof(correction, unbiased)
    return [var(x, _axes(axis), ddof=ddof, keepdims=keepdim), mean(x, _axes(axis), keepdim)]


@FROM.rule("aten.linalg_vector_norm", "aten.norm")
@folding
def _norm(
    out: Any, x: Any, ord: Any = 2, axis: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Any:
    """The root is taken of 1 where all is 0: there PyTorch has the derivative 0."""
    ord, axis = 2 if ord is None else ord, _axes(axis)
    if ord in (math.inf, -math.inf):
        return (max if ord > 0 else min)(absolute(x), axis, keepdim)
    if ord == 0:
        return sum(astype(not_equal(x, 0), x.dtype), axis, keepdim)
    if ord == 1:
        return sum(absolute(x), axis, keepdim)
    total = sum(square(x) if ord == 2 else absolute(x) ** ord, axis, keepdim)
    flat = equal(total, 0)
    safe = where(flat, 1.0, total)
    return where(flat, 0.0, sqrt(safe) if ord == 2 else safe ** (1.0 / ord))


@FROM.rule("aten.count_nonzero")
def _(out: Any, x: Any, axis: Any = None) -> Any:
    return sum(astype(not_equal(x, 0), np.int64), _axes(axis))


@FROM.rule("aten.argsort", "aten.sort")
def _(out: Any, x: Any, *args: Any, dim: int = -1, descending: bool = False, stable: Any = None):
    given = args[1:] if args and isinstance(args[0], bool) else args  # a first bool is `stable`
    dim, descending = given + (dim, descending)[len(given) :]
    places = argsort(negative(x) if descending else x, dim) if x.shape else argmax(x)
    if isinstance(out, torch.Tensor):
        return places
    return [take_along_axis(x, places, dim) if x.shape else x, places]


@FROM.rule("aten.topk")
def _(out: Any, x: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    places = argsort(negative(x) if largest else x, dim)
    places = getitem(places, (*[slice(None)] * (dim % len(x.shape)), slice(0, k)))
    return [_gathered(x, dim, places), places]


# --- shapes ---------------------------------------------------------------------------------------


@FROM.rule(
    "aten.view", "aten.reshape", "aten._unsafe_view", "aten._reshape_alias", "aten.flatten",
    "aten.unflatten", "aten.squeeze", "aten.unsqueeze", "aten.view_as", "aten.reshape_as",
    "aten.ravel", "aten.atleast_1d", "aten.atleast_2d",
)  # fmt: skip
def _(out: Any, x: Any, *_: Any) -> Any:
    return x if x.shape == tuple(out.shape) else reshape(x, tuple(out.shape))


@FROM.rule("aten.expand", "aten.expand_as", "aten.broadcast_to")
def _(out: Any, x: Any, *_: Any, **__: Any) -> Any:
    return x if x.shape == tuple(out.shape) else broadcast_to(x, tuple(out.shape))


@FROM.rule("aten.broadcast_tensors")
def _(out: Any, tensors: Any) -> Any:
    shapes = [tuple(y.shape) for y in out]
    return [x if x.shape == s else broadcast_to(x, s) for x, s in zip(tensors, shapes)]


@FROM.rule("aten.permute")
def _(out: Any, x: Any, axes: Any) -> Any:
    return transpose(x, tuple(axes))


@FROM.rule("aten.t", "aten.numpy_T", "aten.mT", "aten.matrix_H", "aten.adjoint")
def _(out: Any, x: Any) -> Any:
    return x if len(x.shape) < 2 else swapaxes(x, -1, -2) if len(x.shape) > 2 else transpose(x)


@FROM.rule("aten.transpose", "aten.swapaxes", "aten.swapdims")
def _(out: Any, x: Any, i: int, j: int) -> Any:
    return swapaxes(x, i, j) if x.shape else x


@FROM.rule("aten.movedim", "aten.moveaxis")
def _(out: Any, x: Any, source: Any, destination: Any) -> Any:
    return moveaxis(x, source, destination)


@FROM.rule("aten.repeat", "aten.tile")
def _(out: Any, x: Any, times: Any) -> Any:
    shape = (*(1,) * (len(times) - len(x.shape)), *x.shape)
    times = [*(1,) * (len(shape) - len(times)), *times]
    x = x if x.shape == shape else reshape(x, shape)
    for axis, n in enumerate(times):
        x = x if n == 1 else concatenate([x] * n, axis)
    return x


@FROM.rule("aten.repeat_interleave")
def _(out: Any, x: Any, times: int, axis: int | None = None, **_: Any) -> Any:
    if axis is None:
        x, axis = reshape(x, -1), 0
    return take(x, np.repeat(np.arange(x.shape[axis]), times), axis)


@FROM.rule("aten.cat", "aten.concat", "aten.concatenate")
def _(out: Any, tensors: Sequence[Any], axis: int = 0) -> Any:
    parts = [x for x in tensors if len(x.shape) == len(out.shape)]  # but those of shape (0,)
    dtype = dtype_of(out.dtype)
    return concatenate([x if x.dtype == dtype else astype(x, dtype) for x in parts], axis)


@FROM.rule("aten.stack")
def _(out: Any, tensors: Sequence[Any], axis: int = 0) -> Any:
    dtype = dtype_of(out.dtype)
    return stack([x if x.dtype == dtype else astype(x, dtype) for x in tensors], axis)


def _part(x: Any, axis: int, index: Any) -> Any:
    return getitem(x, (*[slice(None)] * (axis % len(x.shape)), index))


@FROM.rule(
    "aten.split", "aten.split_with_sizes", "aten.chunk", "aten.tensor_split", "aten.unsafe_split",
    "aten.unsafe_chunk",
)  # fmt: skip
def _(out: Any, x: Any, sizes: Any, axis: int = 0, *, dim: int | None = None) -> Any:
    axis = axis if dim is None else dim
    ends = np.cumsum([y.shape[axis] for y in out]).tolist()
    return [_part(x, axis, slice(i, j)) for i, j in zip([0, *ends], ends)]


@FROM.rule("aten.unbind")
def _(out: Any, x: Any, axis: int = 0) -> Any:
    return [_part(x, axis, i) for i in range(x.shape[axis])]


@FROM.rule("aten.select")
def _(out: Any, x: Any, axis: int, index: int) -> Any:
    return _part(x, axis, int(index))


@FROM.rule("aten.slice")
def _(out: Any, x: Any, axis: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Any:
    if tuple(out.shape) == x.shape:
        return x
    return _part(x, axis, slice(start, None if end is None else int(end), step))


@FROM.rule("aten.narrow")
def _(out: Any, x: Any, axis: int, start: Any, length: int) -> Any:
    start = int(start) % (x.shape[axis] or 1)
    return _part(x, axis, slice(start, start + length))


@FROM.rule("aten.flip")
def _(out: Any, x: Any, axes: Any) -> Any:
    return flip(x, tuple(axes)) if axes else x


@FROM.rule("aten.roll")
def _(out: Any, x: Any, shifts: Any, axes: Any = ()) -> Any:
    shifts, axes = (tuple(a) if isinstance(a, Sequence) else (a,) for a in (shifts, axes))
    shape = x.shape
    if not axes:
        x, axes = reshape(x, -1), (0,)
    for shift, axis in zip(shifts, axes):
        n = x.shape[axis]
        x = take(x, (np.arange(n) - shift) % (n or 1), axis)
    return x if x.shape == shape else reshape(x, shape)


_plain(lambda x, k=0: tril(x, k), "tril")
_plain(lambda x, k=0: triu(x, k), "triu")
_plain(diagonal, "diagonal")


@FROM.rule("aten.diag")
def _(out: Any, x: Any, k: int = 0) -> Any:
    return diagonal(x, k) if len(x.shape) == 2 else _diagonals(out, x, k)


@FROM.rule("aten.diag_embed")
def _(out: Any, x: Any, k: int = 0, i: int = -2, j: int = -1) -> Any:
    if {i % len(out.shape), j % len(out.shape)} != {
        len(out.shape) - 2,
        len(out.shape) - 1,
    } or i > j:
        raise refusal("diag_embed into other axes than the last two cannot be translated")
    return _diagonals(out, x, k)


def _diagonals(out: Any, x: Any, k: int) -> Any:
    steps = np.arange(x.shape[-1])
    place = (..., steps - np.minimum(k, 0), steps + np.maximum(k, 0))
    return scatter_add(x, place, tuple(out.shape))


@FROM.rule("aten.trace")
def _(out: Any, x: Any) -> Any:
    return FUNCTIONS["trace"](x)


@FROM.rule("aten.pad", "aten.constant_pad_nd")
def _(out: Any, x: Any, widths: Any, mode: Any = "constant", value: Any = None) -> Any:
    if not isinstance(mode, str):
        mode, value = "constant", mode
    pairs = [*zip(widths[::2], widths[1::2])][::-1]
    first = len(x.shape) - len(pairs)
    if mode != "constant":
        for axis, (before, after) in enumerate(pairs, first):
            n, how = x.shape[axis], {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
            x = take(x, np.pad(np.arange(n), (before, after), how[mode]), axis)  # type: ignore
        return x
    for axis, (before, after) in enumerate(pairs, first):
        if before < 0 or after < 0:  # which crops
            x = _part(x, axis, slice(-_min_0(before), x.shape[axis] + _min_0(after)))
    wide = [(0, 0)] * first + [(-_min_0(-a), -_min_0(-b)) for a, b in pairs]
    return pad(x, wide, constant_values=value or 0)


def _min_0(n: int) -> int:
    return n if n < 0 else 0


@FROM.rule("aten.unfold")
def _(out: Any, x: Any, axis: int, size: int, step: int) -> Any:
    axis = axis % (len(x.shape) or 1)
    return moveaxis(windows(moveaxis(x, axis, -1), (size,), step), -2, axis)


# --- places ---------------------------------------------------------------------------------------


def _gathered(x: Any, axis: int, index: Any) -> Any:
    """The elements with these numbers along an axis; other axes of the index may be shorter."""
    if not x.shape:
        return x
    axis = axis % len(x.shape)
    return getitem(x, _places(axis, index))


def _places(axis: int, index: Any) -> tuple[Any, ...]:
    grid = list(np.ix_(*map(np.arange, index.shape)))
    return (*grid[:axis], index, *grid[axis + 1 :])


@FROM.rule("aten.gather")
def _(out: Any, x: Any, axis: int, index: Any, *, sparse_grad: bool = False) -> Any:
    return _gathered(x, axis, index)


@FROM.rule("aten.take_along_dim")
def _(out: Any, x: Any, index: Any, axis: int | None = None) -> Any:
    return take_along_axis(x, index, axis)


@FROM.rule("aten.index_select")
def _(out: Any, x: Any, axis: int, index: Any) -> Any:
    return _part(x, axis, index)


_plain(lambda x, index: take(x, index), "take")


def _index(x: Any, indices: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(slice(None) if i is None else i for i in indices)


@FROM.rule("aten.index")
def _(out: Any, x: Any, indices: Sequence[Any]) -> Any:
    picked = getitem(x, _index(x, indices))
    is_by_values = any(isinstance(i, Node) and i.dtype == np.bool_ for i in indices)
    return reshape(picked, picked.shape) if is_by_values else picked  # one for this number only


@FROM.rule("aten.masked_select")
def _(out: Any, x: Any, mask: Any) -> Any:
    shape = np.broadcast_shapes(x.shape, mask.shape)
    picked = getitem(broadcast_to(x, shape), (broadcast_to(mask, shape),))
    return reshape(picked, picked.shape)


@FROM.rule("aten.index_put", "aten._unsafe_index_put")
def _(out: Any, x: Any, indices: Sequence[Any], value: Any, accumulate: bool = False) -> Any:
    if len(indices) == 1 and indices[0].dtype == np.bool_:
        mask = indices[0]
        if value.shape and value.size != 1:
            raise refusal("x[mask] = values cannot be translated", instead=BY_VALUES)
        mask = reshape(mask, (*mask.shape, *(1,) * (len(x.shape) - len(mask.shape))))
        value = reshape(value, ()) if value.shape else value
        return x + where(mask, value, 0.0) if accumulate else where(mask, value, x)
    return written(x, _index(x, indices), value, accumulate)


def written(x: Any, index: Any, value: Any, accumulate: bool = False) -> Any:
    """x with a value at an index, or added there."""
    places = np.zeros(x.shape, np.bool_)
    if any(isinstance(i, Node) for i in index):
        ones = broadcast_to(constant(np.ones((), x.dtype)), getitem(x, index).shape)
        inside = not_equal(scatter_add(ones, index, x.shape), 0)
    else:
        places[index] = True
        inside = constant(places)
    shape = getitem(x, index).shape
    value = value if value.shape == shape else broadcast_to(value, shape)
    there = scatter_add(value, index, x.shape)
    return x + there if accumulate else where(inside, there, x)


@FROM.rule("aten.index_add")
def _(out: Any, x: Any, axis: int, index: Any, source: Any, *, alpha: Any = 1) -> Any:
    place = (*[slice(None)] * (axis % len(x.shape)), index)
    return x + scatter_add(_scaled(source, alpha), place, x.shape)


@FROM.rule("aten.scatter_add")
def _(out: Any, x: Any, axis: int, index: Any, source: Any) -> Any:
    source = getitem(source, tuple(slice(0, n) for n in index.shape))
    return x + scatter_add(source, _places(axis % len(x.shape), index), x.shape)


@FROM.rule("aten.scatter")
def _(out: Any, x: Any, axis: int, index: Any, source: Any, *, reduce: Any = None) -> Any:
    if reduce is not None:
        raise refusal(f"scatter with reduce={reduce!r} cannot be translated")
    if not isinstance(source, Node):
        source = constant(np.asarray(source, x.dtype))
    if source.shape:
        source = getitem(source, tuple(slice(0, n) for n in index.shape))
    return written(x, _places(axis % len(x.shape), index), source)


@FROM.rule("aten.select_scatter")
def _(out: Any, x: Any, source: Any, axis: int, index: int) -> Any:
    return written(x, (*[slice(None)] * (axis % len(x.shape)), int(index)), source)


@FROM.rule("aten.slice_scatter")
def _(
    out: Any, x: Any, source: Any, axis: int = 0, start: Any = None, end: Any = None, step: int = 1
) -> Any:
    return written(x, (*[slice(None)] * (axis % len(x.shape)), slice(start, end, step)), source)


@FROM.rule("aten.embedding")
def _(out: Any, weight: Any, index: Any, padding: int = -1, *_: Any) -> Any:
    if padding >= 0:  # a row whose gradient is kept at 0
        is_padding = (np.arange(weight.shape[0]) == padding)[:, None]
        weight = where(is_padding, stop_gradient(weight), weight)
    return getitem(weight, index)


@FROM.rule("aten.one_hot")
def _(out: Any, x: Any, classes: int = -1) -> Any:
    return astype(equal(expand_dims(x, -1), np.arange(out.shape[-1])), np.int64)


# --- new tensors ----------------------------------------------------------------------------------


def _full(out: Any, value: Any) -> Node:
    return constant(np.full(tuple(out.shape), value, dtype_of(out.dtype)))


@FROM.rule("aten.full", "aten.full_like", "aten.new_full")
def _(out: Any, first: Any, *args: Any, **_: Any) -> Any:
    value = args[-1]
    if isinstance(value, Node):
        return broadcast_to(value, tuple(out.shape))
    return _full(out, value)


@FROM.rule(
    "aten.zeros", "aten.zeros_like", "aten.new_zeros", "aten.empty", "aten.empty_like",
    "aten.new_empty", "aten.empty_permuted", "aten.zero", "aten.empty_strided",
)  # fmt: skip
def _(out: Any, *_: Any, **__: Any) -> Any:
    return _full(out, 0)


@FROM.rule("aten.ones", "aten.ones_like", "aten.new_ones")
def _(out: Any, *_: Any, **__: Any) -> Any:
    return _full(out, 1)


@FROM.rule("aten.scalar_tensor")
def _(out: Any, value: Any, **_: Any) -> Any:
    return _full(out, value)


@FROM.rule("aten.fill")
def _(out: Any, x: Any, value: Any) -> Any:
    if isinstance(value, Node):
        return broadcast_to(value, x.shape) if x.shape != value.shape else value
    return _full(out, value)


@FROM.rule("aten.copy")
def _(out: Any, x: Any, source: Any, *_: Any) -> Any:
    source = source if source.dtype == x.dtype else astype(source, x.dtype)
    return source if source.shape == x.shape else broadcast_to(source, x.shape)


@FROM.rule(
    "aten.clone", "aten.alias", "aten.contiguous", "aten.lift_fresh_copy", "aten.lift_fresh",
    "aten.resolve_conj", "aten.resolve_neg", "aten.positive", "aten.real", "aten.conj",
    "aten.type_as", "aten.to", "aten._to_copy",
)  # fmt: skip
def _(out: Any, x: Any, *_: Any, **__: Any) -> Any:
    dtype = dtype_of(out.dtype)
    return x if x.dtype == dtype else astype(x, dtype)


@FROM.rule("aten.detach", "aten.detach_")
def _(out: Any, x: Any) -> Any:
    return stop_gradient(x)


# --- products -------------------------------------------------------------------------------------


@FROM.rule("aten.addmm", "aten.baddbmm", "aten.addmv", "aten.addbmm")
def _(out: Any, x: Any, a: Any, b: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    product = matmul(a, b)
    if len(product.shape) > len(out.shape):  # addbmm adds up the batch
        product = sum(product, 0)
    return _scaled(product, alpha) + _scaled(x, beta)


@FROM.rule("aten.linear")
def _(out: Any, x: Any, weight: Any, bias: Any = None) -> Any:
    product = matmul(x, transpose(weight))
    return product if bias is None else product + bias


@FROM.rule("aten.bilinear")
@folding
def _bilinear(out: Any, x: Any, y: Any, weight: Any, bias: Any = None) -> Any:
    product = einsum("...i,oij,...j->...o", x, weight, y)
    return product if bias is None else product + bias


@FROM.rule("aten.einsum")
def _(out: Any, equation: str, tensors: Sequence[Any], **_: Any) -> Any:
    return einsum(equation, *tensors)


_plain(lambda x, y: outer(x, y), "outer", "ger")
_plain(lambda x, y: matmul(x, y), "inner", "vdot", "linalg_vecdot")


@FROM.rule("aten.tensordot")
def _(out: Any, x: Any, y: Any, ours: Any, theirs: Any) -> Any:
    return FUNCTIONS["tensordot"](x, y, (tuple(ours), tuple(theirs)))


@FROM.rule("aten.scaled_dot_product_attention")
@folding
def _attention(
    out: Any, q: Any, k: Any, v: Any, mask: Any = None, p: float = 0.0, is_causal: bool = False,
    *, scale: float | None = None, enable_gqa: bool = False,
) -> Any:  # fmt: skip
    if p:
        raise refusal("attention with dropout cannot be translated", instead=RANDOM)
    if enable_gqa:
        times = q.shape[-3] // k.shape[-3]
        k, v = (take(x, np.repeat(np.arange(x.shape[-3]), times), -3) for x in (k, v))
    scores = matmul(q, swapaxes(k, -1, -2)) * (
        1 / math.sqrt(q.shape[-1]) if scale is None else scale
    )
    if is_causal:
        mask = constant(np.tri(*scores.shape[-2:], dtype=bool))
    if mask is not None:
        scores = where(mask, scores, -np.inf) if mask.dtype == np.bool_ else scores + mask
    return matmul(softmax(scores, -1), v)


# --- convolution ----------------------------------------------------------------------------------


def _each(x: Any, n: int) -> tuple[int, ...]:
    """A setting for each of n axes; one that is given once counts for all."""
    values = tuple(x) if isinstance(x, Sequence) else (x,)
    return values * n if len(values) == 1 else values


def _letters(n: int) -> tuple[str, str]:
    return ascii_letters[8 : 8 + n], ascii_letters[16 : 16 + n]


@FROM.rule("aten.conv1d", "aten.conv2d", "aten.conv3d")
def _convolved(
    out: Any, x: Any, w: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Any:  # fmt: skip
    n = len(w.shape) - 2
    stride, dilation = _each(stride, n), _each(dilation, n)
    if isinstance(padding, str):
        total = [d * (k - 1) * (padding == "same") for k, d in zip(w.shape[2:], dilation)]
        sides = [(t // 2, t - t // 2) for t in total]
    else:
        sides = [(p, p) for p in _each(padding, n)]
    is_alone = len(x.shape) == n + 1
    x = expand_dims(x, 0) if is_alone else x
    if n == 2 and groups == 1 and dilation == (1, 1) and all(a == b for a, b in sides):
        y = conv2d(x, w, bias, stride, [a for a, _ in sides])
    else:
        y = _grouped_convolution(x, w, bias, stride, sides, dilation, groups)
    return squeeze(y, 0) if is_alone else y


@folding
def _grouped_convolution(
    x: Any, w: Any, bias: Any, stride: Any, sides: Any, dilation: Any, groups: int
) -> Any:
    n = len(w.shape) - 2
    x = pad(x, [(0, 0), (0, 0), *sides]) if any(map(any, sides)) else x
    y = convolved(taps(x, w.shape[2:], stride, dilation), w, groups)
    return y if bias is None else y + reshape(bias, (-1, *(1,) * n))


@FROM.rule("aten.convolution")
def _(
    out: Any, x: Any, w: Any, bias: Any, stride: Any, padding: Any, dilation: Any,
    transposed: bool, more: Any, groups: int,
) -> Any:  # fmt: skip
    if transposed:
        return _conv_transpose(out, x, w, bias, stride, padding, more, groups, dilation)
    return _convolved(out, x, w, bias, stride, padding, dilation, groups)


@FROM.rule("aten.conv_transpose1d", "aten.conv_transpose2d", "aten.conv_transpose3d")
@folding
def _conv_transpose(
    out: Any, x: Any, w: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, more: Any = 0,
    groups: int = 1, dilation: Any = 1,
) -> Any:  # fmt: skip
    """Each element laid down as a window of the filter, added where these overlap, and cropped."""
    n = len(w.shape) - 2
    stride, padding, more, dilation = (_each(a, n) for a in (stride, padding, more, dilation))
    is_alone = len(x.shape) == n + 1
    x = expand_dims(x, 0) if is_alone else x
    places, inside = _letters(n)
    x = reshape(x, (x.shape[0], groups, -1, *x.shape[2:]))
    w = reshape(w, (groups, -1, *w.shape[1:]))
    laid = einsum(f"bgc{places},gco{inside}->bgo{places}{inside}", x, w)
    laid = reshape(laid, (laid.shape[0], -1, *laid.shape[3:]))
    wide = tuple(d * (k - 1) + 1 for k, d in zip(w.shape[3:], dilation))
    if any(d > 1 for d in dilation):
        steps = tuple(slice(None, None, d) for d in dilation)
        laid = scatter_add(laid, (..., *steps), (*laid.shape[:-n], *wide))
    full = [(m - 1) * s + k for m, s, k in zip(laid.shape[2 : 2 + n], stride, wide)]
    y = overlap_add(laid, tuple(full), stride)
    y = pad(y, [(0, 0), (0, 0), *((0, a) for a in more)]) if any(more) else y
    crop = [slice(p, y.shape[i] - p) for i, p in enumerate(padding, 2)]
    y = getitem(y, (slice(None), slice(None), *crop)) if any(padding) else y
    y = y if bias is None else y + reshape(bias, (-1, *(1,) * n))
    return squeeze(y, 0) if is_alone else y


def _pooled(x: Any, sizes: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool, n: int):
    """The windows of a pooling, with −∞ around."""
    sizes, dilation, padding = _each(sizes, n), _each(dilation, n), _each(padding, n)
    stride = _each(stride, n) if stride else sizes
    around = [[p, p] for p in padding]
    if ceil_mode:
        for i, (m, k, d, s) in enumerate(zip(x.shape[-n:], sizes, dilation, stride)):
            around[i][1] += -(m + 2 * padding[i] - d * (k - 1) - 1) % s
            if (m + _sum_of(around[i]) - d * (k - 1) - 1) // s * s >= m + padding[i]:
                around[i][1] -= s
    wide = [(0, 0)] * (len(x.shape) - n) + [tuple(pair) for pair in around]
    if any(map(any, wide)):
        lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
        x = pad(x, [(b, a if a > 0 else 0) for b, a in wide], constant_values=lowest)
    return taps(x, sizes, stride, dilation)


def _sum_of(pair: Sequence[int]) -> int:
    return pair[0] + pair[1]


def _max_pool(n: int) -> Callable[..., Any]:
    @folding
    def max_pool(
        out: Any, x: Any, sizes: Any, stride: Any = (), padding: Any = 0, dilation: Any = 1,
        ceil_mode: bool = False,
    ) -> Any:  # fmt: skip
        """The first largest element of each window, which alone has the gradient."""
        seen = _pooled(x, sizes, stride, padding, dilation, ceil_mode, n)
        flat = reshape(seen, (*seen.shape[:-n], -1))
        return squeeze(take_along_axis(flat, argmax(flat, -1, keepdims=True), -1), -1)

    return max_pool


def _avg_pool(n: int) -> Callable[..., Any]:
    @folding
    def avg_pool(
        out: Any, x: Any, sizes: Any, stride: Any = (), padding: Any = 0, ceil_mode: bool = False,
        count_include_pad: bool = True, divisor_override: Any = None,
    ) -> Any:  # fmt: skip
        if ceil_mode or (any(_each(padding, n)) and not count_include_pad):
            raise refusal(
                "an average that leaves out padding cannot be translated",
                instead="take ceil_mode=False and count_include_pad=True",
            )
        sizes, padding = _each(sizes, n), _each(padding, n)
        if any(padding):
            x = pad(x, [(0, 0)] * (len(x.shape) - n) + [(p, p) for p in padding])
        seen = windows(x, sizes, _each(stride, n) if stride else sizes)
        axes = tuple(range(-n, 0))
        return sum(seen, axes) / divisor_override if divisor_override else mean(seen, axes)

    return avg_pool


for _n in (1, 2, 3):
    FROM.rule(f"aten.max_pool{_n}d")(_max_pool(_n))
    FROM.rule(f"aten.avg_pool{_n}d")(_avg_pool(_n))


def _adaptive(n: int, is_average: bool) -> Callable[..., Any]:
    def rule(out: Any, x: Any, sizes: Any) -> Any:
        shape = x.shape[-n:]
        target = tuple((out if is_average else out[0]).shape[-n:])
        if any(m % k for m, k in zip(shape, target)):
            raise refusal(
                f"adaptive pooling of {shape} to {target} cannot be translated",
                instead="choose sizes that divide those of the input",
            )
        step = tuple(m // k for m, k in zip(shape, target))
        if is_average:
            return _avg_pool(n)(out, x, step)
        return [_max_pool(n)(out, x, step), None]

    return rule


for _n in (1, 2, 3):
    FROM.rule(f"aten.adaptive_avg_pool{_n}d", f"aten._adaptive_avg_pool{_n}d")(_adaptive(_n, True))
    FROM.rule(f"aten.adaptive_max_pool{_n}d")(_adaptive(_n, False))


@FROM.rule("aten.upsample_nearest1d", "aten.upsample_nearest2d", "aten.upsample_nearest3d")
def _(out: Any, x: Any, *_: Any) -> Any:
    n = len(x.shape) - 2
    for axis in range(2, 2 + n):
        old, new = x.shape[axis], out.shape[axis]
        x = take(x, np.arange(new) * old // new, axis)
    return x


@FROM.rule("aten.pixel_shuffle")
def _(out: Any, x: Any, r: int) -> Any:
    *lead, c, h, w = x.shape
    k = len(lead)
    parts = reshape(x, (*lead, c // (r * r), r, r, h, w))
    axes = (*range(k), k, k + 3, k + 1, k + 4, k + 2)
    return reshape(transpose(parts, axes), tuple(out.shape))


# --- normalisation --------------------------------------------------------------------------------


def _standardised(x: Any, axes: tuple[int, ...], eps: float) -> tuple[Any, Any, Any]:
    """x with mean 0 and variance 1 over axes, its mean, and 1 / √(its variance + eps)."""
    centre = mean(x, axes, keepdims=True)
    away = x - centre
    scale = 1.0 / sqrt(mean(square(away), axes, keepdims=True) + eps)
    return away * scale, centre, scale


def _affine(x: Any, weight: Any, bias: Any) -> Any:
    x = x if weight is None else x * weight
    return x if bias is None else x + bias


@FROM.rule("aten.layer_norm")
@folding
def _layer_norm(
    out: Any, x: Any, shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5, *_: Any
) -> Any:
    y = _standardised(x, tuple(range(-len(shape), 0)), eps)[0]
    return _affine(y, weight, bias)


@FROM.rule("aten.native_layer_norm")
def _(out: Any, x: Any, shape: Any, weight: Any, bias: Any, eps: float) -> Any:
    y, centre, scale = _standardised(x, tuple(range(-len(shape), 0)), eps)
    return [_affine(y, weight, bias), centre, scale]


@FROM.rule("aten.rms_norm")
@folding
def _rms_norm(out: Any, x: Any, shape: Any, weight: Any = None, eps: float | None = None) -> Any:
    eps = float(np.finfo(x.dtype).eps) if eps is None else eps
    size = mean(square(x), tuple(range(-len(shape), 0)), keepdims=True)
    return _affine(x * (1.0 / sqrt(size + eps)), weight, None)


@FROM.rule("aten.group_norm")
@folding
def _group_norm(
    out: Any, x: Any, groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5, *_: Any
) -> Any:
    parts = reshape(x, (x.shape[0], groups, -1))
    y = reshape(_standardised(parts, (-1,), eps)[0], x.shape)
    return _affine(y, _per_channel(weight, x), _per_channel(bias, x))


def _per_channel(x: Any, like: Any) -> Any:
    return None if x is None else reshape(x, (-1, *(1,) * (len(like.shape) - 2)))


@FROM.rule("aten.batch_norm", "aten.instance_norm")
@folding
def _batch_norm(
    out: Any, x: Any, weight: Any, bias: Any, average: Any, variance: Any, by_batch: bool,
    momentum: float, eps: float, *_: Any,
) -> Any:  # fmt: skip
    if by_batch and average is not None:
        raise refusal(
            "a normalisation in training cannot be translated, for it changes its running "
            "statistics",
            instead="call model.eval() first, or make the layer with track_running_stats=False",
        )
    if by_batch:
        y = _standardised(x, (0, *range(2, len(x.shape))), eps)[0]
    else:
        scale = 1.0 / sqrt(_per_channel(variance, x) + eps)
        y = (x - _per_channel(average, x)) * scale
    return _affine(y, _per_channel(weight, x), _per_channel(bias, x))


@FROM.rule("aten.instance_norm")
@folding
def _instance_norm(
    out: Any, x: Any, weight: Any, bias: Any, average: Any, variance: Any, by_input: bool,
    momentum: float, eps: float, *_: Any,
) -> Any:  # fmt: skip
    if average is not None:
        raise refusal(
            "instance_norm with running statistics cannot be translated",
            instead="make the layer with track_running_stats=False",
        )
    y = _standardised(x, tuple(range(2, len(x.shape))), eps)[0]
    return _affine(y, _per_channel(weight, x), _per_channel(bias, x))


# --- losses ---------------------------------------------------------------------------------------

NONE, MEAN, SUM = range(3)  # how a loss is reduced


def _losses(losses: Any, reduction: int) -> Any:
    return {NONE: lambda x: x, MEAN: mean, SUM: sum}[reduction](losses)


@FROM.rule("aten.mse_loss")
@folding
def _mse_loss(out: Any, x: Any, t: Any, reduction: int = MEAN) -> Any:
    return _losses(square(x - t), reduction)


@FROM.rule("aten.l1_loss")
@folding
def _l1_loss(out: Any, x: Any, t: Any, reduction: int = MEAN) -> Any:
    return _losses(absolute(x - t), reduction)


@FROM.rule("aten.huber_loss")
@folding
def _huber_loss(out: Any, x: Any, t: Any, reduction: int = MEAN, delta: float = 1.0) -> Any:
    far = absolute(x - t)
    near = 0.5 * square(x - t)
    return _losses(where(less_equal(far, delta), near, delta * (far - 0.5 * delta)), reduction)


@FROM.rule("aten.smooth_l1_loss")
@folding
def _smooth_l1_loss(out: Any, x: Any, t: Any, reduction: int = MEAN, beta: float = 1.0) -> Any:
    far = absolute(x - t)
    if not beta:
        return _losses(far, reduction)
    near = 0.5 * square(x - t) / beta
    return _losses(where(less(far, beta), near, far - 0.5 * beta), reduction)


@FROM.rule("aten.binary_cross_entropy")
@folding
def _binary_cross_entropy(
    out: Any, x: Any, t: Any, weight: Any = None, reduction: int = MEAN
) -> Any:
    """The logarithms are at least −100, as PyTorch takes them."""
    low = -100.0
    losses = -(t * _floored_log(x, low) + (1.0 - t) * _floored_log(1.0 - x, low))
    return _losses(losses if weight is None else losses * weight, reduction)


def _floored_log(x: Any, low: float) -> Any:
    tiny = less(x, math.exp(low))
    return where(tiny, low, log(where(tiny, 1.0, x)))


@FROM.rule("aten.binary_cross_entropy_with_logits")
@folding
def _binary_cross_entropy_with_logits(
    out: Any, x: Any, t: Any, weight: Any = None, pos_weight: Any = None, reduction: int = MEAN
) -> Any:
    softened = logaddexp(-x, 0.0)
    if pos_weight is None:
        losses = (1.0 - t) * x + softened
    else:
        losses = (1.0 - t) * x + (1.0 + (pos_weight - 1.0) * t) * softened
    return _losses(losses if weight is None else losses * weight, reduction)


@FROM.rule("aten.kl_div")
@folding
def _kl_div(out: Any, x: Any, t: Any, reduction: int = MEAN, *, log_target: bool = False) -> Any:
    losses = exp(t) * (t - x) if log_target else FUNCTIONS["xlogy"](t, t) - t * x
    return _losses(losses, reduction)


@FROM.rule("aten.cosine_similarity")
@folding
def _cosine_similarity(out: Any, x: Any, y: Any, axis: int = 1, eps: float = 1e-8) -> Any:
    x, y = (a / maximum(_norm(out, a, 2, axis, True), eps) for a in (x, y))
    return sum(x * y, axis)


def _picked(scores: Any, labels: Any, weight: Any, reduction: int, ignored: int) -> Any:
    """−score at the right class, without the examples whose label is to be ignored."""
    axis = 1 if len(scores.shape) > 1 else 0
    counted = not_equal(labels, ignored)
    labels = where(counted, labels, 0)
    losses = -squeeze(take_along_axis(scores, expand_dims(labels, axis), axis), axis)
    share = astype(counted, scores.dtype)
    if weight is not None:
        share = share * getitem(weight, labels)
    losses = losses * share
    return sum(losses) / sum(share) if reduction == MEAN else _losses(losses, reduction)


@FROM.rule("aten.nll_loss", "aten.nll_loss_nd", "aten.nll_loss2d")
@folding
def _nll_loss(
    out: Any, x: Any, labels: Any, weight: Any = None, reduction: int = MEAN, ignored: int = -100
) -> Any:
    return _picked(x, labels, weight, reduction, ignored)


@FROM.rule("aten.nll_loss_forward", "aten.nll_loss2d_forward")
def _(out: Any, x: Any, labels: Any, weight: Any, reduction: int, ignored: int) -> Any:
    return [_picked(x, labels, weight, reduction, ignored), None]


@FROM.rule("aten.cross_entropy_loss")
def _(
    out: Any, x: Any, labels: Any, weight: Any = None, reduction: int = MEAN, ignored: int = -100,
    smoothing: float = 0.0,
) -> Any:  # fmt: skip
    is_plain = weight is None and reduction == MEAN and not smoothing and len(x.shape) == 2
    if is_plain and (labels.dtype.kind == "f" or not np.any(labels.value == ignored)):
        return cross_entropy(x, labels)
    return _cross_entropy_loss(x, labels, weight, reduction, ignored, smoothing)


@folding
def _cross_entropy_loss(
    x: Any, labels: Any, weight: Any, reduction: int, ignored: int, smoothing: float
) -> Any:
    axis = 1 if len(x.shape) > 1 else 0
    scores, classes = log_softmax(x, axis), x.shape[axis]
    each = None if weight is None else reshape(weight, (-1, *(1,) * (len(x.shape) - axis - 1)))
    weighed = scores if each is None else scores * each
    if labels.dtype.kind == "f":
        labels = labels * (1 - smoothing) + smoothing / classes if smoothing else labels
        losses = -sum(labels * weighed, axis)
        return _losses(losses, reduction) if reduction != MEAN else mean(losses)
    picked = _picked(scores, labels, weight, reduction, ignored)
    if not smoothing:
        return picked
    counted = astype(not_equal(labels, ignored), x.dtype)
    spread = -sum(weighed, axis) * counted
    if reduction == MEAN:
        share = counted if weight is None else counted * getitem(weight, where(counted, labels, 0))
        spread = sum(spread) / sum(share)
    else:
        spread = _losses(spread, reduction)
    return picked * (1 - smoothing) + spread * (smoothing / classes)
