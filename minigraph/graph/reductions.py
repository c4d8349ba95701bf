"""Operations that look along an axis: means, extremes, running sums, and places.

Convention where a derivative has a choice: max and min share the gradient equally between ties, as
PyTorch does.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..core.indexing import getitem
from ..core.stating import general, linear
from ..core.table import astype, equal, exp, is_half, kept, reshaped, spread, sum
from ..errors import ShapeError
from ..errors.shapes import Shape, axis_numbers, reduced
from .rows import in_floats


def holds(dtype: np.dtype, count: int) -> bool:
    """Whether a dtype of floats holds all whole numbers up to a count."""
    return count <= {"e": 1 << 11, "f": 1 << 24}.get(dtype.char, 1 << 53)


def _mean_transpose(g: Any, out: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    count = prod(x.shape) // (prod(out.shape) or 1)
    share = g / count if holds(g.dtype, count) else astype(g / np.float64(count), g.dtype)
    return spread(share, x.shape, axis)


@linear("mean", _mean_transpose, shape=reduced)
def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean over `axis` (None: over all)."""
    return np.mean(x, axis=axis, keepdims=keepdims)


def _backwards(x: Any, axis: int) -> Any:
    return getitem(x, (*[slice(None)] * axis_numbers(len(x.shape), axis)[0], slice(None, None, -1)))


def _cumsum_transpose(g: Any, out: Any, x: Any, axis: Any) -> Any:
    along = 0 if axis is None else axis
    return reshaped(_backwards(cumsum(_backwards(g, along), along), along), x.shape)


def _cumsum_shape(shape: Shape, axis: Any = None) -> Shape:
    if axis is None:
        return (prod(shape),)
    normalize_axis_index(axis, len(shape) or 1)
    return shape or (1,)


@linear("cumsum", _cumsum_transpose, shape=_cumsum_shape)
def cumsum(x: Any, axis: Any = None) -> Any:
    """The sums of the first 1, 2, 3 … elements along `axis` (None: of x made flat)."""
    if is_half(x):
        return np.cumsum(x, axis, np.float32).astype(x.dtype)
    return np.cumsum(x, axis=axis)


def _extremum_vjp(g: Any, out: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    chosen = _chosen(out, x, axis)
    return kept(g, x.shape, axis) * chosen


def _extremum_jvp(tangents: Any, out: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    return sum(tangents[0] * _chosen(out, x, axis), axis, keepdims)


def _chosen(out: Any, x: Any, axis: Any) -> Any:
    """1 at the extremum of each slice, in equal parts where several elements share it."""
    hits = equal(x, kept(out, x.shape, axis))
    if not holds(x.dtype, prod(x.shape)):
        return astype(hits / sum(hits, axis, keepdims=True), x.dtype)
    hits = astype(hits, x.dtype)
    return hits / sum(hits, axis, keepdims=True)


def _extremum_shape(shape: Shape, axis: Any = None, keepdims: bool = False) -> Shape:
    if 0 in (shape[i] for i in axis_numbers(len(shape), axis)):
        raise ValueError(f"shape {shape} has no elements to choose from")
    return reduced(shape, axis, keepdims)


@general("max", _extremum_vjp, jvp=_extremum_jvp, shape=_extremum_shape)
def max(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest element over `axis` (None: over all)."""
    return np.max(x, axis=axis, keepdims=keepdims)


@general("min", _extremum_vjp, jvp=_extremum_jvp, shape=_extremum_shape)
def min(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest element over `axis` (None: over all)."""
    return np.min(x, axis=axis, keepdims=keepdims)


def _share(out: Any, x: Any, axis: Any) -> Any:
    """e to the power of each element, divided by their sum over `axis`: the softmax."""
    return exp(x - kept(out, x.shape, axis))


@general(
    "logsumexp",
    lambda g, out, x, axis, keepdims: kept(g, x.shape, axis) * _share(out, x, axis),
    jvp=lambda dxs, out, x, axis, keepdims: sum(dxs[0] * _share(out, x, axis), axis, keepdims),
    shape=_extremum_shape,
)
def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """log Σ eˣ over `axis` (None: over all), without overflow."""
    x = in_floats(x)
    if is_half(x):
        return logsumexp(x.astype(np.float32), axis, keepdims).astype(x.dtype)
    largest = np.max(x, axis=axis, keepdims=True)
    if not np.isfinite(largest).all():
        largest = np.where(np.isfinite(largest), largest, 0)  # ∞ − ∞ is no number
    total = np.log(np.sum(np.exp(x - largest), axis=axis, keepdims=True)) + largest
    return total if keepdims else np.reshape(total, reduced(np.shape(x), axis))


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
