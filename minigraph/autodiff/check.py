"""Check gradients against finite differences: the oldest and most independent test there is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph.errors import GradientError, NodeTypeError
from ..graph.node import Node, describe, variable
from .reverse import backward


def gradcheck(
    f: Callable[..., Node], *values: Any, eps: float = 1e-6, rtol: float = 1e-5, atol: float = 1e-7
) -> bool:
    """Compare the gradients of f with central differences, (f(x + eps) - f(x - eps)) / (2 eps).

    Args:
        f: takes one Node for each value and returns a Node of any shape.
        values: where to compare; numbers or arrays, taken as float64.
        eps: the step; about the cube root of float64's rounding error, 6e-6, is the best
        compromise.
        rtol, atol: the disagreement allowed, relative and absolute.

    Returns:
        True.

    Raises:
        GradientError: naming the input, the element and both numbers at the first disagreement.
    """
    points = [np.array(v, dtype=np.float64) for v in values]
    nodes = [variable(p, name=f"input {i}") for i, p in enumerate(points)]
    y = f(*nodes)
    if not isinstance(y, Node):
        raise NodeTypeError(f"f must return a Node, not {type(y).__name__} {y!r:.40}")
    # A fixed random weight for each element of y turns all of them into one number to
    # differentiate.
    weights = np.random.default_rng(0).uniform(0.5, 1.5, y.shape)
    backward(y, seed=weights)

    def weighted() -> float:
        return float(np.sum(f(*map(variable, points)).value * weights))

    for node, point in zip(nodes, points):
        gradient = np.zeros(point.shape) if node.grad is None else node.grad
        for index in np.ndindex(point.shape):
            here = point[index]
            point[index] = here + eps
            above = weighted()
            point[index] = here - eps
            below = weighted()
            point[index] = here
            numeric = (above - below) / (2 * eps)
            if not np.isclose(gradient[index], numeric, rtol=rtol, atol=atol, equal_nan=True):
                where = f" at {list(index)}" if index else ""
                raise GradientError(
                    f"by {describe(node)}{where} the gradient is {gradient[index]:.8g}, but finite "
                    f"differences give {numeric:.8g}",
                    (node,),
                )
    return True
