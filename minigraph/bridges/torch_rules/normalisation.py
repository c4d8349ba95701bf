"""Normalisation of layers, groups and batches."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.table import reshape, sqrt, square
from ...graph.composing import folding
from ...graph.reductions import mean
from ..translating import refusal
from .stating import FROM


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
