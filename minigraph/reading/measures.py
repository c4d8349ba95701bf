"""How large the values and the gradients of a graph are, and what is wrong with their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..core.node import Node, frozen
from ..core.reverse import pull_back
from ..graph.hooks import passing_hooks
from .text import number


@dataclass(frozen=True, eq=False)
class Measure:
    """The numbers of one array, or a number, by their size.

    Attributes:
        numbers: the array itself.
    """

    numbers: Any

    @cached_property
    def size(self) -> float:
        """The root of the mean of the squares, NaN and infinity left out; 0 of no numbers.

        Unlike the norm it is the same for an array and for a longer one of such numbers.
        """
        finite = self._absolute
        most = finite.max(initial=0.0)
        return float(most * np.sqrt(np.mean(np.square(finite / most)))) if most else 0.0

    @cached_property
    def norm(self) -> float:
        """The root of the sum of the squares, NaN and infinity left out."""
        return self.size * float(np.sqrt(self._absolute.size))

    @cached_property
    def zeros(self) -> float:
        """The share of numbers that are 0."""
        return float(np.mean(np.equal(self.numbers, 0))) if np.size(self.numbers) else 0.0

    @cached_property
    def strange(self) -> int:
        """How many are NaN or infinite."""
        return int(np.size(self.numbers) - self._absolute.size)

    @property
    def is_zero(self) -> bool:
        """Whether there are numbers, and all are 0."""
        return self.zeros == 1.0

    @cached_property
    def first(self) -> tuple[tuple[int, ...], Any]:
        """The place and the number of the first that is NaN or infinite."""
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(self.numbers))[0])
        return place, np.asarray(self.numbers)[place]

    @cached_property
    def _absolute(self) -> np.ndarray:
        flat = np.abs(np.asarray(self.numbers, float)).ravel()
        return flat[np.isfinite(flat)]

    def __str__(self) -> str:
        if self.strange:
            return number(self.first[1])
        return size_text(self.size)


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
