"""How an operation is applied: the function that users call computes, and records what it did.

Given arrays and numbers it only computes. With a Node among the inputs, the others become constants
beside it, and the result is a Node that remembers where it came from.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from inspect import Parameter, Signature
from typing import Any

import numpy as np
from numpy import float64

from ..errors import NodeTypeError
from .node import NO_ATTRS, Node, checked_value, leaf, new_seq, recorded
from .operation import REFUSALS, Function, Operation

NUMBER: dict[str, Any] = {}  # the attrs of a constant that stands for a number beside another one
_CHANGEABLE = {list, dict, set, np.ndarray}  # settings that a caller could change afterwards


def apply(op: Operation, inputs: tuple[Any, ...], attrs: dict[str, Any] = NO_ATTRS) -> Node:
    """Compute an operation on Nodes and numbers, at least one of them a Node, and record it."""
    if {*map(type, inputs)} != {Node}:
        # Arrays first: Python's numbers take the dtype of what stands beside them.
        inputs = tuple(
            x if type(x) in (Node, int, float) else leaf(checked_value(x), requires_grad=False)
            for x in inputs
        )
        like = leading(x for x in inputs[conditions(op) :] if type(x) is Node)
        inputs = tuple(x if type(x) is Node else operand(x, like) for x in inputs)
    seq = next(new_seq)
    try:
        value = op.forward(*[x._value for x in inputs], **attrs)
    except REFUSALS as error:
        return op.refused(inputs, seq, attrs, error)
    return recorded(op, inputs, seq, value, attrs)


def operand(value: Any, like: Node | None) -> Node:
    """Make a constant of a number beside a Node; a Python number takes the Node's dtype."""
    if like is None:
        return leaf(checked_value(value), requires_grad=False)
    held = like._value
    try:
        if type(held) is float64 and type(value) in (float, int):  # the usual case, fast
            return leaf(float64(value), requires_grad=False)
        kind = held.dtype.kind
        if (type(value) is int and kind in "iuf") or (type(value) is float and kind == "f"):
            number = leaf(held.dtype.type(value), requires_grad=False)
            number.attrs = NUMBER
            return number
    except OverflowError:
        pass  # a whole number too large for the dtype brings its own
    return leaf(checked_value(value), requires_grad=False)


def leading(nodes: Iterable[Node]) -> Node | None:
    """The Node whose dtype numbers take."""
    return max(nodes, key=lambda x: "buif".index(x.dtype.kind), default=None)


def conditions(op: Operation) -> int:
    """How many inputs, the first ones, only choose among the others, whatever their dtype."""
    return int(op.parameters[0] == "condition")


def function_of(op: Operation, signature: Signature, doc: str | None) -> Function:
    """Make what users call: given arrays it computes, given Nodes it records."""
    arity = len(op.parameters)
    if len(signature.parameters) == arity <= 2:
        return described(_plain_function(op), op, signature, doc)
    settings = list(signature.parameters.values())[arity:]
    names = [p.name for p in settings]
    defaults = {p.name: p.default for p in settings if p.default is not Parameter.empty}
    forward = op.forward

    def function(*args: Any, **attrs: Any) -> Any:
        inputs = args[:arity]
        kinds = [*map(type, inputs)]
        if Node not in kinds:
            if list in kinds:
                args = tuple(np.asarray(x) if type(x) is list else x for x in args)
            return forward(*args, **attrs)
        placed = dict(zip(names, args[arity:]))
        twice = placed.keys() & attrs.keys()
        if names:
            attrs = defaults | placed | attrs
            for name, value in attrs.items():
                if type(value) in _CHANGEABLE:
                    attrs[name] = deepcopy(value)  # rules read it in the backward pass
        fit = arity <= len(args) <= arity + len(names) and attrs.keys() == set(names)
        if twice or not fit:
            raise NodeTypeError(f"call it as {op.name}({', '.join(signature.parameters)})")
        if Node in map(type, attrs.values()):
            op.misused(signature, (*inputs, *attrs.values()), AttributeError())
        return apply(op, inputs, attrs or NO_ATTRS)

    return described(function, op, signature, doc)


def _plain_function(op: Operation) -> Function:
    """The function of an operation with one or two inputs and no settings: the usual case, fast."""
    forward = op.forward

    def unary(x: Any, /) -> Any:
        if type(x) is not Node:
            return forward(np.asarray(x) if type(x) is list else x)
        seq = next(new_seq)
        try:
            value = forward(x._value)
        except REFUSALS as error:
            return op.refused((x,), seq, NO_ATTRS, error)
        return recorded(op, (x,), seq, value)

    def binary(x: Any, y: Any, /) -> Any:
        if type(x) is not Node:
            if type(y) is not Node:
                if type(x) is list or type(y) is list:
                    x, y = np.asarray(x), np.asarray(y)
                return forward(x, y)
            x = operand(x, y)
        elif type(y) is not Node:
            y = operand(y, x)
        seq = next(new_seq)
        try:
            value = forward(x._value, y._value)
        except REFUSALS as error:
            return op.refused((x, y), seq, NO_ATTRS, error)
        return recorded(op, (x, y), seq, value)

    return unary if len(op.parameters) == 1 else binary


def described(function: Function, op: Operation, signature: Signature, doc: str | None) -> Function:
    """Give a function the name, the text and the signature that users see, and its operation."""
    function.__name__ = function.__qualname__ = op.name
    function.__doc__ = doc
    function.__signature__ = signature  # type: ignore[attr-defined]
    function.op = op  # type: ignore[attr-defined]
    return function
