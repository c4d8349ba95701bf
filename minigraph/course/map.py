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
from ..drawing.drawing import HIGHEST, SMALLEST, image_element
from ..drawing.svg import rect, span, text_line
from ..drawing.text import width
from ..drawing.theme import AS_THE_PAGE, paint
from ..reading.words import joined
from .lessons import LESSONS, PARTS, Lesson, address, here
from .onwards import Standing, overview, standing
from .progress import Progress, progress

# Lengths in pixels: of a map that shrinks to four fifths beside JupyterLab's side bar, at 1024.
_WIDE = 162.0  # of a card
_GAP, _LANE = 17.0, 26.0  # between cards of a part; between parts, for its title and for arrows
_MARGIN = 3.0
_INSET, _ABOVE = 8.0, 6.0  # of a card, beside its texts and above them
_TITLE, _TEXT = 15.0, 14.0  # sizes of type
_LINE = 16.0  # from one line to the next
_TURN = 6.0  # the radius at which an arrow turns
_POINT = 6.0  # the length of its head
_ENTRY = 12.0  # from the end of a card to where an arrow leaves below, or comes from above
_LINK = 26.0  # how high the link on the exercises is, over the last line
_COLOURS = "auto"


@dataclass(frozen=True)
class _Card:
    """A lesson on the map: where it is, and how far the learner has come with it."""

    lesson: Lesson
    done: Standing
    is_next: bool
    x: float
    y: float
    high: float

    @property
    def mark(self) -> str:
        """What stands in the right corner."""
        return "next" if self.is_next else "✓" if self.done.read else ""

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
        self._cards: dict[str, _Card] = {}
        y = 0.0
        for part in PARTS.values():
            high = max(map(_height, part))
            y += _LANE
            for column, lesson in enumerate(part):
                self._cards[lesson.stem] = _Card(
                    lesson,
                    standing(lesson, known),
                    lesson == known.next,
                    _MARGIN + column * (_WIDE + _GAP),
                    y,
                    high,
                )
            y += high
        self._width = max(card.x for card in self._cards.values()) + _WIDE + _MARGIN
        self._height = y + _MARGIN

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
        return text_line(card.x + 2 * _ENTRY, card.y - _TEXT / 2 - 2, _TEXT, words, anchor="start")

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
        wide = self._width * min(1.0, HIGHEST / self._height)
        fills = "display:block;width:100%;height:auto"
        image = image_element(self.svg, self.alt, self._width, self._height, fills)
        return (
            f'<div style="overflow-x:auto"><div style="position:relative;line-height:0;'
            f'width:{wide:.0f}px;max-width:100%;min-width:{wide * SMALLEST:.0f}px">'
            f"{image}{' '.join(self._links())}</div></div>{AS_THE_PAGE}"
        )

    def _links(self) -> Iterator[str]:
        for card in self._cards.values():
            lesson, done = card.lesson, card.done
            said = f"{lesson.number} {lesson.title}{', read' * done.read}{', next' * card.is_next}"
            yield self._link(lesson.notebook, said, card.x, card.y, _WIDE, card.high)
            said = f"{lesson.number} {card.exercises}"
            top = card.y + card.high - _LINK
            yield self._link(lesson.exercises, said, card.x, top, _WIDE, _LINK)

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


def _height(lesson: Lesson) -> float:
    """How high a card is: its title, its question, and a line each for effort and exercises."""
    return _LINE * (len(_title(lesson)) + len(_question(lesson)) + 2) + 2 * _ABOVE


def _title(lesson: Lesson) -> list[str]:
    return wrapped(f"{lesson.number} {lesson.title}", _WIDE - 2 * _INSET, _TITLE, bold=True)


def _question(lesson: Lesson) -> list[str]:
    return wrapped(lesson.plain_question, _WIDE - 2 * _INSET)


def _drawn(card: _Card) -> str:
    """A card: number, title and mark; the question; what it takes and what has been done."""
    lesson = card.lesson
    fill, border = ("highlight_ground", "highlight") if card.is_next else ("card", "line")
    title, question = _title(lesson), _question(lesson)
    lines = [
        *((text, _TITLE, "ink", "bold") for text in title),
        *((text, _TEXT, "soft", "") for text in question),
    ]
    top, bottom = card.y + _ABOVE + _LINE / 2, card.y + card.high - _ABOVE - _LINE / 2
    placed = [(top + _LINE * row, *line) for row, line in enumerate(lines)]
    placed.append((bottom - _LINE, card.effort, _TEXT, "soft", ""))
    placed.append((bottom, card.exercises * bool(card.done.exercises), _TEXT, "value", ""))
    texts = [
        text_line(card.x + _INSET, y, size, [span(text, _COLOURS, role, style)], "start")
        for y, text, size, role, style in placed
        if text
    ]
    if card.mark:
        role = "gradient" if card.is_next else "value"
        words = [span(card.mark, _COLOURS, role, "bold")]
        texts.append(text_line(card.x + _WIDE - _INSET, bottom - _LINE, _TEXT, words, "end"))
    box = rect(card.x, card.y, _WIDE, card.high, 8)
    return f'<g>{box}{paint(_COLOURS, fill, border)} stroke-width="1.3"/>{"".join(texts)}</g>'


def _arrow(start: _Card, end: _Card) -> str:
    """An arrow to the next card of a part, or down into the next part."""
    if start.y == end.y:
        x, y = end.x, end.y + end.high / 2
        line = f"M{start.x + _WIDE:g} {y:g}H{x - _POINT:g}"
        head = f"M{x:g} {y:g}l{-_POINT:g} -4v8z"
    else:
        x, y = end.x + _ENTRY, end.y
        head = f"M{x:g} {y:g}l-4 {-_POINT:g}h8z"
        begin = start.x + _WIDE - _ENTRY
        line = f"M{begin:g} {start.y + start.high:g}v1"
        if x != begin:
            turn = -_TURN if x < begin else _TURN
            line += f"q0 {_TURN:g} {turn:g} {_TURN:g}H{x - turn:g}q{turn:g} 0 {turn:g} {_TURN:g}"
        line += f"V{y - _POINT:g}"
    return (
        f'<path d="{line}"{paint(_COLOURS, "none", "edge")} stroke-width="1.6"/>'
        f'<path d="{head}"{paint(_COLOURS, "edge")}/>'
    )


def wrapped(text: str, room: float, size: float = _TEXT, *, bold: bool = False) -> list[str]:
    """Break a text into lines that fit into `room` in the type of questions, or in another."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if width(longer, size, bold=bold) > room and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
