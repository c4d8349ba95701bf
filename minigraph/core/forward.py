"""Forward mode: push a change of the inputs through the graph, alongside the values.

Source: R. E. Wengert, "A simple automatic derivative evaluation program", CACM 7 (1964) 463-464.
"""

from __future__ import annotations

from .node import Node
from .table import astype, broadcast_to


def push(order: list[Node], changes: dict[Node, Node]) -> None:
    """Enter among the changes of some Nodes those of all that depend on them, to first order."""
    for node in order:
        if node in changes or not node.requires_grad:
            continue
        dxs = [changes.get(x) for x in node.inputs]
        if any(dx is not None for dx in dxs) and (rule := node.op.jvp):
            change = rule(dxs, node, node.inputs, node.attrs)
            change = change if change.shape == node.shape else broadcast_to(change, node.shape)
            changes[node] = change if change.dtype == node.dtype else astype(change, node.dtype)
