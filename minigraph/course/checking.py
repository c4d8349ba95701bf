"""`check`: tell a student what is right, what is wrong, and why.

    from minigraph.course import check
    check("topological_order", topological_order)

The answer is tried on all cases of the exercise. If it is wrong in the way of a known
misconception, that misconception's hint is given, otherwise the smallest input on which it fails.
Hints grow with each new mistake of a kind. Nothing here is a score: it runs in the student's own
process.
"""

from __future__ import annotations

import contextvars
import difflib
import os
import secrets
import sys
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from ..core.order import topological_order
from ..drawing import draw
from .attempt import (
    GONE,
    Attempt,
    as_program,
    careful_attempts,
    guarded,
    not_callable_as_asked,
    short,
)
from .cells import older_than_its_cell
from .diagnosis import misconception_behind
from .docstrings import SpecificationError
from .exercises import EXERCISES
from .forms import Difference
from .lessons import here
from .onwards import noted_as_solved
from .outcomes import is_unsolved
from .own import own_exercises
from .panel import Panel, Part
from .remembering import fingerprint, memories_of, what_is_remembered
from .specification import Exercise, Misconception, no_code

# The different wrong answers since the last success: by exercise, and by what was wrong with them.
failures: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
SECONDS = 4.0  # for a student's function, in all cases together
SEED = "MINIGRAPH_SEED"  # the environment variable that fixes what is drawn at random
MANY = 3  # different wrong answers, after which it is no longer told how many words are right
MOST_LINES, MOST_WIDE = 40, 400  # of what a student returned
MOST_TOLD = 1000  # characters of what is wrong, which may quote an answer
MOST_DRAWN = 60  # nodes
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


def check(name: str, answer: Any = _MISSING, seed: int | None = None) -> None:
    """Check an answer to an exercise: say that it is right, or raise `CheckFailed`.

    Args:
        name: the exercise's name.
        answer: the function, or the value, that you have written.
        seed: what the random inputs follow from, or the numbers of the task where each student has
            others; a different one each time if None.

    Raises:
        CheckFailed: with one clean message, if the answer is wrong or cannot be checked.
    """
    __tracebackhide__ = True
    exercise = _found(name, answer)
    if seed is None:
        seed = 0 if exercise.varies else int(os.environ.get(SEED) or secrets.randbelow(10**6))
    exercise = exercise.of(seed)
    with _usual_warnings():
        # A context of its own: what is checked does not depend on a scope or no_grad around it.
        panel, key = contextvars.Context().run(_quiet_verdict, exercise, answer, seed)
    if panel.state == "right":
        panel = _with(panel, [], noted_as_solved(exercise))
    shown = _show(panel)
    if panel.state != "right":
        raise CheckFailed(panel, key, shown) from None


@contextmanager
def _usual_warnings() -> Iterator[None]:
    """Show warnings as Python does by itself: nobody's answer is wrong because of one."""
    with warnings.catch_warnings():
        warnings.resetwarnings()
        for kind in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
            warnings.simplefilter("ignore", kind)
        yield


def _found(name: Any, answer: Any) -> Exercise:
    """The exercise of this name, or a CheckFailed that says how to call check."""
    if type(name) is not str:
        called = guarded(None, getattr, name, "__name__")
        called = called if type(called) is str else "topological_order"
        title = "The exercise's name comes first, in quotes"
        text = f'Write `check("{called}", {called})`.'
    elif isinstance(known := _known(name), str):
        title = "The exercises in this folder cannot be read"
        text = known
    elif name not in known:
        near = difflib.get_close_matches(name, known, n=2)
        title = f'There is no exercise "{name:.60}"'
        text = f"Did you mean {' or '.join(near)}?" if near else f"There are {', '.join(known)}."
    elif answer is _MISSING:
        title = "Your answer is missing"
        text = f"Hand it over after the name: `{known[name].call}`."
    else:
        return known[name]
    panel = Panel("wrong", title, [Part(text)])
    raise CheckFailed(panel, shown=_show(panel))


