"""What `a == b` means for Nodes: whether they are the same one, and nothing about their values."""

from __future__ import annotations

from numbers import Number
from typing import Any, NoReturn

from ..core.node import Node
from ..errors import NodeTypeError
from ..errors.words import describe

_COMPARE = "write mg.equal(a, b) or mg.not_equal(a, b) to compare their elements"


class Identity:
    """What `a == b` of two Nodes gives: whether they are the same Node.

    It is true or false where Python asks, as in `if a == b` and `b in [a, b]`, but no boolean: so
    nobody computes with it who meant to compare elements, which `mg.equal(a, b)` does.
    """

    __slots__ = ("_same",)

    def __init__(self, same: bool) -> None:
        self._same = same

    def __bool__(self) -> bool:
        return self._same

    def __eq__(self, other: object) -> bool:
        return self._same == other if isinstance(other, bool | Identity) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._same)

    def __repr__(self) -> str:
        return f"<{'the same Node' if self._same else 'two Nodes'}>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # which Python and IPython look for
            raise AttributeError(name)
        self._refuse()

    def _refuse(self, *others: Any, **options: Any) -> NoReturn:
        raise NodeTypeError(f"== and != of two Nodes ask whether they are the same one; {_COMPARE}")

    for _name in (
        "abs", "add", "and", "array", "array_function", "array_ufunc", "float", "index", "int",
        "invert", "mul", "neg", "or", "radd", "rand", "rmul", "ror", "rsub", "rtruediv", "rxor",
        "sub", "truediv", "xor",
    ):  # fmt: skip
        vars()[f"__{_name}__"] = _refuse
    del _name


def _equal(self: Node, other: object) -> Any:
    """Whether two Nodes are the same; elements are compared with `mg.equal`."""
    return Identity(self is other) if isinstance(other, Node) else _compared(self, other)


def _not_equal(self: Node, other: object) -> Any:
    """Whether two Nodes are not the same; elements are compared with `mg.not_equal`."""
    return Identity(self is not other) if isinstance(other, Node) else _compared(self, other)


def _compared(self: Node, other: object) -> Any:
    """Refuse numbers and arrays; anything else is no Node, and Python says so."""
    if isinstance(other, Number | list | tuple) or hasattr(other, "__array__"):
        raise NodeTypeError(
            f"{describe(self)} is not compared with {str(other)[:40]} by == or !=, which ask "
            f"whether two are the same Node; {_COMPARE}",
            (self,),
        )
    return NotImplemented


Node.__eq__ = _equal  # type: ignore[method-assign, assignment]
Node.__ne__ = _not_equal  # type: ignore[method-assign, assignment]
