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
        promise = _broken(node, seen)
        if promise:
            raise MinigraphError(f"{describe(node)} breaks the promise that {promise}", (node,))
        seen.add(node)


def _broken(node: Node, seen: set[Node]) -> str | None:
    """The first promise that a Node breaks which comes after those seen."""
    op, inputs = node.op, node.inputs
    if not seen.issuperset(inputs):
        return "its inputs come before it"
    for x in inputs:
        if x.seq >= node.seq:
            return "it was made after its inputs"
    if bool(inputs) != (op is not None):
        return "only operations have inputs"
    if op is None:
        return None
    count = len(op.parameters)
    any_number = op.parameters[-1].startswith("*")
    if len(inputs) < count - 1 if any_number else len(inputs) != count:
        return "it has an input for each parameter"
    if not op.result and not masks_of(node):  # a mask's values decide how many it chooses
        expected = op.shape(*[x.shape for x in inputs], **node.attrs)
        if node.shape != expected:
            return f"its shape is {expected}"
    return None
