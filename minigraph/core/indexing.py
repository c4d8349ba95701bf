"""Indexing: elements picked, and its transpose, elements added up where they were picked.

An index is an attribute of the operation, but the Nodes in it are inputs: so that a graph whose
indices are computed can be run again with others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors.indices import index_items, kept_item, names_places_once
from ..errors.shapes import Shape, blank
from .node import Node
from .stating import variadic
from .table import is_half


@dataclass(frozen=True)
class Slot:
    """Stands, in the index of `getitem` and `scatter_add`, for one of their inputs `indices`."""

    number: int


def _index_and_inputs(index: Any, keep: bool) -> tuple[Any, tuple[Node, ...]]:
    """Replace the Nodes in an index by Slots; put the rest into `kept_item`'s form if asked to."""
    if type(index) is int:
        return index, ()
    nodes: list[Node] = []
    items: list[Any] = []
    for item in index_items(index):
        if isinstance(item, Node):
            items.append(Slot(len(nodes)))
            nodes.append(item)
        else:
            items.append(kept_item(item) if keep else item)
    return tuple(items) if isinstance(index, tuple) else items[0], tuple(nodes)


def filled(index: Any, indices: Sequence[Any]) -> Any:
    """The index with its Slots filled."""
    if not indices:
        return index
    if isinstance(index, tuple):
        return tuple(indices[i.number] if type(i) is Slot else i for i in index)
    return indices[index.number]


def _getitem_called(x: Any, index: Any) -> tuple[tuple, dict]:
    index, nodes = _index_and_inputs(index, keep=type(x) is Node)
    return (x, *nodes), {"index": index}


def _getitem_shape(x: Shape, *indices: Shape, index: Any) -> Shape:
    return blank(x)[filled(index, [np.zeros(s, int) for s in indices])].shape


@variadic(
    "[ ]",
    [lambda g, out, x, *indices, index: scatter_add(g, filled(index, indices), x.shape)],
    jvp=lambda dxs, out, x, *indices, index: getitem(dxs[0], filled(index, indices)),
    shape=_getitem_shape,
    called=_getitem_called,
)
def getitem(x: Any, *indices: Any, index: Any) -> Any:
    """x[index], with NumPy's basic and advanced indexing; an index may be or hold a Node."""
    elements = x[filled(index, indices)]
    return elements if elements.shape else elements[()]  # x[0, ...] is a view, x[0] a number


def _scatter_called(x: Any, index: Any, shape: Any) -> tuple[tuple, dict]:
    index, nodes = _index_and_inputs(index, keep=type(x) is Node)
    return (x, *nodes), {"index": index, "shape": shape}


@variadic(
    "[ ]ᵀ",
    [lambda g, out, x, *indices, index, shape: getitem(g, filled(index, indices))],
    jvp=lambda dxs, out, x, *indices, index, shape: scatter_add(
        dxs[0], filled(index, indices), shape
    ),
    shape=lambda x, *indices, index, shape: blank(shape).shape,
    called=_scatter_called,
)
def scatter_add(x: Any, *indices: Any, index: Any, shape: Any) -> Any:
    """Zeros of `shape` with x added at `index`; places that are named twice receive twice."""
    index = filled(index, indices)
    if names_places_once(index):
        out = np.zeros(shape, x.dtype)
        out[index] = x
        return out
    out = np.zeros(shape, np.float32 if is_half(x) else x.dtype)
    np.add.at(out, index, x)
    return out.astype(x.dtype, copy=False)
