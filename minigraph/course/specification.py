"""What an exercise is: one declarative object, readable as a page of a catalogue.

Three readers use it: `check` in the student's notebook, the tests, and whoever judges outside the
student's process. For the last, `arguments` gives plain data, `given` turns it into what the
student's function receives, and the exercise's `form` turns the answer back into plain data, so
that nothing else has to cross between the two processes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .answers import Form

Case = tuple[Any, ...]  # the arguments of one call, as plain data
Program = Callable[..., Any]
KINDS = ("predict", "build", "implement", "repair")


@dataclass(frozen=True)
class Misconception:
    """A known wrong way, as a program, with the hint that a good teacher would give.

    Attributes:
        key: its name in results, such as "shared node twice".
        hint: what to say to a student who thinks so; a nudge, not the solution.
        programs: what the student might have written; variants that differ in their answers.
    """

    key: str
    hint: str
    programs: tuple[Program, ...]

    def __init__(self, key: str, hint: str, *programs: Program) -> None:
        for name, value in (("key", key), ("hint", hint), ("programs", programs)):
            object.__setattr__(self, name, value)


def as_it_is(*case: Any) -> tuple[Any, ...]:
    """Give a function its own copy of the plain data."""
    return deepcopy(case)


def no_code(*case: Any) -> str:
    """The arguments of an exercise whose answer is a value: there are none."""
    return ""


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """One exercise.

    Attributes:
        name: the function or variable that the student defines.
        title: a line for lists of exercises.
        lesson: the stem of its lesson and of its notebooks.
        kind: "predict", "build", "implement" or "repair".
        points: its weight.
        task: what goes in and what comes out, in a sentence or two.
        parameters: the function's parameters; empty if the answer is a value.
        arguments: (rng) -> cases: first fixed ones, in which every misconception shows, smallest
            first; then random ones; last what is large.
        given: (*case) -> the arguments as the student's function gets them.
        reference: a right answer; like the misconceptions' programs it takes what `given` gives,
            also where the student gives a value.
        form: what an answer looks like, and how closely two must agree.
        misconceptions: the known wrong ways, the likeliest first.
        first_step: what to say to a student who has not started.
        hints: a nudge, a bigger nudge, and a similar case worked out.
        verified: what a right answer has been seen to do; {cases} is how often.
        as_code: (*case) -> the arguments as Python code, for a student to paste and try.
        instead_of: functions that do the exercise's work, such as `topological_order` or
            `Node.backward`, and that the student's function is therefore not to call. An answer
            that does is told so kindly, right or wrong; calls from within minigraph do not count.
        another_way: a different solution worth reading, with a sentence on what is good about it;
            offered, with the hints, to whoever has solved the exercise.
    """

    name: str
    title: str
    lesson: str
    kind: str
    points: int
    task: str
    parameters: tuple[str, ...] = ()
    arguments: Callable[[Random], Sequence[Case]]
    given: Callable[..., tuple[Any, ...]] = as_it_is
    reference: Program
    form: Form
    misconceptions: tuple[Misconception, ...]
    first_step: str
    hints: tuple[str, str, str]
    verified: str
    as_code: Callable[..., str] = no_code
    instead_of: tuple[Callable[..., Any], ...] = ()
    another_way: str = ""

    @property
    def call(self) -> str:
        """How the student hands in the answer."""
        return f'check("{self.name}", {self.name})'

    def cases(self, seed: int = 0) -> list[Case]:
        """The cases of one seed, always the same."""
        return list(self.arguments(Random(seed)))


def size(case: Case) -> int:
    """About how much there is to read in a case."""
    return sum(len(x) if isinstance(x, (dict, list)) else 1 for x in case)
