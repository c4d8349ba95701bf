"""What an operation is: a row of the table, in the form that every reader of the table uses.

Rules are written with minigraph's own functions. Given arrays these compute; given Nodes they build
Nodes. So one text serves `backward()`, and `grad()`, whose result can be drawn and differentiated.

Here g is the gradient of the output (the cotangent), dx the change of an input (the tangent). See
Griewank & Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, chapter 3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from inspect import Signature
from itertools import count
from typing import Any, NoReturn

from .node import Node

Function = Callable[..., Any]

OPERATIONS: dict[str, Operation] = {}
FUNCTIONS: dict[str, Function] = {}  # what users call, by name: operations and composed functions

# Of values that do not fit.
REFUSALS = (ValueError, TypeError, IndexError, AttributeError, OverflowError)


@dataclass(frozen=True, eq=False)
class Operation:
    """One row of the table of operations.

    Attributes:
        name: NumPy's name where NumPy has the function, else PyTorch's.
        symbol: what a drawn box shows.
        parameters: the names of the inputs, in order; a last one with a star stands for any number.
        forward: (*arrays, **attrs) -> array.
        vjps: per input (g, out, inputs, attrs) -> what g contributes to the gradient of that input,
            before `unbroadcast`; None for an input without derivative, as for those left out.
        jvp: (tangents, out, inputs, attrs) -> tangent of the output; a None tangent is a zero.
        shape: (*shapes, **attrs) -> shape of the output; raises ValueError to say what would fit.
        partials: the local derivative by each input as text, in the parameters and `out`;
            empty unless the operation is elementwise.
        result: (inputs, attrs) -> value without numbers, of a user's function, whose shape may
            depend on more than shapes; None if `shape` says all.
    """

    name: str
    symbol: str
    parameters: tuple[str, ...]
    forward: Function
    vjps: tuple[Function | None, ...] | EachInput
    jvp: Function | None
    shape: Function
    partials: tuple[str, ...] = ()
    result: Function | None = None

    def __repr__(self) -> str:
        return f"<operation {self.name}>"

    # What becomes of a refusal, unless the floor above binds something better: an error in words
    # that name the Nodes, and Nodes without numbers where an input has none yet.

    def refused(
        self, inputs: tuple[Node, ...], seq: int, attrs: dict[str, Any], error: Exception
    ) -> Node:
        """What comes of inputs that the forward function has refused."""
        raise error

    def misused(self, signature: Signature, args: Iterable[Any], error: Exception) -> NoReturn:
        """Refuse a call whose arguments make no inputs and settings."""
        raise error


class EachInput:
    """The VJPs of an operation with any number of inputs: one rule, told which input is asked."""

    def __init__(self, rule: Function) -> None:
        self.rule = rule

    def __getitem__(self, i: int) -> Function:
        return lambda g, out, inputs, attrs: self.rule(i, g, out, inputs, **attrs)

    def __iter__(self) -> Iterator[Function]:
        return map(self.__getitem__, count())


def entered(function: Function) -> Function:
    """Enter a function among those that users call, and its operation, if any, in the table."""
    FUNCTIONS[function.__name__] = function
    if op := getattr(function, "op", None):
        OPERATIONS[function.__name__] = op
    return function
