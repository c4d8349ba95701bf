"""What comes next: how far a lesson has been worked through, and where the course goes on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import MinigraphError
from ..reading.words import aligned
from .exercises import EXERCISES
from .lessons import LESSONS, Lesson, address, after
from .panel import Panel, Part
from .progress import Progress, note_read, note_solved, progress
from .specification import Exercise


class LessonError(MinigraphError, KeyError):
    """A lesson that the course does not have."""

    __str__ = MinigraphError.__str__


@dataclass(frozen=True)
class Standing:
    """How far a learner has come with one lesson.

    Attributes:
        read: whether it has been read to its end.
        predicted: how many of its predictions were made.
        solved: how many of its exercises were solved, of how many.
        exercises: of how many.
    """

    read: bool
    predicted: int
    solved: int
    exercises: int

    @property
    def complete(self) -> bool:
        """Whether all of its exercises were solved."""
        return self.solved == self.exercises


def standing(lesson: Lesson, known: Progress) -> Standing:
    """How far a learner of whom so much is known has come with a lesson."""
    names = [exercise.name for exercise in EXERCISES.values() if exercise.lesson == lesson.stem]
    return Standing(
        lesson.stem in known.read,
        len(known.predicted.get(lesson.stem, ())),
        len(known.solved.get(lesson.stem, set()).intersection(names)),
        len(names),
    )


def overview(known: Progress) -> str:
    """What has been done, as a table in plain text."""
    rows = []
    for lesson in LESSONS.values():
        done = standing(lesson, known)
        read = "read" if done.read else ""
        solved = f"{done.solved} of {done.exercises}" if done.exercises else ""
        rows.append((f"{lesson.number} {lesson.title}", read, str(done.predicted or ""), solved))
    table = aligned(("lesson", "", "predictions made", "exercises solved"), rows, numbers={2, 3})
    following = known.next
    last = f"Next: {following.notebook}" if following else "You have read all lessons."
    return f"{table}\n\n{last}"


def noted_as_solved(exercise: Exercise) -> list[Part]:
    """Note that an exercise is solved; if it was the last of its lesson, say what comes next."""
    lesson = LESSONS.get(exercise.lesson)
    if lesson is None or exercise.name not in EXERCISES:
        return []
    note_solved(lesson.stem, exercise.name)
    done = standing(lesson, progress())
    if not done.complete or not lesson.exercises:
        return []
    text = f"All {done.exercises} exercises on {_link(lesson)} are solved."
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
        done = standing(this, progress())
        state = f", {done.solved} solved" if done.solved else ""
        exercises = _to("Its exercises", this.exercises)
        minutes = f"about {this.minutes_of_exercises} minutes"
        parts.append(Part(f"{exercises}: {done.exercises}{state}, {minutes}."))
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
    target = address(path, Path.cwd())
    return f"[{text}]({target})" if target else text
