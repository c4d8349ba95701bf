"""The rest of the elementwise rows: inverse functions, special ones, and questions.

Conventions where a derivative has a choice: relu takes 0 at the kink; maximum and minimum share the
gradient equally between ties, as PyTorch does.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from ..core.stating import elementwise
from ..core.table import Y_LIKE_OUT, as_dtype_of, astype


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


def _angle_by_first(out: Any, x: Any, y: Any) -> Any:
    x, y = as_dtype_of(out, x), as_dtype_of(out, y)
    return y / (x * x + y * y)


def _angle_by_second(out: Any, x: Any, y: Any) -> Any:
    x, y = as_dtype_of(out, x), as_dtype_of(out, y)
    return -x / (x * x + y * y)


# fmt: off
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
                       ("log(y)",           f"log({Y_LIKE_OUT})"), "x / y")
remainder = elementwise("remainder", "%",  "what is left of x after division by y", operator.mod,
                        "1", ("-floor(x / y)", "-rint((x - out) / y)"))
floor    = elementwise("floor",    "⌊x⌋",  "the next whole number below x", np.floor, "0")
ceil     = elementwise("ceil",     "⌈x⌉",  "the next whole number above x", np.ceil,  "0")
rint     = elementwise("rint",     "round", "the nearest whole number", np.rint,      "0")

# Booleans, which carry no gradient.
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
