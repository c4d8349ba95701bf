"""Where each array of a plan lives: lifetimes, buffers used again, and the peak of it all.

An array lives from the operation that computes it to its last user. A view lives in the array that
it looks at. Arrays that never live at the same time may share memory, and an elementwise operation
may write its result over an input that dies there.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ..core.node import Node
from ..reading import words

ALIGNMENT = 64  # bytes; the width of a cache line
FEW = 1000  # arrays, up to which a better arena is worth a time that grows with their square
Homes = Mapping[Node, Collection[Node]]


@dataclass(frozen=True)
class Place:
    """Where one array lives.

    Attributes:
        name: what its value is called.
        node: whose value it is.
        offset, size: in bytes, within the arena.
        first, last: the positions of its operation and of its last user among the operations.
        over: the name of the input over which it is written; None if the place was free.
    """

    name: str
    node: Node = field(repr=False)
    offset: int
    size: int
    first: int
    last: int
    over: str | None = None


@dataclass(frozen=True)
class MemoryPlan:
    """The arena of a plan.

    Attributes:
        places: one for each array that lives in it, in the order in which they are computed.
        peak: the size of the arena in bytes.
        lower_bound: the most bytes that live at one time, below which no arena can go.
        unshared: what the arrays would take if each had its own place.
    """

    places: tuple[Place, ...]
    peak: int
    lower_bound: int
    unshared: int
    chart: ClassVar[Callable[..., Any]]  # bound by drawing/memory.py

    @property
    def summary(self) -> str:
        """The plan in a sentence."""
        count = len(self.places)
        return (
            f"{count} array{'s' * (count != 1)} in {self.peak:,} bytes; at most "
            f"{self.lower_bound:,} live at one time, and {self.unshared:,} were needed without "
            "sharing"
        )

    def __str__(self) -> str:
        titles = ("array", "bytes", "from byte", "computed", "last used", "written over")
        rows = [
            (p.name, f"{p.size:,}", f"{p.offset:,}", f"{p.first}", f"{p.last}", p.over or "")
            for p in self.places
        ]
        table = words.aligned(titles, rows, numbers=range(1, 5), ruled=False)
        return f"{table}\n{self.summary}" if rows else self.summary


# --- the order ------------------------------------------------------------------------------------


def computed_late(operations: list[Node], buffered: Collection[Node], homes: Homes) -> list[Node]:
    """The same operations, each as late as it can be without keeping more alive than it is itself.

    A gradient's graph has many operations on values of the forward pass that could run at once, but
    whose results wait until the backward pass comes by.
    """
    position = {node: i for i, node in enumerate(operations)}
    users: dict[Node, list[Node]] = {node: [] for node in operations}
    readers: dict[Node, set[Node]] = {node: set() for node in buffered}
    for node in operations:
        for x in node.inputs:
            if x in users:
                users[x].append(node)
            for home in homes[x]:
                if home in readers:
                    readers[home].add(node)
    moment = dict(position)  # each runs with, or just before, the operation at this position
    until = {x: max((position[y] for y in ys), default=0) for x, ys in readers.items()}
    for node in reversed(operations):
        first = min((moment[user] for user in users[node]), default=position[node])
        read = {home for x in node.inputs for home in homes[x] if home in readers}
        longer = sum(_bytes(x) for x in read if until[x] < first)
        if first > position[node] and longer <= (_bytes(node) if node in buffered else 0):
            moment[node] = first
            for x in read:
                until[x] = max(until[x], first)
    return sorted(operations, key=lambda node: (moment[node], position[node]))


# --- the places -----------------------------------------------------------------------------------


@dataclass
class _Span:
    """Arrays that are written over one another, and so take one place."""

    size: int
    first: int
    last: int
    offset: int = 0


def planned(
    operations: list[Node],
    buffered: Collection[Node],
    homes: Homes,
    kept: Iterable[Node],
    overwriting: Collection[Node],
    names: Mapping[Node, str],
) -> MemoryPlan:
    """Give each buffered array a place.

    Args:
        operations: in the order in which they run.
        buffered: those whose arrays live in the arena.
        homes: for each Node, the Nodes in whose arrays its value may live.
        kept: Nodes whose values are needed at the end.
        overwriting: operations that may be written over an input that dies with them.
        names: what the values are called.
    """
    position = {node: i for i, node in enumerate(operations)}
    last = {node: position[node] for node in buffered}
    for node in operations:
        for x in node.inputs:
            for home in homes[x]:
                if home in last:
                    last[home] = position[node]
    for y in kept:
        for home in homes[y]:
            if home in last:
                last[home] = len(operations)
    spans: dict[Node, _Span] = {}
    over: dict[Node, Node] = {}
    for node in operations:
        if node not in buffered:
            continue
        dying = _dying_input(node, last, position[node], homes) if node in overwriting else None
        if dying is None:
            spans[node] = _Span(aligned(_bytes(node)), position[node], last[node])
        else:
            over[node] = dying
            spans[node] = spans[dying]
            spans[node].last = last[node]
    distinct = [span for node, span in spans.items() if node not in over]
    peak = (_largest_first if len(distinct) <= FEW else _first_come)(distinct)
    places = [
        Place(
            names[node],
            node,
            span.offset,
            _bytes(node),
            position[node],
            last[node],
            names[over[node]] if node in over else None,
        )
        for node, span in spans.items()
    ]
    return MemoryPlan(tuple(places), peak, _most_alive(distinct), sum(
        aligned(_bytes(node)) for node in spans
    ))  # fmt: skip


def _dying_input(node: Node, last: dict[Node, int], now: int, homes: Homes) -> Node | None:
    """An input of the same shape and dtype whose array nothing needs any more."""
    for x in node.inputs:
        fits = last.get(x) == now and (x.shape, x.dtype) == (node.shape, node.dtype)
        if fits and all(x not in homes[y] for y in node.inputs if y is not x):  # no view of it
            return x
    return None


def aligned(size: int) -> int:
    """A size rounded up to whole cache lines."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def _bytes(node: Node) -> int:
    return node.size * node.dtype.itemsize


