"""Which indices are taken, and in what form they are kept."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np


def kept_item(item: Any) -> Any:
    """An item of an index as an operation keeps it: None, ..., an int, a slice of ints, an array.

    Arrays are copies, of whole numbers in one dtype or of booleans. What NumPy does not take for an
    index stays as it is, to be refused when it is used.
    """
    if item is None or item is ... or type(item) is int:
        return item
    try:
        if isinstance(item, slice):
            parts = item.start, item.stop, item.step
            return slice(*[p if p is None else operator.index(p) for p in parts])
        if not isinstance(item, bool):
            return operator.index(item)
    except TypeError:
        if isinstance(item, slice):
            return item
    try:
        array = np.array(item)
    except ValueError:
        return item
    is_empty = not array.size and not isinstance(item, np.ndarray)  # [] is an array of floats
    return array.astype(np.intp) if is_empty or array.dtype.kind in "iu" else array


def index_items(index: Any) -> tuple[Any, ...]:
    """The items of an index, one for each comma-separated part."""
    return index if isinstance(index, tuple) else (index,)


# Two questions about an index in the form that operations keep. All who ask, ask here.


def is_basic(index: Any) -> bool:
    """Whether it has no arrays and no Nodes, so that NumPy gives a view.

    That holds for single elements, too: x[0, ...] is a view without axes where x[0] is a number.
    """
    return all(i is None or i is ... or type(i) in (int, slice) for i in index_items(index))


def names_places_once(index: Any) -> bool:
    """Whether it is sure to name no place twice: it is basic, or has numbers that rise.

    Nodes may stand in it, in place of arrays whose values are not known.
    """
    items = index_items(index)
    others = tuple(i for i in items if not hasattr(i, "dtype"))
    if len(others) == len(items):
        return is_basic(index)
    arrays = [i for i in items if hasattr(i, "dtype")]
    plain = is_basic(others) and all(x.dtype.kind in "iu" and x.ndim == 1 for x in arrays)
    return plain and any(
        isinstance(x, np.ndarray) and x.shape == max(y.shape for y in arrays) and _rises(x)
        for x in arrays
    )


def _rises(x: np.ndarray) -> bool:
    return bool((x >= 0).all() and (x[1:] > x[:-1]).all())
