"""Windows, for convolution and pooling: every place of a small frame that slides over axes."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..core.stating import linear
from ..errors.shapes import Shape


def strides_of(shape: Shape, stride: Any) -> tuple[int, ...]:
    """How far apart windows of a shape are, along each of their axes."""
    strides = (stride,) * len(shape) if np.ndim(stride) == 0 else tuple(stride)
    if not len(shape) or len(strides) != len(shape) or any(n < 1 for n in (*strides, *shape)):
        raise ValueError(f"windows {shape} with stride {stride}: sizes and strides are 1 or more")
    return tuple(map(int, strides))


def _windows_shape(x: Shape, shape: Shape, stride: Any = 1) -> Shape:
    k = len(shape)
    strides = strides_of(shape, stride)
    lead = len(x) - k
    if lead < 0 or any(w > n for n, w in zip(x[lead:], shape)):
        raise ValueError(f"a window {tuple(shape)} does not fit into shape {x}")
    places = [(n - w) // s + 1 for n, w, s in zip(x[lead:], shape, strides)]
    return (*x[:lead], *places, *shape)


@linear(
    "windows",
    lambda g, out, x, shape, stride: overlap_add(g, x.shape[-len(shape) :], stride),
    shape=_windows_shape,
)
def windows(x: Any, shape: Any, stride: Any = 1) -> Any:
    """All windows of `shape` over the last axes of x, `stride` steps apart.

    The result has the shape (*leading axes, *places of the window, *window); nothing is copied.
    """
    _windows_shape(x.shape, shape, stride)
    k = len(shape)
    every = sliding_window_view(x, tuple(shape), tuple(range(x.ndim - k, x.ndim)))
    steps: Any = (..., *[slice(None, None, s) for s in strides_of(shape, stride)])
    return every[(*steps, *[slice(None)] * k)]


def _overlap_add_shape(x: Shape, shape: Shape, stride: Any = 1) -> Shape:
    k = len(shape)
    out = (*x[: len(x) - 2 * k], *shape)
    if len(x) < 2 * k or _windows_shape(out, x[len(x) - k :], stride) != x:
        raise ValueError(f"windows of shape {x} do not come from shape {tuple(shape)}")
    return out


@linear(
    "windowsᵀ",
    lambda g, out, x, shape, stride: windows(g, x.shape[-len(shape) :], stride),
    shape=_overlap_add_shape,
)
def overlap_add(x: Any, shape: Any, stride: Any = 1) -> Any:
    """Windows laid back where `windows` found them in axes of `shape`, added where they overlap."""
    k = len(shape)
    out = np.zeros(_overlap_add_shape(x.shape, shape, stride), x.dtype)
    strides, places = strides_of(shape, stride), x.shape[-2 * k : -k]
    for inner in product(*map(range, x.shape[-k:])):
        spots: Any = [slice(i, i + n * s, s) for i, n, s in zip(inner, places, strides)]
        out[(..., *spots)] += x[(..., *inner)]
    return out
