"""Run what a student wrote, safely, and say in plain words what happened.

A function gets fresh arguments in every case. What it prints is kept and bounded, what it raises is
told with its own line, what it changes is noticed, and when it does not come back it is stopped.
"""

from __future__ import annotations

import builtins
import contextvars
import inspect
import reprlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from copy import copy
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Protocol

from ..recording.stopping import Interrupted, OutOfTime, call_within
from .answers import kind_of
from .delegation import is_a_library, noticing, told_of
from .forms import Case, Difference, WrongForm
from .outcomes import Printed, line_of, told
from .rehearsal import MOST_MEMORY, Report, limited_memory, rehearse
from .specification import Exercise, Program, size
from .unchanged import Kept

LARGE = 1000  # a case of this size is left out once a smaller one has failed
LEAST_BUSY = 0.2  # the share of its time that a rehearsal computes unless it merely waits
NOTICEABLE = 0.05  # seconds of computing; what takes less says nothing about a larger case
FAR_TOO_LONG = 5  # times what there is, since an estimate is only that
SECONDS_ASIDE = 1.0  # for what is not the answer itself, such as writing it


@dataclass(frozen=True)
class Attempt:
    """What a program did with one case.

    Attributes:
        case: the arguments as plain data.
        arguments: the arguments as the program got them.
        returned: what came back, as it is.
        answer: the same as plain data; None if it could not be read.
        wrong: what is wrong with it; None if nothing is.
        raised: the name of the exception that ended it, if one did.
        printed: the beginning of what it printed.
        stopped: whether it ran out of time, or was not even begun for that reason.
    """

    case: Case
    arguments: tuple[Any, ...] = ()
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
    return list(_in_turn(exercise, program, cases, seconds))


def careful_attempts(
    exercise: Exercise, program: Program, cases: Sequence[Case], seconds: float
) -> list[Attempt]:
    """The same for a program that may do anything; what must not be tried here is not tried."""

    def work() -> Iterator[Report]:
        for attempt in _in_turn(exercise, program, cases, seconds):
            out_of_memory = attempt.raised == MemoryError.__name__
            if attempt.stopped or out_of_memory:
                yield {"printed": attempt.printed, "memory": out_of_memory}
                return
            yield {}

    rehearsal = rehearse(work, seconds)
    if rehearsal is None:
        return list(_in_turn(exercise, program, cases, seconds, foresee=True))
    last: Report = next(filter(None, rehearsal.reports), {})
    is_late = rehearsal.ending == "stuck" or last.get("memory") is False
    if is_late and rehearsal.busy < LEAST_BUSY * seconds:
        # It has not computed but waited, perhaps for a thread that the child does not have.
        return attempts(exercise, program, cases, seconds)
    passed = len(rehearsal.reports) - bool(last)
    tries = attempts(exercise, program, cases[:passed], seconds)
    if len(tries) < passed or not (last or rehearsal.ending):
        return tries
    return [*tries, _foreseen(exercise, cases[passed], seconds, rehearsal.ending, last)]


def _foreseen(exercise: Exercise, case: Case, seconds: float, ending: str, last: Report) -> Attempt:
    """What a case would have come to that did not get through its rehearsal."""
    printed = last.get("printed", "")
    if ending == "died":
        return Attempt(case, wrong=Difference(ENDS_PYTHON, "ends Python"), raised=GONE)
    if last.get("memory"):
        wrong = Difference(TOO_LARGE, "memory")
        return Attempt(case, wrong=wrong, raised=MemoryError.__name__, printed=printed)
    wrong = Difference(too_long(exercise, seconds, case))
    return Attempt(case, wrong=wrong, printed=printed, stopped=True)


def _in_turn(
    exercise: Exercise,
    program: Program,
    cases: Sequence[Case],
    seconds: float,
    foresee: bool = False,
) -> Iterator[Attempt]:
    """Run a program on one case after another; `foresee` leaves out what would never end."""
    end = time.process_time() + seconds
    failed = False
    before: tuple[Case, float] | None = None
    for case in cases:
        if failed and size(case) >= LARGE:
            return
        if foresee and before and _never_ends(before, case, seconds):
            # A slow start, such as an import, is no reason: only the second time counts.
            begun = time.process_time()
            attempt_once(exercise, program, before[0], end - time.process_time(), seconds)
            if _never_ends((before[0], time.process_time() - begun), case, seconds):
                wrong = Difference(too_long(exercise, seconds, case, begun=False))
                yield Attempt(case, wrong=wrong, stopped=True)
                return
        begun = time.process_time()
        attempt = attempt_once(exercise, program, case, end - time.process_time(), seconds)
        before = case, time.process_time() - begun
        yield attempt
        if attempt.stopped:
            return
        failed = failed or attempt.wrong is not None


