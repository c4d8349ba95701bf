"""Local derivatives as numbers: what the rules of an operation make of a gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.node import Node


def contributions(node: Node, g: Any) -> list[tuple[int, Node, Any]]:
    """By slot and input, what g, the gradient of an operation, contributes to its inputs.

    In the shape and the dtype in which the rule leaves it; inputs without a gradient are left out.
    """
    if node.op is None:
        return []
    values = [x.value for x in node.inputs]
    with np.errstate(all="ignore"):
        return [
            (slot, x, np.asarray(vjp(g, node.value, values, node.attrs))[()])
            for slot, (x, vjp) in enumerate(zip(node.inputs, node.op.vjps))
            if vjp and x.requires_grad
        ]


def local_derivative(node: Node, slot: int) -> Any:
    """The local derivative of an operation on numbers by one of its inputs."""
    rule: Any = node.op.vjps[slot]
    values = [x.value for x in node.inputs]
    with np.errstate(all="ignore"):
        return rule(node.dtype.type(1), node.value, values, node.attrs)


def pushed(node: Node, slot: int, dx: Any) -> Any:
    """What the change of one input of an operation adds to its own, to first order.

    In the shape and the dtype of the operation; None if it has no derivative by this input.
    """
    if not node.requires_grad or node.op.jvp is None or not node.inputs[slot].requires_grad:
        return None
    dxs = [dx if place == slot else None for place in range(len(node.inputs))]
    with np.errstate(all="ignore"):
        change = node.op.jvp(dxs, node.value, [x.value for x in node.inputs], node.attrs)
    change = change.value if isinstance(change, Node) else change
    return np.broadcast_to(np.asarray(change, node.dtype), node.shape)[()]
