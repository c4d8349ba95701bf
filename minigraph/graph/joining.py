"""Operations that put arrays together, choose between them, or let a gradient through or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..core.indexing import getitem
from ..core.operation import EachInput
from ..core.stating import general, variadic
from ..core.table import reshape
from ..errors.shapes import Shape, axis_numbers, broadcast_shape


def _concatenate_rule(i: int, g: Any, out: Any, arrays: Sequence[Any], axis: int) -> Any:
    before = [x.shape[axis] for x in arrays[: i + 1]]
    part = slice(np.sum(before[:-1], dtype=int).item(), np.sum(before).item())
    return getitem(g, (*[slice(None)] * axis_numbers(len(out.shape), axis)[0], part))


def _concatenate_jvp(tangents: Any, out: Any, *arrays: Any, axis: int) -> Any:
    zeros = [np.zeros(x.shape, x.dtype) for x in arrays]
    return concatenate([zero if t is None else t for t, zero in zip(tangents, zeros)], axis)


def _concatenate_shape(*shapes: Shape, axis: int) -> Shape:
    first = shapes[0]
    k = normalize_axis_index(axis, len(first))
    for i, s in enumerate(shapes):
        if len(s) != len(first) or s[:k] + s[k + 1 :] != first[:k] + first[k + 1 :]:
            raise ValueError(f"array {i} has shape {s}; but for axis {axis} it must be as {first}")
    return (*first[:k], np.sum([s[k] for s in shapes]).item(), *first[k + 1 :])


def _concatenate_called(arrays: Any, axis: int | None = 0) -> tuple[tuple, dict]:
    parts = tuple(arrays)
    if not parts:  # said here, where it is known whose rows they should have been
        raise ValueError("need at least one array to concatenate")
    if axis is None:
        return tuple(reshape(x, -1) for x in parts), {"axis": 0}
    return parts, {"axis": axis}


@variadic(
    "concat",
    EachInput(_concatenate_rule),
    jvp=_concatenate_jvp,
    shape=_concatenate_shape,
    called=_concatenate_called,
)
def concatenate(*arrays: Any, axis: int) -> Any:
    """Several arrays, given as a list, one after another along `axis` (None: made flat)."""
    return np.concatenate(arrays, axis=axis)


def _where_jvp(tangents: Any, out: Any, condition: Any, x: Any, y: Any) -> Any:
    dx, dy = (0 if t is None else t for t in tangents[1:])
    return where(condition, dx, dy)


@general(
    "where",
    None,
    lambda g, out, condition, x, y: where(condition, g, 0),
    lambda g, out, condition, x, y: where(condition, 0, g),
    jvp=_where_jvp,
    shape=broadcast_shape,
)
def where(condition: Any, x: Any, y: Any) -> Any:
    """x where the condition holds, y elsewhere."""
    return np.where(condition, x, y)


@general("stop", None, shape=lambda s: s)
def stop_gradient(x: Any) -> Any:
    """x itself, as a constant: no gradient flows through."""
    return x
