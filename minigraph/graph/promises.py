"""What every graph promises, and which of its Nodes have shapes that depend on values."""

from __future__ import annotations

from ..core.indexing import getitem, scatter_add
from ..core.node import Node
from ..core.operation import Operation
from ..errors import MinigraphError
from ..errors.words import describe

_INDEXING = getitem.op, scatter_add.op  # type: ignore[attr-defined]


def indices_of(op: Operation | None, inputs: tuple[Node, ...]) -> tuple[Node, ...]:
    """The inputs of an operation that stand in its index."""
    return inputs[1:] if op in _INDEXING else ()


def masks_of(node: Node) -> list[Node]:
    """The inputs that choose elements by being true; their values decide the shape of the Node."""
    return [x for x in indices_of(node.op, node.inputs) if x.dtype.kind == "b"]


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
