"""What an exercise is: a function with a docstring, readable as a page of a catalogue.

    @exercise(points=3, cases=graphs_with_ends, answer=Number("a whole number"))
    def count_paths(users, source, target):
        '''Count paths

        How many paths lead from source to target? …

        Hint: Do not follow paths; ask each node how many paths lead to it.
        Verified: the number of paths agrees in {cases} graphs.
        '''
        counts = dict.fromkeys(users, 0)
        …

    count_paths.slip(
        "assigned instead of added",
        "Where paths meet you keep the number of the edge that came last.",
        ("+= counts[name]", "= counts[name]"),
    )

The function is the reference, its docstring is read by `docstrings.py`, and a misconception is an
edit of its source (`slips.py`), or another function whose docstring is the hint.

Three readers use it: `check` in the student's notebook, the tests, and whoever judges outside the
student's process. For the last, the cases are plain data, `as_arguments` turns one into what the
student's function receives, and the answer's form turns what comes back into plain data again, so
that nothing else has to cross between the two processes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cached_property, partial
from inspect import cleandoc, signature
from pathlib import Path
from random import Random
from types import FunctionType
from typing import Any

from .docstrings import SpecificationError, read_page, unwrapped
from .forms import Case, Form
from .slips import Slip

Program = Callable[..., Any]
Cases = Callable[[Random], Sequence[Case]]
KINDS = ("predict", "build", "implement", "repair", "train")


@dataclass(frozen=True)
class Misconception:
    """A known wrong way, as a program, with the hint that a good teacher would give.

    Attributes:
        key: its name in results, such as "shared node twice".
        hint: what to say to a student who thinks so; a nudge, not the solution.
        ways: what the student might have written; variants that differ in their answers.
    """

    key: str
    hint: str
    ways: tuple[Program | Slip, ...]

    def __init__(self, key: str, hint: str, *ways: Program | Slip) -> None:
        for name, value in (("key", key), ("hint", hint), ("ways", ways)):
            object.__setattr__(self, name, value)

    @cached_property
    def programs(self) -> tuple[Program, ...]:
        """The ways as programs; slips are made when they are needed."""
        return tuple(way.made() if isinstance(way, Slip) else way for way in self.ways)


def as_it_is(*case: Any) -> tuple[Any, ...]:
    """Give a function its own copy of the plain data."""
    return deepcopy(case)


def no_code(*case: Any) -> str:
    """The arguments of an exercise whose answer is a value: there are none."""
    return ""


@dataclass(kw_only=True, eq=False)
class Exercise:
    """One exercise. Called, it is its reference.

    Attributes:
        name: the function or variable that the student defines.
        title: a line for lists of exercises.
        lesson: the stem of its lesson and of its notebooks.
        kind: "predict", "build", "implement", "repair" or "train".
        points: its weight.
        task: what goes in and what comes out, in Markdown, as the notebook tells it.
        parameters: the function's parameters; empty if the answer is a value.
        arguments: (rng) -> cases: first fixed ones, in which every misconception shows, smallest
            first; then random ones; last what is large.
        as_arguments: (*case) -> the arguments as the student's function gets them.
        reference: a right answer; like the misconceptions' programs it takes what `as_arguments`
            gives, also where the student gives a value.
        form: what an answer looks like, and how closely two must agree.
        misconceptions: the known wrong ways, the likeliest first.
        first_step: what to say to a student who has not started.
        hints: a nudge, a bigger nudge, and a similar case worked out; there may be fewer.
        verified: what a right answer has been seen to do; {cases} is how often.
        as_code: (*case) -> the arguments as Python code, for a student to paste and try.
        instead_of: functions that do the exercise's work, such as `topological_order` or
            `Node.backward`, and that the student's function is therefore not to call. An answer
            that does is told so kindly, right or wrong; calls from within minigraph do not count.
        another_way: a different solution worth reading, with a sentence on what is good about it;
            offered, with the hints, to whoever has solved the exercise.
        varies: whether a value is asked for that is another one for each seed.
        usual: the numbers of seed 0, if they are not drawn.
    """

    name: str
    title: str
    lesson: str
    kind: str
    points: int
    task: str
    parameters: tuple[str, ...] = ()
    arguments: Callable[[Random], Sequence[Case]]
    as_arguments: Callable[..., tuple[Any, ...]] = as_it_is
    reference: Program
    form: Form
    misconceptions: tuple[Misconception, ...] = ()
    first_step: str
    hints: tuple[str, ...]
    verified: str
    as_code: Callable[..., str] = no_code
    instead_of: tuple[Callable[..., Any], ...] = ()
    another_way: str = ""
    varies: bool = False
    usual: Case | None = None

    def __call__(self, *arguments: Any) -> Any:
        """What the reference answers."""
        return self.reference(*arguments)

    @property
    def call(self) -> str:
        """How the student hands in the answer."""
        return f'check("{self.name}", {self.name})'

    def cases(self, seed: int = 0) -> list[Case]:
        """The cases of one seed, always the same."""
        if self.usual is not None and not seed:
            return [deepcopy(self.usual)]
        return list(self.arguments(Random(seed)))

    def numbers(self, seed: int = 0) -> dict[str, Any]:
        """What stands for each parameter of the reference, where a value is asked for."""
        return dict(zip(signature(self.reference).parameters, self.cases(seed)[0]))

    def of(self, seed: int) -> Exercise:
        """The exercise with the numbers of one seed in its task, its hints and what is verified.

        The hints of misconceptions are the same for everybody, who stands in one table with others.

        Raises:
            SpecificationError: if a text shows what is no number, or none that there is.
        """
        if not self.varies:
            return self
        values = self.numbers(seed)

        def filled(text: str) -> str:
            return _SHOWN.sub(lambda match: self._shown(match[1], values), text)

        page = read_page(self.name, self.reference.__doc__)
        return replace(
            self,
            task=filled(page.task),
            first_step=filled(page.first_step) or self.first_step,
            hints=tuple(map(filled, page.hints)),
            verified=filled(page.verified) or self.verified,
            another_way=filled(page.another_way),
        )

    def _shown(self, expression: str, values: Mapping[str, Any]) -> str:
        try:
            value = eval(expression, {"__builtins__": {}}, dict(values))
        except Exception as error:
            raise SpecificationError(
                f"{self.name}: its page shows «{expression}», which cannot be computed from its "
                f"function's parameters, {', '.join(values)} ({error})"
            ) from None
        return f"{value:.10g}" if isinstance(value, float) else f"{value}"

    def slip(self, key: str, hint: str, *ways: Any) -> None:
        """Add a misconception that is a small change of the reference.

        Args:
            key: its name in results.
            hint: what to say to a student who thinks so; lines are joined as in a docstring.
            ways: each is an edit of the reference's source, (old, new) or (old, new, old, new …);
                or another function; or, where a value is asked for, a wrong one.

        Raises:
            SpecificationError: if an edit does not apply, or there is none; if the hint is missing,
                or the name is another one's.
        """
        if not isinstance(key, str) or not ways:
            raise SpecificationError(
                f"{self.name}: a misconception has a name and a wrong way, and one is {key!r:.60}"
            )
        if not isinstance(hint, str) or not hint.strip():
            raise SpecificationError(f"{self.name}: the misconception {key!r:.60} has no hint")
        if any(known.key == key for known in self.misconceptions):
            raise SpecificationError(f"{self.name}: two misconceptions are named {key!r:.60}")
        programs = [self._way(way) for way in ways]
        self.misconceptions += (Misconception(key, unwrapped(cleandoc(hint)), *programs),)

    def misconception(self, key: str, *ways: Any) -> Callable[[Program], Program]:
        """Add the function below as a misconception; its docstring is the hint.

        `ways` are more programs of the same kind, as for `slip`.
        """

        if not isinstance(key, str):
            self.slip(key, "")  # which says what is missing

        def add(program: Program) -> Program:
            self.slip(key, program.__doc__ or "", program, *ways)
            return program

        return add

    def shares(
        self, other: Exercise, *keys: str, by: Callable[[Program], Program] | None = None
    ) -> None:
        """Add misconceptions of another exercise; `by` makes its programs fit this one."""
        known = {m.key: m for m in other.misconceptions}
        for m in (known[key] for key in keys):
            ways = map(by, m.programs) if by else m.ways
            self.misconceptions += (Misconception(m.key, m.hint, *ways),)

    def _way(self, way: Any) -> Program | Slip:
        if isinstance(way, Slip) or callable(way):
            return way
        if isinstance(way, tuple) and all(isinstance(text, str) for text in way):
            assert isinstance(self.reference, FunctionType)
            return Slip(self.reference, way)
        if self.parameters:
            raise SpecificationError(
                f"{self.name}: a wrong way is an edit or a function, and one is {way!r:.60}"
            )
        return lambda *arguments: deepcopy(way)


def exercise(
    *,
    points: int,
    answer: Form,
    cases: Cases | Sequence[Case] = (),
    value_of: Case | Callable[[Random], Case] | None = None,
    others: Callable[[Random], Case] | None = None,
    as_arguments: Callable[..., tuple[Any, ...]] = as_it_is,
    code: Callable[..., str] | None = None,
    kind: str = "",
    instead_of: tuple[Program, ...] = (),
) -> Callable[[Program], Exercise]:
    """Make an exercise of the function below: the reference, with the page in its docstring.

    A student writes a function with the same name and parameters; or, with `value_of` or without
    any parameters, a value of that name.

    Args:
        points: its weight.
        answer: what an answer looks like.
        cases: (rng) -> the arguments of several calls as plain data, see `Exercise.arguments`; or
            a list of them.
        value_of: what the reference gets where the student gives a value; or (rng) -> that, for
            other numbers for each student. The page shows them as «a» for the parameter a, and what
            is computed from them as «a * b».
        others: (rng) -> the same for students with numbers of their own, where all others get
            `value_of`.
        as_arguments: (*case) -> the arguments as the functions get them.
        code: (*case) -> the arguments as Python code; where they are plain data, one line each.
        kind: of `KINDS`; "predict" for a value, "implement" for a function.
        instead_of: see `Exercise`.

    Raises:
        SpecificationError: if the docstring is no page of a catalogue, or if points, answer or
            cases are none.
    """

    def make(reference: Program) -> Exercise:
        if not isinstance(reference, FunctionType):
            raise SpecificationError(f"an exercise is a function, and this is {reference!r:.60}")
        name = reference.__name__
        page = read_page(name, reference.__doc__)
        asked = tuple(signature(reference).parameters) if value_of is None else ()
        if type(points) is not int or points < 0:
            raise SpecificationError(f"{name}: points are a whole number, not {points!r:.60}")
        if not isinstance(answer, Form):
            raise SpecificationError(f"{name}: answer is a form, as Number(), not {answer!r:.60}")
        if asked and not callable(cases) and not (cases and all(type(x) is tuple for x in cases)):
            raise SpecificationError(
                f"{name}: cases are tuples of arguments, as [(0.5,)], not {cases!r:.60}"
            )
        arguments = cases if callable(cases) else partial(_the_same, cases)
        usual: Case = () if value_of is None or callable(value_of) else value_of
        drawn = others or (value_of if callable(value_of) else None)
        if not asked:
            arguments = partial(_drawn, drawn) if drawn else partial(_the_same, [usual])
        plainly = partial(as_assignments, asked) if asked and as_arguments is as_it_is else no_code
        made = Exercise(
            name=name,
            title=page.title,
            lesson=lesson_of(reference),
            kind=kind or ("implement" if asked else "predict"),
            points=points,
            task=page.task,
            parameters=asked,
            arguments=arguments,
            as_arguments=as_arguments,
            reference=reference,
            form=answer,
            first_step=page.first_step or (BEGIN if asked else REPLACE_THE_DOTS),
            hints=page.hints,
            verified=page.verified or (AGREES if asked else IS_SO),
            as_code=code or plainly,
            instead_of=instead_of,
            another_way=page.another_way,
            varies=drawn is not None,
            usual=usual or None,
        )
        return made.of(0)

    return make


BEGIN = "Replace what stands below the first line by your own."
REPLACE_THE_DOTS = "Replace the dots by your answer."
AGREES = "it agrees in {cases} cases."
IS_SO = "so it is."


_SHOWN = re.compile("«([^»]+)»")


def _drawn(value_of: Callable[[Random], Case], rng: Random) -> Sequence[Case]:
    return [value_of(rng)]


def _the_same(cases: Sequence[Case], rng: Random) -> Sequence[Case]:
    return deepcopy(cases)


def as_assignments(names: Sequence[str], *case: Any) -> str:
    """Write plain data as Python code, a line to an argument."""
    return "\n".join(f"{name} = {value!r}" for name, value in zip(names, case))


def lesson_of(reference: FunctionType) -> str:
    """The lesson that an exercise's module states, or is named after."""
    lesson: str = reference.__globals__.get("LESSON") or Path(reference.__code__.co_filename).stem
    return lesson


def exercises_in(names: Mapping[str, Any]) -> dict[str, Exercise]:
    """The exercises that are written in a module, of which `names` is the namespace, in order."""
    return {
        x.name: x
        for x in names.values()
        if isinstance(x, Exercise) and x.reference.__module__ == names["__name__"]
    }


def size(case: Case) -> int:
    """About how much there is to read in a case."""
    return sum(len(x) if isinstance(x, (dict, list)) else 1 for x in case)
