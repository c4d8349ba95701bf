"""The forms of an answer that is one number, or one number for each input."""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..graph.node import Node
from .answers import Difference, WrongForm, not_a
from .specification import Case

_SAME = 1e-9  # two answers closer than this come from the same formula, written differently


@dataclass(frozen=True)
class Number:
    """One number."""

    what: str = "a number"
    rtol: float = 1e-9
    atol: float = 1e-12

    def read(self, answer: Any, given: tuple[Any, ...]) -> float:
        """Read a number of Python's or NumPy's."""
        return _number(answer, self.what)

    def difference(self, answer: float, expected: float, case: Case) -> Difference | None:
        """Say that the number is not right, without saying which one would be."""
        if math.isclose(answer, expected, rel_tol=self.rtol, abs_tol=self.atol):
            return None
        return Difference("The number is not right.")

    def alike(self, one: Any, other: Any) -> bool:
        """Compare, up to rounding."""
        return _alike(one, other)

    def show(self, answer: float) -> str:
        """Write the number."""
        return f"{answer:.10g}"

    def picture(self, answer: Any, given: tuple[Any, ...], case: Case, node: Any) -> Any:
        """Draw nothing."""
        return None


@dataclass(frozen=True)
class NumberList:
    """A list of numbers; a single number will do for a list of one."""

    what: str = "a list of numbers"
    rtol: float = 1e-9
    atol: float = 1e-12

    def read(self, answer: Any, given: tuple[Any, ...]) -> list[float]:
        """Read a list, tuple or array of numbers, or one number."""
        if isinstance(answer, np.ndarray) and answer.ndim == 1:
            answer = answer.tolist()
        if isinstance(answer, (list, tuple)):
            return [_number(x, "a number in each place") for x in answer]
        return [_number(answer, self.what)]

    def difference(
        self, answer: list[float], expected: list[float], case: Case
    ) -> Difference | None:
        """Say how many numbers are asked for, or which one is not right."""
        if len(answer) != len(expected):
            wanted = f"{len(expected)} number{'s' * (len(expected) > 1)}"
            return Difference(f"There should be {wanted}, and yours are {len(answer)}.")
        for place, (mine, right) in enumerate(zip(answer, expected), start=1):
            if not math.isclose(mine, right, rel_tol=self.rtol, abs_tol=self.atol):
                return Difference(f"Number {place} of {len(expected)} is not right.")
        return None

    def alike(self, one: Any, other: Any) -> bool:
        """Compare number by number, up to rounding."""
        return len(one) == len(other) and all(map(_alike, one, other))

    def show(self, answer: list[float]) -> str:
        """Write the list."""
        return "[" + ", ".join(f"{x:.10g}" for x in answer) + "]"

    def picture(self, answer: Any, given: tuple[Any, ...], case: Case, node: Any) -> Any:
        """Draw nothing."""
        return None


def _number(answer: Any, what: str) -> float:
    if isinstance(answer, Node):
        raise WrongForm(
            f"It should be {what}, and there is a Node; take the number in it, its `.value`.",
            "a Node",
        )
    if isinstance(answer, (np.ndarray, np.generic)) and answer.size == 1:
        answer = answer.item()
    if isinstance(answer, complex):
        raise WrongForm(f"It should be {what}, and there is a complex number.", "complex")
    if isinstance(answer, bool) or not isinstance(answer, numbers.Real):
        raise not_a(what, answer)
    return float(answer)


def _alike(one: float, other: float) -> bool:
    both_undefined = math.isnan(one) and math.isnan(other)
    return both_undefined or math.isclose(one, other, rel_tol=_SAME, abs_tol=1e-15)
