"""The page that an instructor opens first: where the class stands, and what it misunderstands.

    page = ClassPage(head, exercises)
    for student in students: page.add(student)
    text = page.html()

Students are counted as they pass by. What is kept of each is a line of the table, and their name
where they need help or have met a hint.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from ..course.panel import inline
from ..course.specification import Exercise
from .chart import histogram
from .feedback import UNREAD, title_of
from .paper import card, link, many, name, page, text, unlinked, warning
from .results import folder_of
from .verdicts import (
    CRASHED,
    FAULT,
    MISSING,
    NOT_STARTED,
    OUT_OF_MEMORY,
    RIGHT,
    TOO_SLOW,
    UNREADABLE,
    WRONG,
)

Row = dict[str, Any]

ENOUGH = 0.5  # of the points; who has fewer may need help
FIRST = 12  # who need help, before the others are folded
FEW = 6  # who have met the same hint, and are named at once
MOST_REASONS = 3
LISTED = 200  # files and changes; more stand in results.json

SOLVED, NOT_RIGHT, UNTOUCHED, NOTHING, UNJUDGED = "right", "wrong", "idle", "none", "fault"
GROUPS = {  # what the class page tells apart, with its sign
    SOLVED: ("✓", "right"),
    NOT_RIGHT: ("✗", "not right"),
    UNTOUCHED: ("○", "not started"),
    NOTHING: ("–", "missing"),
    UNJUDGED: ("!", "not judged"),
}
_GROUP_OF = {RIGHT: SOLVED, NOT_STARTED: UNTOUCHED, MISSING: NOTHING, FAULT: UNJUDGED}
_OTHERWISE = {
    WRONG: ("none that is known", "Read some of these: a misconception may be missing here."),
    UNREADABLE: ("no answer that can be read", ""),
    CRASHED: ("ended Python", ""),
    TOO_SLOW: ("took too long", ""),
    OUT_OF_MEMORY: ("took too much memory", ""),
    FAULT: ("could not be judged", "The exercise fails on these answers, or the judge does."),
}
Met = tuple[str, str]  # an exercise, and a misconception or a verdict without one


def group_of(verdict: str) -> str:
    """Which of `GROUPS` a verdict belongs to."""
    return _GROUP_OF.get(verdict, NOT_RIGHT)


@dataclass(frozen=True)
class _Standing:
    """What is kept of a student."""

    share: float
    where: str  # the link to their feedback
    line: str  # of the table
    reasons: str  # why they may need help; "" if they do not


class ClassPage:
    """Counts students, and writes the page."""

    def __init__(self, head: Row, exercises: Iterable[Exercise]) -> None:
        self.head = head
        self.exercises = {x.name: x for x in exercises}
        self.lessons: dict[str, list[Exercise]] = {}
        for exercise in self.exercises.values():
            self.lessons.setdefault(exercise.lesson, []).append(exercise)
        self.max_points = sum(x.points for x in self.exercises.values())
        self.groups: dict[str, Counter[str]] = {name: Counter() for name in self.exercises}
        self.met: dict[Met, list[str]] = defaultdict(list)  # links to feedback
        self.students: list[_Standing] = []
        self.states: Counter[str] = Counter()
        self.unread: list[tuple[str, Row]] = []

    def add(self, student: Row) -> None:
        """Count one student."""
        judged = {x["lesson"]: x for x in student["submissions"] if "exercises" in x}
        verdicts = {x["exercise"]: x for row in judged.values() for x in row["exercises"]}
        self.states.update(x["state"] for x in student["submissions"])
        unread = [x for x in student["submissions"] if x["state"] not in ("judged", "older")]
        self.unread += [(student["student"], x) for x in unread if len(self.unread) < LISTED]
        for exercise in self.exercises:
            verdict = verdicts.get(exercise, {"verdict": MISSING})["verdict"]
            self.groups[exercise][group_of(verdict)] += 1
        share = student["points"] / self.max_points if self.max_points else 1.0
        where = self._link(student, judged)
        for verdict in verdicts.values():
            key = verdict["misconception"] or verdict["verdict"]
            if verdict["misconception"] or key in _OTHERWISE:
                self.met[verdict["exercise"], key].append(where)
        reasons = self._reasons(judged, verdicts) if share < ENOUGH else ""
        line = self._line(student, where, share, judged)
        self.students.append(_Standing(share, where, line, reasons))

    def html(self) -> str:
        """The page."""
        sandbox = self.head["sandbox"]
        body = [
            *self._header(),
            *warning(sandbox["warning"]),
            *warning("" if self.head["complete"] else _INTERRUPTED),
            *card("Where the class stands", self._points()),
            *card("Who may need help", self._needs_help(), "help"),
            *card("Exercises", self._exercise_table(), "exercises"),
            *card("What is misunderstood", self._misconceptions(), "misconceptions"),
            *card("What has changed", self._changes(), "changes"),
            *card("Files that were not judged", self._not_judged(), "files"),
            *card("Students", self._student_table(), "students"),
            *card("How it was judged", self._protection(), "sandbox"),
        ]
        return page(f"The class: {self._lesson_names()}", body, script="class.js")

    # --- students ------------------------------------------------------------------------------

    def _link(self, student: Row, judged: Row) -> str:
        """A student's name, which leads to the first of their pages."""
        return link(feedback_place(student, next(iter(judged), UNREAD)), student["student"])

    def _line(self, student: Row, where: str, share: float, judged: dict[str, Row]) -> str:
        cells = [
            f'<th scope="row" data-by="{text(student["student"].casefold())}">{where}</th>',
            f'<td class="number">{student["points"]:g}</td>',
            f'<td class="number">{share:.0%}</td>',
        ]
        for lesson in self.lessons:
            cells.append(self._marks(student, lesson, judged.get(lesson)))
        notes = [
            f"{text(title_of(x['lesson']))}: {text(x['note'] or 'late')}" if len(judged) > 1 else
            text(x["note"] or "late")
            for x in judged.values()
            if x["note"] or x["late"]
        ]  # fmt: skip
        return f"<tr>{''.join(cells)}<td>{'; '.join(notes)}</td></tr>"

    def _marks(self, student: Row, lesson: str, row: Row | None) -> str:
        if row is None:
            return '<td data-by=""><span class="soft">nothing</span></td>'
        points = sum(x["points"] for x in row["exercises"])
        by_name = {x["exercise"]: x["verdict"] for x in row["exercises"]}
        groups = [group_of(by_name.get(x.name, MISSING)) for x in self.lessons[lesson]]
        signs = "".join(f'<i class="{group}">{GROUPS[group][0]}</i>' for group in groups)
        right = groups.count(SOLVED)
        label = f"{right} of {len(groups)} right"
        marks = f'<span class="marks" role="img" aria-label="{label}">{signs}</span>'
        if len(self.lessons) > 1:
            where = feedback_place(student, lesson)
            marks = f'{marks} <span class="soft">{link(where, f"{points:g}")}</span>'
        return f'<td data-by="{points:g}">{marks}</td>'

    def _reasons(self, judged: Row, verdicts: Row) -> str:
        """Why a student may need help, in a few words."""
        if not judged:
            return "nothing that could be judged was handed in"
        groups = Counter(group_of(x["verdict"]) for x in verdicts.values())
        reasons = [f"{title_of(x)} was not handed in" for x in self.lessons if x not in judged]
        if count := groups[UNTOUCHED] + groups[NOTHING]:
            reasons.append(f"{count} of {many(len(verdicts), 'exercise')} not started or missing")
        ended = [x["exercise"] for x in verdicts.values() if x["verdict"] in (CRASHED, TOO_SLOW)]
        if ended:
            reasons.append(f"did not come to an end: {_listed(ended)}")
        thought = [x["misconception"] for x in verdicts.values() if x["misconception"]]
        if thought:
            reasons.append(f"misunderstood: {_listed(f'“{x}”' for x in dict.fromkeys(thought))}")
        return "; ".join(reasons) or f"{groups[NOT_RIGHT]} not right"

    # --- the parts of the page -----------------------------------------------------------------

    def _lesson_names(self) -> str:
        if len(self.lessons) > MOST_REASONS:
            return f"{len(self.lessons)} lessons"
        return ", ".join(map(title_of, self.lessons)) or "nothing was judged"

    def _header(self) -> Iterator[str]:
        sandbox = self.head["sandbox"]
        around = f"{sandbox['name']} {sandbox['version']}".strip()
        facts = [
            many(len(self.students), "student"),
            many(self.states["judged"], "notebook") + " judged",
            "without a sandbox" if sandbox["warning"] else f"in {around}",
            self.head["judged"][:16].replace("T", ", ") + " UTC",
        ]
        yield f"<header><h1>{text(self._lesson_names())}</h1><p>{text(' · '.join(facts))}</p>"
        yield "</header>"

    def _points(self) -> Iterator[str]:
        if not self.students:
            yield "<p>Nobody has handed anything in.</p>"
            return
        shares = [student.share for student in self.students]
        yield histogram(shares)
        middle = median(shares)
        most = f"{self.max_points:g}"
        yield (
            f"<p>Half of the class has at least <strong>{middle:.0%}</strong> of the {most} "
            f"points. {many(sum(x >= 1 for x in shares), 'student has', 'students have')} all of "
            f"them, {sum(x < ENOUGH for x in shares):,} fewer than half.</p>"
        )

    def _needs_help(self) -> Iterator[str]:
        weak = sorted((x for x in self.students if x.reasons), key=lambda x: x.share)
        lines = [f"<li>{x.where} <b>{x.share:.0%}</b> {text(x.reasons)}</li>" for x in weak]
        if not lines:
            yield "<p>Everybody has at least half of the points.</p>"
            return
        yield f'<ul class="people">{"".join(lines[:FIRST])}</ul>'
        if len(lines) > FIRST:
            others = "".join(lines[FIRST:])
            yield (
                f"<details><summary>and {len(lines) - FIRST:,} more</summary>"
                f'<ul class="people">{others}</ul></details>'
            )

    def _exercise_table(self) -> Iterator[str]:
        used = [x for x in GROUPS if x != UNJUDGED or any(c[x] for c in self.groups.values())]
        numbers = ["points", *(GROUPS[x][1] for x in used)]
        titles = ["exercise", *numbers, "of the class"]
        rows = []
        for number, (key, exercise) in enumerate(self.exercises.items()):
            counts = self.groups[key]
            cells = "".join(f'<td class="number">{counts[x]:,}</td>' for x in used)
            by = f"{counts[SOLVED] / max(1, len(self.students)):.4f}"
            rows.append(
                f'<tr><th scope="row" data-by="{number:04d}">{text(exercise.title)} '
                f"<code>{text(key)}</code></th>"
                f'<td class="number">{exercise.points:g}</td>{cells}'
                f'<td data-by="{by}">{self._bar(counts, used)}</td></tr>'
            )
        yield _legend(used)
        yield _table("How each exercise was answered", titles, rows, numbers=numbers)

    def _bar(self, counts: Counter[str], used: Sequence[str]) -> str:
        """How the class has answered."""
        total = max(1, len(self.students))
        pieces = "".join(
            f'<i class="{x}" style="width:{100 * counts[x] / total:.2f}%"></i>'
            for x in used
            if counts[x]
        )
        return _bar(pieces)

    def _misconceptions(self) -> Iterator[str]:
        if not self.met:
            yield "<p>Nothing that was handed in is wrong.</p>"
            return
        most = max(map(len, self.met.values()))
        order = {x: n for n, x in enumerate(self.exercises)}

        def rank(met: tuple[Met, list[str]]) -> tuple[object, ...]:
            (exercise, thought), who = met
            return thought in _OTHERWISE, -len(who), order[exercise], thought

        found = sorted(self.met.items(), key=rank)
        rows = [self._met(order[key[0]], key, who, most) for key, who in found]
        yield (
            "<p>What explains the wrong answers, the most frequent first, with the hint that each "
            "of these students has met.</p>"
        )
        titles = ["students", "exercise", "misconception and its hint"]
        yield _table("Misconceptions by exercise", titles, rows, "met")

    def _met(self, place: int, key: Met, who: list[str], most: int) -> str:
        exercise, thought = key
        known = {x.key: x.hint for x in self.exercises[exercise].misconceptions}
        what, hint = _OTHERWISE.get(thought, (thought, ""))
        told = inline(unlinked(known.get(thought, hint)))
        told = f"<p>{told}</p>" if told else ""
        title = f"<b>{text(what)}</b>" if thought in known else f"<em>{text(what)}</em>"
        piece = f'<i class="wrong" style="width:{100 * len(who) / most:.2f}%"></i>'
        names = f"<p>{', '.join(who)}</p>"
        if len(who) > FEW:
            names = f"<details><summary>who</summary>{names}</details>"
        return (
            f'<tr><td data-by="{len(who)}">{len(who):,}{_bar(piece)}</td>'
            f'<td data-by="{place:04d}"><code>{text(exercise)}</code></td>'
            f'<td data-by="{text(what)}">{title}{told}'
            f"{names}</td></tr>"
        )

    def _changes(self) -> Iterator[str]:
        changes = self.head.get("changes", ())
        rows = [
            f'<tr><th scope="row">{name(x["student"])}</th><td><code>{text(x["exercise"])}</code>'
            f"</td><td>{text(x['before'])}</td><td>{text(x['after'])}</td></tr>"
            for x in changes[:LISTED]
        ]
        if rows:
            titles = ["student", "exercise", "was", "is now"]
            yield _table("Verdicts that are others than before", titles, rows)
            yield from _and_more(len(changes))

    def _not_judged(self) -> Iterator[str]:
        if self.unread:
            items = (
                f"<li>{name(row['file'])} of {name(student)}: {text(row['note'])}</li>"
                for student, row in self.unread
            )
            yield f"<ul>{''.join(items)}</ul>"
            yield from _and_more(self.states["unreadable"] + self.states["waiting"])
        if older := self.states["older"]:
            yield f"<p>{many(older, 'older version')}: the newest one of a student counts.</p>"

    def _student_table(self) -> Iterator[str]:
        lessons = [title_of(x) for x in self.lessons]
        numbers = ["points", "percent"]
        titles = ["student", *numbers, *lessons, "notes"]
        yield _legend([x for x in GROUPS if any(c[x] for c in self.groups.values())])
        lines = [x.line for x in self.students]
        yield _table("Every student", titles, lines, "students", numbers)

    def _protection(self) -> Iterator[str]:
        sandbox, limits = self.head["sandbox"], self.head["settings"]
        around = f"{sandbox['name']} {sandbox['version']}".strip()
        inside = "without a sandbox" if sandbox["warning"] else f"in the sandbox {around}"
        yield (
            f"<p>Every notebook ran in a process of its own, {text(inside)}, and once more for "
            "an exercise that was wrong there for no known reason, each time with at most "
            f"{limits['seconds']} seconds of computing and {limits['memory']} MB. Which answers "
            "are right was decided outside of it, on inputs that nobody had seen before.</p>"
        )
        if sandbox["open"]:
            items = "".join(f"<li>{text(x)}</li>" for x in sandbox["open"])
            yield f"<p>What is not protected:</p><ul>{items}</ul>"
        yield (
            '<p>Beside this page: <a href="gradebook.csv">gradebook.csv</a> for Canvas and Moodle, '
            '<a href="scores.csv">scores.csv</a> with a row for each student and exercise, '
            '<a href="results.json">results.json</a> with all of it, and a page for each student '
            "in <code>feedback/</code>.</p>"
        )


