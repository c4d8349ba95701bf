"""Walk a graph: which Nodes it has, and an order in which they can be computed.

Nothing here recurses, so a chain of a million Nodes is walked like any other graph.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter

from .errors import MinigraphError, NodeTypeError
from .node import Node, describe


def topological_order(outputs: Node | Iterable[Node]) -> list[Node]:
    """List all Nodes that the outputs depend on, and the outputs: inputs before their users.

    Of the many such orders this is the one in which the Nodes were made, so it is always the same.
    """
    several = type(outputs) is not Node and isinstance(outputs, Iterable)
    given: list[Node] = list(outputs) if several else [outputs]  # type: ignore
    for node in given:
        if not isinstance(node, Node):
            raise NodeTypeError(f"an output must be a Node, not {type(node).__name__} {node!r:.40}")
    seen = set(given)
    found = [*seen]
    for node in found:  # it grows while it is walked
        for x in node.inputs:
            if x not in seen:
                seen.add(x)
                found.append(x)
    return sorted(found, key=attrgetter("seq"))


def leaves(output: Node) -> list[Node]:
    """List the variables and constants that a Node depends on, in the order they were made."""
    return [node for node in topological_order(output) if node.op is None]


def masks_of(node: Node) -> list[Node]:
    """The inputs that choose elements by being true; their values decide the shape of the Node."""
    if "index" not in node.attrs:
        return []
    return [x for x in node.inputs[1:] if x.dtype.kind == "b"]


def check_graph(order: list[Node]) -> None:
    """Assert what every graph promises: inputs come first, arities and shapes agree with the table.

    Raises:
        MinigraphError: naming the first Node that breaks a promise.
    """
    seen: set[Node] = set()
    for node in order:
        promises = {
            "its inputs come before it": seen.issuperset(node.inputs),
            "it was made after its inputs": all(x.seq < node.seq for x in node.inputs),
            "only operations have inputs": bool(node.inputs) == (node.op is not None),
        }
        if op := node.op:
            any_number = op.parameters[-1].startswith("*")
            promises["it has an input for each parameter"] = (
                len(node.inputs) >= len(op.parameters) - 1
                if any_number
                else len(node.inputs) == len(op.parameters)
            )
            if not op.result and not masks_of(node):  # a mask's values decide how many it chooses
                expected = op.shape(*[x.shape for x in node.inputs], **node.attrs)
                promises[f"its shape is {expected}"] = node.shape == expected
        for promise, kept in promises.items():
            if not kept:
                raise MinigraphError(f"{describe(node)} breaks the promise that {promise}", (node,))
        seen.add(node)


Node.leaves = leaves  # type: ignore[assignment]
