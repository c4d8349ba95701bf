"""From a diagram to a picture: every box, edge, label and scope with its coordinates.

Coordinates are first (along, across): along the flow of data, and across it. `_Pen` makes them x
and y, so that a drawing to the right and a drawing down come from the same lines of code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import atan2, cos, degrees, radians, sin

from . import theme
from .diagram import Box, Diagram, Edge
from .layout import Interval, levels_of, places, spread
from .skeleton import Frame, frame, is_ordered, label_width, symbol_half
from .text import width

FITTING = 1000.0  # pixels; a wider drawing would become too small in a notebook
Point = tuple[float, float]


@dataclass(frozen=True)
class PlacedBox:
    """A box, its rectangle, and the middle of its symbol."""

    box: Box
    x: float
    y: float
    width: float
    height: float
    symbol: Point


@dataclass(frozen=True)
class PlacedEdge:
    """An edge: its curve and its arrowhead as SVG paths, and the middle of its label."""

    edge: Edge
    curve: str
    arrow: str
    label: Point
    is_in_group: bool


@dataclass(frozen=True)
class PlacedGroup:
    """A scope, its path as a reader sees it, and its rectangle."""

    path: tuple[str, ...]
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Picture:
    """All that is drawn, in pixels from the top left."""

    diagram: Diagram
    is_right: bool
    width: float
    height: float
    boxes: list[PlacedBox]
    edges: list[PlacedEdge]
    groups: list[PlacedGroup]


def picture(diagram: Diagram, direction: str) -> Picture:
    """Place a diagram; "auto" flows to the right where that fits into a notebook, else down."""
    if direction != "auto":
        return _picture(frame(diagram, direction))
    right = frame(diagram, "right")
    shortest = _least_length(right)
    placed = _picture(right) if shortest <= FITTING else None
    if placed is None or placed.width > FITTING:
        down = _picture(frame(diagram, "down"))
        if down.width <= max(FITTING, shortest):
            return down
        placed = min(placed or _picture(right), down, key=lambda picture: picture.width)
    return placed


def _least_length(f: Frame) -> float:
    """How long a drawing is at least, before anything has its place across the flow."""
    return _columns(f, [0.0] * len(f.skeleton.stations)).length + 2 * theme.MARGIN


def _picture(f: Frame) -> Picture:
    across, spans = places(f.skeleton)
    _straighten(f, across)
    columns = _columns(f, across)
    pen = _Pen(f, across, spans, columns)
    arrivals = _arrivals(f, across)
    caption = theme.LABEL_SIZE * 2 if f.diagram.caption else 0.0
    wide = width(f.diagram.caption, theme.LABEL_SIZE) + 2 * theme.MARGIN if caption else 0.0
    size = pen.size
    return Picture(
        f.diagram,
        f.is_right,
        max(size[0], wide),
        size[1] + caption,
        [pen.box(i) for i in range(len(f.diagram.boxes))],
        [pen.edge(i, arrivals[i]) for i in range(len(f.diagram.edges))],
        pen.groups(),
    )


# --- across the flow ------------------------------------------------------------------------------


def _straighten(f: Frame, across: list[float]) -> None:
    """Lead an edge that goes round others past all of them at one distance, where there is room.

    Else it goes aside twice, once for a box and once more for a label. Where there are scopes, it
    follows their borders.
    """
    if f.groups:
        return
    levels = levels_of(f.skeleton)
    for tail, *between, head in f.routes:
        for side in (-1.0, 1.0):
            ends = max(side * across[tail], side * across[head])
            if len(between) < 2 or min(side * across[n] for n in between) <= ends:
                continue
            furthest = max(between, key=lambda n: side * across[n])
            for n in between:
                if _is_free(f, levels, across, n, furthest):
                    across[n] = across[furthest]


def _is_free(f: Frame, levels: list[list[int]], across: list[float], n: int, furthest: int) -> bool:
    """Whether a station can go to where another one is, past nothing on its level."""
    stations, here, there = f.skeleton.stations, across[n], across[furthest]
    return all(
        (across[m] > here) == (across[m] > there)
        and abs(across[m] - there) >= (stations[m].size + stations[n].size) / 2
        for m in levels[stations[n].level]
        if m != n
    )


# --- along the flow -------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Columns:
    """For each level where its boxes begin and end, and where the symbols before them begin.

    `before` and `after` are the room that the border of each group takes beyond its levels.
    """

    symbols: list[float]
    starts: list[float]
    ends: list[float]
    before: list[float]
    after: list[float]
    extents: list[tuple[int, int]]
    length: float


def _columns(f: Frame, across: list[float]) -> _Columns:
    stations = f.skeleton.stations
    count = 1 + max(s.level for s in stations)
    overhang, length, steepest = [0.0] * count, [0.0] * count, [0.0] * count
    for box, station, size in zip(f.diagram.boxes, stations, f.sizes):
        n = station.level
        length[n] = max(length[n], size[0] if f.is_right else size[1])
        if box.kind == "operation":
            out = symbol_half(box.symbol) if f.is_right else theme.RADIUS
            overhang[n] = max(overhang[n], out)
    for edge, route in zip(f.diagram.edges, f.routes):
        if edge.kind:
            n = stations[route[-2]].level
            length[n] = max(length[n], label_width(edge) if f.is_right else theme.LABEL_HEIGHT)
    for link in f.skeleton.links:
        n = stations[link.head].level
        steepest[n] = max(steepest[n], abs(across[link.head] - across[link.tail]))
    extents = _extents(f)
    before, after = _borders(f, extents)
    opening, closing = [0.0] * count, [0.0] * count
    for (first, last), b, a in zip(extents, before, after):
        opening[first] = max(opening[first], b)
        closing[last] = max(closing[last], a)
    symbols, starts, ends = [0.0] * count, [0.0] * count, [0.0] * count
    place = opening[0]
    for n in range(count):
        if n:
            place += closing[n - 1] + opening[n] + _gap(f, length, steepest, n)
        symbols[n] = place
        starts[n] = place + overhang[n]
        ends[n] = place = starts[n] + length[n]
    return _Columns(symbols, starts, ends, before, after, extents, place + closing[-1])


def _gap(f: Frame, length: list[float], steepest: list[float], n: int) -> float:
    """The room before level n: more where edges are steep, less beside a level without labels."""
    gap = theme.GAP if f.is_right else theme.GAP_DOWN
    if f.has_labels:
        has_label = length[n if n % 2 else n - 1] > 0
        gap = gap * _BESIDE_LABELS if has_label else gap / 2
    return max(gap, min(steepest[n] * _STEEP, _MOST_GAPS * gap))


_BESIDE_LABELS = 0.65  # of a gap, on either side of a level of labels
_STEEP = 0.3  # of how far an edge rises: so long a gap is for it
_MOST_GAPS = 2.2  # of which such a gap is as long at most


def _extents(f: Frame) -> list[tuple[int, int]]:
    """The first and the last level on which each group has a box."""
    levels: list[list[int]] = [[] for _ in f.groups]
    for box, station in zip(f.diagram.boxes, f.skeleton.stations):
        for g, scope in enumerate(f.groups):
            if box.scope[: len(scope)] == scope:
                levels[g].append(station.level)
    return [(min(inside), max(inside)) for inside in levels]


def _borders(f: Frame, extents: list[tuple[int, int]]) -> tuple[list[float], list[float]]:
    """The room that each group needs beyond its first and last level, around the groups within."""
    title = 0.0 if f.is_right else theme.GROUP_TITLE
    before = [theme.GROUP_PADDING + title for _ in f.groups]
    after = [theme.GROUP_PADDING for _ in f.groups]
    for g in reversed(range(len(f.groups))):
        outer = f.skeleton.groups[g]
        if outer >= 0 and extents[g][0] == extents[outer][0]:
            before[outer] = max(before[outer], before[g] + theme.GROUP_PADDING + title)
        if outer >= 0 and extents[g][1] == extents[outer][1]:
            after[outer] = max(after[outer], after[g] + theme.GROUP_PADDING)
    return before, after


# --- arrivals -------------------------------------------------------------------------------------

_APART = 54.0  # degrees between the arrowheads around a symbol
_WIDEST = 72.0  # degrees from straight ahead
_CLEAR = 1.0  # pixels between an arrow's point and what it points at
_REACH = theme.RADIUS + _CLEAR
_TOWARDS = 0.75  # of the angle at which its tail lies: there an arrowhead would like to be
_STRAIGHT, _HELD = (
    8.0,
    50.0,
)  # pixels aside, up to which an edge is straight; how firmly it stays
_SIDE = 16.0  # pixels between the arrowheads at a module
_CORNER = 12.0  # and beyond the last of them


@dataclass(frozen=True)
class _Arrival:
    """Where an edge meets its head: an angle on the symbol's circle, an offset across."""

    angle: float
    offset: float


