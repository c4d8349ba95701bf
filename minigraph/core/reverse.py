"""Reverse mode: one sweep over the graph, from the output back, gives the gradient by every Node.

`sweep` leaves numbers in the Nodes. Given Nodes, the rules build Nodes, a graph that can be drawn
and differentiated again: so `grad` in `autodiff/derivatives.py` works, with the same `pull_back`.

Source: S. Linnainmaa, "Taylor expansion of the accumulated rounding error", BIT 16 (1976) 146-160.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from threading import Lock
from typing import Any

from numpy import ndarray

from ..errors import GradientError
from .node import Node, frozen
from .table import astype, unbroadcast

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
        g = frozen(g) if type(g) is ndarray else g  # no rule may change it: others share it
        if node.op is None:
            with accumulating:
                node.grad = g if node.grad is None else frozen(node.grad + g)
            continue
        node.grad = g if keeps_all else None
        if not stop or node not in stop:
            values = []
            for x in node.inputs:  # for so few, faster than a list comprehension
                values.append(x._value)
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
    attrs, vjps, i = node.attrs, node.op.vjps, -1
    try:
        for x in node.inputs:
            i += 1  # by hand, for `zip` would take a fifth of the time of a scalar sweep
            if (x.requires_grad if wanted is None else x in wanted) and (vjp := vjps[i]):
                c, value = vjp(g, out, inputs, attrs), x._value
                fits = type(c) is type(value) is not ndarray  # two scalars
                if not fits and (c.shape != value.shape or c.dtype != value.dtype):
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