def _never_ends(before: tuple[Case, float], case: Case, seconds: float) -> bool:
    """Whether a large case takes far too long, if it takes as much more as it is larger."""
    earlier, took = before
    longer = size(case) / max(size(earlier), 1)
    return size(case) >= LARGE and took > NOTICEABLE and took * longer > FAR_TOO_LONG * seconds


class _Trial:
    """A call of a student's function, as far as it has come."""

    def __init__(self, exercise: Exercise, program: Program, arguments: tuple[Any, ...]) -> None:
        self.exercise = exercise
        self.program = program
        self.arguments = arguments
        self.before = [Kept(x) for x in arguments]
        # To read an answer with, whatever the function takes out of its lists.
        self.given = tuple(copy(x) if isinstance(x, (list, dict)) else x for x in arguments)
        self.called: list[str] = []
        self.is_back = False
        self.returned: Any = None
        self.changed: str | None = None
        self.answer: Any = None

    def run(self) -> None:
        """Call the function and read its answer, which may both run what a student wrote."""
        known, deepest = dict(vars(builtins)), sys.getrecursionlimit()
        try:
            with noticing(self.exercise.instead_of) as self.called:
                self.returned = self.program(*self.arguments)
            self.is_back = True
            kept = zip(self.exercise.parameters, self.before)
            self.changed = next((name for name, x in kept if not x.is_unchanged()), None)
            self.answer = self.exercise.form.read(self.returned, self.given)
        finally:  # written without any built-in name, since one may be missing by now
            builtins.__dict__.update(known)
            sys.setrecursionlimit(deepest)


def attempt_once(
    exercise: Exercise, program: Program, case: Case, left: float, seconds: float
) -> Attempt:
    """Run a program on one case; `left` of its `seconds` are left for that."""
    arguments = exercise.as_arguments(*case)
    trial = _Trial(exercise, program, arguments)
    printed = Printed()
    raised = ""
    try:
        with redirect_stdout(printed), redirect_stderr(printed), limited_memory():
            # In a context of its own, an end at any moment leaves no scope and no no_grad on.
            call_within(left, contextvars.copy_context().run, trial.run)
        wrong = verdict(trial, case, partial(expected, exercise, case))
    except OutOfTime as late:
        text = too_long(exercise, seconds, case)
        text += STILL_RUNNING if late.still_running else ""
        return Attempt(case, arguments, wrong=Difference(text), printed=printed.text, stopped=True)
    except WrongForm as error:
        text = str(error)
        if exercise.parameters:
            text = guarded(text, wrong_form, trial.returned, text)
        wrong = Difference(text, error.symptom)
    except Interrupted:
        raise
    except BaseException as error:
        raised = type(error).__name__
        wrong = _raised(trial, error)
    answer = None if raised or trial.called else trial.answer
    return Attempt(case, arguments, trial.returned, answer, wrong, raised, printed.text)


class Answered(Protocol):
    """An answer that could be read."""

    exercise: Exercise
    called: list[str]  # what the exercise asks to do without
    changed: str | None  # an argument
    answer: Any


def verdict(trial: Answered, case: Case, expected: Callable[[], Any]) -> Difference | None:
    """What is wrong with an answer; `expected` gives the right one."""
    exercise = trial.exercise
    if trial.called:
        return Difference(told_of(trial.called), f"calls {trial.called[0]}")
    try:
        right = expected() if exercise.form.compares else None
    except Exception as error:
        return Difference(f"{NO_RIGHT_ANSWER} ({told(error)}).", says_all=True)
    try:
        wrong = exercise.form.difference(trial.answer, right, case)
    except Exception as error:
        text = f"This cannot be compared with the right answer ({told(error)}). "
        return Difference(f"{text}It should be {exercise.form.what}.", "not comparable")
    if trial.changed and not wrong:
        return Difference(
            f"The answer is right, but your function changes {trial.changed}, which it was given "
            "and which its caller may still need. Work on a copy.",
            f"changes {trial.changed}",
        )
    return wrong


def _raised(trial: _Trial, error: BaseException) -> Difference:
    said, line = told(error), line_of(error.__traceback__, trial.program)
    if isinstance(error, MemoryError):
        return Difference(TOO_LARGE + line, "memory")
    # RecursionError words its message after the place where the stack happened to be full.
    symptom = "recursion" if isinstance(error, RecursionError) else said
    if not trial.is_back:
        return Difference(f"Your function raised {said}{line}", symptom)
    what = "What your function returned" if trial.exercise.parameters else "Your answer"
    text = f"{what} cannot be read: it raised {said}. It should be {trial.exercise.form.what}."
    return Difference(text + line, f"unreadable: {symptom}")


