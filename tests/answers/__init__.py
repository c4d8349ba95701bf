"""Answers to the exercises as students write them, right and wrong; a module for each lesson.

    @right("forward")
    def goes_through_the_keys(graph, inputs):
        ...

    @wrong("forward")
    def takes_every_sign_for_plus(graph, inputs):
        ...

    wrong("first_look", {"inputs": 3, "operations": 3, "edges": 5})

A right answer has a style of its own. A wrong one holds a plausible mistake that the exercise does
not list, so that `check` shows no misconception's hint, unless `hint` names the one that explains
it. Values are given in a row; a function bears a name that says what it does.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """An answer to an exercise, and what `check` should make of it.

    Attributes:
        exercise: the exercise's name.
        title: what to call the answer.
        given: the function or the value that is handed in.
        is_right: whether it is accepted.
        hint: the key of the misconception whose hint is shown to a wrong one; None if none is.
        says: words that the message must have in it.
        takes_long: whether it has to be stopped, so that the test should not wait long for it.
    """

    exercise: str
    title: str
    given: Any
    is_right: bool
    hint: str | None = None
    says: str = ""
    takes_long: bool = False

    def __str__(self) -> str:
        return f"{self.exercise}-{self.title}"


ANSWERS: list[Answer] = []


def right(exercise: str, *values: Any) -> Callable[[Any], Any]:
    """Hold values, or a decorated function, to be right answers."""
    return _holder(exercise, values, is_right=True)


def wrong(
    exercise: str,
    *values: Any,
    hint: str | None = None,
    says: str = "",
    takes_long: bool = False,
) -> Callable[[Any], Any]:
    """Hold values, or a decorated function, to be wrong answers."""
    return _holder(exercise, values, is_right=False, hint=hint, says=says, takes_long=takes_long)


def _holder(exercise: str, values: tuple[Any, ...], **verdict: Any) -> Callable[[Any], Any]:
    for value in values:
        ANSWERS.append(Answer(exercise, _title(value), value, **verdict))

    def hold(function: Any) -> Any:
        ANSWERS.append(Answer(exercise, function.__name__, function, **verdict))
        return function

    return hold


def _title(value: Any) -> str:
    """What to call a value: the same in every process."""
    if callable(value):
        return value.__name__
    return " ".join(repr(sorted(value) if isinstance(value, set) else value).split())[:60]


for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
