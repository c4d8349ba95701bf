"""Python's garbage collector, and graphs that grow.

The collector frees objects that keep each other alive in a circle. It looks for them whenever some
hundred more objects have been made than freed, and every now and then among all that there are. A
graph has no such circle: a Node knows its inputs, which were made before it, and reference counts
free it. So while a large graph grows, the collector reads it again and again and finds nothing; at
100,000 scalar operations that is more than half of the forward pass.

Therefore the next pass waits twice as long, and up to `PATIENCE` objects, after each one over young
objects that has met little but Nodes and has found next to nothing to free. After any other the
threshold is what it was. Whoever sets thresholds of their own, with `gc.set_threshold`, keeps them.
"""

from __future__ import annotations

import gc
from typing import Any

from .node import Node

PATIENCE = 11_200  # 16 times the threshold of Python 3.11
SAMPLE = 8  # one of so many young objects is looked at


class Patience:
    """What the collector calls before and after each pass; see `gc.callbacks`."""

    def __init__(self) -> None:
        self.usual: tuple[int, ...] = gc.get_threshold()
        self.now: tuple[int, ...] = self.usual
        self.is_growing = False

    def __call__(self, phase: str, info: dict[str, Any]) -> None:
        """Look what has been made; afterwards, what has been found."""
        if info["generation"] or gc.get_threshold() != self.now:
            return
        if phase == "start":
            kinds = [*map(type, gc.get_objects(generation=0)[::SAMPLE])]
            self.is_growing = 3 * kinds.count(Node) > len(kinds)  # beside each is a tuple of inputs
            return
        first, *others = self.usual
        if self.is_growing and 20 * info["collected"] < self.now[0]:
            first = min(2 * self.now[0], max(first, PATIENCE))
        self.now = (first, *others)
        gc.set_threshold(*self.now)


gc.callbacks.append(Patience())
