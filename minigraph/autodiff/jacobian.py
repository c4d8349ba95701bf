"""Whole matrices of derivatives, and their products with vectors, out of the two modes.

One backward sweep gives a row of the Jacobian, one forward sweep gives a column. So a function with
few outputs is differentiated in reverse, one with few inputs forward.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

from ..core.node import Node, checked_value, constant
from ..core.order import topological_order
from ..core.table import reshape, sum
from ..errors import GradientError
from ..errors.words import describe
from ..graph.context import always_recording
from ..graph.functions import stack
from .derivatives import between, grad, gradients, jvp


def jacobian(y: Node, wrt: Node | Sequence[Node], mode: str | None = None) -> Any:
    """Return the derivative of each element of y by each element of x, for each x in `wrt`.

    Args:
        y: the output, of any shape.
        wrt: one Node or several.
        mode: "reverse" takes a sweep for each element of y, "forward" one for each element of x;
            None chooses what takes fewer.

    Returns:
        A Node of shape (*y.shape, *x.shape), or a list of them in the order of `wrt`.

    Raises:
        GradientError: if some x does not reach y.
    """
    if mode not in (None, "reverse", "forward"):
        raise GradientError(f'mode is "reverse", "forward" or None, not {mode!r}')
    topological_order(y)  # refuses what is no Node
    targets = [wrt] if isinstance(wrt, Node) else list(wrt)
    grad(y, targets, seed=np.zeros(y.shape))  # refuses what has no derivative
    matrices = [_jacobian(y, x, mode) for x in targets]
    return matrices[0] if isinstance(wrt, Node) else matrices


def hessian(y: Node, wrt: Node | Sequence[Node]) -> Any:
    """Return the second derivatives of a scalar y by all pairs of elements of x.

    Returns:
        For one x a Node of shape (*x.shape, *x.shape). For several, a list of lists: the block in
        row i and column j has the shape (*wrt[i].shape, *wrt[j].shape).

    Raises:
        GradientError: if y is no scalar, or some x does not reach y.
    """
    targets = [wrt] if isinstance(wrt, Node) else list(wrt)
    with always_recording():
        rows = grad(y, targets)
    blocks = [[_jacobian(g, x) for x in targets] for g in rows]
    return blocks[0][0] if isinstance(wrt, Node) else blocks


def hvp(y: Node, wrt: Node | Sequence[Node], vectors: Any) -> Any:
    """Return the Hessian of a scalar y times a vector, without building the Hessian.

    The gradient's product with the vector is differentiated once more: about four times the cost of
    y (B. A. Pearlmutter, "Fast exact multiplication by the Hessian", 1994).

    Args:
        y: a scalar.
        wrt: one Node or several.
        vectors: what to multiply with, of the shape of x; for several x a list.

    Returns:
        A Node of the shape of x, or a list of them.
    """
    targets = [wrt] if isinstance(wrt, Node) else list(wrt)
    factors = [vectors] if isinstance(wrt, Node) else list(vectors)
    vs = [v if isinstance(v, Node) else checked_value(v, x.dtype) for v, x in zip(factors, targets)]
    if len(factors) != len(targets):
        raise GradientError(f"there are {len(targets)} Nodes in wrt, but {len(factors)} vectors")
    for x, v in zip(targets, vs):
        if v.shape != x.shape:
            raise GradientError(f"the vector for {describe(x)} has shape {v.shape}", (x,))
    with always_recording():
        total = reduce(operator.add, [sum(g * v) for g, v in zip(grad(y, targets), vs)])
    products = gradients(total, targets) if total.requires_grad else [None] * len(targets)
    results = [_zeros(x) if g is None else g for g, x in zip(products, targets)]
    return results[0] if isinstance(wrt, Node) else results


def _jacobian(y: Node, x: Node, mode: str | None = None) -> Node:
    """The Jacobian, zero where x does not reach y."""
    mode = mode or ("forward" if x.size < y.size else "reverse")
    shape = (*y.shape, *x.shape)
    if (
        not y.size
        or not x.size
        or not y.requires_grad
        or y not in between([x], topological_order(y))
    ):
        return constant(np.zeros(shape, y.dtype))
    if mode == "forward":
        columns = [jvp(y, {x: e}) for e in _units(x)]
        return reshape(stack(columns, axis=-1), shape)
    rows = [gradients(y, [x], seed=e)[0] for e in _units(y)]
    if rows[0] is None:  # the path from x leads through what has no derivative
        return constant(np.zeros(shape, y.dtype))
    return reshape(stack(rows), shape)


def _units(x: Node) -> np.ndarray:
    """For each element of x, an array of x's shape that is 1 there and 0 elsewhere."""
    return np.eye(x.size, dtype=x.dtype).reshape(x.size, *x.shape)


def _zeros(x: Node) -> Node:
    return constant(np.zeros(x.shape, x.dtype))
