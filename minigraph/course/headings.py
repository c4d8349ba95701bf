"""The line at the top of each notebook of the course: the way to the map, to and fro, and the time.

It is written from the table of lessons by `python -m minigraph release`, above the title in the
first cell, and a lesson ends with a cell that says what comes next. Appendices stand below it, so
that who leaves them out has been told that the lesson is read.
"""

from __future__ import annotations

import re
from typing import Any

from .lessons import FIRST, LESSONS, Lesson, after, before

_TITLE = re.compile(r"^# .*", re.MULTILINE | re.DOTALL)
# What the line says already.
_ELSEWHERE = re.compile(
    r"Takes about \d+ minutes\.(?: Before it: \[[^]]+\]\([^)]+\)\.)?\s*"
    r"|, about (?:\d+ minutes|an hour)(?=\.)"
)
_PREFIX = re.compile(r"^(?:exercises|solutions)_")
_MAP = f"{FIRST.stem}.ipynb#The-way-through-the-course"  # the heading above the map
_UNBROKEN = "\u00a0"  # a space at which no line ends
_LAST = "finished"  # the id of the cell that ends a lesson
APPENDIX = "## Appendix"  # how the heading of one begins


def lesson_of(stem: str) -> Lesson | None:
    """The lesson of the course to which a notebook belongs, by the stem of its file."""
    return LESSONS.get(_PREFIX.sub("", stem))


def released_name(name: str) -> str:
    """What the exercises of a notebook of solutions are called."""
    return re.sub("^solutions_", "exercises_", name)


def head_lesson(notebook: Any, lesson: Lesson) -> None:
    """Write the line into the first cell of a lesson, and see that the last one ends it."""
    from nbformat.v4 import new_code_cell

    _head(notebook, _line_of_lesson(lesson))
    source = f'from minigraph.course import finished\n\nfinished("{lesson.stem}")'
    last = new_code_cell(source, id=_LAST)
    cells = []
    for cell in notebook.cells:
        if cell.get("id") == _LAST:
            last = cell
        else:
            cells.append(cell)
    end = next((n for n, x in enumerate(cells) if x.source.startswith(APPENDIX)), len(cells))
    notebook.cells = [*cells[:end], last, *cells[end:]]


def head_exercises(notebook: Any, lesson: Lesson) -> None:
    """Write the line into the first cell of exercises, or of their solutions."""
    _head(notebook, _line_of_exercises(lesson))


def _head(notebook: Any, line: str) -> None:
    first = notebook.cells[0]
    if titled := _TITLE.search(first.source):
        first.source = f"{line}\n\n{_ELSEWHERE.sub('', titled[0])}".rstrip()


def _line_of_lesson(lesson: Lesson) -> str:
    earlier, following = before(lesson), after(lesson)
    return _joined(
        _map("") if lesson != FIRST else "",
        f"← {_link(earlier, '')}" if earlier else "",
        f"**{lesson.minutes} minutes**",
        f"[exercises](../{lesson.exercises})" if lesson.exercises else "",
        f"{_link(following, '')} →" if following else "",
    )


def _line_of_exercises(lesson: Lesson) -> str:
    following = after(lesson)
    there = "../notebooks/"
    return _joined(
        _map(there),
        f"← {_link(lesson, there)}",
        f"**{lesson.minutes_of_exercises} minutes**",
        f"{_link(following, there)} →" if following else "",
    )


def _map(there: str) -> str:
    return f"[Map of the course]({there}{_MAP})"


def _link(lesson: Lesson, there: str) -> str:
    return f"[{lesson.number} {lesson.title}]({there}{lesson.stem}.ipynb)"


def _joined(*pieces: str) -> str:
    """Pieces beside each other, of which none breaks where a line ends."""
    return " · ".join(piece.replace(" ", _UNBROKEN) for piece in pieces if piece)
