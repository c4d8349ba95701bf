"""Refusals in words: errors of NumPy and of calls, told by the Nodes and by what would fit."""

from __future__ import annotations

from collections.abc import Iterable
from inspect import Signature
from typing import Any, NoReturn

from ..core.node import Node
from ..core.operation import REFUSALS, Operation
from ..errors import MinigraphError, NodeTypeError, ShapeError
from ..errors.words import describe


def explained(
    op: Operation, nodes: tuple[Node, ...], attrs: dict[str, Any], error: Exception
) -> Exception:
    """Turn NumPy's error into one that names the Nodes and says what would fit."""
    reason = error
    try:
        if not op.result:
            op.shape(*[x.shape for x in nodes], **attrs)
    except REFUSALS as better:
        reason = better
    kind = NodeTypeError if isinstance(error, TypeError) else ShapeError
    made = kind(f"{op.name} of {' and '.join(map(describe, nodes))}: {reason}", nodes)
    made.refused = op.name, op.symbol
    return made


def refuse(name: str, signature: Signature, arguments: Iterable[Any], error: Exception) -> NoReturn:
    """Raise an error that a call has met, in words that name the Nodes which it was given."""
    parts = [*arguments]
    parts += [x for x in parts if isinstance(x, list | tuple) for x in x]
    nodes = tuple(x for x in parts if type(x) is Node)
    if isinstance(error, MinigraphError) and not error.nodes:
        error.nodes = nodes
        error.refused = (name, name) if isinstance(error, ShapeError) and nodes else None
    if isinstance(error, MinigraphError) or not nodes:
        raise error
    named = " and ".join(map(describe, nodes))
    if isinstance(error, ValueError | IndexError | OverflowError):
        made = ShapeError(f"{name} of {named}: {error}", nodes)
        made.refused = name, name
        raise made from None
    usage = f"call it as {name}({', '.join(signature.parameters)})"
    usage += "; settings are no Nodes" * (len(nodes) > 1)
    reason = f"{error}; {usage}" if isinstance(error, TypeError) else usage
    raise NodeTypeError(f"{name} of {named}: {reason}", nodes) from None


def _misused(
    op: Operation, signature: Signature, args: Iterable[Any], error: Exception
) -> NoReturn:
    refuse(op.name, signature, args, error)


Operation.misused = _misused  # type: ignore[method-assign, assignment]