def _known(name: str) -> dict[str, Exercise] | str:
    """The exercises to look in: the course's, and else the instructor's; or why there are none."""
    if name in EXERCISES:
        return EXERCISES
    try:
        return EXERCISES | own_exercises(here())
    except SpecificationError as error:
        return str(error)


def _quiet_verdict(exercise: Exercise, answer: Any, seed: int) -> tuple[Panel, str | None]:
    with np.errstate(all="ignore"):  # infinities are compared, not warned about
        return _verdict(exercise, answer, seed)


def _verdict(exercise: Exercise, answer: Any, seed: int) -> tuple[Panel, str | None]:
    """What there is to say about an answer, and the key of the misconception behind it."""
    older = guarded("", older_than_its_cell, exercise.name, answer)
    news = [Part(older)] if older else []
    cannot = _cannot_be_checked(exercise, "Nothing can be found out about it.")
    if early := guarded(cannot, _before_any_call, exercise, answer):
        return _with(early, news), None
    program = answer if exercise.parameters else as_program(answer)
    memories = guarded([], memories_of, program)
    tries = careful_attempts(exercise, program, exercise.cases(seed), SECONDS)
    if tries[0].raised == "NotImplementedError":
        return _with(_not_started(exercise), news), None
    worst = next((attempt for attempt in tries if attempt.wrong), tries[0])
    if exercise.parameters and not worst.stopped and worst.raised not in DANGEROUS:
        wrong = what_is_remembered(exercise, program, memories, worst, SECONDS)
        worst = replace(worst, wrong=wrong) if wrong else worst
    if not worst.wrong:
        failures.pop(exercise.name, None)
        return _with(_right(exercise, tries), news), None
    misconception = None if worst.wrong.says_all else misconception_behind(exercise, tries)
    kind = misconception.key if misconception else _kind(worst)
    handed_in = fingerprint if exercise.parameters else short
    tried = failures[exercise.name][kind]
    tried.add(guarded("", handed_in, answer))
    parts = [*news, *what_happened(exercise, worst)]
    panel = _wrong(exercise, worst, misconception, parts, len(tried) - 1)
    if exercise.parameters and worst.case not in exercise.cases(seed + 1):
        text = f"This input was drawn at random. To meet it again: `{_call(exercise, seed)}`"
        panel = _with(panel, [], [Part(text)])
    return panel, misconception.key if misconception else None


DANGEROUS = (MemoryError.__name__, GONE)  # what happened in a rehearsal is not tried again


def _before_any_call(exercise: Exercise, answer: Any) -> Panel | None:
    """What can be said of an answer as it is."""
    if is_unsolved(answer):
        return _not_started(exercise)
    if exercise.parameters and (problem := not_callable_as_asked(exercise, answer)):
        return _cannot_be_checked(exercise, problem)
    if not exercise.parameters and callable(answer):
        text = f"This exercise asks for a value, {exercise.form.what}, and this is a function."
        return _cannot_be_checked(exercise, text)
    return None


def _kind(attempt: Attempt) -> str:
    """What kind of mistake is behind a failure that no misconception explains."""
    assert attempt.wrong
    if attempt.raised:
        return f"raised {attempt.raised}"
    if attempt.stopped or attempt.wrong.says_all:
        return attempt.wrong.text
    return "unreadable" if attempt.answer is None else "wrong"


def _call(exercise: Exercise, seed: int) -> str:
    return f'check("{exercise.name}", {exercise.name}, seed={seed})'


# --- panels ---------------------------------------------------------------------------------------


def _with(panel: Panel, before: Sequence[Part], after: Sequence[Part] = ()) -> Panel:
    return replace(panel, parts=[*before, *panel.parts, *after])


def _not_started(exercise: Exercise) -> Panel:
    return Panel("waiting", f"{exercise.name} is not started yet", [Part(exercise.first_step)])


def _cannot_be_checked(exercise: Exercise, problem: str) -> Panel:
    return Panel("wrong", f"{exercise.name} cannot be checked yet", [Part(problem)])