def _arrivals(f: Frame, across: list[float]) -> list[_Arrival]:
    """Spread the arrowheads at each box, each near where it comes from.

    They keep the order of the arguments, except where that says nothing: for + and the like.
    """
    incoming: dict[int, list[int]] = {}
    for i, edge in enumerate(f.diagram.edges):
        incoming.setdefault(edge.head, []).append(i)
    by_edge = [_Arrival(0.0, 0.0)] * len(f.diagram.edges)
    for head, edges in incoming.items():
        if not is_ordered(f.diagram.boxes[head]):
            edges.sort(key=lambda i: across[f.routes[i][-2]])
        aside = [across[f.routes[i][-2]] - across[head] for i in edges]
        n = len(edges)
        if f.diagram.boxes[head].kind == "module":
            half = f.sizes[head][1 if f.is_right else 0] / 2 - _CORNER
            step = min(_SIDE, 2 * half / max(n - 1, 1))
            wanted = [max(-half, min(half, x)) for x in aside]
            placed = _kept_within(spread(wanted, [step] * (n - 1), [1.0] * n), half)
            arrivals = [_Arrival(0.0, offset) for offset in placed]
        else:
            wanted = [_TOWARDS * degrees(atan2(x, theme.GAP)) for x in aside]
            step = min(_APART, 2 * _WIDEST / max(n - 1, 1))
            straight = [_HELD if abs(x) < _STRAIGHT else 1.0 for x in aside]
            placed = _kept_within(spread(wanted, [step] * (n - 1), straight), _WIDEST)
            arrivals = [_Arrival(a, _REACH * sin(radians(a))) for a in placed]
        for i, arrival in zip(edges, arrivals):
            by_edge[i] = arrival
    return by_edge


