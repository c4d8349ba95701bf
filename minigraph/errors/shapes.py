"""Which shapes fit together, what shape comes of them, and what is said of the others.

Shapes that do not fit are a ValueError, which says what would; whoever knows the Nodes names them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

Shape = tuple[int, ...]


def broadcast_shape(*shapes: Shape) -> Shape:
    """The shape that NumPy's broadcasting gives; a ValueError names the axis that does not fit."""
    first = shapes[0]
    if shapes.count(first) == len(shapes):
        return tuple(first)
    ndim = max(map(len, shapes))
    padded = [(1,) * (ndim - len(s)) + tuple(s) for s in shapes]
    out = []
    for axis, sizes in enumerate(zip(*padded, strict=True), start=-ndim):
        wide = {n for n in sizes if n != 1}
        if len(wide) > 1:
            raise ValueError(
                f"axis {axis} has sizes {' and '.join(map(str, sizes))}; "
                "they must be equal, or one of them 1"
            )
        out.append(wide.pop() if wide else 1)
    return tuple(out)


def axis_numbers(ndim: int, axis: Any) -> tuple[int, ...]:
    """The axes that `axis` names, as numbers from 0; raises NumPy's AxisError (a ValueError)."""
    if axis is None or (ndim == 0 and axis in (0, -1)):  # NumPy lets a scalar be reduced so
        return tuple(range(ndim))
    return normalize_axis_tuple(axis, ndim)


def reduced(shape: Shape, axis: Any = None, keepdims: bool = False) -> Shape:
    """The shape that a reduction over `axis` leaves."""
    axes = axis_numbers(len(shape), axis)
    if keepdims:
        return tuple(1 if i in axes else n for i, n in enumerate(shape))
    return tuple(n for i, n in enumerate(shape) if i not in axes)


def transpose_shape(old: Shape, axes: Any = None) -> Shape:
    """The shape with its axes in another order; None reverses them."""
    order = range(len(old))[::-1] if axes is None else axis_numbers(len(old), axes)
    if len(order) != len(old):
        raise ValueError(f"axes {axes} must name each of the axes 0 to {len(old) - 1} once")
    return tuple(old[i] for i in order)


def broadcast_to_shape(old: Shape, shape: Any) -> Shape:
    """A shape to which another one can be stretched."""
    wanted = blank(shape).shape  # a tuple, though NumPy takes a list or number too
    if broadcast_shape(old, wanted) != wanted:
        raise ValueError(f"shape {old} cannot be stretched to {wanted}")
    return wanted


def matmul_shape(x: Shape, y: Shape) -> Shape:
    """The shape of a matrix product."""
    if not x or not y:
        raise ValueError("a scalar has no axis to sum over; multiply with *")
    if x[-1] != y[-2:][0]:
        raise ValueError(
            f"axis -1 of the first has size {x[-1]}, axis {-1 if len(y) < 2 else -2} of the second "
            f"{y[-2:][0]}; they must be equal"
        )
    return (*broadcast_shape(x[:-2], y[:-2]), *x[-2:-1], *y[-1:][: len(y) - 1])


def blank(shape: Shape) -> np.ndarray:
    """An array of any shape in one byte of memory, to ask NumPy what shape a view of it has."""
    return np.broadcast_to(np.False_, shape)