def _right(exercise: Exercise, tries: Sequence[Attempt]) -> Panel:
    title = f"{exercise.name} is right: {exercise.verified.format(cases=len(tries))}"
    picture = picture_of(exercise, tries[0], values=True) if exercise.kind == "build" else ""
    folded = _ladder(exercise, range(len(exercise.hints)))
    fold = "The hints"
    if exercise.another_way:
        folded.append(Part(exercise.another_way, "Another way"))
        fold += ", and another way"
    return Panel("right", title, _printed_parts(tries[0]), picture, folded, fold)


def _wrong(
    exercise: Exercise,
    worst: Attempt,
    misconception: Misconception | None,
    parts: list[Part],
    earlier: int,
) -> Panel:
    """Say what went wrong, with the hint that follows after so many `earlier` mistakes like it."""
    assert worst.wrong
    told_already: range = range(0)
    if misconception:
        parts.append(Part(misconception.hint, HINT_LABELS[0]))
    if not worst.wrong.says_all:
        # The hint for a misconception is a first hint; what Python says of an error is one too.
        level = min(earlier, len(exercise.hints)) - bool(worst.raised or worst.stopped)
        level = min(level, len(exercise.hints) - 1)
        if level >= bool(misconception):
            parts += _ladder(exercise, [level])
            told_already = range(int(bool(misconception)), level)
    folded = _ladder(exercise, told_already)
    picture = picture_of(exercise, worst)
    title = f"{exercise.name} is not right yet"
    return Panel("wrong", title, parts, picture, folded, "Earlier hints")


def _ladder(exercise: Exercise, levels: Iterable[int]) -> list[Part]:
    return [Part(exercise.hints[level], HINT_LABELS[level]) for level in levels]


def what_happened(exercise: Exercise, worst: Attempt) -> list[Part]:
    """Tell the input, what came of it, and what is wrong with that."""
    assert worst.wrong
    parts = []
    if exercise.parameters:
        parts.append(Part("For this input", code=_as_code(exercise, worst)))
    says = f"your function {exercise.form.does}" if exercise.parameters else "Your answer"
    if worst.answer is not None:
        parts.append(Part(says, code=_written(exercise, worst)))
    elif worst.returned is not None:
        parts.append(Part(says, code=short(worst.returned)))
    first, _, line = _told(exercise, worst.wrong).partition("\nline ")
    parts.append(Part(first, code=f"line {line}" if line else ""))
    return parts + _printed_parts(worst)


def _told(exercise: Exercise, wrong: Difference) -> str:
    """What is wrong; less of it to somebody who tries one answer after another."""
    tried = set().union(*failures[exercise.name].values())
    text = wrong.vague if wrong.vague and len(tried) > MANY else wrong.text
    return text if len(text) <= MOST_TOLD else text[:MOST_TOLD] + " …"


def _as_code(exercise: Exercise, attempt: Attempt) -> str:
    if exercise.as_code is no_code:
        pairs = zip(exercise.parameters, attempt.arguments or exercise.as_arguments(*attempt.case))
        return "\n".join(f"{name} = {short(value)}" for name, value in pairs)
    return exercise.as_code(*attempt.case)


def _written(exercise: Exercise, attempt: Attempt) -> str:
    text: str = guarded("", exercise.form.show, attempt.answer) or short(attempt.returned)
    lines = text.split("\n")
    if len(lines) > MOST_LINES:
        lines[MOST_LINES:] = [f"… {len(lines) - MOST_LINES:,} more lines"]
    return "\n".join(line if len(line) <= MOST_WIDE else line[:MOST_WIDE] + " …" for line in lines)


def _printed_parts(attempt: Attempt) -> list[Part]:
    printed = attempt.printed.rstrip()
    return [Part("Your function printed", code=printed)] if printed else []


def picture_of(exercise: Exercise, attempt: Attempt, values: bool = False) -> str:
    """Draw the graph with what is wrong marked, and without numbers that are still to be found."""
    if attempt.answer is None:
        return ""
    node = attempt.wrong.node if attempt.wrong else None
    picture = exercise.form.picture
    drawn = guarded(None, picture, attempt.returned, attempt.arguments, attempt.case, node)
    if drawn is None or len(topological_order(drawn[0])) > MOST_DRAWN:
        return ""
    outputs, marked = drawn
    return draw(outputs, values=values, highlight=marked).html


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