_INTERRUPTED = (
    "Judging was interrupted. Run the same command again: what has been judged is kept, and the "
    "rest follows."
)


def feedback_place(student: Row, lesson: str) -> str:
    """Where the page of a student and a lesson stands, below the folder of results."""
    return f"feedback/{student['folder']}/{folder_of(lesson)}.html"


def _listed(words: Iterable[str]) -> str:
    first = [*words]
    more = f" and {len(first) - MOST_REASONS} more" if len(first) > MOST_REASONS else ""
    return ", ".join(first[:MOST_REASONS]) + more


def _and_more(count: int) -> Iterator[str]:
    if count > LISTED:
        yield f"<p>and {count - LISTED:,} more, in results.json</p>"


def _bar(pieces: str) -> str:
    """A bar for those who see; its numbers stand beside it."""
    return f'<span class="bar" aria-hidden="true">{pieces}</span>'


def _legend(groups: Iterable[str]) -> str:
    keys = (f'<li><i class="{x}">{GROUPS[x][0]}</i> {GROUPS[x][1]}</li>' for x in groups)
    return f'<ul class="legend">{"".join(keys)}</ul>'


def _table(
    caption: str,
    titles: Sequence[str],
    rows: Iterable[str],
    kind: str = "",
    numbers: Collection[str] = (),
) -> str:
    """A table that the page's script sorts by the column that is clicked on.

    Args:
        caption: what it is called where it is not seen.
        titles: of the columns.
        rows: as HTML.
        kind: its class.
        numbers: the titles of columns that are flush on the right.
    """
    classes = {x: ' class="number"' if x in numbers else "" for x in titles}
    head = "".join(f'<th scope="col"{classes[x]}>{text(x)}</th>' for x in titles)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{text(caption)}">'
        f'<table class="{kind}"><caption>{text(caption)}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )
