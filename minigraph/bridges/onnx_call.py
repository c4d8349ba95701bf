"""A node of an ONNX file as the rules see it: its attributes, and values that must be known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..core.node import Node
from ..core.operation import FUNCTIONS
from ..errors.words import printable
from ..graph import functions  # noqa: F401  # which enters the last of the functions
from .onnx_held import Held, Value
from .translating import Rules, refusal

# What users call `mg.relu` and so on. Given arrays these compute at once, so that what decides a
# shape is known when the shape is needed; given Nodes they make Nodes.
mg = SimpleNamespace(**FUNCTIONS)

DTYPES = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64",
    9: "bool", 10: "float16", 11: "float64", 12: "uint32", 13: "uint64",
}  # fmt: skip
CODES = {np.dtype(name): code for code, name in DTYPES.items()}
DOMAIN = "minigraph"  # of functions that a file defines for operations which ONNX has not

RULES = Rules("ONNX")


@dataclass
class Call:
    """One node that is translated.

    Attributes:
        operator: such as "Conv".
        version: of the operator set that its file means.
        attributes: those that it has, in Python's types.
        defaults: those of its operator, where it has none.
        outputs: how many of its results are used.
        held: the numbers that are known, and how many more there may be.
        fed: the inputs of the graph that have a value until they are given another.
        asked: the attributes that the rule has looked at.
    """

    operator: str
    version: int
    attributes: Mapping[str, Any]
    defaults: Mapping[str, Any]
    outputs: int
    held: Held
    fed: Sequence[Node] = ()
    asked: set[str] = field(default_factory=set)

    def __getitem__(self, name: str) -> Any:
        """An attribute, or its default, or None."""
        self.asked.add(name)
        return self.attributes.get(name, self.defaults.get(name))

    def known(self, x: Value, what: str) -> np.ndarray:
        """The numbers of an input, which decide what is made here.

        Raises:
            TranslationError: naming the inputs of the graph that would have to be given.
        """
        if not isinstance(x, Node):
            return np.asarray(x)
        if waits := [y for y in x.leaves() if y in self.fed or not self.held.is_known(y)]:
            names = " and ".join(printable(y.name or "") for y in waits)
            raise refusal(
                f"{self.operator} needs {what} beforehand, and it depends on the input {names}",
                instead="give this one with values={name: array}",
                nodes=(x,),
            )
        return self.held.numbers(x)

    def setting(self, name: str, x: Value, what: str) -> list[int] | None:
        """Whole numbers that are an input since some version, and were an attribute before."""
        if x is not None:
            return [int(i) for i in self.known(x, what).ravel()]
        given = self[name]
        return given if given is None else [int(i) for i in np.ravel(given)]

    def shape(self, sizes: Sequence[int]) -> tuple[int, ...]:
        """A shape that the file asks for.

        Raises:
            TranslationError: if it has more elements than are allowed.
        """
        count, largest = prod(int(n) for n in sizes), self.held.most // 8
        if count > largest:
            raise refusal(
                f"{self.operator} makes {count:,} numbers, more than {largest:,}",
                instead=f"if there is as much memory, allow it with most={8 * count:_}",
            )
        return tuple(int(n) for n in sizes)

    def refuse(self, what: str, instead: str = "") -> Any:
        """Refuse what this operator has and the table has not."""
        raise refusal(f"{self.operator} {what} cannot be translated", instead=instead)


def axes_of(x: Value, axes: Sequence[int] | int | None) -> tuple[int, ...]:
    """Axes counted from the first, all for None."""
    ndim = len(x.shape)
    wanted = range(ndim) if axes is None else np.ravel(axes).tolist()
    for axis in wanted:
        if not -ndim <= axis < ndim:
            raise ValueError(f"axis {axis} is none of {ndim}")
    return tuple(axis % ndim for axis in wanted)


def like(y: Value, x: Value) -> Value:
    """A value in the dtype of another."""
    return y if y.dtype == x.dtype else mg.astype(y, x.dtype)


def number(value: float, x: Value) -> Any:
    """A number in the dtype of a value beside which it stands."""
    return x.dtype.type(value)
