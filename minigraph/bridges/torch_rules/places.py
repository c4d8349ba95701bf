"""Elements picked by numbers or masks, and written there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...core.indexing import getitem, scatter_add
from ...core.node import Node, constant
from ...core.table import astype, broadcast_to, equal, reshape
from ...graph.functions import expand_dims, take, take_along_axis
from ...graph.joining import stop_gradient, where
from ...graph.rows import not_equal
from ..translating import refusal
from .shapes import part
from .stating import BY_VALUES, FROM, plain, scaled


def gathered(x: Any, axis: int, index: Any) -> Any:
    """The elements with these numbers along an axis; other axes of the index may be shorter."""
    if not x.shape:
        return x
    axis = axis % len(x.shape)
    return getitem(x, _places(axis, index))


def _places(axis: int, index: Any) -> tuple[Any, ...]:
    grid = list(np.ix_(*map(np.arange, index.shape)))
    return (*grid[:axis], index, *grid[axis + 1 :])


@FROM.rule("aten.gather")
def _(out: Any, x: Any, axis: int, index: Any, *, sparse_grad: bool = False) -> Any:
    return gathered(x, axis, index)


@FROM.rule("aten.take_along_dim")
def _(out: Any, x: Any, index: Any, axis: int | None = None) -> Any:
    return take_along_axis(x, index, axis)


@FROM.rule("aten.index_select")
def _(out: Any, x: Any, axis: int, index: Any) -> Any:
    return part(x, axis, index)


plain(lambda x, index: take(x, index), "take")


def _index(x: Any, indices: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(slice(None) if i is None else i for i in indices)


@FROM.rule("aten.index")
def _(out: Any, x: Any, indices: Sequence[Any]) -> Any:
    picked = getitem(x, _index(x, indices))
    is_by_values = any(isinstance(i, Node) and i.dtype == np.bool_ for i in indices)
    return reshape(picked, picked.shape) if is_by_values else picked  # one for this number only


@FROM.rule("aten.masked_select")
def _(out: Any, x: Any, mask: Any) -> Any:
    shape = np.broadcast_shapes(x.shape, mask.shape)
    picked = getitem(broadcast_to(x, shape), (broadcast_to(mask, shape),))
    return reshape(picked, picked.shape)


@FROM.rule("aten.index_put", "aten._unsafe_index_put")
def _(out: Any, x: Any, indices: Sequence[Any], value: Any, accumulate: bool = False) -> Any:
    if len(indices) == 1 and indices[0].dtype == np.bool_:
        mask = indices[0]
        if value.shape and value.size != 1:
            raise refusal("x[mask] = values cannot be translated", instead=BY_VALUES)
        mask = reshape(mask, (*mask.shape, *(1,) * (len(x.shape) - len(mask.shape))))
        value = reshape(value, ()) if value.shape else value
        return x + where(mask, value, 0.0) if accumulate else where(mask, value, x)
    return written(x, _index(x, indices), value, accumulate)


def written(x: Any, index: Any, value: Any, accumulate: bool = False) -> Any:
    """x with a value at an index, or added there."""
    places = np.zeros(x.shape, np.bool_)
    if any(isinstance(i, Node) for i in index):
        ones = broadcast_to(constant(np.ones((), x.dtype)), getitem(x, index).shape)
        inside = not_equal(scatter_add(ones, index, x.shape), 0)
    else:
        places[index] = True
        inside = constant(places)
    shape = getitem(x, index).shape
    value = value if value.shape == shape else broadcast_to(value, shape)
    there = scatter_add(value, index, x.shape)
    return x + there if accumulate else where(inside, there, x)


@FROM.rule("aten.index_add")
def _(out: Any, x: Any, axis: int, index: Any, source: Any, *, alpha: Any = 1) -> Any:
    place = (*[slice(None)] * (axis % len(x.shape)), index)
    return x + scatter_add(scaled(source, alpha), place, x.shape)


@FROM.rule("aten.scatter_add")
def _(out: Any, x: Any, axis: int, index: Any, source: Any) -> Any:
    source = getitem(source, tuple(slice(0, n) for n in index.shape))
    return x + scatter_add(source, _places(axis % len(x.shape), index), x.shape)


@FROM.rule("aten.scatter")
def _(out: Any, x: Any, axis: int, index: Any, source: Any, *, reduce: Any = None) -> Any:
    if reduce is not None:
        raise refusal(f"scatter with reduce={reduce!r} cannot be translated")
    if not isinstance(source, Node):
        source = constant(np.asarray(source, x.dtype))
    if source.shape:
        source = getitem(source, tuple(slice(0, n) for n in index.shape))
    return written(x, _places(axis % len(x.shape), index), source)


@FROM.rule("aten.select_scatter")
def _(out: Any, x: Any, source: Any, axis: int, index: int) -> Any:
    return written(x, (*[slice(None)] * (axis % len(x.shape)), int(index)), source)


@FROM.rule("aten.slice_scatter")
def _(
    out: Any, x: Any, source: Any, axis: int = 0, start: Any = None, end: Any = None, step: int = 1
) -> Any:
    return written(x, (*[slice(None)] * (axis % len(x.shape)), slice(start, end, step)), source)


@FROM.rule("aten.embedding")
def _(out: Any, weight: Any, index: Any, padding: int = -1, *_: Any) -> Any:
    if padding >= 0:  # a row whose gradient is kept at 0
        is_padding = (np.arange(weight.shape[0]) == padding)[:, None]
        weight = where(is_padding, stop_gradient(weight), weight)
    return getitem(weight, index)


@FROM.rule("aten.one_hot")
def _(out: Any, x: Any, classes: int = -1) -> Any:
    return astype(equal(expand_dims(x, -1), np.arange(out.shape[-1])), np.int64)
