"""What the judge writes, and the form of it: read this to build on `results.json`.

    RESULTS/
      scores.csv         a row for each student and exercise; for a file that cannot be judged, one
      gradebook.csv      a row for each student, with columns that Canvas and Moodle import
      moodle/…           LESSON.csv, a grading worksheet, if the files are Moodle's
      results.json       all of it, as below
      class.html         where the class stands: open it first
      feedback/…         a page for each student and lesson, STUDENT/LESSON.html, without answers
      records/…          one record for each notebook that was judged, as below

`results.json`:

    {"format": "minigraph results", "version": 1,
     "complete": true,                    false if judging was interrupted
     "judged": "2026-09-01T12:00:00+00:00",
     "sandbox": {"name": "bubblewrap", "version": "0.11.0", "warning": "", "open": ["…"]},
     "settings": {"seconds": 10, "memory": 512},
     "exercises": [{"exercise": "forward", "title": "Run a forward pass",
                    "lesson": "02_forward_pass", "points": 3, "kind": "implement"}, …],
     "changes": [{"student": "…", "exercise": "…", "before": "wrong", "after": "right"}, …],
     "students": [
       {"student": "student-01", "system": "Moodle", "name": "student-01", "number": "12345",
        "folder": "student-01", "points": 7, "max_points": 9,
        "submissions": [
          {"file": "student-01/02.ipynb", "number": "12345", "lesson": "02_forward_pass",
           "state": "judged", "note": "", "late": false,
           "record": "records/student-01/02_forward_pass.json",
           "exercises": [{"exercise": "forward", "points": 3, "max_points": 3,
                          "verdict": "right", "misconception": "", "seconds": 0.1}, …]},
          {"file": "student-01/02 (1).ipynb", "number": "12345", "lesson": "02_forward_pass",
           "state": "older", "note": "student-01/02.ipynb is newer, and counts", "late": false},
          {"file": "student-01/essay.pdf", "number": "12345", "lesson": "",
           "state": "unreadable", "note": "it is no notebook", "late": false}]}, …]}

The exercises are in the order of the course, those of lessons that somebody has handed in; the
students by their names. `system` is "Moodle", "Canvas" or "", as far as it is seen. A verdict is
one of `verdicts.Verdict`'s. `folder` is the student's name as a folder can have it: use it for
files, never the name. Every text may be a student's, and is plain text: escape it.

A record is what results say of one notebook, with what a student can be shown:

    {"format": "minigraph record", "version": 1,
     "student": "student-01", "file": "student-01/02.ipynb", "lesson": "02_forward_pass",
     "digest": "…", "judged_by": "…",     by which it is seen that nothing has changed
     "exercises": [{"exercise": …, as above, "title": "Run a forward pass",
                    "hint": "…",          of the misconception, or the exercise's first one
                    "parts": [{"label": "", "text": "For this input", "code": "graph = …"}, …],
                    "picture": "<figure>…"}]}

`parts` tell what happened in the order in which `check` tells it, without the right answer: `text`
is Markdown of the course's or plain text, `code` is to be shown as it is, `picture` is HTML made
here ("" if there is none).
"""

from __future__ import annotations

import csv
import json
import os
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Self

from ..course.specification import Exercise
from ..graph.files import naming
from .collecting import CANVAS, MOODLE

FORMAT, VERSION = "minigraph results", 1
RECORD = "minigraph record"
SCORES = (
    "student", "file", "lesson", "exercise", "points", "max_points", "verdict", "misconception",
    "seconds",
)  # fmt: skip
# What begins Canvas's gradebook. It finds a student by the ID, or else by the name; of a column
# that is "(read only)" in the row of possible points it imports nothing.
GRADEBOOK = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
READ_ONLY = "(read only)"
# Moodle's gradebook takes a column for user names, addresses or ID numbers, and refuses a table in
# which one is unknown; a row without any is passed over. An assignment finds its participants by
# "Identifier", and keeps a grade that has been changed after the time of the worksheet's.
WORKSHEET = ("Identifier", "Full name", "Grade", "Maximum grade", "Last modified (grade)")
LONGEST = 60
BESIDE = f".*.{'[0-9a-f]' * 12}.tmp"  # what is being written, before it takes its place
Row = dict[str, Any]


