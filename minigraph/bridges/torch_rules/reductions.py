"""Sums, extremes, norms and orders over axes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from ...core.indexing import getitem
from ...core.operation import FUNCTIONS
from ...core.table import absolute, astype, equal, negative, sqrt, square, sum
from ...graph.composing import folding
from ...graph.functions import prod, squeeze, take_along_axis, var
from ...graph.joining import where
from ...graph.reductions import argmax, argmin, argsort, logsumexp, max, mean, min
from ...graph.rows import maximum, minimum, not_equal
from .places import gathered
from .stating import FROM, cast


def _axes(axis: Any) -> Any:
    """PyTorch's dims as an axis: none at all, and [], mean all."""
    return axis if isinstance(axis, int) else tuple(axis) if axis else None


def _reduction(function: Callable[..., Any]) -> Callable[..., Any]:
    def rule(out: Any, x: Any, axis: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
        return function(cast(x, dtype), _axes(axis), keepdim)

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
def norm(
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
    return [gathered(x, dim, places), places]
