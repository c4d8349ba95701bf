"""Convolutions as the bridges say them: the windows that a kernel sees, and their products."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_letters
from typing import Any

from ..core.indexing import getitem
from ..core.table import reshape
from ..graph.products import einsum
from ..graph.sliding import windows


def taps(x: Any, sizes: Sequence[int], strides: Sequence[int], dilations: Sequence[int]) -> Any:
    """The windows over the last axes, of which dilation leaves out elements.

    Of shape (…, *places, *sizes).
    """
    wide = tuple((n - 1) * d + 1 for n, d in zip(sizes, dilations, strict=True))
    every = windows(x, wide, tuple(strides))
    if all(d == 1 for d in dilations):
        return every
    return getitem(every, (..., *(slice(None, None, d) for d in dilations)))


def convolved(seen: Any, w: Any, groups: int) -> Any:
    """The products of windows and filters, summed: (batch, filters, *places).

    Args:
        seen: the windows, (batch, channels, *places, *kernel).
        w: the filters, (filters, channels / groups, *kernel).
        groups: into how many the channels are split, each with as many of the filters.
    """
    k = len(w.shape) - 2
    places, kernel = ascii_letters[:k], ascii_letters[k : 2 * k]
    if groups == 1:
        return einsum(f"xy{places}{kernel},zy{kernel}->xz{places}", seen, w)
    batch, filters = seen.shape[0], w.shape[0]
    seen = reshape(seen, (batch, groups, -1, *seen.shape[2:]))
    w = reshape(w, (groups, filters // groups, *w.shape[1:]))
    y = einsum(f"xwy{places}{kernel},wzy{kernel}->xwz{places}", seen, w)
    return reshape(y, (batch, filters, *y.shape[3:]))