def folder_of(student: str) -> str:
    """A student's name as a folder may have it; other names have other folders."""
    plain = re.sub(r"[^\w .@+-]", "_", student).strip(" .")[:LONGEST]
    if (
        plain
        and plain == student
        and plain.lower() == plain
        and plain.split(".")[0] not in _RESERVED
    ):
        return plain
    digest = sha256(student.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{plain.replace('.', '_') or 'student'}-{digest[:8]}"


_RESERVED = {"con", "prn", "aux", "nul"} | {f"{x}{n}" for x in ("com", "lpt") for n in range(10)}


def record_path(results: Path, student: str, lesson: str) -> Path:
    """Where the record of a notebook stands."""
    return results / "records" / folder_of(student) / f"{folder_of(lesson)}.json"


def read_record(path: Path) -> dict[str, Any] | None:
    """A record that has been written; None if there is none that can be read."""
    try:
        record = json.loads(path.read_bytes())
        is_one = (record["format"], record["version"]) == (RECORD, VERSION)
        is_whole = is_one and record.keys() >= _KEPT
        is_whole = is_whole and all(row.keys() >= _JUDGED for row in record["exercises"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None  # it is damaged
    return record if is_whole else None


_KEPT = {"student", "file", "lesson", "digest", "judged_by", "exercises"}
_JUDGED = {
    "exercise", "points", "max_points", "verdict", "misconception", "seconds", "title", "hint",
    "parts", "picture",
}  # fmt: skip


@contextmanager
def whole(path: Path, newline: str | None = None) -> Iterator[IO[str]]:
    """Write a file piece by piece, which takes its place when it is whole.

    Raises:
        FileError: naming the file.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    try:
        with naming(path, "written"):
            with beside.open("x", encoding="utf-8", errors="replace", newline=newline) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
    finally:
        with suppress(OSError):  # what went wrong first is what to say
            beside.unlink()


def write_tables(
    results: Path, head: Row, exercises: Iterable[Exercise], students: Iterable[Row]
) -> None:
    """Write scores, gradebook and results, student by student.

    Args:
        results: the folder.
        head: what `results.json` begins with.
        exercises: those of the lessons that were handed in, in order.
        students: rows of `results.json`, made one by one.
    """
    exercises = [*exercises]
    lessons = [*dict.fromkeys(exercise.lesson for exercise in exercises)]
    totals = {x: sum(e.points for e in exercises if e.lesson == x) for x in lessons}
    marks = [*map(_column, lessons), "Total"]
    columns = [*GRADEBOOK, *marks, *WORKSHEET[:2]]
    with (
        _Worksheets(results, head, totals) as worksheets,
        whole(results / "scores.csv", newline="") as scores_file,
        whole(results / "gradebook.csv", newline="") as gradebook_file,
        whole(results / "results.json") as file,
    ):
        scores, gradebook = csv.writer(scores_file), csv.writer(gradebook_file)
        scores.writerow(SCORES)
        gradebook.writerow(columns)
        possible = [*totals.values(), sum(totals.values())]
        blank = [""] * (len(GRADEBOOK) - 1)
        gradebook.writerow(["    Points Possible", *blank, *possible, "", READ_ONLY])
        start = {**head, "exercises": [_described(exercise) for exercise in exercises]}
        file.write(json.dumps(start, ensure_ascii=False)[:-1] + ', "students": [')
        for n, student in enumerate(students):
            file.write(("," if n else "") + "\n" + json.dumps(student, ensure_ascii=False))
            for row in _scores(student):
                scores.writerow([guarded(row[name]) for name in SCORES])
            gradebook.writerow(map(guarded, _grades(student, lessons)))
            worksheets.add(student)
        file.write("\n]}\n")


def _described(exercise: Exercise) -> Row:
    return {
        "exercise": exercise.name,
        "title": exercise.title,
        "lesson": exercise.lesson,
        "points": exercise.points,
        "kind": exercise.kind,
    }


def _scores(student: Row) -> Iterator[Row]:
    empty: Row = dict.fromkeys(SCORES, "")
    for submission in student["submissions"]:
        row = {**empty, **{k: submission[k] for k in ("file", "lesson")}}
        row["student"] = student["student"]
        for exercise in submission.get("exercises", ()):
            yield {**row, **{k: exercise[k] for k in SCORES if k in exercise}}
        if "exercises" not in submission:
            yield {**row, "verdict": f"{submission['state']}: {submission['note']}"}


def _judged(student: Row) -> Iterator[tuple[Row, float]]:
    """The submissions of a student that were judged, with their points."""
    for submission in student["submissions"]:
        if "exercises" in submission:
            yield submission, sum(x["points"] for x in submission["exercises"])


def _grades(student: Row, lessons: list[str]) -> list[Any]:
    points = {submission["lesson"]: points for submission, points in _judged(student)}
    is_canvas, is_moodle = (student["system"] == x for x in (CANVAS, MOODLE))
    number = student["number"] if is_canvas else ""
    identifier = _participant(student["number"]) if is_moodle else student["student"]
    marks = [points.get(lesson, "") for lesson in lessons]
    ids = [number, *[""] * (len(GRADEBOOK) - 2)]
    name = student["name"] or student["student"]
    return [student["student"], *ids, *marks, student["points"], identifier, name]


def _participant(number: str) -> str:
    return f"Participant {number}"


class _Worksheets:
    """A worksheet for each lesson of which Moodle has handed out a file."""

    def __init__(self, results: Path, head: Row, totals: Mapping[str, float]) -> None:
        self._folder = results / "moodle"
        self._judged = head["judged"]
        self._totals = totals
        self._files = ExitStack()
        self._tables: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> bool | None:
        return self._files.__exit__(*error)

    def add(self, student: Row) -> None:
        """Write a student's grades."""
        if student["system"] != MOODLE:
            return
        for submission, points in _judged(student):
            lesson, number = submission["lesson"], submission["number"]
            row = [_participant(number), student["name"], points, self._totals[lesson]]
            self._table(lesson).writerow(map(guarded, [*row, self._judged]))

    def _table(self, lesson: str) -> Any:
        if lesson not in self._tables:
            with naming(self._folder, "made"):
                self._folder.mkdir(exist_ok=True)
            path = self._folder / f"{folder_of(lesson)}.csv"
            table = csv.writer(self._files.enter_context(whole(path, newline="")))
            table.writerow(WORKSHEET)
            self._tables[lesson] = table
        return self._tables[lesson]


def _column(lesson: str) -> str:
    return lesson.replace("_", " ")


def guarded(value: Any) -> Any:
    """A value for a table, which no spreadsheet takes for a formula."""
    if not isinstance(value, str):
        return value
    text = "".join(c if c.isprintable() else " " for c in value)
    text = _NEXT_CELL.sub(r"\1'", text)
    return f"'{text}" if text.lstrip()[:1] in _FORMULA else text


_FORMULA = {*"=+-@|%＝＋－＠"}  # the wide ones too
# Where numbers are written with a comma, a spreadsheet takes a semicolon for the end of a cell.
_NEXT_CELL = re.compile(r"(;[\s\"']*)(?=[=+\-@|%＝＋－＠])")
