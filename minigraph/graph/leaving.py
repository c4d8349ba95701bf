"""How a value leaves a Node, how a leaf takes another one, and what would lose a gradient.

A value leaves the graph as `.value`. What would take it out without a word and lose its gradient,
such as `math.exp(x)` or `array[0] = x`, is refused; `if x > 0` and `f"{x:.3f}"` are not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from ..core.node import Node, checked_value, frozen, is_symbolic, leaf, new_seq
from ..errors import NodeTypeError, ShapeError, SymbolicError
from ..errors.values import checked_name
from ..errors.words import describe
from .context import calling_line
from .symbolic import placeholders_of


def _value(self: Node) -> Any:
    """The number or array held here."""
    if is_symbolic(self):
        raise SymbolicError(
            f"{describe(self)} has no value: it waits for {placeholders_of(self)}; run the graph "
            "with numbers, as in mg.Graph(y).run({'x': 1.0})",
            (self,),
        )
    # A view, for the shape and the dtype of an array can be set where its elements cannot.
    return self._value.view() if type(self._value) is ndarray else self._value


def _assign(self: Node, new: Any) -> None:
    if self.op is not None:
        raise NodeTypeError(
            f"{describe(self)} is computed from its inputs, so its value cannot be set; "
            "give a leaf a new value and run the forward pass again",
            (self,),
        )
    if is_symbolic(self):
        raise SymbolicError(
            f"{describe(self)} gets its value when the graph is run, as in "
            "mg.Graph(y).run({'x': 1.0})",
            (self,),
        )
    try:
        new = checked_value(new, self.dtype)
    except NodeTypeError as error:
        raise NodeTypeError(f"{describe(self)} cannot take this value: {error}") from None
    if new.shape != self.shape:
        raise ShapeError(
            f"{describe(self)} cannot take a value of shape {new.shape}; make a new leaf",
            (self,),
        )
    self._value = new
    self._assigned = next(new_seq), calling_line()


def places(variables: Sequence[Node]) -> tuple[list[Node], list[str]]:
    """What `assign_together` sets: the value of each variable, and when and where it came."""
    n = len(variables)
    return [*variables, *variables], ["_value"] * n + ["_assigned"] * n


def assign_together(places: tuple[list[Node], list[str]], values: Sequence[Any]) -> None:
    """Give variables new values, which fit and belong to nobody else, at one moment.

    One call of C code, between two steps of the interpreter: no signal and no other thread comes
    between the first variable and the last.
    """
    now = next(new_seq), calling_line()
    deque(map(setattr, *places, [*map(frozen, values), *[now] * len(values)]), 0)


def named(self: Node, name: str | None) -> Node:
    """Give this Node a name and return it: `y = (d * e).named("y")`."""
    self.name = checked_name(name)
    return self


def detach(self: Node) -> Node:
    """Return a constant with the same value, cut off from how it was computed."""
    if is_symbolic(self):
        raise SymbolicError(
            f"{describe(self)} has no value that a constant could keep; use "
            "mg.stop_gradient, which lets the value through and no gradient",
            (self,),
        )
    return leaf(self._value, requires_grad=False, name=self.name)


def _float(self: Node) -> float:
    return float(_number(self, "float"))


def _int(self: Node) -> int:
    return int(_number(self, "int"))


def _bool(self: Node) -> bool:
    return bool(_one_element(self, "bool"))


def _format(self: Node, spec: str) -> str:
    return format(_one_element(self, "a format"), spec) if spec else repr(self)


def _number(self: Node, what: str) -> Any:
    """The one element as a number of Python, if no gradient is lost by that."""
    number = _one_element(self, what)
    if self.requires_grad:
        raise _leaving(self, "a plain number, as in math.exp or an element of an array")
    return number


def _leaving(self: Node, what: str) -> NodeTypeError:
    lost = ", and lose its gradient" * self.requires_grad
    return NodeTypeError(
        f"{describe(self)} would leave the graph by becoming {what}{lost}; "
        "write .value if that is what you want",
        (self,),
    )


def _one_element(self: Node, what: str) -> Any:
    if is_symbolic(self):
        raise SymbolicError(
            f"{what}({describe(self)}): it has no value yet, for it waits for "
            f"{placeholders_of(self)}. A static graph is built before there are numbers, so "
            "Python cannot branch or loop on them; choose between two values with mg.where, or "
            "make the graph anew for each input, with mg.variable in place of mg.placeholder",
            (self,),
        )
    if self.size != 1:
        raise NodeTypeError(
            f"{describe(self)} has {self.size} elements, and {what} takes one; "
            "reduce it first, for example with mg.sum",
            (self,),
        )
    return self._value.item()


def _as_array(self: Node, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
    raise _leaving(self, "an array")


Node.value = property(_value, _assign)
Node.named = named  # type: ignore[assignment]
Node.detach = detach  # type: ignore[assignment]
for _method in (_float, _int, _bool, _format):
    setattr(Node, f"_{_method.__name__}__", _method)
Node.__array__ = _as_array  # type: ignore[attr-defined]
