"""What an answer is worth: decided here, on plain data, with the exercise's own form.

The process inside has answered questions. Here stands what is right, and nothing of a student's
runs here: an answer is read by `inside/values.py`, compared by the exercise's form, and diagnosed
by the same misconceptions that `check` knows.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from operator import attrgetter
from typing import Any

import numpy as np

from ..course.attempt import (
    ENDS_PYTHON,
    GONE,
    LARGE,
    Attempt,
    expected,
    too_long,
    verdict,
    wrong_form,
)
from ..course.checking import picture_of, what_happened
from ..course.diagnosis import misconception_behind
from ..course.forms import Case, Difference, WrongForm
from ..course.panel import Part
from ..course.rehearsal import limited_memory
from ..course.specification import Exercise, size
from ..recording import Recording, Tracer
from ..recording.stopping import OutOfTime, call_within
from .asking import Limits, Reply
from .inside.values import MessageError, Packing, Unpacking

SECONDS_TO_COMPARE = 10.0
SECONDS_TO_DIAGNOSE = 30.0
SECONDS_OF_A_FUNCTION = 1.0
MOST_TEXT = 1000  # characters of what is told beside an answer
LARGEST = 2**63  # whole numbers that a function is asked for
Claim = dict[str, Any]
Guard = Callable[..., Any]  # calls a function, and perhaps not for long

NOT_STARTED = "not started"
RIGHT, WRONG, MISSING, UNREADABLE = "right", "wrong", "missing", "unreadable"
CRASHED, TOO_SLOW, OUT_OF_MEMORY, FAULT = "crashed", "too slow", "out of memory", "fault"


@dataclass(frozen=True)
class Verdict:
    """What one exercise of one submission is worth, and why.

    Attributes:
        state: "right", "wrong", "not started", "missing", "crashed", "too slow", "out of memory",
            "unreadable", or "fault" if judging itself failed.
        misconception: the key of the one that explains the answer; "" if none does.
        hint: what to say about it.
        parts: what happened, part by part, without the right answer.
        picture: HTML of the drawing with the marked node; "" if there is none.
        seconds: that the student's process has computed.
    """

    state: str
    misconception: str = ""
    hint: str = ""
    parts: tuple[Part, ...] = ()
    picture: str = ""
    seconds: float = 0.0


class Question:
    """An exercise with the cases of one seed, as it is asked again and again."""

    def __init__(self, exercise: Exercise, seed: int) -> None:
        self.exercise = exercise = exercise.of(seed)
        self.key = f"{exercise.name[:80]} {seed}"
        self.cases = [_Asked(exercise, case) for case in exercise.cases(seed)]
        # What is sent inside: names and arguments, and nothing of what is right.
        self.message = json.dumps(
            {
                "name": exercise.name,
                "parameters": exercise.parameters,
                "instead_of": [address_of(function) for function in exercise.instead_of],
                "cases": [asked.message for asked in self.cases],
            }
        ).encode()

    def functions(self) -> Functions:
        """What answers calls of functions that were arguments, for one process."""
        return Functions(self.cases)

    def judged(self, reply: Reply, limits: Limits) -> Verdict:
        """The verdict on what came back."""
        if reply.defined is None:
            return _ended_in_the_notebook(reply)
        if not reply.defined:
            return Verdict(MISSING, seconds=reply.seconds, parts=(Part(_no_name(self.exercise)),))
        tries = [] if reply.unsolved else _tries(self, reply, limits)
        if reply.unsolved or (tries and tries[0].raised == NotImplementedError.__name__):
            first_step = Part(self.exercise.first_step)
            return Verdict(NOT_STARTED, seconds=reply.seconds, parts=(first_step,))
        worst = next((attempt for attempt in tries if attempt.wrong), None)
        if worst is None:
            seen = self.exercise.verified.format(cases=len(self.cases))
            return Verdict(RIGHT, seconds=reply.seconds, parts=(Part(seen[:1].upper() + seen[1:]),))
        return _wrong(self.exercise, tries, worst, reply)


class Functions:
    """The functions among the arguments of all cases, as one process may call them.

    They are made anew for it, since one may count how often it has been called. Those of a case
    answer until there is an answer to it, and those of the next do not answer before.
    """

    def __init__(self, cases: list[_Asked]) -> None:
        self._cases = cases
        self._now = -1
        self._functions: list[Callable[..., Any]] = []

    def __call__(self, answered: int, told: Claim) -> dict[str, Any]:
        """Answer a call, after so many cases have been answered."""
        try:
            if told["case"] != answered:
                raise MessageError("it is another case's function")
            if answered != self._now:
                self._now, self._functions = answered, self._cases[answered].made_anew()
            args = Unpacking(told["nodes"]).unpacked(told["args"])
            if not all(map(_may_be_asked, args)):
                raise MessageError("it takes numbers, arrays, and dictionaries of them")
            with limited_memory():
                value = call_within(SECONDS_OF_A_FUNCTION, self._functions[told["ask"]], *args)
            pack = Packing()
            return {"returned": pack.packed(value), "nodes": pack.rows}
        except (Exception, OutOfTime) as error:
            return {"raised": str(error)[:300]}


def _may_be_asked(x: Any) -> bool:
    if isinstance(x, dict):
        return all(isinstance(k, str) and _may_be_asked(v) for k, v in x.items())
    if isinstance(x, (list, tuple)):
        return all(map(_may_be_asked, x))
    if isinstance(x, int):
        return abs(x) < LARGEST
    if isinstance(x, np.ndarray):
        return x.dtype.kind in "biufc"
    return isinstance(x, (float, np.floating, np.integer))


def address_of(function: Callable[..., Any]) -> str:
    """Where a function of minigraph's is found inside, as "module:qualified.name"."""
    module, path = function.__module__, function.__qualname__
    try:
        if attrgetter(path)(sys.modules[module]) is function:
            return f"{module}:{path}"
    except AttributeError:
        pass  # an operation's function is made where all are, and found at the top
    return f"{__package__.partition('.')[0]}:{function.__name__}"


