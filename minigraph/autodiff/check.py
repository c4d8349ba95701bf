"""Check gradients against finite differences: the oldest and most independent test there is."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any

import numpy as np

from ..graph.errors import GradientError, KinkWarning, NodeTypeError
from ..graph.node import Node, describe, recording, variable
from ..graph.ops import sum as sum_
from .reverse import backward, gradients

EVERY_ELEMENT = 200  # inputs up to this size are nudged element by element
DIRECTIONS = 20  # random ones, for larger inputs


@recording()
def gradcheck(
    f: Callable[..., Node],
    *values: Any,
    order: int = 1,
    directions: int | None = None,
    eps: float = 1e-6,
    rtol: float = 1e-5,
    atol: float = 1e-7,
) -> bool:
    """Compare the gradients of f with central differences, (f(x + eps) - f(x - eps)) / (2 eps).

    Where the slopes on the two sides of x differ, f has a kink there: then a KinkWarning says so,
    and any gradient between the two slopes will do.

    Args:
        f: takes one Node for each value and returns a Node of any shape.
        values: where to compare; numbers or arrays, taken as float64.
        order: 2 checks the gradients of the gradients, too.
        directions: how many random directions to nudge each input in; None nudges every element
            of inputs with up to 200, and larger ones in 20 directions.
        eps: the step; about the cube root of float64's rounding error, 6e-6, is the best
            compromise.
        rtol, atol: the disagreement allowed, relative and absolute.

    Returns:
        True.

    Raises:
        GradientError: naming the input, the element and both numbers at the first disagreement.
    """
    if order not in (1, 2):
        raise GradientError(f"gradcheck knows the orders 1 and 2, not {order!r}")
    points = [np.array(v, dtype=np.float64) for v in values]
    nodes = [variable(p, name=f"input {i}") for i, p in enumerate(points)]
    y = f(*nodes)
    if not isinstance(y, Node):
        raise NodeTypeError(f"f must return a Node, not {type(y).__name__} {y!r:.40}")
    # A fixed random weight for each element of y turns all of them into one number to
    # differentiate. For a scalar it is taken out again of the numbers that are shown.
    weights = np.random.default_rng(0).uniform(0.5, 1.5, y.shape)
    unit = 1.0 if y.shape else float(weights)
    of = " (of the sum of f's elements with random weights)" if y.shape else ""
    backward(y, seed=weights)
    for i, (node, point) in enumerate(zip(nodes, points)):
        gradient = np.zeros(point.shape) if node.grad is None else node.grad
        for where, direction in _nudges(point, directions):

            def weighted(step: float, i: int = i, direction: np.ndarray = direction) -> float:
                moved = [p + step * direction if j == i else p for j, p in enumerate(points)]
                return float(np.sum(f(*map(variable, moved)).value * weights)) / unit

            slope = float(np.sum(gradient * direction)) / unit
            left, right, numeric = _slopes(weighted, eps)
            agrees = bool(np.isclose(slope, numeric, rtol=rtol, atol=atol))
            if _kink(weighted, left, right, eps):
                warnings.warn(
                    f"by {describe(node)}{where} there is a kink: the slope{of} is {left:.6g} on "
                    f"one side and {right:.6g} on the other, so there is no derivative",
                    KinkWarning,
                    stacklevel=2,
                )
                agrees = min(left, right) - atol <= slope <= max(left, right) + atol
            if not agrees:
                raise GradientError(
                    f"by {describe(node)}{where} the gradient is {slope:.8g}, but finite "
                    f"differences give {numeric:.8g}{of}",
                    (node,),
                )
    if order == 2:
        try:
            gradcheck(_gradient(f), *values, directions=directions, eps=eps, rtol=rtol, atol=atol)
        except GradientError as error:
            raise GradientError(f"at the second order, {error}", error.nodes) from None
    return True


def _nudges(point: np.ndarray, directions: int | None) -> Iterator[tuple[str, np.ndarray]]:
    """Directions to change an input in, each with the words that say where."""
    if directions is None and point.size <= EVERY_ELEMENT:
        for index in np.ndindex(point.shape):
            direction = np.zeros(point.shape)
            direction[index] = 1
            yield f" at {list(index)}" if index else "", direction
    else:
        rng = np.random.default_rng(1)
        for n in range(1, (directions or DIRECTIONS) + 1):
            direction = rng.normal(size=point.shape) / np.sqrt(max(point.size, 1))
            yield f" along random direction {n}", direction


def _slopes(f: Callable[[float], float], eps: float) -> tuple[float, float, float]:
    """The slopes of f at 0 on the left, on the right, and over both sides."""
    below, here, above = f(-eps), f(0.0), f(eps)
    return (here - below) / eps, (above - here) / eps, (above - below) / (2 * eps)


def _kink(f: Callable[[float], float], left: float, right: float, eps: float) -> bool:
    """Whether the slopes differ, and go on differing closer by, as those of a curve do not."""
    large = 1e-3 * (abs(left) + abs(right)) + 1e-4
    if not abs(right - left) > large:
        return False
    left, right_, _ = _slopes(f, eps / 10)
    return abs(right_ - left) > 0.5 * abs(right - left)


def _gradient(f: Callable[..., Node]) -> Callable[..., Node]:
    """The sum of all gradients of f, with weights that differ, so that no error cancels another."""

    def summed(*nodes: Node) -> Node:
        y = f(*nodes)
        found = gradients(y, nodes, seed=_uneven(y))
        # 0 · x connects an input on which its own gradient does not depend.
        terms = [sum_(0 * x if g is None else g * _uneven(g) + 0 * x) for g, x in zip(found, nodes)]
        return reduce(operator.add, terms)

    return summed


def _uneven(x: Node) -> np.ndarray:
    return np.linspace(0.7, 1.3, x.size).reshape(x.shape)
