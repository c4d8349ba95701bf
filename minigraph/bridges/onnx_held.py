"""The numbers of a model, kept apart from its Nodes until all of it is read.

So what a file asks for has a shape first, and numbers only if there is room for them.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..compiler.costs import multiply_adds
from ..core.node import Node, frozen, is_symbolic, leaf
from ..graph.graph import computed
from ..graph.symbolic import Unknown
from .translating import refusal

RUNNING = 100  # times as many bytes an array may have that only a run makes
PER_NODE = 1000  # bytes; so many nodes fit what is allowed
Value = Any  # a Node, or an array that is known


class Held:
    """The numbers that are known, and how many more there may be.

    Attributes:
        most: bytes that what is computed while a model is read may have.
        place: the node of the model that is read.
    """

    def __init__(self, most: float) -> None:
        self.most = most
        self.place = ""
        self._numbers: dict[Node, Any] = {}
        self._waiting: set[Node] = set()  # Nodes that depend on what a run is given
        self._made = self._lacking = self._widest = self._steps = 0
        self._refused = ""  # where there was no room first

    def hold(self, x: Node) -> Node:
        """Keep the numbers of a leaf apart: what depends on it has a shape and waits for them."""
        self._numbers[x] = x._value
        x._value = Unknown(x.shape, x.dtype)
        return x

    def stand_in(self, array: Any) -> Node:
        """A Node for numbers that are known."""
        return self.hold(leaf(frozen(np.asarray(array)), requires_grad=False))

    def is_known(self, node: Node) -> bool:
        """Whether a Node has numbers already: those of the model and what is computed of them."""
        stack = [node]
        while stack:
            x = stack[-1]
            if x in self._numbers or x in self._waiting or not is_symbolic(x):
                stack.pop()
            elif any(y in self._waiting for y in x.inputs) or not x.op:
                self._waiting.add(stack.pop())
            elif left := [y for y in x.inputs if is_symbolic(y) and y not in self._numbers]:
                stack += left
            else:
                self._compute(stack.pop())
        return node not in self._waiting

    def _compute(self, node: Node) -> None:
        """Compute a Node whose inputs are known, unless there would be more than is allowed."""
        size = prod(node.shape) * node.dtype.itemsize
        lacks = any(self._numbers.get(x, x) is None for x in node.inputs)
        work = _work(node)
        if lacks or self._made + size > self.most or work > RUNNING * self.most:
            self._refused = self._refused or self.place
            self._lacking += max(size, -(-work // RUNNING))
            self._numbers[node] = None
            return
        values = [self._numbers.get(x, x._value) for x in node.inputs]
        value = self._numbers[node] = computed(node, values)
        is_new = not any(np.may_share_memory(value, x) for x in values)
        self._made += size * is_new

    def numbers(self, node: Node) -> np.ndarray:
        """The numbers of a Node that is known.

        Raises:
            TranslationError: if there are more than allowed.
        """
        if self.is_lacking(node):
            self.check()
        return np.asarray(self._numbers.get(node, node._value))

    def is_lacking(self, node: Node) -> bool:
        """Whether a Node would be known if there were room for its numbers."""
        return self.is_known(node) and self._numbers.get(node, node) is None

    def check(self) -> None:
        """Refuse what had no room.

        Raises:
            TranslationError: saying how much there would have to be.
        """
        if not self._refused:
            return
        if self._lacking:
            needed, limit = self._made + self._lacking, self.most
            what = f"what is computed while it is read grows to {amount(needed)} from here on"
        else:
            needed, limit = -(-self._widest // RUNNING), RUNNING * self.most
            what = f"what a run makes grows to an array of {amount(self._widest)} from here on"
        raise refusal(
            f"{self._refused}: {what}, more than {amount(limit)}",
            instead=f"if there is as much memory, allow it with most={needed:_}",
        )

    def fit(self, y: Node) -> None:
        """Note an array that a run could not make."""
        size = prod(y.shape) * y.dtype.itemsize
        if size > RUNNING * self.most:
            self._refused = self._refused or self.place
            self._widest = max(self._widest, size)

    def step(self, count: int = 1) -> None:
        """Count nodes that are read, or steps that are unrolled.

        Raises:
            TranslationError: if there are more than allowed.
        """
        self._steps += count
        if self._steps * PER_NODE > max(self.most, 1e6):
            raise refusal(
                f"there are {self._steps:,} nodes to compute so far, with those of definitions and "
                f"steps, more than {int(max(self.most, 1e6) / PER_NODE):,}",
                instead=f"allow it with most={self._steps * PER_NODE * 2:_}",
            )

    def release(self) -> None:
        """Give all Nodes their numbers."""
        for node, value in self._numbers.items():
            node._value = frozen(value)


def _work(node: Node) -> int:
    """The multiply-adds of a product, which may be many where the result is small."""
    return multiply_adds(node) if node.op.name in ("matmul", "einsum") else 0


def amount(size: float) -> str:
    """A number of bytes, as "1.5 GB"."""
    units = ["bytes", "kB", "MB", "GB", "TB"]
    while size >= 1000 and len(units) > 1:
        size /= 1000
        del units[0]
    return f"{size:,.{0 if units[0] == 'bytes' else 1}f} {units[0]}"