def _kept_within(places: Sequence[float], most: float) -> list[float]:
    """Shift a spread that reaches beyond ±most back inside."""
    shift = max(0.0, -most - places[0]) - max(0.0, places[-1] - most)
    return [place + shift for place in places]


# --- the pen --------------------------------------------------------------------------------------

_TENSION = 0.5  # how far a curve keeps its direction, as a part of the way along
_SLOPING = 0.35  # the same where it starts out with a slope
_SMOOTH = 1.35  # of the slope straight from level to level, in the middle of a level of labels
_ALONE = 80.0  # pixels; how far off others are of a label that has its level to itself
_WING, _HOLLOW = 0.48, 0.15  # of the length of an arrowhead: half its width, and its hollow back
_EDGE_OF_CAPSULE = 6.0  # pixels of its flat side, at either end, at which no arrow points
_TURN = 14.0  # pixels in which a curve turns into the direction of its arrowhead
_UNDER = 4.0  # pixels that an edge begins below the border of its box
Passage = tuple[float, float, float]  # of a level: where an edge enters it, at what height, its end


class _Pen:
    """Turns (along, across) into x and y, and draws with them."""

    def __init__(
        self, f: Frame, across: list[float], spans: list[Interval | None], columns: _Columns
    ) -> None:
        self.f, self.across, self.spans, self.columns = f, across, spans, columns
        self.levels = levels_of(f.skeleton)
        sides = [(a - _half(f, i), a + _half(f, i)) for i, a in enumerate(across)]
        sides += [span for span in spans if span]
        low, high = min(s[0] for s in sides), max(s[1] for s in sides)
        self.shift = theme.MARGIN - low
        length, breadth = columns.length + 2 * theme.MARGIN, high - low + 2 * theme.MARGIN
        self.size = (length, breadth) if f.is_right else (breadth, length)

    def at(self, along: float, across: float) -> Point:
        """The x and y of a place."""
        along, across = along + theme.MARGIN, across + self.shift
        return (along, across) if self.f.is_right else (across, along)

    def box(self, i: int) -> PlacedBox:
        """Place a box, its end flush with the others of its level."""
        wide, high = self.f.sizes[i]
        length, breadth = (wide, high) if self.f.is_right else (high, wide)
        end = self.columns.ends[self.f.skeleton.stations[i].level]
        x, y = self.at(end - length, self.across[i] - breadth / 2)
        symbol = self.at(end - length, self.across[i])
        return PlacedBox(self.f.diagram.boxes[i], x, y, wide, high, symbol)

    def groups(self) -> list[PlacedGroup]:
        """Place the scopes, outer ones first."""
        placed = []
        columns = self.columns
        for g, (scope, span) in enumerate(zip(self.f.groups, self.spans)):
            if span is not None:
                first, last = columns.extents[g]
                x, y = self.at(columns.symbols[first] - columns.before[g], span[0])
                x2, y2 = self.at(columns.ends[last] + columns.after[g], span[1])
                placed.append(PlacedGroup(scope, x, y, x2 - x, y2 - y))
        return placed

    def edge(self, i: int, arrival: _Arrival) -> PlacedEdge:
        """Draw an edge from the end of its tail through its stations to its head."""
        edge, route = self.f.diagram.edges[i], self.f.routes[i]
        tip, direction = self._tip(edge.head, arrival)
        leaving = 0.0
        if len(route) == 2 and (edge.tail, edge.head) in self.f.doubled:  # side by side
            leaving, direction = arrival.offset, (1.0, 0.0)
        neck = tip[0] - direction[0] * theme.ARROW, tip[1] - direction[1] * theme.ARROW
        level = self.f.skeleton.stations[edge.tail].level
        start = self.columns.ends[level] - _UNDER, self.across[edge.tail] + leaving
        between = [n for n in route[1:-1] if not self._is_empty(n)]
        passages = [self._passage(n) for n in between]
        turn = neck[0] - _TURN * direction[0], neck[1] - _TURN * direction[1]
        stops = [(*start, start[0]), *passages, (*turn, turn[0])]
        curve = _Curve(self.at, start)
        for n, before, here, after in zip(between, stops, passages, stops[2:]):
            curve.pass_through(*here, self._rise(n, before, here, after))
        curve.arrive(neck, direction)
        label = self._label(route)
        inside = self.f.skeleton.stations[route[-2]].group >= 0
        return PlacedEdge(edge, curve.path, self._arrow(tip, neck), label, inside)

    def _is_empty(self, n: int) -> bool:
        """Whether the level of a station holds nothing that an edge would have to avoid."""
        level = self.f.skeleton.stations[n].level
        return self.columns.starts[level] == self.columns.ends[level]

    def _passage(self, n: int) -> Passage:
        """Where an edge enters a level, at what height, and where it leaves it."""
        level = self.f.skeleton.stations[n].level
        is_label = self.f.has_labels and level % 2
        begin = self.columns.starts if is_label else self.columns.symbols
        return begin[level], self.across[n], self.columns.ends[level]

    def _rise(self, n: int, before: Passage, here: Passage, after: Passage) -> float:
        """How far an edge rises on either side of the middle of a level of labels.

        As far as a smooth curve would, but not beyond the room that its label has. Through a level
        of boxes it goes straight, to keep clear of them.
        """
        level = self.f.skeleton.stations[n].level
        down, up = here[1] - before[1], after[1] - here[1]
        if not (self.f.has_labels and level % 2) or down * up <= 0:
            return 0.0
        half = (here[2] - here[0]) / 2
        slope = _SMOOTH * (down + up) / (after[0] - before[2])
        most = min(
            self._room(n),
            half * abs(down) / (half + _TENSION * (here[0] - before[2])),
            half * abs(up) / (half + _TENSION * (after[0] - here[2])),
        )
        return max(-most, min(most, slope * half))

    def _room(self, n: int) -> float:
        """How far an edge may leave the middle of its label without coming near another."""
        stations, middle = self.f.skeleton.stations, self.across[n]
        apart = min(
            (abs(self.across[m] - middle) - stations[m].size / 2
             for m in self.levels[stations[n].level] if m != n),
            default=_ALONE,
        )  # fmt: skip
        return max(apart / 2, stations[n].size / 2)

    def _label(self, route: list[int]) -> Point:
        level = self.f.skeleton.stations[route[-2]].level
        middle = (self.columns.starts[level] + self.columns.ends[level]) / 2
        return self.at(middle, self.across[route[-2]])

    def _tip(self, head: int, arrival: _Arrival) -> tuple[Point, Point]:
        """The point of an arrow and its direction."""
        box, across = self.f.diagram.boxes[head], self.across[head]
        start = self.columns.ends[self.f.skeleton.stations[head].level]
        start -= self.f.sizes[head][0 if self.f.is_right else 1]
        if box.kind == "module":
            return (start - _CLEAR, across + arrival.offset), (1.0, 0.0)
        half = symbol_half(box.symbol)
        if not self.f.is_right and half > theme.RADIUS:  # the flat side of a capsule
            aside = arrival.offset * (half - _EDGE_OF_CAPSULE) / theme.RADIUS
            return (start - theme.RADIUS - _CLEAR, across + aside), (1.0, 0.0)
        centre = start - (half - theme.RADIUS if self.f.is_right else 0.0)
        ahead, aside = cos(radians(arrival.angle)), sin(radians(arrival.angle))
        return (centre - ahead * _REACH, across + arrival.offset), (ahead, -aside)

    def _arrow(self, tip: Point, neck: Point) -> str:
        """An arrowhead: a triangle with a slightly hollow back."""
        along, aside = tip[0] - neck[0], tip[1] - neck[1]
        corners = [
            tip,
            (neck[0] - aside * _WING, neck[1] + along * _WING),
            (neck[0] + along * _HOLLOW, neck[1] + aside * _HOLLOW),
            (neck[0] + aside * _WING, neck[1] - along * _WING),
        ]
        return "M" + "L".join(_written(self.at(*corner)) for corner in corners) + "Z"


