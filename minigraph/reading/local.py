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
