"""The forms of an answer that is one number, a list of them, or a dictionary of derivatives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .answers import Numbers, is_close, is_rounded, items_of, read_number, rounded, written
from .forms import Case, Difference, Form

_SAME = 1e-9  # two answers closer than this come from the same formula, written differently


@dataclass(frozen=True)
class Number(Form):
    """One number."""

    what: str = "a number"
    rtol: float = 1e-9
    atol: float = 1e-12

    def read(self, answer: Any, arguments: tuple[Any, ...]) -> float:
        """Read a number of Python's or NumPy's."""
        return read_number(answer, what=self.what)

    def difference(self, answer: float, expected: float, case: Case) -> Difference | None:
        """Say that the number is not right, without saying which one would be."""
        if is_close(answer, expected, self.rtol, self.atol):
            return None
        if is_rounded(answer, expected):
            return rounded("The number is", answer)
        return Difference("The number is not right.")

    def alike(self, one: Any, other: Any) -> bool:
        """Compare, up to rounding."""
        return _alike(one, other)

    def show(self, answer: float) -> str:
        """Write the number."""
        return written(answer, 10)


@dataclass(frozen=True)
class NumberList(Form):
    """A list of numbers; a single number will do for a list of one."""

    what: str = "a list of numbers"
    rtol: float = 1e-9
    atol: float = 1e-12

    def read(self, answer: Any, arguments: tuple[Any, ...]) -> list[float]:
        """Read a list, tuple or array of numbers, or one number."""
        if (numbers := items_of(answer)) is not None:
            return [read_number(x, what="a number in each place") for x in numbers]
        return [read_number(answer, what=self.what)]

    def difference(
        self, answer: list[float], expected: list[float], case: Case
    ) -> Difference | None:
        """Say how many numbers are asked for, or which one is not right."""
        if len(answer) != len(expected):
            wanted = f"{len(expected)} number{'s' * (len(expected) > 1)}"
            return Difference(f"There should be {wanted}, and yours are {len(answer)}.")
        for place, (mine, right) in enumerate(zip(answer, expected), start=1):
            if not is_close(mine, right, self.rtol, self.atol):
                which = f"Number {place} of {len(expected)} is"
                if is_rounded(mine, right):
                    return rounded(which, mine)
                return Difference(f"{which} not right.")
        return None

    def alike(self, one: Any, other: Any) -> bool:
        """Compare number by number, up to rounding."""
        return len(one) == len(other) and all(map(_alike, one, other))

    def show(self, answer: list[float]) -> str:
        """Write the list."""
        return "[" + ", ".join(written(x, 10) for x in answer) + "]"


@dataclass(frozen=True)
class Gradients(Numbers):
    """A dictionary of numbers by name, in which rounding does not hide a known mistake."""

    def alike(self, one: Any, other: Any) -> bool:
        """Compare the numbers up to rounding."""
        return one.keys() == other.keys() and all(
            is_close(one[x], other[x], _SAME, 1e-12) for x in one
        )


def _alike(one: float, other: float) -> bool:
    both_undefined = one != one and other != other
    return both_undefined or is_close(one, other, _SAME, 1e-15)
