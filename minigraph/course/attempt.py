"""Run what a student wrote, safely, and say in plain words what happened.

A function gets fresh arguments in every case. What it prints is kept and bounded, what it raises is
told with its own line, what it changes is noticed, and when it does not come back it is stopped.
"""

from __future__ import annotations

import dis
import inspect
import io
import linecache
import os
import reprlib
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from copy import deepcopy
from dataclasses import dataclass
from types import FunctionType, TracebackType
from typing import Any

from .answers import Difference, WrongForm, kind_of
from .delegation import noticing, told_of
from .specification import Case, Exercise, Program, size
from .stopping import OutOfTime, call_within

LARGE = 1000  # a case of this size is left out once a smaller one has failed
MOST_PRINTED = 1000  # characters
MOST_MESSAGE = 300


@dataclass(frozen=True)
class Attempt:
    """What a program did with one case.

    Attributes:
        case: the arguments as plain data.
        given: the arguments as the program got them.
        returned: what came back, as it is.
        answer: the same as plain data; None if it could not be read.
        wrong: what is wrong with it; None if nothing is.
        raised: the name of the exception that ended it, if one did.
        printed: the beginning of what it printed.
        stopped: whether it ran out of time.
    """

    case: Case
    given: tuple[Any, ...]
    returned: Any = None
    answer: Any = None
    wrong: Difference | None = None
    raised: str = ""
    printed: str = ""
    stopped: bool = False


def attempts(
    exercise: Exercise, program: Program, cases: Sequence[Case], seconds: float
) -> list[Attempt]:
    """Run a program on the cases, smallest first, until it has failed in all that is of use.

    `seconds` is what it has for all of them together.
    """
    deadline = time.monotonic() + seconds
    found: list[Attempt] = []
    for case in cases:
        failed = any(attempt.wrong for attempt in found)
        if failed and size(case) >= LARGE:
            break
        left = deadline - time.monotonic()
        found.append(_attempt(exercise, program, case, left, seconds))
        if found[-1].stopped:
            break
    return found


def _attempt(
    exercise: Exercise, program: Program, case: Case, left: float, seconds: float
) -> Attempt:
    given = exercise.given(*case)
    before = _plain_copy(given)
    printed = _Printed()
    try:
        with redirect_stdout(printed), redirect_stderr(printed):
            with noticing(exercise.instead_of) as called:
                returned = call_within(left, program, *given)
            changed = _changed(before, given, exercise.parameters)
            answer = call_within(left, exercise.form.read, returned, given)
    except OutOfTime as late:
        difference = Difference(_too_long(seconds, size(case) >= LARGE, late.still_running))
        return Attempt(case, given, wrong=difference, printed=printed.text, stopped=True)
    except WrongForm as error:
        text = _wrong_form(returned, str(error)) if exercise.parameters else str(error)
        difference = Difference(text, error.symptom)
        return Attempt(case, given, returned, None, difference, printed=printed.text)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        told, line = _told(error), _line_of(error.__traceback__, program)
        # RecursionError words its message after the place where the stack happened to be full.
        symptom = "recursion" if isinstance(error, RecursionError) else told
        difference = Difference(f"Your function raised {told}{line}", symptom)
        raised = type(error).__name__
        return Attempt(case, given, wrong=difference, raised=raised, printed=printed.text)
    if called:
        wrong: Difference | None = Difference(told_of(called), f"calls {called[0]}")
        return Attempt(case, given, returned, None, wrong, printed=printed.text)
    wrong = exercise.form.difference(answer, expected(exercise, case), case)
    if changed and not wrong:
        wrong = Difference(
            f"The answer is right, but your function changes {changed}, which it was given and "
            "which its caller may still need. Work on a copy.",
            f"changes {changed}",
        )
    return Attempt(case, given, returned, answer, wrong, printed=printed.text)


def expected(exercise: Exercise, case: Case) -> Any:
    """The right answer as plain data."""
    given = exercise.given(*case)
    return exercise.form.read(exercise.reference(*given), given)


# --- before the call ------------------------------------------------------------------------------


def not_callable_as_asked(exercise: Exercise, function: Any) -> str | None:
    """Say why something cannot be called with the exercise's parameters; None if it can."""
    name, parameters = exercise.name, exercise.parameters
    if not callable(function):
        return (
            f"check() needs the function itself, and this is {kind_of(function)}. "
            f"Hand it over without calling it: `{exercise.call}`"
        )
    if isinstance(function, type):
        return f"This is the class {function.__name__}. Write a function: `{_definition(exercise)}`"
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None
    try:
        signature.bind(*parameters)
    except TypeError:
        count = len(parameters)
        yours = [p for p in signature.parameters.values() if p.default is p.empty]
        return (
            f"{name} takes {count} argument{'s' * (count != 1)} ({', '.join(parameters)}); "
            f"yours takes {len(yours)}. Its first line should be `{_definition(exercise)}`."
        )
    return None


