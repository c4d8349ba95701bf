"""A small class of invented quality, to try the judge on.

    python -m minigraph judge --demo [FOLDER]

FOLDER holds then `submissions/`, as students would have handed them in, `results/`, and
`quality.csv`, which says what was invented of whom: all right, half done, each misconception of the
lessons, not started, broken, and hostile.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from ..course.exercises import EXERCISES
from ..course.lessons import LESSONS
from ..course.specification import Exercise
from ..errors import MinigraphError
from ..graph.files import naming, write
from .results import guarded, whole
from .standalone import code_of

DEFAULT = ("02_forward_pass",)
SECONDS = 3  # of computing, for each exercise; one never ends
SUBMISSIONS, RESULTS, QUALITY = "submissions", "results", "quality.csv"
STUB = "def {name}({parameters}):\n    raise NotImplementedError"
_FIRST_CELL = """\
import math
import operator

import numpy as np

import minigraph as mg
from minigraph.course import check
"""

ENDS_PYTHON = "import os\n\nos._exit(0)"
LOOKS_AROUND = """\
import pathlib

for place in ("/etc/passwd", "../../results/results.json", "solutions"):
    print(pathlib.Path(place).read_text())
"""
MARKUP = """\
def {name}({parameters}):
    print("<script>document.body.textContent = 'all right'</script>")
    raise ValueError("<b>all right</b> =HYPERLINK(\\"http://example.invalid\\")")
"""
ENDLESS = """\
def {name}({parameters}):
    while True:
        pass
"""


@dataclass(frozen=True)
class Invented:
    """A submission: what it is, and by the stem of its lesson the text of each notebook."""

    quality: str
    notebooks: Mapping[str, str]


def make_class(folder: Path, lessons: tuple[str, ...] = DEFAULT) -> list[str]:
    """Write the submissions; return what was invented of each student.

    Raises:
        MinigraphError: if the folder holds something else, or there is no such lesson.
    """
    _refuse_to_mix(folder)
    by_lesson = {lesson: _exercises_of(lesson) for lesson in lessons}
    students = [*_invented(by_lesson)]
    qualities = []
    for number, student in enumerate(students, start=1):
        place = folder / SUBMISSIONS / f"student-{number:02}"
        with naming(place, "made"):
            place.mkdir(parents=True, exist_ok=True)
        for lesson, text in student.notebooks.items():
            write(place / f"{lesson}.ipynb", text.encode())
        qualities.append(student.quality)
    with whole(folder / QUALITY, newline="") as file:
        table = csv.writer(file)
        table.writerow(("student", "quality"))
        table.writerows((f"student-{n:02}", guarded(x)) for n, x in enumerate(qualities, start=1))
    return qualities


def _refuse_to_mix(folder: Path) -> None:
    """What is there already must have been made by this."""
    if folder.exists():
        with naming(folder, "read"):
            others = {path.name for path in folder.iterdir()} - {SUBMISSIONS, RESULTS, QUALITY}
        if others:
            raise MinigraphError(
                f"{folder} holds other files, such as {min(others)}; name a new folder: "
                "python -m minigraph judge --demo FOLDER"
            )


def _exercises_of(lesson: str) -> list[Exercise]:
    found = [x for x in EXERCISES.values() if x.lesson == lesson and x.points]
    if not found:
        raise MinigraphError(f"there is no lesson {lesson} with exercises; {DEFAULT[0]} is one")
    return found


# --- who there is ---------------------------------------------------------------------------------


def _invented(by_lesson: Mapping[str, list[Exercise]]) -> Iterator[Invented]:
    right = {x.name: code_of(x, x.reference) for own in by_lesson.values() for x in own}
    everybody = [x for own in by_lesson.values() for x in own]

    def made(quality: str, answers: Mapping[str, str], *cells: str) -> Invented:
        texts = {
            lesson: notebook(lesson, own, {**right, **answers}, cells)
            for lesson, own in by_lesson.items()
        }
        return Invented(quality, texts)

    yield made("all right", {})
    half = everybody[: len(everybody) // 2]
    yield made("the first half", {x.name: stub_of(x) for x in everybody if x not in half})
    for wrong in zip_longest(*(_misconceptions(x) for x in everybody)):
        thought = {x.name: answer for x, answer in zip(everybody, wrong) if answer}
        keys = "; ".join(f"{name}: {key}" for name, (key, _) in thought.items())
        yield made(f"misconceptions: {keys}", {name: code for name, (_, code) in thought.items()})
    yield made("not started", {x.name: stub_of(x) for x in everybody})
    yield made("nothing but a heading", {x.name: "" for x in everybody})
    broken = everybody[0].name
    yield made(
        "a cell that is no Python, and a right answer below it", {}, f"def {broken}(:\n    retrun"
    )
    functions = [x for x in everybody if x.parameters]
    for quality, code in (("prints HTML", MARKUP), ("never ends", ENDLESS)):
        answers = {x.name: _filled(code, x) for x in functions[:1]}
        yield made(f"hostile: {quality}, in the first function", answers)
    yield made("hostile: ends Python in a cell", {}, ENDS_PYTHON)
    yield made("hostile: looks for files, and is right", {}, LOOKS_AROUND)
    lesson = next(iter(by_lesson))
    yield Invented("no notebook", {lesson: "This is no notebook."})
    yield Invented("an empty file", {lesson: ""})


def _misconceptions(exercise: Exercise) -> Iterator[tuple[str, str]]:
    """The misconceptions of an exercise that can be written down, with a notebook's code."""
    refused = [f"import {function.__name__}" for function in exercise.instead_of]
    for misconception in exercise.misconceptions:
        code = code_of(exercise, misconception.ways[0])
        if code and not any(line in code for line in refused):
            yield misconception.key, code


def stub_of(exercise: Exercise) -> str:
    """An answer that was not begun."""
    return _filled(STUB if exercise.parameters else "{name} = ...", exercise)


def _filled(code: str, exercise: Exercise) -> str:
    return code.format(name=exercise.name, parameters=", ".join(exercise.parameters))


# --- notebooks ------------------------------------------------------------------------------------


def notebook(
    lesson: str, exercises: list[Exercise], answers: Mapping[str, str], more: tuple[str, ...] = ()
) -> str:
    """A notebook as its students have it: for each exercise a heading, an answer and its check.

    Args:
        lesson: its stem.
        exercises: in order.
        answers: by the names of exercises, code.
        more: cells above the first exercise.
    """
    cells = [_text(f"# {LESSONS[lesson].title}: exercises"), *map(_code, (_FIRST_CELL, *more))]
    for number, exercise in enumerate(exercises, start=1):
        cells.append(_text(f"## {number}. {exercise.title}"))
        if answer := answers[exercise.name]:
            cells += [_code(answer), _code(exercise.call)]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    made = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def _text(source: str) -> dict[str, object]:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def _code(source: str) -> dict[str, object]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": source,
    }
