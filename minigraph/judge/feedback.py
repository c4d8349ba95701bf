"""What a student gets back: one page for each lesson, without answers.

It says what `check` would have said of the first try: what is right, what came of which input, the
hint, and the picture with the marked node. All of it stands in the record of the notebook; nothing
that is right is known here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ..course.checking import HINT_LABELS
from ..course.lessons import LESSONS
from ..course.panel import COLOUR, SIGN, Panel, Part
from .paper import cleaned, many, name, page, text, unlinked, warning
from .verdicts import CRASHED, FAULT, MISSING, NOT_STARTED, OUT_OF_MEMORY, RIGHT, TOO_SLOW

Row = dict[str, Any]
UNREAD = "not_read"  # the page of a student of whom nothing could be judged

_SAID = {
    RIGHT: "{} is right",
    NOT_STARTED: "{} has not been started",
    MISSING: "{} is missing",
    CRASHED: "{} ended Python",
    TOO_SLOW: "{} took too long",
    OUT_OF_MEMORY: "{} took too much memory",
    FAULT: "{} could not be judged",
}
_NOT_YET = "{} is not right yet"
_WAITING = (NOT_STARTED, MISSING, FAULT)
_AT_FAULT = "This is no fault of yours. Whoever judges will see to it."


def state_of(verdict: str) -> str:
    """ "right", "wrong", or "waiting" where there is nothing that could be either."""
    return "right" if verdict == RIGHT else "waiting" if verdict in _WAITING else "wrong"


def title_of(lesson: str) -> str:
    """The title of a lesson; one that the course does not have is called by its file."""
    return LESSONS[lesson].title if lesson in LESSONS else lesson.replace("_", " ")


def feedback_page(student: Row, submission: Row, record: Row, warned: str = "") -> str:
    """The page of one student and lesson.

    Args:
        student: a row of `results.json`.
        submission: the one of its submissions that was judged.
        record: what was recorded of it.
        warned: what to warn of.
    """
    exercises = record["exercises"]
    points = sum(x["points"] for x in exercises)
    most = sum(x["max_points"] for x in exercises)
    title = title_of(submission["lesson"])
    body = [
        f"<header><h1>{text(title)}</h1>",
        f"<p>{name(student['student'])}, {name(submission['file'])}</p>",
        f'<p class="points"><strong>{points:g}</strong> of {many(most, "point")}</p>',
        _overview(exercises),
        *_notes(student, submission),
        "</header>",
        *warning(warned),
    ]
    for number, exercise in enumerate(exercises, start=1):
        body += _exercise(number, exercise)
    return page(f"{student['student']}: {title}", body)


def unread_page(student: Row, warned: str = "") -> str:
    """The page of a student of whom nothing could be judged."""
    files = [x for x in student["submissions"] if x["state"] != "judged"]
    body = [
        "<header><h1>Nothing could be judged</h1>",
        f"<p>{name(student['student'])}</p></header>",
        *warning(warned),
        '<section class="mgc-card"><h2>What was handed in</h2><ul>',
        *(f"<li>{name(x['file'])}: {text(x['note'] or x['state'])}</li>" for x in files),
        "</ul><p>Hand in the notebook itself, as it is saved: a file that ends in "
        "<code>.ipynb</code>.</p></section>",
    ]
    return page(f"{student['student']}: nothing could be judged", body)


def _overview(exercises: list[Row]) -> str:
    """A line with a sign for each exercise, which leads to it."""
    signs = [
        f'<li><a href="#exercise-{n}"><span style="color:{COLOUR[state_of(x["verdict"])]}">'
        f"{SIGN[state_of(x['verdict'])]}</span> {text(x['title'])}</a></li>"
        for n, x in enumerate(exercises, start=1)
    ]
    return f'<ol class="overview">{"".join(signs)}</ol>'


def _notes(student: Row, submission: Row) -> Iterator[str]:
    """What there is to say about this file, and which others could not be read."""
    notes = [submission["note"]] if submission["note"] else []
    notes += ["handed in late"] if submission["late"] else []
    if notes:
        yield f'<p class="note">About this file: {text("; ".join(notes))}.</p>'
    for other in student["submissions"]:
        if other["state"] == "unreadable":
            why = f"was not judged: {text(other['note'])}."
            yield f'<p class="note">{name(other["file"])} {why}</p>'


def _exercise(number: int, exercise: Row) -> Iterator[str]:
    verdict, most = exercise["verdict"], exercise["max_points"]
    said = _SAID.get(verdict, _NOT_YET).format(exercise["exercise"])
    parts = [Part(**part) for part in exercise["parts"]]
    if verdict == FAULT:
        parts = [Part(_AT_FAULT)]
    elif exercise["hint"]:
        parts.append(Part(exercise["hint"], HINT_LABELS[0]))
    panel = Panel(state_of(verdict), said, [*map(_plainly, parts)], exercise["picture"])
    yield f'<section class="mgc-card" id="exercise-{number}">'
    yield (
        f"<h2>{number}. {text(exercise['title'])} "
        f"<small>{exercise['points']:g} of {many(most, 'point')}</small></h2>"
    )
    yield panel.html
    yield "</section>"


def _plainly(part: Part) -> Part:
    """A part as it can stand in a page of its own, from which no link leads to a notebook."""
    return replace(
        part,
        text=unlinked(cleaned(part.text)),
        label=cleaned(part.label),
        code=cleaned(part.code),
        rows=[[unlinked(cleaned(cell)) for cell in row] for row in part.rows],
    )
