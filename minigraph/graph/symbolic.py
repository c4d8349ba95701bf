"""Symbolic Nodes: a graph that is defined before there are numbers.

What depends on a placeholder has a shape and a dtype, and a value only when a `Graph` is run. NumPy
refuses to compute with what is symbolic, and so an operation learns that it has to wait.
"""

from __future__ import annotations

import operator
from math import prod
from typing import Any

import numpy as np

from ..core.applying import NUMBER, conditions, leading, operand
from ..core.node import Node, is_symbolic, leaf, new_seq, recorded
from ..core.operation import FUNCTIONS, OPERATIONS, REFUSALS, Operation
from ..errors import NodeTypeError, SymbolicError
from ..errors.shapes import Shape
from ..errors.values import checked_name
from ..errors.words import describe, printable
from .promises import indices_of
from .refusals import explained

# The dtypes that elementwise operations give, which are those of the table, by what they are given.
_DTYPES: dict[tuple[Any, ...], np.dtype] = {}

# They move the elements of their first input, to places that its own sizes decide.
_MOVING = {
    "broadcast_to", "getitem", "matrix_transpose", "overlap_add", "reshape", "scatter_add",
    "transpose", "windows",
}  # fmt: skip


class Unknown:
    """The value of a symbolic Node: its shape and dtype, and no numbers.

    NumPy's functions refuse it with a TypeError, which tells an operation that it is symbolic.

    Attributes:
        shape, dtype: of the value.
        number: what stands for a number of Python has a type here, float, or object where it may
            be an int as well; its dtype then gives way to that of what stands beside it.
    """

    __slots__ = ("dtype", "number", "shape")
    __array_ufunc__ = None

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype, number: type | None = None) -> None:
        self.shape = shape
        self.dtype = dtype
        self.number = number

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return prod(self.shape)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        raise TypeError("there are no numbers here yet")

    def __array_function__(self, *call: Any) -> Any:
        raise TypeError("there are no numbers here yet")

    def __repr__(self) -> str:
        return f"{self.dtype} of shape {self.shape}"


def placeholder(name: str, shape: Any = (), dtype: Any = np.float64) -> Node:
    """Make a leaf whose value comes when the graph is run; what depends on it is symbolic.

    Args:
        name: by which `Graph.run` is given the value.
        shape: of the value; () for a scalar.
        dtype: of real numbers or booleans.

    Raises:
        NodeTypeError: if the name, the shape or the dtype cannot be one.
    """
    if checked_name(name) is None:
        raise NodeTypeError("a placeholder needs a name, by which it is given its value")
    try:
        shape = np.broadcast_to(np.False_, shape).shape
    except (TypeError, ValueError):
        raise NodeTypeError(f"a shape is a tuple of sizes such as (32, 4), not {shape!r}") from None
    dtype = np.dtype(dtype).newbyteorder("=")
    if dtype.kind not in "fiub":
        raise NodeTypeError(f"a Node holds real numbers, not {dtype}")
    return leaf(Unknown(shape, dtype), requires_grad=dtype.kind == "f", name=name)


def placeholders_of(node: Node) -> str:
    """Name the placeholders that a symbolic Node waits for."""
    waiting_for: dict[Node, None] = {node: None}
    for x in (stack := [node]):  # it grows while it is walked
        for y in x.inputs:
            if y not in waiting_for and is_symbolic(y):
                waiting_for[y] = None
                stack.append(y)
    names = sorted(printable(x.name or "") for x in waiting_for if x.op is None)
    return " and ".join([*names[:3], f"{len(names) - 3} more"] if len(names) > 4 else names)


# --- operations that wait -------------------------------------------------------------------------


def waiting(
    op: Operation,
    inputs: tuple[Node, ...],
    seq: int,
    attrs: dict[str, Any],
    error: Exception,
) -> Node:
    """Record an operation on symbolic Nodes, which NumPy has refused with an error."""
    _check_index(indices_of(op, inputs))
    number: type | None = None
    if stand_ins := [x for x in inputs if stands_for_number(x)]:
        first = conditions(op)
        others = [x for x in inputs[first:] if x not in stand_ins and x.attrs is not NUMBER]
        like = leading(others)
        if like is not None:
            alike = [x if x in others else _giving_way(x, like) for x in inputs[first:]]
            inputs = (*inputs[:first], *alike)
            seq = next(new_seq)
        elif op.name in _ON_NUMBERS and op is OPERATIONS.get(op.name):
            types = {x._value.number for x in stand_ins}
            number = float if types == {float} else object
        elif first and any(x._value.number is object for x in stand_ins):
            raise NumberTypeError
    value = unknown(op, inputs, attrs, error)
    value.number = number
    return recorded(op, inputs, seq, value, attrs)


