"""Losses, and how they are reduced."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...core.indexing import getitem
from ...core.operation import FUNCTIONS
from ...core.table import absolute, astype, exp, log, reshape, square, sum
from ...graph.composing import folding
from ...graph.functions import cross_entropy, expand_dims, log_softmax, squeeze, take_along_axis
from ...graph.joining import where
from ...graph.reductions import mean
from ...graph.rows import less, less_equal, logaddexp, maximum, not_equal
from .reductions import norm
from .stating import FROM

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
    x, y = (a / maximum(norm(out, a, 2, axis, True), eps) for a in (x, y))
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
