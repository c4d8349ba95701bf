"""What comes next: how far a lesson has been worked through, and where the course goes on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from ..errors import MinigraphError
from ..reading.words import aligned
from .exercises import EXERCISES
from .lessons import LESSONS, Lesson, address, after, here
from .panel import Panel, Part
from .progress import Progress, note_read, note_solved, progress
from .specification import Exercise


class _OfALesson(Protocol):
    @property
    def lesson(self) -> str: ...


class LessonError(MinigraphError, KeyError):
    """A lesson that the course does not have."""

    __str__ = MinigraphError.__str__


@dataclass(frozen=True)
class Standing:
    """How far a learner has come with one lesson.

    Attributes:
        read: whether it has been read to its end.
        predicted: how many of its predictions were made.
        predictions: of how many.
        solved: how many of its exercises were solved.
        exercises: of how many.
    """

    read: bool
    predicted: int
    predictions: int
    solved: int
    exercises: int


def standing(lesson: Lesson, known: Progress) -> Standing:
    """How far a learner of whom so much is known has come with a lesson."""
    from .predictions import PREDICTIONS  # it brings the widgets, which checks do without

    return Standing(
        lesson.stem in known.read,
        *_counted(PREDICTIONS, lesson, known.predicted.get(lesson.stem, ())),
        *_solved(lesson, known),
    )


def _solved(lesson: Lesson, known: Progress) -> tuple[int, int]:
    return _counted(EXERCISES, lesson, known.solved.get(lesson.stem, ()))


def _counted(
    catalogue: Mapping[str, _OfALesson], lesson: Lesson, done: Collection[str]
) -> tuple[int, int]:
    """How much of what belongs to a lesson is done, and how much there is."""
    names = [name for name, asked in catalogue.items() if asked.lesson == lesson.stem]
    return sum(name in done for name in names), len(names)


def overview(known: Progress) -> str:
    """What has been done, as a table in plain text."""
    rows = []
    for lesson in LESSONS.values():
        done = standing(lesson, known)
        read = "read" if done.read else ""
        predicted = _of(done.predicted, done.predictions)
        solved = _of(done.solved, done.exercises)
        rows.append((f"{lesson.number} {lesson.title}", read, predicted, solved))
    table = aligned(("lesson", "", "predictions made", "exercises solved"), rows, numbers={2, 3})
    following = known.next
    last = f"Next: {following.notebook}" if following else "You have read all lessons."
    return f"{table}\n\n{last}"


def _of(done: int, count: int) -> str:
    return f"{done} of {count}" if count else ""


def noted_as_solved(exercise: Exercise) -> list[Part]:
    """Note that an exercise is solved; if it was the last of its lesson, say what comes next."""
    lesson = LESSONS.get(exercise.lesson)
    if lesson is None or exercise.name not in EXERCISES:
        return []
    note_solved(lesson.stem, exercise.name)
    solved, count = _solved(lesson, progress())
    if solved < count or not lesson.exercises:
        return []
    text = f"All {count} exercises on {_link(lesson)} are solved."
    return [Part(f"{text} {_goes_on(lesson)}")]


def finished(lesson: str) -> Panel:
    """Note that a lesson has been read to its end, and say what comes next.

    Raises:
        LessonError: if there is no such lesson.
    """
    if lesson not in LESSONS:
        raise LessonError(f"there is no lesson {lesson!r:.60}; there are {', '.join(LESSONS)}")
    this = LESSONS[lesson]
    note_read(lesson)
    parts = []
    if this.exercises:
        solved, count = _solved(this, progress())
        state = f", {solved} solved" if solved else ""
        exercises = _to("Its exercises", this.exercises)
        minutes = f"about {this.minutes_of_exercises} minutes"
        parts.append(Part(f"{exercises}: {count}{state}, {minutes}."))
    parts.append(Part(_goes_on(this)))
    return Panel("right", f"{this.title}: read to the end", parts)


def _goes_on(lesson: Lesson) -> str:
    following = after(lesson)
    if following is None:
        return "It was the last lesson of the course."
    return f"Next: {_link(following)}. {following.plain_question}"


def _link(lesson: Lesson) -> str:
    return _to(lesson.title, lesson.notebook)


def _to(text: str, path: str) -> str:
    """A link as Markdown has it; the text alone where the file is not beside the notebook."""
    target = address(path, here())
    return f"[{text}]({target})" if target else text
