"""The lessons of the course: what each asks, how long it takes, and what leads to what.

`course_map`, the line at the top of each notebook, the table in the README and what `check` says
comes next are made from this table. A lesson is a row, and two notebooks:

    notebooks/02_forward_pass.ipynb             the lesson
    exercises/exercises_02_forward_pass.ipynb   its exercises, from solutions/
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Lesson:
    """One lesson.

    Attributes:
        stem: its number and its name, as its files have them.
        title: what its notebook is called.
        question: what it answers, in Markdown.
        minutes: how long it takes: for 200 words a minute, as for 70 words and numbers of code and
            for a guess, and for a widget one and a half; in fives, without appendices.
        minutes_of_exercises: how long its exercises take; 0 if it has no notebook of exercises.
        needs: the stems of the lessons that it builds on: the one before it in its part, or one in
            the part before.
    """

    stem: str
    title: str
    question: str
    minutes: int
    minutes_of_exercises: int
    needs: tuple[str, ...] = ()

    @property
    def number(self) -> str:
        """Its number, of two digits."""
        return self.stem[:2]

    @property
    def plain_question(self) -> str:
        """Its question as plain text."""
        return self.question.replace("*", "")

    @property
    def notebook(self) -> str:
        """Where its notebook stands in the course's folder."""
        return f"notebooks/{self.stem}.ipynb"

    @property
    def exercises(self) -> str:
        """Where its exercises stand in the course's folder; "" if there are none."""
        return f"exercises/exercises_{self.stem}.ipynb" if self.minutes_of_exercises else ""


PARTS: dict[str, tuple[Lesson, ...]] = {
    "Graphs and values": (
        Lesson("00_start_here", "Start here", "What will I be able to do?", 15, 0),
        Lesson(
            "01_expressions_as_graphs",
            "Expressions as graphs",
            "What *is* y = (a + b) · (b − c) to a computer?",
            20,
            30,
            ("00_start_here",),
        ),
        Lesson(
            "02_forward_pass",
            "The forward pass",
            "In which order can this be computed?",
            20,
            45,
            ("01_expressions_as_graphs",),
        ),
    ),
    "Derivatives": (
        Lesson(
            "03_local_derivatives",
            "Local derivatives",
            "If I nudge a, what does y do?",
            25,
            45,
            ("02_forward_pass",),
        ),
        Lesson(
            "04_chain_rule",
            "The chain rule",
            "How does a nudge travel through the graph?",
            30,
            50,
            ("03_local_derivatives",),
        ),
        Lesson(
            "05_backward_pass",
            "The backward pass",
            "Can one sweep give *all* derivatives?",
            35,
            55,
            ("04_chain_rule",),
        ),
        Lesson(
            "06_automatic_differentiation",
            "Automatic differentiation",
            "Could I build this myself?",
            45,
            75,
            ("05_backward_pass",),
        ),
    ),
    "Arrays and networks": (
        Lesson(
            "07_tensors",
            "Tensors",
            "What changes when nodes hold arrays?",
            40,
            60,
            ("05_backward_pass",),
        ),
        Lesson(
            "08_neural_networks",
            "Neural networks",
            "What does a neural network look like as a graph?",
            45,
            60,
            ("07_tensors",),
        ),
        Lesson(
            "09_training", "Training", "How does the graph learn?", 45, 50, ("08_neural_networks",)
        ),
        Lesson(
            "10_dynamic_graphs",
            "Dynamic graphs",
            "What if the graph depends on the data?",
            40,
            50,
            ("09_training",),
        ),
    ),
    "Programs from graphs": (
        Lesson(
            "11_static_graphs",
            "Static graphs",
            "What can be gained by knowing the graph before running it?",
            35,
            40,
            ("07_tensors",),
        ),
        Lesson(
            "12_compiled_programs",
            "Compiled programs",
            "What does a machine make of a graph?",
            30,
            45,
            ("11_static_graphs",),
        ),
        Lesson(
            "13_parallelism_and_scale",
            "Parallelism and scale",
            "What can run at the same time, and what if it is too big?",
            45,
            60,
            ("12_compiled_programs",),
        ),
    ),
    "In practice": (
        Lesson(
            "14_debugging",
            "Debugging",
            "Where did it go wrong?",
            40,
            60,
            ("13_parallelism_and_scale",),
        ),
        Lesson(
            "15_real_frameworks",
            "Real frameworks",
            "Is this how PyTorch, JAX and ONNX do it?",
            30,
            40,
            ("14_debugging",),
        ),
    ),
}
# By its stem, in the order in which it is read.
LESSONS: dict[str, Lesson] = {lesson.stem: lesson for part in PARTS.values() for lesson in part}
FIRST = next(iter(LESSONS.values()))


def before(lesson: Lesson) -> Lesson | None:
    """The lesson that comes before in the order of the numbers."""
    return _neighbour(lesson, -1)


def after(lesson: Lesson) -> Lesson | None:
    """The lesson that comes next in the order of the numbers."""
    return _neighbour(lesson, +1)


def _neighbour(lesson: Lesson, step: int) -> Lesson | None:
    in_order: Sequence[Lesson] = [None, *LESSONS.values(), None]  # type: ignore[list-item]
    return in_order[in_order.index(lesson) + step]


def here() -> Path:
    """The current folder; where that has been removed, one that is in no course."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return Path(os.sep)


def course_folder(place: Path) -> Path | None:
    """The folder of the course that a folder, such as that of a notebook, belongs to."""
    folders = [place.resolve(), *place.resolve().parents]
    return next((x for x in folders if (x / FIRST.notebook).is_file()), None)


def address(path: str, place: Path) -> str:
    """A relative link from a folder to a file of the course; "" if it is not there."""
    folder = course_folder(place)
    if not path or not folder or not (folder / path).is_file():
        return ""
    return Path(os.path.relpath(folder / path, place.resolve())).as_posix()
