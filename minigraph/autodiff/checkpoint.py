"""Checkpointing: memory for time.

A checkpointed function keeps its inputs and its result, not what lies between; the backward pass
runs it again. Source: A. Griewank & A. Walther, "Algorithm 799: revolve", ACM TOMS 26 (2000) 19-45.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import wraps
from typing import Any

import numpy as np

from ..core.node import Node, constant, leaf, new_seq, recorded
from ..core.operation import EachInput, Operation
from ..core.order import topological_order
from ..core.table import astype
from ..errors import GradientError, NodeTypeError
from ..errors.words import describe
from ..graph.context import always_recording, no_grad
from ..graph.graph import computed
from ..graph.hooks import passed
from .derivatives import gradients, jvp


def checkpoint(f: Callable[..., Node]) -> Callable[..., Node]:
    """Make f keep nothing of its computation; the backward pass computes it again.

    h = mg.checkpoint(block)(x, w)

    f takes Nodes and returns one Node. It may use other Nodes, too, such as the weights of a layer:
    their gradients are right. What it computes must depend on Nodes alone; random numbers are drawn
    outside and given to it.

    Raises:
        GradientError: in the backward pass, if f computes something else the second time.
    """

    @wraps(f)
    def call(*nodes: Node) -> Node:
        for x in nodes:
            if not isinstance(x, Node):
                raise NodeTypeError(f"checkpoint takes Nodes, not {type(x).__name__} {x!r:.40}")
        start = next(new_seq)
        y = f(*map(_fresh, nodes))
        if not isinstance(y, Node):
            raise NodeTypeError(f"a checkpointed function returns one Node, not {type(y).__name__}")
        y_value = y.value
        # What f uses beside its arguments was there before it was called. Constants count, too: so
        # a new value for one of them is noticed.
        around = tuple(_frontier(y, start))
        rerun = _Rerun(f, nodes, around)
        op = Operation(
            name=f"checkpoint of {rerun.name}",
            symbol=rerun.name.strip("<>"),
            parameters=("*inputs",),
            forward=rerun.forward,
            vjps=EachInput(rerun.vjp),
            jvp=rerun.jvp,
            shape=lambda *shapes: y_value.shape,
        )
        return recorded(op, (*nodes, *around), start, y_value)

    return call


def _fresh(x: Node) -> Node:
    """A leaf in the place of a Node."""
    return leaf(x.value, requires_grad=x.requires_grad, name=x.name)


def _frontier(y: Node, start: int) -> list[Node]:
    """The Nodes that were made before `start`, and that those made since are computed from."""
    stack, seen, frontier = [y], {y}, []
    while stack:
        node = stack.pop()
        if node.seq < start:
            frontier.append(node)
            continue
        for x in node.inputs:
            if x not in seen:
                seen.add(x)
                stack.append(x)
    return sorted(frontier, key=lambda node: node.seq)


def _stand_in(value: Any, differentiable: bool) -> Node:
    """A leaf in the place of a value."""
    return leaf(value, requires_grad=differentiable)


class _Rerun:
    """What the operation of one checkpointed call knows: the function, and what it uses."""

    def __init__(
        self, f: Callable[..., Node], nodes: tuple[Node, ...], around: tuple[Node, ...]
    ) -> None:
        self.f = f
        self.name = getattr(f, "__name__", type(f).__name__)
        self.around = around
        self.differentiable = [x.requires_grad for x in (*nodes, *around)]
        self.arguments = len(nodes)
        # The shares of the last gradient, with that gradient and the output, held so that no other
        # can take their place in memory. Dropped when the last input has its share.
        self.last: tuple[Any, Any, list[Any]] | None = None

    def compute(self, inputs: Sequence[Any], expected: Any) -> tuple[Node, list[Node]]:
        """Run f again on stand-ins for its arguments; return the result and its sources.

        Each argument gets a stand-in of its own, so that one that is given twice has two shares.
        """
        for x, known in zip(inputs[self.arguments :], self.around):
            if isinstance(x, Node) and x is not known:
                raise GradientError(
                    f"the checkpointed {self.name} uses {describe(known)}, and this graph is a "
                    "copy, which has another Node in its place; call backward(), or run the "
                    "function again instead of copying the graph",
                    (x, known),
                )
        with always_recording():
            stand_ins = [
                astype(x, x.dtype) if isinstance(x, Node) else _stand_in(x, differentiable)
                for x, differentiable in zip(inputs[: self.arguments], self.differentiable)
            ]
            y = self.f(*stand_ins)
        if not np.array_equal(y.value, getattr(expected, "value", expected), equal_nan=True):
            raise GradientError(
                f"{describe(y)}, from the checkpointed {self.name}, was something else the "
                "first time, so its gradient would be wrong; draw random numbers outside and give "
                "them to the function",
                (y,),
            )
        return y, [*stand_ins, *self.around]

    def forward(self, *values: Any) -> Any:
        """Compute f of other values, those of the Nodes that f uses beside its arguments too."""
        start = next(new_seq)
        with always_recording():
            y = self.f(*map(_stand_in, values, self.differentiable[: self.arguments]))
        known = dict(zip(self.around, values[self.arguments :]))
        for node in topological_order(y):
            if node.seq > start and node.op is not None:
                inputs = [known.get(x, x._value) for x in node.inputs]
                known[node] = computed(node, inputs)
        return known.get(y, y._value)

    def vjp(self, i: int, g: Any, out: Any, inputs: Sequence[Any]) -> Any:
        """The share of input i; one run gives the shares of all."""
        last = self.last  # another thread may replace it meanwhile
        if last is None or last[0] is not g or last[1] is not out:
            y, sources = self.compute(inputs, out)
            with nullcontext() if isinstance(g, Node) else no_grad():
                shares = self._shares(y, sources, g) if y.requires_grad else []
            self.last = last = g, out, shares or [None] * len(sources)
        share = last[2][i]
        if True not in self.differentiable[i + 1 :]:
            self.last = None
        if share is None:
            return np.zeros(inputs[i].shape, inputs[i].dtype)
        return share if isinstance(g, Node) else share.value

    def _shares(self, y: Node, sources: list[Node], g: Any) -> list[Node | None]:
        """The gradients by the sources; what f hooks inside sees numbers if g is of numbers."""

        def at_hooks(node: Node, share: Node) -> Node:
            if node in self.around:
                return share  # whoever asked calls these, when all is added up
            if isinstance(g, Node):
                return passed(node, share)
            return constant(passed(node, share.value))

        return gradients(y, sources, g, set(sources), at_hooks)

    def jvp(self, tangents: Sequence[Any], out: Any, inputs: Sequence[Any], attrs: dict) -> Any:
        """The change of the result, through a second run."""
        y, sources = self.compute(inputs, out)
        return jvp(y, {x: dx for x, dx in zip(sources, tangents) if dx is not None})
