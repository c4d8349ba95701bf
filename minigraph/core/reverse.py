"""Reverse mode: one sweep over the graph, from the output back, gives the gradient by every Node.

`sweep` leaves numbers in the Nodes. Given Nodes, the rules build Nodes, a graph that can be drawn
and differentiated again: so `grad` in `autodiff/derivatives.py` works, with the same `pull_back`.

Source: S. Linnainmaa, "Taylor expansion of the accumulated rounding error", BIT 16 (1976) 146-160.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from operator import attrgetter
from threading import Lock
from typing import Any

from numpy import float64

from ..errors import GradientError
from .node import Node, frozen
from .table import astype, unbroadcast

value_of = attrgetter("_value")  # mapped, it is twice as fast as a list comprehension
accumulating = Lock()  # threads that share a variable add to its gradient one after another


def sweep(
    order: list[Node],
    cotangents: dict[Node, Any],
    keeps_all: bool = True,
    stop: Collection[Node] = (),
    watched: Sequence[Any] = (),
) -> None:
    """Leave in every Node of the order the gradient of its last one, in `grad`.

    The `cotangents` hold what it starts from. At the Nodes of `stop` it ends. Variables accumulate.
    """
    for node in reversed(order):
        g = cotangents.pop(node, None)
        if g is None:
            if node.op is not None:
                node.grad = None  # what an earlier call left is no gradient of this one
            continue
        g = g if type(g) is float64 else frozen(g)  # no rule may change it: others share it
        if node.op is None:
            with accumulating:
                node.grad = g if node.grad is None else frozen(node.grad + g)
            continue
        node.grad = g if keeps_all else None
        if not stop or node not in stop:
            values = [*map(value_of, node.inputs)]
            pull_back(node, g, node._value, values, None, cotangents, watched)


def pull_back(
    node: Node,
    g: Any,
    out: Any,
    inputs: list[Any],
    wanted: Collection[Node] | None,
    cotangents: dict[Node, Any],
    watched: Sequence[Any],
) -> None:
    """Add what g, the gradient of a Node, contributes to the gradients of its wanted inputs.

    Wanted are all that have gradients, unless a set says which. Who watches sees each one first.
    """
    attrs = node.attrs
    try:
        for x, vjp in zip(node.inputs, node.op.vjps):
            if vjp and (x.requires_grad if wanted is None else x in wanted):
                c = vjp(g, out, inputs, attrs)
                if type(c) is not float64 or type(x._value) is not float64:
                    value = x._value
                    if c.shape != value.shape or c.dtype != value.dtype:
                        c = _fitted(c, x)
                if watched:
                    for hunter in watched:
                        hunter.check_contribution(node, x, g, c)
                cotangents[x] = cotangents[x] + c if x in cotangents else c
    except GradientError as error:
        error.nodes = error.nodes or (node,)  # a rule does not know whose it is
        raise


def _fitted(c: Any, x: Node) -> Any:
    """Bring a contribution to the shape and dtype of its input: broadcast and promotion, undone."""
    c = unbroadcast(c, x.shape)
    return c if c.dtype == x.dtype else astype(c, x.dtype)
