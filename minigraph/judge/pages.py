"""Write the pages while the students pass by: `class.html`, and `feedback/STUDENT/LESSON.html`.

A page that is the same as before is left as it is. A page is written whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..course.specification import Exercise
from ..graph.files import naming, write
from .classroom import ClassPage, feedback_place
from .feedback import UNREAD, feedback_page, unread_page
from .results import read_record

CLASS = "class.html"
Row = dict[str, Any]


class Pages:
    """The pages of a class.

    Args:
        results: the folder of results.
        head: what `results.json` begins with.
        exercises: those of the lessons that were handed in, in order.
    """

    def __init__(self, results: Path, head: Row, exercises: Iterable[Exercise]) -> None:
        self._results = results
        self._warning = head["sandbox"]["warning"]
        self._class = ClassPage(head, exercises)

    def passing(self, students: Iterable[Row]) -> Iterator[Row]:
        """Write the pages of each student, and pass the student on."""
        for student in students:
            self._class.add(student)
            self._write_feedback(student)
            yield student

    def close(self) -> None:
        """Write the page of the class."""
        _write(self._results / CLASS, self._class.html())

    def _write_feedback(self, student: Row) -> None:
        judged = [x for x in student["submissions"] if x["state"] == "judged"]
        for submission in judged:
            if record := read_record(self._results / submission["record"]):
                text = feedback_page(student, submission, record, self._warning)
                _write(self._results / feedback_place(student, submission["lesson"]), text)
        unread = self._results / feedback_place(student, UNREAD)
        if not judged:
            _write(unread, unread_page(student, self._warning))
        elif unread.is_file():  # there was nothing to judge before
            with naming(unread, "removed"):
                unread.unlink()


def _write(path: Path, text: str) -> None:
    content = text.encode("utf-8", "replace")
    if path.is_file() and path.read_bytes() == content:
        return
    with naming(path.parent, "made"):
        path.parent.mkdir(parents=True, exist_ok=True)
    write(path, content)