def alike(exercise: Exercise, one: Attempt, other: Attempt) -> bool:
    """Whether two attempts came to the same answer, or both to none that can be compared."""
    if one.answer is None or other.answer is None:
        return one.answer is other.answer
    try:
        return exercise.form.alike(one.answer, other.answer)
    except Exception:
        return False


def expected(exercise: Exercise, case: Case) -> Any:
    """The right answer as plain data."""
    arguments = exercise.as_arguments(*case)
    return exercise.form.read(exercise.reference(*arguments), arguments)


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
        code = getattr(function, "__code__", None)
        if code and is_a_library(code.co_filename):
            return (
                f"This is {function.__qualname__}, a function of a library, and not {name} itself. "
                f"Does a decorator above {name} lack its parentheses, as in `@mg.custom(...)`?"
            )
        count = len(parameters)
        yours = [p for p in signature.parameters.values() if p.default is p.empty]
        return (
            f"{name} takes {count} argument{'s' * (count != 1)} ({', '.join(parameters)}); "
            f"yours takes {len(yours)}. Its first line should be `{_definition(exercise)}`."
        )
    return None


def _definition(exercise: Exercise) -> str:
    return f"def {exercise.name}({', '.join(exercise.parameters)}):"


# --- what happened, in words ----------------------------------------------------------------------


def wrong_form(returned: Any, message: str) -> str:
    """Say of an answer that is none what is behind it, or else the message."""
    if returned is None:
        return "Your function returns None. Did you forget return?"
    if inspect.isgenerator(returned):
        return "Your function is a generator, as it has yield in it. Collect a list, and return it."
    if inspect.iscoroutine(returned):
        returned.close()
        return "Your function is defined with async def. Use a plain def."
    return message


def too_long(exercise: Exercise, seconds: float, case: Case, begun: bool = True) -> str:
    """Say that a case takes too long, and what may be the reason."""
    whose = "Your function was" if exercise.parameters else "Reading your answer was"
    if begun:
        text = f"{whose} stopped after {seconds:g} seconds. "
    else:
        text = f"{whose} not tried on this input: it would take longer than {seconds:g} seconds. "
    if size(case) >= LARGE:
        return text + (
            "It was right for small inputs, so it probably takes too many steps for a large one. "
            "Does it do the same work again and again, or look things up in a list that grows?"
        )
    return text + "Look for a loop that never ends: does each turn bring it nearer to its end?"


NO_RIGHT_ANSWER = (
    "This exercise has a fault of its own, and your answer cannot be judged: the right answer to "
    "this input cannot be found"
)
GONE = "the end of Python"  # in place of an exception's name
STILL_RUNNING = " It could not be stopped completely; restart the kernel before you go on."
TOO_LARGE = (
    f"This took more than {MOST_MEMORY / 2**30:g} GB of memory, and was stopped. Is there a list "
    "of everything, where one thing at a time would do?"
)
ENDS_PYTHON = (
    "Your function ended Python itself, and the notebook with it, had it not been tried in a "
    "process of its own. Does it call `os._exit`, or call itself without end?"
)


class _Shortened(reprlib.Repr):
    """Leaves the keys of a dictionary in the order in which the student wrote them."""

    def repr_dict(self, x: dict[Any, Any], level: int) -> str:
        if level <= 0 < len(x):
            return "{...}"
        items = [
            f"{self.repr1(key, level - 1)}: {self.repr1(value, level - 1)}"
            for key, value in islice(x.items(), self.maxdict)
        ]
        return "{" + ", ".join(items + ["..."] * (len(x) > self.maxdict)) + "}"


_REPR = _Shortened()
_REPR.maxlist = _REPR.maxtuple = _REPR.maxdict = _REPR.maxset = 12
_REPR.maxstring = _REPR.maxother = 200


def short(value: Any, most: int = 300) -> str:
    """Write whatever a student returned, in a bounded number of characters."""
    if type(value) is str:
        text = value.strip("\n")
    else:
        cannot = f"(an object of type {type(value).__name__} that cannot be written)"
        text = guarded(cannot, _REPR.repr, value)
    return text if len(text) <= most else text[:most] + " …"


def guarded(otherwise: Any, function: Callable[..., Any], *args: Any) -> Any:
    """Call what may run a student's code on the side; something else if it fails, or takes long."""
    try:
        with redirect_stdout(Printed()), redirect_stderr(Printed()):
            return call_within(SECONDS_ASIDE, contextvars.copy_context().run, function, *args)
    except Interrupted:
        raise
    except BaseException:
        return otherwise


def as_program(value: Any) -> Callable[..., Any]:
    """Make a program of a value that a student handed in."""
    return lambda *arguments: value