def _largest_first(spans: list[_Span]) -> int:
    """Place the largest first, each as low as it fits; return the size of the arena."""
    placed: list[_Span] = []  # by offset
    for span in sorted(spans, key=lambda span: (-span.size, span.first)):
        for other in placed:
            if other.first <= span.last and span.first <= other.last:
                if span.offset + span.size <= other.offset:
                    break
                span.offset = max(span.offset, other.offset + other.size)
        insort(placed, span, key=lambda span: span.offset)
    return max((span.offset + span.size for span in spans), default=0)


def _first_come(spans: list[_Span]) -> int:
    """Place them in the order of time, each in the smallest gap; return the size of the arena."""
    gaps: list[tuple[int, int]] = []  # (offset, size), by offset and never side by side
    ends = sorted(spans, key=lambda span: span.last, reverse=True)
    top = 0
    for span in spans:
        while ends and ends[-1].last < span.first:
            _give_back(gaps, ends.pop())
        fitting = [(size, offset) for offset, size in gaps if size >= span.size]
        if not fitting:
            span.offset, top = top, top + span.size
            continue
        size, span.offset = min(fitting)
        i = bisect_left(gaps, (span.offset, size))
        gaps[i : i + 1] = [(span.offset + span.size, size - span.size)] * (size > span.size)
    return top


def _give_back(gaps: list[tuple[int, int]], span: _Span) -> None:
    """Make a gap of a place, together with the gaps beside it."""
    start, end = span.offset, span.offset + span.size
    i = bisect_left(gaps, (start, 0))
    j = i
    if i and gaps[i - 1][0] + gaps[i - 1][1] == start:
        i -= 1
        start = gaps[i][0]
    if j < len(gaps) and gaps[j][0] == end:
        end += gaps[j][1]
        j += 1
    gaps[i:j] = [(start, end - start)] * (end > start)


def _most_alive(spans: list[_Span]) -> int:
    changes: dict[int, int] = {}
    for span in spans:
        changes[span.first] = changes.get(span.first, 0) + span.size
        changes[span.last + 1] = changes.get(span.last + 1, 0) - span.size
    alive = most = 0
    for moment in sorted(changes):
        alive += changes[moment]
        most = max(most, alive)
    return most
