"""`check`: tell a student what is right, what is wrong, and why.

    from minigraph.course import check
    check("topological_order", topological_order)

The answer is tried on all cases of the exercise. If it is wrong in the way of a known
misconception, that misconception's hint is given, otherwise the smallest input on which it fails.
Hints grow with each failure. Nothing here is a score: it runs in the student's own process.
"""

from __future__ import annotations

import difflib
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

from ..drawing import draw
from .attempt import (
    Attempt,
    as_program,
    attempts,
    is_unsolved,
    not_callable_as_asked,
    short,
)
from .diagnosis import diagnose
from .exercises import EXERCISES
from .panel import Panel, Part
from .specification import Exercise, Misconception

failures: Counter[str] = Counter()  # since the last success, by exercise
SECONDS = 4.0  # for a student's function, in all cases together
HINT_LABELS = ("Hint", "Another hint", "A similar case")
_MISSING = object()


class CheckFailed(AssertionError):
    """The answer is not right. The message says what is wrong; `key` names the misconception."""

    __module__ = "minigraph.course"

    def __init__(self, panel: Panel, key: str | None = None, shown: bool = False) -> None:
        super().__init__(panel.text)
        self.panel = panel
        self.key = key
        self._shown = shown

    def _render_traceback_(self) -> list[str]:
        """One clean message instead of a stack trace; IPython asks for this."""
        return [f"CheckFailed: {self.panel.title}"] if self._shown else self.panel.text.split("\n")


def check(name: str, answer: Any = _MISSING) -> None:
    """Check an answer to an exercise: say that it is right, or raise `CheckFailed`.

    Args:
        name: the exercise's name.
        answer: the function, or the value, that you have written.

    Raises:
        CheckFailed: with one clean message, if the answer is wrong or cannot be checked.
    """
    __tracebackhide__ = True
    exercise = _found(name, answer)
    panel, key = _verdict(exercise, answer)
    shown = _show(panel)
    if panel.state != "right":
        raise CheckFailed(panel, key, shown) from None


def _found(name: Any, answer: Any) -> Exercise:
    """The exercise of this name, or a CheckFailed that says how to call check."""
    if not isinstance(name, str):
        called = getattr(name, "__name__", "topological_order")
        title = "The exercise's name comes first, in quotes"
        text = f'Write `check("{called}", {called})`.'
    elif name not in EXERCISES:
        near = difflib.get_close_matches(name, EXERCISES, n=2)
        title = f'There is no exercise "{name:.60}"'
        text = (
            f"Did you mean {' or '.join(near)}?" if near else f"There are {', '.join(EXERCISES)}."
        )
    elif answer is _MISSING:
        title = "Your answer is missing"
        text = f"Hand it over after the name: `{EXERCISES[name].call}`."
    else:
        return EXERCISES[name]
    panel = Panel("wrong", title, [Part(text)])
    raise CheckFailed(panel, shown=_show(panel))


def _verdict(exercise: Exercise, answer: Any) -> tuple[Panel, str | None]:
    """What there is to say about an answer, and the key of the misconception behind it."""
    if is_unsolved(answer):
        return _not_started(exercise), None
    if exercise.parameters and (problem := not_callable_as_asked(exercise, answer)):
        return Panel("wrong", f"{exercise.name} cannot be checked yet", [Part(problem)]), None
    if not exercise.parameters and callable(answer):
        text = f"This exercise asks for a value, {exercise.form.what}, and this is a function."
        return Panel("wrong", f"{exercise.name} cannot be checked yet", [Part(text)]), None
    program = answer if exercise.parameters else as_program(answer)
    found = attempts(exercise, program, exercise.cases(), SECONDS)
    if found[0].raised == "NotImplementedError":
        return _not_started(exercise), None
    failed = [attempt for attempt in found if attempt.wrong]
    if not failed:
        failures[exercise.name] = 0
        return _right(exercise, found), None
    failures[exercise.name] += 1
    misconception = diagnose(exercise, found)
    panel = _wrong(exercise, failed[0], misconception)
    return panel, misconception.key if misconception else None


# --- panels ---------------------------------------------------------------------------------------


def _not_started(exercise: Exercise) -> Panel:
    return Panel("waiting", f"{exercise.name} is not started yet", [Part(exercise.first_step)])


def _right(exercise: Exercise, found: Sequence[Attempt]) -> Panel:
    title = f"{exercise.name} is right: {exercise.verified.format(cases=len(found))}"
    picture = ""
    if exercise.kind == "build":
        outputs, _ = exercise.form.picture(found[0].returned, found[0].given, found[0].case, None)
        picture = draw(outputs).html
    return Panel("right", title, _printed_parts(found[0]), picture)


def _wrong(exercise: Exercise, worst: Attempt, misconception: Misconception | None) -> Panel:
    parts = _what_happened(exercise, worst)
    level = min(failures[exercise.name], len(exercise.hints)) - 1
    if misconception:
        parts.append(Part(misconception.hint, HINT_LABELS[0]))
    if level > 0 or not (misconception or worst.raised or worst.stopped):
        parts.append(Part(exercise.hints[level], HINT_LABELS[level]))
    picture = _picture(exercise, worst)
    return Panel("wrong", f"{exercise.name} is not right yet", parts, picture)


def _what_happened(exercise: Exercise, worst: Attempt) -> list[Part]:
    assert worst.wrong
    parts = []
    if exercise.parameters:
        parts.append(Part("For this input", code=exercise.as_code(*worst.case)))
    does = getattr(exercise.form, "does", "returned")  # most forms read what is returned
    says = f"your function {does}" if exercise.parameters else "Your answer"
    if worst.answer is not None:
        parts.append(Part(says, code=exercise.form.show(worst.answer)))
    elif worst.returned is not None:
        parts.append(Part(says, code=short(worst.returned)))
    first, _, line = worst.wrong.text.partition("\nline ")
    parts.append(Part(first, code=f"line {line}" if line else ""))
    return parts + _printed_parts(worst)


def _printed_parts(attempt: Attempt) -> list[Part]:
    printed = attempt.printed.rstrip()
    return [Part("Your function printed", code=printed)] if printed else []


def _picture(exercise: Exercise, worst: Attempt) -> str:
    """Draw the graph with the first wrong node marked, and without numbers that are to be found."""
    if worst.answer is None or worst.wrong is None:
        return ""
    drawn = exercise.form.picture(worst.returned, worst.given, worst.case, worst.wrong.node)
    if drawn is None:
        return ""
    outputs, marked = drawn
    return draw(outputs, values=False, highlight=marked).html


def _show(panel: Panel) -> bool:
    """Display the panel in a notebook or in IPython; elsewhere print it if it is good news.

    Returns whether it is on the screen.
    """
    ipython = sys.modules.get("IPython")
    if ipython and ipython.get_ipython():
        from IPython.display import display

        display(panel)
        return True
    if panel.state == "right":
        print(panel.text)
    return False