def _check_index(indices: tuple[Node, ...]) -> None:
    """Refuse what is no index."""
    for x in indices:
        if may_be_int(x):
            raise NumberTypeError
        if x.dtype.kind not in "iub":
            raise NodeTypeError(
                f"an index is made of whole numbers or booleans, and {describe(x)} is {x.dtype}; "
                "see mg.astype",
                (x,),
            )


# What Python computes of its numbers, with a number as result. NumPy's functions give NumPy's.
_ON_NUMBERS = {
    "add", "subtract", "multiply", "divide", "remainder", "power", "negative", "absolute",
    "stop_gradient",
}  # fmt: skip


class NumberTypeError(Exception):
    """Whether a number is an int or a float decides the dtype of a result; see `mg.compile`."""


def stands_for_number(x: Node) -> bool:
    """Whether a Node stands for a number of Python's, for which it was given in `mg.compile`."""
    return is_symbolic(x) and x._value.number is not None


def may_be_int(x: Node) -> bool:
    """Whether a Node stands for a number of which it is open if it is an int or a float."""
    return stands_for_number(x) and x._value.number is object


def _giving_way(x: Node, like: Node) -> Node:
    """What stands for a number, in the dtype that the number has beside a Node; see `operand`."""
    if like.dtype.kind != "f":
        if may_be_int(x):
            raise NumberTypeError
        return x
    if x.attrs is NUMBER:
        return operand(x._value.item(), like)
    return x if x.dtype == like.dtype else FUNCTIONS["astype"](x, like.dtype)


def unknown(
    op: Operation, inputs: tuple[Node, ...], attrs: dict[str, Any], error: Exception
) -> Unknown:
    """The value of an operation on symbolic Nodes, which NumPy has refused with an error.

    Where no input is symbolic, the error is raised, in words that name the Nodes.
    """
    if not any(map(is_symbolic, inputs)):
        if isinstance(error, AttributeError):
            raise error
        raise explained(op, inputs, attrs, error) from None
    if any(x.dtype.kind == "b" for x in indices_of(op, inputs)):
        raise SymbolicError(
            f"{op.name} of {' and '.join(map(describe, inputs))}: how many elements a mask chooses "
            "depends on its values, so the result has no shape before the graph is run; choose "
            "with mg.where, which keeps the shape",
            inputs,
        ) from None
    try:
        if op.result:
            return op.result([x._value for x in inputs], attrs)
        shape = op.shape(*[x.shape for x in inputs], **attrs)
        return Unknown(tuple(map(operator.index, shape)), _dtype(op, inputs, attrs))
    except REFUSALS as better:
        raise explained(op, inputs, attrs, better) from None


def _dtype(op: Operation, inputs: tuple[Node, ...], attrs: dict[str, Any]) -> np.dtype:
    """The dtype of a result: that of the operation on zeros, which is seldom computed twice.

    Nothing of the size of the result is made, which may be larger than the memory.
    """
    if op is not OPERATIONS.get(op.name):
        return _dtype_on_zeros(op, inputs, [x.shape for x in inputs], attrs)
    if op.name in _MOVING:
        return inputs[0].dtype
    if not op.partials:
        return _dtype_on_zeros(op, inputs, [(1,) * x.ndim for x in inputs], attrs)
    key = (op, *[x.dtype for x in inputs])
    if key not in _DTYPES:
        _DTYPES[key] = _dtype_on_zeros(op, inputs, [()] * len(inputs), attrs)
    return _DTYPES[key]


def _dtype_on_zeros(
    op: Operation, inputs: tuple[Node, ...], shapes: list[Shape], attrs: dict[str, Any]
) -> np.dtype:
    zeros = [np.broadcast_to(x.dtype.type(0), shape) for x, shape in zip(inputs, shapes)]
    with np.errstate(all="ignore"):
        return np.asarray(op.forward(*zeros, **attrs)).dtype


Operation.refused = waiting  # type: ignore[method-assign, assignment]