def _definition(exercise: Exercise) -> str:
    return f"def {exercise.name}({', '.join(exercise.parameters)}):"


def is_unsolved(answer: Any) -> bool:
    """Whether this is still the stub: three dots, None, or a function that does nothing."""
    if answer is ... or answer is None:
        return True
    if isinstance(answer, dict):
        return bool(answer) and all(value is ... for value in answer.values())
    if isinstance(answer, FunctionType):
        return _does_nothing(answer)
    if isinstance(answer, str):
        return not answer.strip()
    return isinstance(answer, (list, tuple)) and len(answer) == 0


def _does_nothing(function: FunctionType) -> bool:
    """Whether the body of a function is empty, but for a docstring, pass or three dots."""
    return all(
        step.opname in _IDLE and (step.opname not in _LOADS or step.argval is None)
        for step in dis.get_instructions(function)
    )


_LOADS = ("LOAD_CONST", "RETURN_CONST")  # their names differ from one Python to the next
_IDLE = ("RESUME", "NOP", "RETURN_VALUE", *_LOADS)


# --- what happened, in words ----------------------------------------------------------------------


def _wrong_form(returned: Any, message: str) -> str:
    if returned is None:
        return "Your function returns None. Did you forget return?"
    if inspect.isgenerator(returned):
        return "Your function is a generator, as it has yield in it. Collect a list, and return it."
    if inspect.iscoroutine(returned):
        returned.close()
        return "Your function is defined with async def. Use a plain def."
    return message


def _too_long(seconds: float, is_large: bool, still_running: bool) -> str:
    text = f"Your function was stopped after {seconds:g} seconds. "
    if is_large:
        text += (
            "It was right for small inputs, so it probably takes too many steps for a large one. "
            "Does it do the same work again and again, or look things up in a list that grows?"
        )
    else:
        text += "Look for a loop that never ends: does each turn bring it nearer to its end?"
    if still_running:
        text += " It could not be stopped completely; restart the kernel before you go on."
    return text


def _told(error: BaseException) -> str:
    """The exception as Python would write it, bounded."""
    try:
        message = str(error)
    except BaseException:
        message = "(its message cannot be written)"
    if len(message) > MOST_MESSAGE:
        message = message[:MOST_MESSAGE] + " …"
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _line_of(trace: TracebackType | None, program: Program) -> str:
    """The innermost line of the student's own code, in a line of its own: "line 3: ..."."""
    if not hasattr(program, "__code__"):
        return ""
    # All cells of a notebook appear as files of one folder, so helpers from other cells count too.
    folder = os.path.dirname(program.__code__.co_filename)  # noqa: PTH120 (it may be "<stdin>")
    line = ""
    for frame, number in traceback.walk_tb(trace):
        code = frame.f_code
        if os.path.dirname(code.co_filename) == folder:  # noqa: PTH120
            other = code.co_name != program.__code__.co_name and not code.co_name.startswith("<")
            inside = f" of {code.co_name}" if other else ""
            source = linecache.getline(code.co_filename, number).strip()
            line = f"\nline {number}{inside}" + (f": {source}" if source else "")
    return line


_REPR = reprlib.Repr()
_REPR.maxlist = _REPR.maxtuple = _REPR.maxdict = _REPR.maxset = 12
_REPR.maxstring = _REPR.maxother = 200


def short(value: Any, most: int = 300) -> str:
    """Write whatever a student returned, in a bounded number of characters."""
    if isinstance(value, str):
        text = value.strip("\n")
    else:
        try:
            text = _REPR.repr(value)
        except Exception:
            text = f"(an object of type {type(value).__name__} that cannot be written)"
    return text if len(text) <= most else text[:most] + " …"


def _plain_copy(given: tuple[Any, ...]) -> list[Any]:
    return [deepcopy(x) if isinstance(x, (dict, list)) else None for x in given]


def _changed(before: list[Any], given: tuple[Any, ...], parameters: tuple[str, ...]) -> str | None:
    """The name of the first argument that is not what it was."""
    for old, new, name in zip(before, given, parameters):
        if old is not None and (old != new or list(old) != list(new)):
            return name
    return None


class _Printed(io.TextIOBase):
    """Takes what is printed, and keeps the beginning."""

    def __init__(self) -> None:
        self.text = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if len(self.text) <= MOST_PRINTED:
            self.text += text
            if len(self.text) > MOST_PRINTED:
                self.text = self.text[:MOST_PRINTED] + " …"
        return len(text)


def as_program(value: Any) -> Callable[..., Any]:
    """Make a program of a value that a student handed in."""
    return lambda *given: value
