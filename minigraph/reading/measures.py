"""How large the values and the gradients of a graph are, and what is wrong with their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, sqrt
from typing import Any

import numpy as np

from ..core.node import Node, frozen
from ..core.reverse import pull_back
from ..graph.hooks import passing_hooks
from .text import number


class Measure:
    """The numbers of one array, or a number, by their size.

    Attributes:
        numbers: the array itself.
        size: the root of the mean of the squares, NaN and infinity left out; 0 of no numbers. Other
            than the norm, it is the same for an array and for a longer one of such numbers.
        norm: the root of the sum of the squares, NaN and infinity left out.
        zeros: the share of numbers that are 0.
        strange: how many are NaN or infinite.
    """

    __slots__ = ("norm", "numbers", "size", "strange", "zeros")

    def __init__(self, numbers: Any) -> None:
        self.numbers = numbers
        if not np.ndim(numbers):  # the usual case in large graphs, fast
            x = abs(float(numbers))
            self.strange = int(not isfinite(x))
            self.size = self.norm = 0.0 if self.strange else x
            self.zeros = float(x == 0)
            return
        absolute = np.abs(np.asarray(numbers, float)).ravel()
        finite = absolute[np.isfinite(absolute)]
        self.strange = absolute.size - finite.size
        most = finite.max(initial=0.0)
        self.size = float(most * np.sqrt(np.mean(np.square(finite / most)))) if most else 0.0
        self.norm = self.size * sqrt(finite.size)
        self.zeros = float(np.mean(absolute == 0)) if absolute.size else 0.0

    @property
    def is_zero(self) -> bool:
        """Whether there are numbers, and all are 0."""
        return self.zeros == 1.0

    @property
    def first(self) -> tuple[tuple[int, ...], Any]:
        """The place and the number of the first that is NaN or infinite."""
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(self.numbers))[0])
        return place, np.asarray(self.numbers)[place]

    def __str__(self) -> str:
        return number(self.first[1]) if self.strange else size_text(self.size)


def size_text(size: float) -> str:
    """Write a size with two digits."""
    return number(float(f"{size:.1e}"))


def gradients_of(order: Sequence[Node], seed: Any) -> dict[Node, Any]:
    """The gradient of the last Node of an order by each that it reaches; `grad` stays as it is."""
    y = order[-1]
    cotangents = passing_hooks({y: seed})
    gradients: dict[Node, Any] = {}
    with np.errstate(all="ignore"):
        for node in reversed(order):
            g = cotangents.pop(node, None)
            if g is None:
                continue
            g = gradients[node] = frozen(g)
            if node.op is not None:
                values = [x._value for x in node.inputs]
                pull_back(node, g, node._value, values, None, cotangents, ())
    return gradients
