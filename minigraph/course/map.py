"""`course_map`: the lessons, what they ask and what leads to what, with what has been done.

The picture is an image like every drawing. Links lie on it, for an image has none of its own; where
a page drops their places they are a list below it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

from ..drawing import theme
from ..drawing.drawing import SMALLEST, as_image
from ..drawing.svg import rect, span, text_line
from ..drawing.text import width
from ..drawing.theme import paint
from ..reading.words import joined
from .lessons import LESSONS, PARTS, Lesson, address, here
from .onwards import Standing, overview, standing
from .progress import Progress, progress

# Lengths in pixels.
_WIDE, _HIGH = 200.0, 92.0  # of a card
_GAP, _LANE = 18.0, 38.0  # between cards of a part; between parts, for its title and for arrows
_MARGIN = 12.0
_INSET = 10.0  # of a card, beside its texts
_EXERCISES = 90.0  # of the last line, on the right
_TITLE, _TEXT = 14.0, 12.0  # sizes of type
_LINES = (17.0, 35.0, 50.0, 65.0, 82.0)  # the middles of a card's lines: title, question, effort
_TURN = 8.0  # the radius at which an arrow turns
_POINT = 6.0  # the length of its head
_ENTRY = 15.0  # from the right end of a card to where an arrow comes from above, beside the title
_COLOURS = "auto"


@dataclass(frozen=True)
class _Card:
    """A lesson on the map: where it is, and how far the learner has come with it."""

    lesson: Lesson
    done: Standing
    is_next: bool
    x: float
    y: float

    @property
    def effort(self) -> str:
        """What it takes, or what of it has been done."""
        if self.done.predicted:
            return f"{self.done.predicted} of {self.done.predictions} predicted"
        return f"{self.lesson.minutes} min"

    @property
    def exercises(self) -> str:
        """How many exercises there are, or were solved."""
        count = self.done.exercises
        if self.done.solved:
            return f"{self.done.solved} of {count} solved"
        return f"{count} exercise{'s' * (count != 1)}"


class CourseMap:
    """A map of the course, shown by notebooks as a picture with links and printed as a table.

    Attributes:
        svg: the picture.
        html: the picture with its links.
        alt: its text alternative.
    """

    def __init__(self, known: Progress, place: Path) -> None:
        """Draw what a learner knows; links lead from the notebooks of a folder."""
        self._known = known
        self._place = place
        self._cards = {
            lesson.stem: _Card(
                lesson,
                standing(lesson, known),
                lesson == known.next,
                _MARGIN + column * (_WIDE + _GAP),
                _LANE + row * (_HIGH + _LANE),
            )
            for row, part in enumerate(PARTS.values())
            for column, lesson in enumerate(part)
        }
        self._width = max(card.x for card in self._cards.values()) + _WIDE + _MARGIN
        self._height = max(card.y for card in self._cards.values()) + _HIGH + _MARGIN

    @cached_property
    def svg(self) -> str:
        """The picture as SVG."""
        wide, high = f"{self._width:.0f}", f"{self._height:.0f}"
        cards = self._cards.values()
        return "".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}"'
                f' viewBox="0 0 {wide} {high}" role="img" font-family="{theme.FONTS}">',
                f"<title>Map of the course</title><desc>{escape(self.alt)}</desc>",
                theme.dark_style(_COLOURS),
                f'<rect width="100%" height="100%" rx="10"{paint(_COLOURS, "ground")}/>',
                *(_arrow(self._cards[stem], card) for card in cards for stem in card.lesson.needs),
                *map(self._title, PARTS),
                *map(_drawn, cards),
                "</svg>",
            ]
        )

    def _title(self, part: str) -> str:
        """The name of a part above its first lesson."""
        card = self._cards[PARTS[part][0].stem]
        words = [span(part, _COLOURS, "soft", "bold")]
        return text_line(card.x, card.y - 13, _TEXT, words, anchor="start")

    @cached_property
    def alt(self) -> str:
        """The map in a few sentences."""
        lessons = list(LESSONS.values())
        following = {
            lesson.number: [other.number for other in lessons if lesson.stem in other.needs]
            for lesson in lessons
        }
        ways = [f"{one} to {joined(others)}" for one, others in following.items() if others]
        read = [lesson.number for lesson in lessons if lesson.stem in self._known.read]
        said = f"Read: {joined(read)}. " if read else ""
        said += f"Next: {self._known.next.number}." if self._known.next else ""
        return (
            f"Map of the course: {len(lessons)} lessons in {len(PARTS)} parts, from "
            f"{lessons[0].title} to {lessons[-1].title}. What leads to what: {', '.join(ways)}. "
            f"{said}"
        ).rstrip()

    @property
    def html(self) -> str:
        """The picture, and a link on each lesson and on its exercises."""
        image = as_image(self.svg, self.alt, self._width, self._height)
        return (
            f'<div style="overflow-x:auto"><div style="position:relative;line-height:0;'
            f'width:{self._width:.0f}px;max-width:100%;min-width:{self._width * SMALLEST:.0f}px">'
            f"{image}{' '.join(self._links())}</div></div>"
        )

    def _links(self) -> Iterator[str]:
        for card in self._cards.values():
            lesson, done = card.lesson, card.done
            said = f"{lesson.number} {lesson.title}{', read' * done.read}{', next' * card.is_next}"
            yield self._link(lesson.notebook, said, card.x, card.y, _WIDE, _HIGH)
            said = f"{lesson.number} {card.exercises}"
            left, top = card.x + _WIDE - _EXERCISES, card.y + _LINES[-1] - 11
            yield self._link(lesson.exercises, said, left, top, _EXERCISES, 22)

    def _link(self, path: str, said: str, x: float, y: float, wide: float, high: float) -> str:
        """A link that lies on a place of the picture; its words are for those who do not see it."""
        target = address(path, self._place)
        if not target:
            return ""
        place = (
            f"left:{x / self._width:.3%};top:{y / self._height:.3%};"
            f"width:{wide / self._width:.3%};height:{high / self._height:.3%}"
        )
        hidden = "overflow:hidden;white-space:nowrap;text-indent:100%"
        return (
            f'<a href="{escape(target)}" title="{escape(said)}"'
            f' style="position:absolute;{place};{hidden}">{escape(said)}</a>'
        )

    def __repr__(self) -> str:
        return overview(self._known)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.html, "image/svg+xml": self.svg, "text/plain": repr(self)}


def course_map() -> CourseMap:
    """Show a map of the course: its lessons, what leads to what, and what you have done.

    What was read, predicted and solved is marked, and the lesson that comes next stands out. A
    click on a lesson, or on its exercises, opens them.
    """
    return CourseMap(progress(), here())


# --- elements -------------------------------------------------------------------------------------


def _drawn(card: _Card) -> str:
    """A card: number, title and mark; the question; what it takes and what has been done."""
    lesson, done = card.lesson, card.done
    fill, border = ("highlight_ground", "highlight") if card.is_next else ("card", "line")
    left, right = card.x + _INSET, card.x + _WIDE - _INSET
    title = f"{lesson.number} {lesson.title}"
    mark = "next" if card.is_next else "✓" if done.read else ""
    room = right - left - width(f" {mark}", _TEXT, bold=True)
    size = _TITLE * min(1.0, room / width(title, _TITLE, bold=True))
    lines = [
        (left, _LINES[0], size, title, "ink", "bold", "start"),
        (right, _LINES[0], _TEXT, mark, "gradient" if card.is_next else "value", "bold", "end"),
        *(
            (left, y, _TEXT, text, "soft", "", "start")
            for y, text in zip(_LINES[1:], wrapped(lesson.plain_question, right - left))
        ),
        (left, _LINES[-1], _TEXT, card.effort, "soft", "", "start"),
        (right, _LINES[-1], _TEXT, card.exercises * bool(done.exercises), "value", "", "end"),
    ]
    texts = (
        text_line(x, card.y + y, size, [span(text, _COLOURS, role, style)], anchor)
        for x, y, size, text, role, style, anchor in lines
        if text
    )
    box = rect(card.x, card.y, _WIDE, _HIGH, 8)
    return f'<g>{box}{paint(_COLOURS, fill, border)} stroke-width="1.3"/>{"".join(texts)}</g>'


def _arrow(start: _Card, end: _Card) -> str:
    """An arrow to the next card of a part, or down into the next part."""
    if start.y == end.y:
        x, y = end.x, end.y + _HIGH / 2
        line = f"M{start.x + _WIDE:g} {y:g}H{x - _POINT:g}"
        head = f"M{x:g} {y:g}l{-_POINT:g} -4v8z"
    else:
        x, y = end.x + _WIDE - _ENTRY, end.y
        head = f"M{x:g} {y:g}l-4 {-_POINT:g}h8z"
        begin = start.x + _WIDE - _ENTRY
        line = f"M{begin:g} {start.y + _HIGH:g}v2"
        if x != begin:
            turn = -_TURN if x < begin else _TURN
            line += f"q0 {_TURN:g} {turn:g} {_TURN:g}H{x - turn:g}q{turn:g} 0 {turn:g} {_TURN:g}"
        line += f"V{y - _POINT:g}"
    return (
        f'<path d="{line}"{paint(_COLOURS, "none", "edge")} stroke-width="1.6"/>'
        f'<path d="{head}"{paint(_COLOURS, "edge")}/>'
    )


def wrapped(text: str, room: float) -> list[str]:
    """Break a text into lines that fit into `room` in the type of questions."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if width(longer, _TEXT) > room and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
