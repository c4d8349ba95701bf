"""Write the students' notebooks from the solutions, with nbgrader's own preprocessors.

The exercises of `solutions/solutions_02_forward_pass.ipynb` are `exercises_02_forward_pass.ipynb`.

What an exercise's specification says stands there alone: title, points and task are written from it
into the solutions, and from there they come into the exercises.

No database and no configuration are needed, and the same solutions give the same bytes. A course
that runs nbgrader can copy a solution to its `source/ASSIGNMENT/NOTEBOOK.ipynb` instead.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import MinigraphError
from ..graph.files import naming, shown, write_all
from .headings import head_exercises, head_lesson, lesson_of, released_name
from .lessons import LESSONS
from .specification import Exercise

STUB = "# YOUR CODE HERE"
_PREPROCESSORS = (
    "CheckCellMetadata",
    "LockCells",
    "ClearSolutions",
    "ClearOutput",
    "ClearHiddenTests",
    "ComputeChecksums",
    "CheckCellMetadata",
)


class ReleaseError(MinigraphError):
    """A notebook that cannot be released, or nothing to release it with."""


def release(
    source: Path,
    destination: Path,
    lessons: Path | None = None,
    seeds: Mapping[str, int] | None = None,
) -> None:
    """Write an exercise notebook into `destination` for each solution notebook in `source`.

    The solutions are brought up to date with the specifications first, and so are the first lines
    of the course's notebooks in `lessons`. With `seeds`, by the folder of each student, there is a
    notebook for each of them, with numbers of their own where an exercise has such.

    Raises:
        ReleaseError: naming the notebook or the exercise that is broken, or saying what to install.
        FileError: naming the file that cannot be written; then none is.
    """
    paths = sorted(source.glob("*.ipynb"))
    if not paths:
        raise ReleaseError(f"there are no notebooks in {source}; name the folder with --source")
    if source.resolve() == destination.resolve():
        raise ReleaseError(f"{destination} holds the solutions; release into another folder")
    preprocessors = _preprocessors()
    exercises = _exercises_for(source)
    texts = {path: lesson_text(path).encode() for path in _lessons_in(lessons)}
    for path in paths:
        texts[path] = solution_text(path, exercises).encode()
        for folder, seed in (seeds or {"": 0}).items():
            released = destination / folder / released_name(path.name)
            print(f"{shown(path)} -> {shown(released)}")
            texts[released] = exercise_text(path, preprocessors, exercises, seed).encode()
    texts = {path: text for path, text in texts.items() if not _holds(path, text)}
    for folder in seeds or [""]:
        with naming(destination / folder, "made"):
            (destination / folder).mkdir(parents=True, exist_ok=True)
    write_all(texts)
    count = len(paths) * len(seeds or [""])
    print(f"{count} notebook{'s' * (count != 1)} released")


def _lessons_in(folder: Path | None) -> list[Path]:
    paths = sorted(folder.glob("*.ipynb")) if folder else []
    return [path for path in paths if path.stem in LESSONS]


def _holds(path: Path, text: bytes) -> bool:
    return path.is_file() and path.read_bytes() == text


def lesson_text(path: Path) -> str:
    """Return a lesson with its first line and its last cell, as the text of its file.

    Raises:
        ReleaseError: naming the notebook, if it is broken.
    """
    from .notebooks import read_notebook, text_of

    notebook = read_notebook(path, "released", ReleaseError)
    head_lesson(notebook, LESSONS[path.stem])
    return text_of(notebook)


def _exercises_for(source: Path) -> dict[str, Exercise]:
    """The exercises that notebooks of a folder may check; those of one's own are tried first."""
    from .diagnosis import faults_of
    from .exercises import EXERCISES
    from .own import own_exercises

    own = own_exercises(source)
    for exercise in own.values():
        if faults := faults_of(exercise):
            raise ReleaseError(f"{exercise.name} cannot be released: {' '.join(faults)}")
    return EXERCISES | own


def solution_text(path: Path, exercises: Mapping[str, Exercise]) -> str:
    """Return a solution notebook with what the specifications say, as the text of its file.

    Raises:
        ReleaseError: naming the notebook, if it is broken.
    """
    from .notebooks import text_of

    return text_of(_specified(path, exercises))