class _Asked:
    """One case: its arguments as they are sent, and the right answer."""

    def __init__(self, exercise: Exercise, case: Case) -> None:
        self.exercise = exercise
        self.case = case
        self.arguments = exercise.as_arguments(*case)
        pack = Packing()
        asked = self.arguments if exercise.parameters else ()  # a value is handed in as it is
        self.message = {"args": [_argument(pack, x) for x in asked], "nodes": pack.rows}
        self.nodes = [*pack.place]
        self.grads = [node.grad for node in self.nodes]

    def made_anew(self) -> list[Callable[..., Any]]:
        """The functions among the arguments, as if nobody had called them."""
        pack = Packing()
        for x in self.exercise.as_arguments(*self.case):
            _argument(pack, x)
        return pack.functions

    @cached_property
    def right(self) -> Any:
        """The right answer as plain data."""
        return expected(self.exercise, self.case)

    def forget(self) -> None:
        """Let the arguments be as they were, whatever was claimed of them before."""
        for node, grad in zip(self.nodes, self.grads):
            node.grad = grad

    def restored(self, claim: Claim) -> tuple[Any, ...]:
        """The arguments, with the gradients and the told steps that a student's call has left."""
        pack = Unpacking([], self.nodes)
        for place, grad in claim.get("grads", []):
            self.nodes[place].grad = pack.unpacked(grad)
        return tuple(_Told(x, claim) if isinstance(x, Tracer) else x for x in self.arguments)


def _argument(pack: Packing, x: Any) -> Any:
    return ["tracer", pack.packed(x.output)] if isinstance(x, Tracer) else pack.packed(x)


class _Told:
    """A tracer that has been told what a student's was."""

    def __init__(self, tracer: Tracer, claim: Claim) -> None:
        told = Recording.from_json(claim["told"])
        self._recording = replace(tracer.recording(), events=told.events)

    def recording(self) -> Recording:
        """What it has been told."""
        return self._recording


# --- from claims to attempts ----------------------------------------------------------------------


@dataclass
class _Answer:
    """An answer, for `attempt.verdict`."""

    exercise: Exercise
    called: list[str]
    changed: str | None
    arguments: tuple[Any, ...]
    value: Any = None  # what came back, as it is
    answer: Any = None


def _tries(question: Question, reply: Reply, limits: Limits) -> list[Attempt]:
    """What was claimed for each case, read and compared, until there is no more of use."""
    with limited_memory(), np.errstate(all="ignore"):
        try:  # all under one alarm, as most are soon compared
            return call_within(SECONDS_TO_COMPARE, _compared, question, reply, limits, _at_once)
        except OutOfTime:
            return _compared(question, reply, limits, partial(call_within, SECONDS_TO_COMPARE))


def _at_once(function: Callable[..., Any], *args: Any) -> Any:
    return function(*args)


def _compared(question: Question, reply: Reply, limits: Limits, guard: Guard) -> list[Attempt]:
    found: list[Attempt] = []
    failed = False
    for n, asked in enumerate(question.cases):
        if failed and size(asked.case) >= LARGE:
            break
        if n < len(reply.cases):
            found.append(_attempt(asked, reply.cases[n], guard))
        elif failed and reply.done:
            break
        else:
            found.append(_not_answered(asked, reply, limits))
            break
        failed = failed or found[-1].wrong is not None
    return found


