"""Check gradients against finite differences: the oldest and most independent test there is."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable, Iterator
from functools import cache, reduce
from typing import Any

import numpy as np

from ..core.node import Node, variable
from ..core.order import topological_order
from ..core.table import sum as sum_
from ..errors import GradientError, KinkWarning, NodeTypeError
from ..errors.words import describe
from ..graph.context import always_recording
from .derivatives import backward, gradients

EVERY_ELEMENT = 200  # inputs up to this size are nudged element by element
DIRECTIONS = 20  # random ones, for larger inputs
ROUNDING = 2.0**-50  # what an operation may lose of its value: four times the last digit


@always_recording()
def gradcheck(
    f: Callable[..., Node],
    *values: Any,
    order: int = 1,
    directions: int | None = None,
    eps: float = 1e-6,
    rtol: float = 1e-5,
    atol: float = 0.0,
) -> bool:
    """Compare the gradients of f with central differences, (f(x + h) - f(x - h)) / (2 h).

    The step h is `eps` times the size of the element that is nudged, or another one where rounding
    or curvature spoil that. What rounding leaves no trace of cannot be checked: the slope by a
    small number beside a large one, in their sum. Where the slopes on the two sides of x differ, f
    has a kink there: then a KinkWarning says so, and any gradient between the two will do.

    Args:
        f: takes one Node for each value and returns a Node of any shape.
        values: where to compare; numbers or arrays, taken as float64.
        order: 2 checks the gradients of the gradients, too.
        directions: how many random directions to nudge each input in; None nudges every element
            of inputs with up to 200, and larger ones in 20 directions.
        eps: the step, as a part of the element; about the cube root of float64's rounding error,
            6e-6, is the best compromise. An element 0 counts as large as the largest beside it, up
            to 1.
        rtol, atol: the disagreement allowed, relative and absolute, beside what differences cannot
            tell.

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
        for where, direction, scale in _nudges(point, directions):

            def moved(step: float, i: int = i, direction: np.ndarray = direction) -> Node:
                near = [p + step * direction if j == i else p for j, p in enumerate(points)]
                return f(*map(variable, near)) if step else y

            slopes = _Slopes(moved, node, weights)
            slope = float(np.sum(gradient * direction))
            numeric, agrees = slopes.judged(slope, eps, scale, rtol, atol * scale * unit)
            scale *= unit
            if kink := slopes.kink(eps):
                left, right = kink
                warnings.warn(
                    f"by {describe(node)}{where} there is a kink: the slope{of} is "
                    f"{left / scale:.6g} on one side and {right / scale:.6g} on the other, so "
                    "there is no derivative",
                    KinkWarning,
                    stacklevel=2,
                )
                margin = rtol * (abs(left) + abs(right)) + atol * scale
                agrees = min(kink) - margin <= slope <= max(kink) + margin
            if not agrees:
                raise GradientError(
                    f"by {describe(node)}{where} the gradient is {slope / scale:.8g}, but finite "
                    f"differences give {numeric / scale:.8g}{of}",
                    (node,),
                )
    if order == 2:
        try:
            gradcheck(_gradient(f), *values, directions=directions, eps=eps, rtol=rtol, atol=atol)
        except GradientError as error:
            raise GradientError(f"at the second order, {error}", error.nodes) from None
    return True


def _nudges(point: np.ndarray, directions: int | None) -> Iterator[tuple[str, np.ndarray, float]]:
    """Changes of an input, each as large as what it changes.

    With each come the words that say where, and how many times it is as large as the change in
    whose unit slopes are told.
    """
    sizes = np.abs(point)
    largest = np.max(sizes, initial=0.0, where=np.isfinite(sizes))
    sizes = np.where(sizes > 0, sizes, min(largest, 1.0) or 1.0)
    if directions is None and point.size <= EVERY_ELEMENT:
        for index in np.ndindex(point.shape):
            direction = np.zeros(point.shape)
            direction[index] = sizes[index]
            yield f" at {list(index)}" if index else "", direction, float(sizes[index])
    else:
        rng = np.random.default_rng(1)
        for n in range(1, (directions or DIRECTIONS) + 1):
            direction = sizes * rng.normal(size=point.shape) / np.sqrt(max(point.size, 1))
            yield f" along random direction {n}", direction, 1.0


