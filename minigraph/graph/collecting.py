"""Python's garbage collector, and graphs that grow.

The collector frees objects that keep each other alive in a circle. It looks for them whenever some
hundred more objects have been made than freed, and every now and then among all that there are. A
graph has no such circle: a Node knows its inputs, which were made before it, and reference counts
free it. So while a large graph grows, the collector reads it again and again and finds nothing; at
100,000 scalar operations that is more than half of the forward pass.

Therefore the next pass waits twice as long, and up to `PATIENCE` objects, after each one over young
objects before which many Nodes were made and which has found next to nothing to free. After any
other the threshold is what it was when minigraph was imported. Whoever sets another afterwards,
with `gc.set_threshold`, keeps it; `gc.disable` and `gc.collect` do what they always do.
"""

from __future__ import annotations

import gc
from typing import Any

from ..core.node import new_seq

PATIENCE = 11_200  # 16 times the threshold of Python 3.11


class Patience:
    """What the collector calls before and after each pass; see `gc.callbacks`."""

    def __init__(self) -> None:
        self.usual: tuple[int, ...] = gc.get_threshold()
        self.now: tuple[int, ...] = self.usual
        self.seq = next(new_seq)

    def __call__(self, phase: str, info: dict[str, Any]) -> None:
        """After a pass, see how many Nodes were made before it, and what it has found."""
        if phase == "start":
            return
        before, self.seq = self.seq, next(new_seq)
        threshold = gc.get_threshold()
        if info["generation"] or threshold not in (self.now, self.usual):
            return
        (waited, *_), (first, *others) = threshold, self.usual
        is_growing = 3 * (self.seq - before) > waited  # beside each Node is a tuple of inputs
        if is_growing and 20 * info["collected"] < waited:
            first = min(2 * waited, max(first, PATIENCE))
        self.now = (first, *others)
        if self.now != threshold:
            gc.set_threshold(*self.now)


if not any(type(call).__module__ == __name__ for call in gc.callbacks):  # loaded again, it is there
    gc.callbacks.append(Patience())
