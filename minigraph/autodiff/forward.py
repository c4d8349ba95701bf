"""Forward mode: push a change of the inputs through the graph, alongside the values.

Source: R. E. Wengert, "A simple automatic derivative evaluation program", CACM 7 (1964) 463-464.
"""

from __future__ import annotations

from typing import Any

from ..graph.errors import GradientError, NodeTypeError, ShapeError
from ..graph.node import Node, checked_value, constant, describe
from ..graph.ops import astype, broadcast_to
from ..graph.order import topological_order
from .reverse import check_differentiable


def jvp(y: Node, tangents: dict[Node, Any]) -> Node:
    """Return the change of y, to first order, when each x in `tangents` changes by `tangents[x]`.

    This is the Jacobian times a vector, at the cost of about one more forward pass. The result has
    y's shape and is a Node, so it can be drawn and differentiated again.

    Raises:
        GradientError: if none of the Nodes reaches y, or if one was given a new value since.
        ShapeError: if a tangent has another shape than its Node.
    """
    changes: dict[Node, Node] = {}
    for x in tangents:
        if not isinstance(x, Node) or not isinstance(tangents, dict):
            raise NodeTypeError(f"tangents are given as {{node: change}}, not {tangents!r:.60}")
    for x, dx in tangents.items():
        dx = dx if isinstance(dx, Node) else constant(checked_value(dx, x.dtype))
        if dx.shape != x.shape:
            raise ShapeError(f"the tangent of {describe(x)} has shape {dx.shape}", (x,))
        changes[x] = dx
    order = topological_order(y)
    check_differentiable(y, order)
    for node in order:
        if node in changes or not node.requires_grad:
            continue
        dxs = [changes.get(x) for x in node.inputs]
        if any(dx is not None for dx in dxs) and (rule := node.op.jvp):  # type: ignore
            change = rule(dxs, node, node.inputs, node.attrs)
            change = change if change.shape == node.shape else broadcast_to(change, node.shape)
            changes[node] = change if change.dtype == node.dtype else astype(change, node.dtype)
    if y not in changes:
        raise GradientError(f"none of the given Nodes reaches {describe(y)}", (y, *tangents))
    return changes[y]
