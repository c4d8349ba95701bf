"""The forms of answers that are arrays, or shapes of arrays.

In plain data an array is its shape and its numbers in a row, so that an empty one keeps its shape.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from ..core.node import Node
from ..errors import MinigraphError
from .answers import as_whole, is_rounded, items_of, kind_of, name_of, not_a, rounded
from .forms import Case, Difference, Form, WrongForm

Plain = dict[str, list[Any]]  # {"shape": [2, 1], "numbers": [0.5, 3.0]}
MISFIT = "error"


def locked(numbers: Any) -> np.ndarray:
    """Make an array of nested lists, which cannot be changed in place, as the values of Nodes."""
    array = np.array(numbers, dtype=float)
    array.setflags(write=False)
    return array


def as_python(**arguments: Any) -> str:
    """Write arguments as Python code: nested lists become arrays, the rest stays."""
    lines = ["import numpy as np", ""]
    for name, value in arguments.items():
        is_array = isinstance(value, (list, np.ndarray))
        lines.append(_array_code(name, value) if is_array else f"{name} = {value!r}")
    return "\n".join(lines)


def _array_code(name: str, value: Any) -> str:
    array = np.asarray(value)
    if not array.size:  # which a list without an element says nothing of
        return f"{name} = np.zeros({array.shape})"
    start = f"{name} = np.array("
    text = np.array2string(  # whole, however large: code with an ellipsis would not run
        array, separator=", ", prefix=start, threshold=sys.maxsize
    )
    return f"{start}{text})"


@dataclass(frozen=True)
class Arrays(Form):
    """One array, or several in a tuple.

    Attributes:
        what: what is asked for, to complete "it should return ...".
        names: what the arrays are; a single one comes without a tuple.
    """

    what: str = "an array"
    names: tuple[str, ...] = ("",)
    rtol: float = 1e-9
    atol: float = 1e-9

    def read(self, answer: Any, arguments: tuple[Any, ...]) -> list[Plain]:
        """Read arrays, nested lists of numbers, or single numbers."""
        if len(self.names) == 1:
            return [_plain(answer, self.what)]
        parts = None if isinstance(answer, np.ndarray) else items_of(answer)
        if parts is None:
            raise not_a(self.what, answer)
        if len(parts) != len(self.names):
            raise WrongForm(f"It should be {self.what}, and it has {len(parts)} parts.")
        named = [f"an array, {name[:1].lower()}{name[1:]}" for name in self.names]
        return [_plain(x, what) for x, what in zip(parts, named)]

    def difference(
        self, answer: list[Plain], expected: list[Plain], case: Case
    ) -> Difference | None:
        """Point at the first shape that is wrong, then at the first number."""
        for mine, right, name in zip(answer, expected, self.names):
            if list(mine["shape"]) != list(right["shape"]):
                text = f"{_subject(name)} should have shape {_written(right['shape'])}, and it has "
                shape = _written(mine["shape"])
                return Difference(f"{text}{shape}.", f"{name} of shape {shape}")
        for mine, right, name in zip(answer, expected, self.names):
            places = np.ndindex(*right["shape"])
            numbers = zip(places, mine["numbers"], right["numbers"])
            if not (wrong := [triple for triple in numbers if not self._close(*triple[1:])]):
                continue
            place, x, _ = wrong[0]
            where = f" at {list(place)}" if place else ""
            text = f"{_subject(name)} has the right shape. Its number{where} is"
            if all(is_rounded(x, y) for _, x, y in wrong):
                return rounded(text, x)
            return Difference(f"{text} not right: yours is {x:.6g}.")
        return None

    def _close(self, x: float, y: float) -> bool:
        both_nan = math.isnan(x) and math.isnan(y)
        return both_nan or math.isclose(x, y, rel_tol=self.rtol, abs_tol=self.atol)

    def alike(self, one: list[Plain], other: list[Plain]) -> bool:
        """Compare shapes and numbers, up to rounding."""
        return self.difference(one, other, ()) is None

    def show(self, answer: list[Plain]) -> str:
        """Write each array with its shape."""
        texts = []
        for plain, name in zip(answer, self.names):
            array = np.array(plain["numbers"]).reshape(plain["shape"])
            start = f"{name}, " if name else ""
            numbers = np.array2string(array, precision=4, separator=", ", threshold=60)
            texts.append(f"{start}shape {array.shape}:\n{numbers}")
        return "\n".join(texts)


def _plain(answer: Any, what: str) -> Plain:
    if isinstance(answer, Node):
        raise WrongForm(f"It should be {what}, and it is a Node; take its `.value`.", "a Node")
    if type(answer) not in (np.ndarray, list, tuple):
        items = items_of(answer)  # of a deque, a filter, the values of a dictionary
        answer = answer if items is None else items
    try:
        array = np.asarray(answer)
        if array.dtype.kind in "USMm":
            raise TypeError
        array = array.astype(float, casting="unsafe" if array.dtype == object else "same_kind")
    except (TypeError, ValueError, OverflowError, MinigraphError):
        kind = _described(answer)
        raise WrongForm(f"It should be {what}, and it is {kind}.", kind) from None
    return {"shape": list(array.shape), "numbers": array.ravel().tolist()}


def _described(answer: Any) -> str:
    """What something is that is no array of numbers, and what it may hold."""
    if isinstance(answer, (list, tuple)) and any(isinstance(x, Node) for x in answer):
        return f"{kind_of(answer)} that holds a Node; take its `.value`"
    return f"an array of {answer.dtype}" if isinstance(answer, np.ndarray) else kind_of(answer)


def _subject(name: str) -> str:
    return name or "The array"


def _written(shape: Sequence[int]) -> str:
    return str(tuple(shape))


@dataclass(frozen=True)
class Shapes(Form):
    """A dictionary of shapes by name; "error" where shapes do not fit."""

    what: str = 'a dictionary that gives each name a shape, such as (2, 3), or "error"'

    def read(self, answer: Any, arguments: tuple[Any, ...]) -> dict[str, Any]:
        """Read tuples or lists of whole numbers."""
        if not isinstance(answer, Mapping):
            raise not_a(self.what, answer)
        return {name_of(key): _shape(value, name_of(key)) for key, value in answer.items()}

    def difference(
        self, answer: dict[str, Any], expected: dict[str, Any], case: Case
    ) -> Difference | None:
        """Name what is missing, or the first shape that is wrong."""
        for name, right in expected.items():
            if name not in answer:
                return Difference(f'There is no shape for "{name}".', f"without {name}")
            if answer[name] != right:
                yours = answer[name] if answer[name] == MISFIT else _written(answer[name])
                text = f'The shape for "{name}" is not right: yours is {yours}.'
                return Difference(text, f"{name}: {yours}")
        if extra := [name for name in answer if name not in expected]:
            return Difference(f"{extra[0]} should not be in it.", f"with {extra}")
        return None

    def show(self, answer: dict[str, Any]) -> str:
        """Write it as the dictionary that it is."""
        shapes = {name: x if x == MISFIT else tuple(x) for name, x in answer.items()}
        return repr(shapes)


def _shape(value: Any, name: str) -> Any:
    if value is ...:
        raise WrongForm(f'For "{name}" there are still three dots.')
    if isinstance(value, str) and value.strip().lower() == MISFIT:
        return MISFIT
    if isinstance(value, Integral):
        raise WrongForm(
            f'For "{name}" there is a number. A shape is a tuple; with one axis it is written '
            f"({value},), with a comma, because Python takes ({value}) for the number."
        )
    items = None if isinstance(value, (set, frozenset)) else items_of(value)
    sizes = [None] if items is None else [as_whole(n) for n in items]
    if None in sizes:
        raise WrongForm(f'For "{name}" there is {kind_of(value)}, where a shape belongs.')
    return sizes