def exercise_text(
    path: Path,
    preprocessors: Sequence[Any] = (),
    exercises: Mapping[str, Exercise] | None = None,
    seed: int = 0,
) -> str:
    """Return the exercise of a solution notebook as the text of a notebook file.

    Its numbers follow from the seed, where an exercise has others for each student.

    Raises:
        ReleaseError: naming the notebook, if it is broken.
    """
    preprocessors = preprocessors or _preprocessors()
    from .notebooks import first_line, text_of

    known = _exercises_for(path.parent) if exercises is None else exercises
    notebook = _specified(path, known, seed)
    try:
        resources: dict[str, Any] = {}
        for preprocessor in preprocessors:
            notebook, resources = preprocessor.preprocess(notebook, resources)
    except Exception as error:
        # nbgrader's check of the metadata says what is wrong only in what it raised first.
        reason = first_line(error.__context__ or error)
        raise ReleaseError(f"{shown(path)} cannot be released: {reason}") from None
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade"):
            # Running all cells goes on after a check that fails, so that each says its first word.
            cell.metadata["tags"] = sorted({*cell.metadata.get("tags", []), "raises-exception"})
    return text_of(notebook)


_CHECK = re.compile(r'check\("(\w+)"')
_SUM = re.compile(r"\w+ exercises?, \d+ points?")
_COUNTS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")


def _specified(path: Path, exercises: Mapping[str, Exercise], seed: int = 0) -> Any:
    """Read a solution notebook, and write into it what the specifications of its exercises say."""
    from .notebooks import read_notebook

    notebook = read_notebook(path, "released", ReleaseError)
    texts: list[Any] = []  # the cells of text since the last heading, and those of code
    codes: list[Any] = []
    checked: list[Exercise] = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            texts, codes = [cell], []
        elif cell.cell_type == "markdown" and texts:
            texts.append(cell)
        elif not cell.metadata.get("nbgrader"):
            codes.append(cell)
        marks = cell.metadata.get("nbgrader", {})
        if marks.get("grade") and (named := _CHECK.match(cell.source)):
            if named[1] not in exercises:
                raise ReleaseError(
                    f"{shown(path)} cannot be released: it checks {named[1]}, and there is no such "
                    "exercise"
                )
            checked.append(exercises[named[1]])
            marks["points"] = checked[-1].points
            if seed and checked[-1].varies:
                cell.source = checked[-1].call.replace(")", f", seed={seed})")
            texts = []
        elif marks.get("solution") and texts and marks.get("grade_id") in exercises:
            exercise = exercises[marks["grade_id"]]
            _write_task(path, texts, exercise, len(checked) + 1, seed)
            if seed and exercise.varies:
                _write_numbers(codes, exercise, seed)
            texts, codes = [], []
    if checked:
        total = sum(exercise.points for exercise in checked)
        count = _COUNTS[len(checked)] if len(checked) < len(_COUNTS) else str(len(checked))
        stated = f"{_many(count, 'exercise', len(checked))}, {_many(total, 'point', total)}"
        first = notebook.cells[0]
        first.source = _SUM.sub(stated, first.source)
    if lesson := lesson_of(path.stem):
        head_exercises(notebook, lesson)
    return notebook


def _write_task(path: Path, texts: list[Any], exercise: Exercise, number: int, seed: int) -> None:
    """Write the heading and the parts of a task into the cells of text above an answer."""
    heading = f"## {number}. {exercise.title} ({_many(exercise.points, 'point', exercise.points)})"
    first, *others = exercise.of(seed).task.split("\n\n---\n\n")
    parts = [f"{heading}\n\n{first}", *others]
    if len(parts) != len(texts):
        raise ReleaseError(
            f"{shown(path)} cannot be released: the task of {exercise.name} has "
            f"{_many(len(parts), 'part', len(parts))}, and the notebook has "
            f"{_many(len(texts), 'cell', len(texts))} of text for it"
        )
    for cell, part in zip(texts, parts):
        cell.source = part


def _write_numbers(codes: list[Any], exercise: Exercise, seed: int) -> None:
    """Write other numbers into the cells of code above an answer, where `a=3` names one."""
    for name, value in exercise.numbers(seed).items():
        usual, number = (f"{x}".removesuffix(".0") for x in (exercise.numbers()[name], value))
        named = re.compile(rf"\b{name}={re.escape(usual)}(\.0)?(?![\w.])")
        for cell in codes:
            cell.source = named.sub(f"{name}={number}", cell.source)


def _many(count: Any, what: str, number: int) -> str:
    return f"{count} {what}{'s' * (number != 1)}"


def _preprocessors() -> list[Any]:
    try:
        from nbgrader import preprocessors
        from traitlets.config import Config
    except ImportError as error:
        raise ReleaseError(
            f"releasing exercises needs nbgrader ({error}); get it with: "
            'pip install "nbgrader>=0.9.5"'
        ) from None
    config = Config()
    config.ClearSolutions.code_stub = {"python": STUB}
    made = [getattr(preprocessors, name)(config=config) for name in _PREPROCESSORS]
    for preprocessor in made:
        preprocessor.enabled = True
        preprocessor.log = logging.getLogger("minigraph.release.quiet")
        preprocessor.log.disabled = True  # what goes wrong is told by ReleaseError
    return made
