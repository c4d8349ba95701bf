"""What slides over an image: convolution, pooling, other resolutions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from string import ascii_letters
from typing import Any

import numpy as np

from ...core.indexing import getitem, scatter_add
from ...core.table import reshape, sum, transpose
from ...graph.composing import folding
from ...graph.functions import conv2d, expand_dims, pad, squeeze, take, take_along_axis
from ...graph.products import einsum
from ...graph.reductions import argmax, mean
from ...graph.sliding import overlap_add, windows
from ..kernels import convolved, taps
from ..translating import refusal
from .stating import FROM


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