class _Curve:
    """A smooth path that starts out along the flow."""

    def __init__(self, at: Callable[[float, float], Point], start: Point) -> None:
        self.at, self.here, self.slope = at, start, 0.0
        self.path = "M" + _written(at(*start))

    def pass_through(self, begin: float, across: float, end: float, rise: float) -> None:
        """Go on to a level and straight through it, rising on either side of its middle."""
        slope = 2 * rise / (end - begin) if rise else 0.0
        self._bend((begin, across - rise), (1.0, slope))
        if end > begin:
            self.path += "L" + _written(self.at(end, across + rise))
        self.here, self.slope = (end, across + rise), slope

    def arrive(self, end: Point, direction: Point) -> None:
        """Go on to the end, coming in from a direction."""
        self._bend((end[0] + direction[0] * 2, end[1] + direction[1] * 2), direction)

    def _bend(self, end: Point, direction: Point) -> None:
        (along, across), tension = self.here, _TENSION if self.slope == 0 else _SLOPING
        pull = tension * (end[0] - along)
        first = along + pull, across + pull * self.slope
        second = end[0] - pull * direction[0], end[1] - pull * direction[1]
        self.path += "C" + " ".join(_written(self.at(*p)) for p in (first, second, end))


def _half(f: Frame, i: int) -> float:
    """Half the size of a station across the flow, without the room around a box."""
    if i < len(f.sizes):
        return f.sizes[i][1 if f.is_right else 0] / 2
    return f.skeleton.stations[i].size / 2


def _written(point: Point) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}"