class _Slopes:
    """Slopes of y = f along one direction, from what f gives at steps along it."""

    def __init__(self, moved: Callable[[float], Node], x: Node, weights: np.ndarray) -> None:
        self.moved = cache(moved)
        self.x = x
        self.weights = weights

    def between(self, low: float, high: float) -> float:
        """The slope between two steps."""
        with np.errstate(all="ignore"):
            # Element by element: a large one that stays as it is takes no digits from the others.
            change = self.moved(high).value - self.moved(low).value
            return float(np.sum(change * self.weights)) / (high - low)

    def judged(
        self, slope: float, eps: float, scale: float, rtol: float, atol: float
    ) -> tuple[float, bool]:
        """The slope by finite differences, and whether a given one agrees with it.

        If it does not agree at once, steps of many sizes are tried, and those believed whose slope
        changes least when they are halved, and from each to the next.
        """
        coarsest = 1e4 * eps
        near = self.between(-eps / 2, eps / 2)
        agrees = abs(slope - near) <= atol + rtol * abs(near)
        # A value that no step has changed may agree with 0 for want of digits.
        if agrees and (slope or not any(map(self._changes, (coarsest, eps / scale)))):
            return near, True
        steps = sorted({eps / scale, *[eps * 10.0**k for k in range(-3, 4)], coarsest})
        steps = [h for h in steps if self._changes(h / 2)] or [eps]
        slopes = [self.between(-h / 2, h / 2) for h in steps]
        estimates = []
        for i, (h, near) in enumerate(zip(steps, slopes)):
            others = [self.between(-h, h), *slopes[max(i - 1, 0) : i + 2]]
            doubt = 2 * max(abs(other - near) for other in others)
            estimates.append((doubt + self._rounding(h), near))
        doubt, near = min(estimates, key=operator.itemgetter(0))
        return near, abs(slope - near) <= atol + rtol * abs(near) + doubt

    def _changes(self, h: float) -> bool:
        """Whether a step changes y at all."""
        here = self.moved(0).value
        return any(np.any(self.moved(step).value != here) for step in (-h, h))

    def _rounding(self, h: float) -> float:
        """How far rounding, to first order, can take the slope between -h/2 and h/2.

        What a value loses reaches y with its gradient. Of an array only those elements count that
        the step has changed, unless it has changed none.
        """
        graphs = [topological_order(y) for y in map(self.moved, (-h / 2, 0, h / 2))]
        size, reached = 0.0, {self.x}
        with np.errstate(all="ignore"):
            for below, node, above in zip(*graphs):
                if not reached.isdisjoint(node.inputs):
                    reached.add(node)
                if node not in reached or node.grad is None or below.shape != above.shape:
                    continue
                sizes = np.abs(node.grad * node.value)
                changed = below.value != above.value
                size += float(np.sum(sizes, where=changed if np.any(changed) else True))
        return ROUNDING * size / h

    def kink(self, eps: float) -> tuple[float, float] | None:
        """The slopes on the two sides if they differ, and do so closer by and farther away.

        Those of a curve differ less closer by, and those that rounding has spoilt farther away.
        """
        left, right = self.between(-eps, 0.0), self.between(0.0, eps)
        if not abs(right - left) > 1e-3 * (abs(left) + abs(right)):
            return None
        for h in (eps / 10, 10 * eps):
            difference = abs(self.between(0.0, h) - self.between(-h, 0.0))
            if not difference > max(0.5 * abs(right - left), 10 * self._rounding(h)):
                return None
        return left, right


def _gradient(f: Callable[..., Node]) -> Callable[..., Node]:
    """The sum of all gradients of f, with weights that differ, so that no error cancels another."""

    def summed(*nodes: Node) -> Node:
        y = f(*nodes)
        gs = gradients(y, nodes, seed=_uneven(y))
        # 0 · x connects an input on which its own gradient does not depend.
        terms = [sum_(0 * x if g is None else g * _uneven(g) + 0 * x) for g, x in zip(gs, nodes)]
        return reduce(operator.add, terms)

    return summed


def _uneven(x: Node) -> np.ndarray:
    return np.linspace(0.7, 1.3, x.size).reshape(x.shape)
