"""Functions of each element: those with the same arguments here, arithmetic, choices."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from ...core.operation import FUNCTIONS
from ...core.table import (
    absolute,
    add,
    divide,
    equal,
    log,
    matmul,
    multiply,
    negative,
    power,
    sign,
    sqrt,
    subtract,
)
from ...graph.composing import folding
from ...graph.functions import clip
from ...graph.joining import stop_gradient, where
from ...graph.rows import (
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
    not_equal,
    rint,
    sigmoid,
)
from ..translating import refusal
from .stating import FROM, plain, scaled

for _name in ("arctan2", "exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "sin", "cos",
              "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh",
              "arctanh", "erf", "sigmoid", "relu", "sign", "floor", "ceil", "square", "sqrt",
              "reciprocal", "absolute", "negative", "maximum", "minimum", "hypot", "logaddexp",
              "xlogy", "isnan", "isfinite", "logical_not", "logical_and", "logical_or", "multiply",
              "remainder", "matmul", "outer", "not_equal", "greater", "greater_equal", "less",
              "less_equal", "cumsum"):  # fmt: skip
    plain(FUNCTIONS[_name], _name)
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
    plain(_function, *_names)


# --- arithmetic -----------------------------------------------------------------------------------


@FROM.rule("aten.add")
def _(out: Any, x: Any, y: Any, *, alpha: Any = 1) -> Any:
    return add(x, scaled(y, alpha))


@FROM.rule("aten.sub", "aten.subtract")
def _(out: Any, x: Any, y: Any, *, alpha: Any = 1) -> Any:
    return subtract(x, scaled(y, alpha))


@FROM.rule("aten.rsub")
def _(out: Any, x: Any, y: Any, alpha: Any = 1) -> Any:
    return subtract(y, scaled(x, alpha))


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


plain(_trunc, "trunc", "fix")


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
    return x + scaled(y * z, value)


@FROM.rule("aten.addcdiv")
def _(out: Any, x: Any, y: Any, z: Any, *, value: Any = 1) -> Any:
    return x + scaled(y / z, value)


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
def hardtanh(out: Any, x: Any, low: float = -1.0, high: float = 1.0) -> Any:
    """x, and the bounds beyond them, where it has no gradient."""
    return where(less_equal(x, low), low, where(greater_equal(x, high), high, x))


FROM.rule("aten.relu6")(lambda out, x: hardtanh(out, x, 0.0, 6.0))


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