def _attempt(asked: _Asked, claim: Claim, guard: Guard) -> Attempt:
    """One claim, read and compared."""
    exercise, case = asked.exercise, asked.case
    asked.forget()
    printed, raised = _text(claim, "printed"), claim.get("raised")
    if isinstance(raised, str):
        said, line = _text(claim, "told") or raised[:400], _text(claim, "line")
        symptom = "recursion" if raised == RecursionError.__name__ else said
        wrong = Difference(f"Your function raised {said}{line}", symptom)
        return Attempt(case, asked.arguments, wrong=wrong, raised=raised[:100], printed=printed)
    answer = _Answer(exercise, _called(claim), _changed(exercise, claim), asked.arguments)
    try:
        wrong_now = guard(_read_and_compared, answer, asked, claim)
    except WrongForm as error:
        text = wrong_form(answer.value, str(error)) if exercise.parameters else str(error)
        wrong_now = Difference(text, error.symptom)
    except (OutOfTime, Exception) as error:
        if isinstance(error, OutOfTime) and guard is _at_once:
            raise
        text = f"Your answer cannot be read. It should be {exercise.form.what}."
        wrong_now = Difference(text, f"unreadable: {type(error).__name__}")
    plain = None if answer.called else answer.answer
    return Attempt(case, answer.arguments, answer.value, plain, wrong_now, "", printed)


def _read_and_compared(answer: _Answer, asked: _Asked, claim: Claim) -> Difference | None:
    """Fill in an answer from a claim, and return what is wrong with it."""
    nodes = claim.get("nodes", [])
    answer.value = Unpacking(nodes, asked.nodes).unpacked(claim["returned"])
    answer.arguments = asked.restored(claim)
    answer.answer = asked.exercise.form.read(answer.value, answer.arguments)
    return verdict(answer, asked.case, lambda: asked.right)


def _text(claim: Claim, name: str) -> str:
    """A text of a claim, bounded; "" if there is none."""
    text = claim.get(name)
    return text[:MOST_TEXT] if isinstance(text, str) else ""


def _called(claim: Claim) -> list[str]:
    called = claim.get("called")
    return [x[:100] for x in called[:1] if isinstance(x, str)] if isinstance(called, list) else []


def _changed(exercise: Exercise, claim: Claim) -> str | None:
    changed = claim.get("changed")
    return next((name for name in exercise.parameters if name == changed), None)


def _not_answered(asked: _Asked, reply: Reply, limits: Limits) -> Attempt:
    """A case to which nothing came back."""
    if reply.ending in ("late", "computed"):
        text = too_long(asked.exercise, limits.seconds, asked.case)
        return Attempt(asked.case, wrong=Difference(text), stopped=True)
    return Attempt(asked.case, wrong=Difference(ENDS_PYTHON, "ends Python"), raised=GONE)


# --- from attempts to a verdict -------------------------------------------------------------------


def _wrong(exercise: Exercise, tries: list[Attempt], worst: Attempt, reply: Reply) -> Verdict:
    assert worst.wrong
    behind = None
    if not worst.wrong.says_all and not worst.stopped and worst.raised != GONE:
        behind = _guarded(misconception_behind, exercise, tries)
    states = {GONE: CRASHED, MemoryError.__name__: OUT_OF_MEMORY}
    return Verdict(
        TOO_SLOW if worst.stopped else states.get(worst.raised, WRONG),
        misconception=behind.key if behind else "",
        hint=behind.hint if behind else _first_hint(exercise, worst),
        parts=tuple(_guarded(what_happened, exercise, worst) or [Part(worst.wrong.text)]),
        picture=_guarded(picture_of, exercise, worst) or "",
        seconds=reply.seconds,
    )


def _first_hint(exercise: Exercise, worst: Attempt) -> str:
    """The hint that `check` gives first; what Python says of an error is one already."""
    assert worst.wrong
    if worst.wrong.says_all or worst.raised or worst.stopped:
        return ""
    return next(iter(exercise.hints), "")


def _guarded(function: Callable[..., Any], *args: Any) -> Any:
    """Call what may take long or much, or fail, with a strange answer; None then."""
    try:
        with limited_memory():
            return call_within(SECONDS_TO_DIAGNOSE, function, *args)
    except (Exception, OutOfTime):
        return None


def _ended_in_the_notebook(reply: Reply) -> Verdict:
    """The notebook itself did not come to its end, whatever was left out."""
    late = reply.ending in ("late", "computed")
    text = (
        "The notebook did not come to its end: something in its cells computes without end, or "
        "ends Python."
    )
    return Verdict(TOO_SLOW if late else CRASHED, parts=(Part(text),), seconds=reply.seconds)


def _no_name(exercise: Exercise) -> str:
    what = "function" if exercise.parameters else "value"
    return f"There is no {what} named {exercise.name} in this notebook."
