"""Activations, and what switches off elements at random."""

from __future__ import annotations

import math
from typing import Any

from ...core.table import astype, reshape, tanh
from ...graph.composing import folding
from ...graph.functions import log_softmax, softmax, split
from ...graph.joining import where
from ...graph.rows import erf, expm1, greater, less, less_equal, logaddexp, sigmoid
from ..torch_dtypes import dtype_of
from ..translating import refusal
from .elementwise import hardtanh
from .stating import FROM, RANDOM, scaled


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
    return where(is_high, scaled(x, scale), alpha * scale * expm1(scaled(low, input_scale)))


@FROM.rule("aten.selu")
def _(out: Any, x: Any) -> Any:
    return _elu(out, x, 1.6732632423543772848170429916717, 1.0507009873554804934193349852946)


@FROM.rule("aten.celu")
def _(out: Any, x: Any, alpha: float = 1.0) -> Any:
    return _elu(out, x, alpha, 1.0, 1.0 / alpha)


@FROM.rule("aten.softplus")
@folding
def _softplus(out: Any, x: Any, beta: Any = 1, threshold: Any = 20) -> Any:
    steep = scaled(x, beta)
    is_high = greater(steep, threshold)
    return where(is_high, x, logaddexp(where(is_high, 0.0, steep), 0.0) / beta)


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
    return hardtanh(out, x + 3.0, 0.0, 6.0) / 6.0


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
