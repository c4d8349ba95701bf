"""Walk a graph: which Nodes it has, and an order in which they can be computed.

Nothing here recurses, so a chain of a million Nodes is walked like any other graph.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter

from ..errors import NodeTypeError
from .node import Node


def topological_order(outputs: Node | Iterable[Node]) -> list[Node]:
    """List all Nodes that the outputs depend on, and the outputs: inputs before their users.

    Of the many such orders this is the one in which the Nodes were made, so it is always the same.
    """
    several = type(outputs) is not Node and isinstance(outputs, Iterable)
    ends: list[Node] = list(outputs) if several else [outputs]  # type: ignore
    for node in ends:
        if not isinstance(node, Node):
            raise NodeTypeError(f"an output must be a Node, not {type(node).__name__} {node!r:.40}")
    seen = set(ends)
    reached = [*seen]
    for node in reached:  # it grows while it is walked
        for x in node.inputs:
            if x not in seen:
                seen.add(x)
                reached.append(x)
    return sorted(reached, key=attrgetter("seq"))


def leaves(output: Node) -> list[Node]:
    """List the variables and constants that a Node depends on, in the order they were made."""
    return [node for node in topological_order(output) if node.op is None]


Node.leaves = leaves  # type: ignore[assignment]
