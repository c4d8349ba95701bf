"""Other shapes and orders of the same elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...core.indexing import getitem, scatter_add
from ...core.operation import FUNCTIONS
from ...core.table import astype, broadcast_to, reshape, transpose
from ...graph.functions import diagonal, flip, moveaxis, pad, stack, swapaxes, take, tril, triu
from ...graph.joining import concatenate
from ...graph.sliding import windows
from ..torch_dtypes import dtype_of
from ..translating import refusal
from .stating import FROM, plain


@FROM.rule(
    "aten.view", "aten.reshape", "aten._unsafe_view", "aten._reshape_alias", "aten.flatten",
    "aten.unflatten", "aten.squeeze", "aten.unsqueeze", "aten.view_as", "aten.reshape_as",
    "aten.ravel", "aten.atleast_1d", "aten.atleast_2d",
)  # fmt: skip
def _(out: Any, x: Any, *_: Any) -> Any:
    return x if x.shape == tuple(out.shape) else reshape(x, tuple(out.shape))


@FROM.rule("aten.expand", "aten.expand_as", "aten.broadcast_to")
def _(out: Any, x: Any, *_: Any, **__: Any) -> Any:
    return x if x.shape == tuple(out.shape) else broadcast_to(x, tuple(out.shape))


@FROM.rule("aten.broadcast_tensors")
def _(out: Any, tensors: Any) -> Any:
    shapes = [tuple(y.shape) for y in out]
    return [x if x.shape == s else broadcast_to(x, s) for x, s in zip(tensors, shapes)]


@FROM.rule("aten.permute")
def _(out: Any, x: Any, axes: Any) -> Any:
    return transpose(x, tuple(axes))


@FROM.rule("aten.t", "aten.numpy_T", "aten.mT", "aten.matrix_H", "aten.adjoint")
def _(out: Any, x: Any) -> Any:
    return x if len(x.shape) < 2 else swapaxes(x, -1, -2) if len(x.shape) > 2 else transpose(x)


@FROM.rule("aten.transpose", "aten.swapaxes", "aten.swapdims")
def _(out: Any, x: Any, i: int, j: int) -> Any:
    return swapaxes(x, i, j) if x.shape else x


@FROM.rule("aten.movedim", "aten.moveaxis")
def _(out: Any, x: Any, source: Any, destination: Any) -> Any:
    return moveaxis(x, source, destination)


@FROM.rule("aten.repeat", "aten.tile")
def _(out: Any, x: Any, times: Any) -> Any:
    shape = (*(1,) * (len(times) - len(x.shape)), *x.shape)
    times = [*(1,) * (len(shape) - len(times)), *times]
    x = x if x.shape == shape else reshape(x, shape)
    for axis, n in enumerate(times):
        x = x if n == 1 else concatenate([x] * n, axis)
    return x


@FROM.rule("aten.repeat_interleave")
def _(out: Any, x: Any, times: int, axis: int | None = None, **_: Any) -> Any:
    if axis is None:
        x, axis = reshape(x, -1), 0
    return take(x, np.repeat(np.arange(x.shape[axis]), times), axis)


@FROM.rule("aten.cat", "aten.concat", "aten.concatenate")
def _(out: Any, tensors: Sequence[Any], axis: int = 0) -> Any:
    parts = [x for x in tensors if len(x.shape) == len(out.shape)]  # but those of shape (0,)
    dtype = dtype_of(out.dtype)
    return concatenate([x if x.dtype == dtype else astype(x, dtype) for x in parts], axis)


@FROM.rule("aten.stack")
def _(out: Any, tensors: Sequence[Any], axis: int = 0) -> Any:
    dtype = dtype_of(out.dtype)
    return stack([x if x.dtype == dtype else astype(x, dtype) for x in tensors], axis)


def part(x: Any, axis: int, index: Any) -> Any:
    """The elements at an index of one axis."""
    return getitem(x, (*[slice(None)] * (axis % len(x.shape)), index))


@FROM.rule(
    "aten.split", "aten.split_with_sizes", "aten.chunk", "aten.tensor_split", "aten.unsafe_split",
    "aten.unsafe_chunk",
)  # fmt: skip
def _(out: Any, x: Any, sizes: Any, axis: int = 0, *, dim: int | None = None) -> Any:
    axis = axis if dim is None else dim
    ends = np.cumsum([y.shape[axis] for y in out]).tolist()
    return [part(x, axis, slice(i, j)) for i, j in zip([0, *ends], ends)]


@FROM.rule("aten.unbind")
def _(out: Any, x: Any, axis: int = 0) -> Any:
    return [part(x, axis, i) for i in range(x.shape[axis])]


@FROM.rule("aten.select")
def _(out: Any, x: Any, axis: int, index: int) -> Any:
    return part(x, axis, int(index))


@FROM.rule("aten.slice")
def _(out: Any, x: Any, axis: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Any:
    if tuple(out.shape) == x.shape:
        return x
    return part(x, axis, slice(start, None if end is None else int(end), step))


@FROM.rule("aten.narrow")
def _(out: Any, x: Any, axis: int, start: Any, length: int) -> Any:
    start = int(start) % (x.shape[axis] or 1)
    return part(x, axis, slice(start, start + length))


@FROM.rule("aten.flip")
def _(out: Any, x: Any, axes: Any) -> Any:
    return flip(x, tuple(axes)) if axes else x


@FROM.rule("aten.roll")
def _(out: Any, x: Any, shifts: Any, axes: Any = ()) -> Any:
    shifts, axes = (tuple(a) if isinstance(a, Sequence) else (a,) for a in (shifts, axes))
    shape = x.shape
    if not axes:
        x, axes = reshape(x, -1), (0,)
    for shift, axis in zip(shifts, axes):
        n = x.shape[axis]
        x = take(x, (np.arange(n) - shift) % (n or 1), axis)
    return x if x.shape == shape else reshape(x, shape)


plain(lambda x, k=0: tril(x, k), "tril")
plain(lambda x, k=0: triu(x, k), "triu")
plain(diagonal, "diagonal")


@FROM.rule("aten.diag")
def _(out: Any, x: Any, k: int = 0) -> Any:
    return diagonal(x, k) if len(x.shape) == 2 else _diagonals(out, x, k)


@FROM.rule("aten.diag_embed")
def _(out: Any, x: Any, k: int = 0, i: int = -2, j: int = -1) -> Any:
    if {i % len(out.shape), j % len(out.shape)} != {
        len(out.shape) - 2,
        len(out.shape) - 1,
    } or i > j:
        raise refusal("diag_embed into other axes than the last two cannot be translated")
    return _diagonals(out, x, k)


def _diagonals(out: Any, x: Any, k: int) -> Any:
    steps = np.arange(x.shape[-1])
    place = (..., steps - np.minimum(k, 0), steps + np.maximum(k, 0))
    return scatter_add(x, place, tuple(out.shape))


@FROM.rule("aten.trace")
def _(out: Any, x: Any) -> Any:
    return FUNCTIONS["trace"](x)


@FROM.rule("aten.pad", "aten.constant_pad_nd")
def _(out: Any, x: Any, widths: Any, mode: Any = "constant", value: Any = None) -> Any:
    if not isinstance(mode, str):
        mode, value = "constant", mode
    pairs = [*zip(widths[::2], widths[1::2])][::-1]
    first = len(x.shape) - len(pairs)
    if mode != "constant":
        for axis, (before, after) in enumerate(pairs, first):
            n, how = x.shape[axis], {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
            x = take(x, np.pad(np.arange(n), (before, after), how[mode]), axis)  # type: ignore
        return x
    for axis, (before, after) in enumerate(pairs, first):
        if before < 0 or after < 0:  # which crops
            x = part(x, axis, slice(-_min_0(before), x.shape[axis] + _min_0(after)))
    wide = [(0, 0)] * first + [(-_min_0(-a), -_min_0(-b)) for a, b in pairs]
    return pad(x, wide, constant_values=value or 0)


def _min_0(n: int) -> int:
    return n if n < 0 else 0


@FROM.rule("aten.unfold")
def _(out: Any, x: Any, axis: int, size: int, step: int) -> Any:
    axis = axis % (len(x.shape) or 1)
    return moveaxis(windows(moveaxis(x, axis, -1), (size,), step), -2, axis)
