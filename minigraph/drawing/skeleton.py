"""From a diagram to the skeleton that is laid out: sizes, levels, and the stations of each edge."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from . import theme
from .diagram import Box, Diagram, Edge
from .layout import BEND, Link, Skeleton, Station
from .text import width

Size = tuple[float, float]
Scope = tuple[str, ...]

# Pixels.
_LABEL_PADDING = 16.0  # of a label, to both sides together
_SYMBOL_PADDING = 7.0  # of a word in its capsule, to either side
_ROOMY, _CLOSE = 13.0, 6.0  # room kept on both sides of a box, in small drawings and in others
_SEPARATION = 14.0  # between a scope and what does not belong to it
_CONSTANT_AROUND, _BOX_AROUND, _MODULE_AROUND = (
    16.0,
    28.0,
    32.0,
)  # how much wider than its text
_ARRIVAL, _ENDS = (
    12.0,
    16.0,
)  # of a module's side: for each arrowhead, and around them all
_TALLEST = 160.0  # a module, however much arrives there

_FEW = 4  # boxes on one level, up to which a drawing is roomy
_LABEL_WEIGHT = 0.3  # of what its edge weighs; labels make way for boxes


@dataclass(frozen=True)
class Frame:
    """A diagram in one direction, with all that does not depend on where things are.

    Attributes:
        sizes: width and height of each box.
        skeleton: its first stations are the boxes.
        routes: for each edge the stations it passes, from its tail to its head.
        groups: the scopes, in the order of the skeleton's groups.
        has_labels: whether every other level, the odd ones, is one of labels.
        doubled: the tails and heads between which there is more than one edge.
    """

    diagram: Diagram
    is_right: bool
    sizes: list[Size]
    skeleton: Skeleton
    routes: list[list[int]]
    groups: list[Scope]
    has_labels: bool
    doubled: set[tuple[int, int]]


def frame(diagram: Diagram, direction: str) -> Frame:
    """Measure the boxes of a diagram and find the stations of its edges."""
    is_right = direction != "down"
    has_labels = any(edge.kind for edge in diagram.edges)
    groups = sorted(
        {box.scope[:n] for box in diagram.boxes for n in range(1, len(box.scope) + 1)},
        key=lambda scope: (len(scope), scope),
    )
    level = [n * (2 if has_labels else 1) for n in levels(diagram, groups)]
    sizes = _sizes(diagram, is_right)
    pulls, weights = _pulls(diagram)
    strongest = [0.0] * len(diagram.boxes)
    for edge, pull in zip(diagram.edges, pulls):
        strongest[edge.tail] = max(strongest[edge.tail], weights[edge.head] * pull)
    number = {scope: i for i, scope in enumerate(groups)}
    room = _ROOMY if max(Counter(level).values()) <= _FEW else _CLOSE
    stations = [
        Station(n, size[is_right] + 2 * room, number.get(box.scope, -1), weight)
        for box, n, size, weight in zip(diagram.boxes, level, sizes, weights)
    ]

    def add(n: int, size: float, scope: Scope, weight: float) -> int:
        stations.append(Station(n, size, number.get(scope, -1), weight))
        return len(stations) - 1

    stems: dict[tuple[int, int], int] = {}  # edges from one box run together as far as they can
    spans = _scope_spans(diagram, level, groups)
    ahead = _common_heads(diagram, level)
    routes: list[list[int]] = []
    links: dict[int, dict[int, Link]] = {}
    for edge, pull in zip(diagram.edges, pulls):
        weight = weights[edge.head] * pull
        tail, head = diagram.boxes[edge.tail], diagram.boxes[edge.head]
        route = [edge.tail]
        for n in range(level[edge.tail] + 1, level[edge.head] - has_labels):
            if (edge.tail, n) not in stems:
                scope = _passed(tail.scope, ahead[edge.tail, n], n, spans)
                stems[edge.tail, n] = add(n, BEND, scope, weight)
            route.append(stems[edge.tail, n])
        bends = set(route[1:])
        if has_labels:
            size = (theme.LABEL_HEIGHT if is_right else label_width(edge)) if edge.kind else BEND
            last = level[edge.head] - 1
            scope = _passed(tail.scope, head.scope, last, spans)
            route.append(add(last, size, scope, weight * _LABEL_WEIGHT))
        route.append(edge.head)
        routes.append(route)
        for a, b in pairwise(route):
            forward = pull if b == edge.head else _minds(b, a, bends)
            backward = weight / strongest[a] if a == edge.tail else _minds(a, b, bends)
            links.setdefault(b, {})[a] = Link(a, b, forward, backward)
    skeleton = Skeleton(
        tuple(stations),
        tuple(link for head in sorted(links) for link in links[head].values()),
        tuple(number.get(scope[:-1], -1) for scope in groups),
        tuple(i for i, box in enumerate(diagram.boxes) if is_ordered(box)),
        separation=_SEPARATION,
        padding=theme.GROUP_PADDING,
        title=theme.GROUP_TITLE if is_right else 0.0,
    )
    ends = Counter((edge.tail, edge.head) for edge in diagram.edges)
    doubled = {pair for pair, n in ends.items() if n > 1}
    return Frame(diagram, is_right, sizes, skeleton, routes, groups, has_labels, doubled)


def is_ordered(box: Box) -> bool:
    """Whether a reader must see which input of a box is the first."""
    return box.kind == "operation" and box.operation not in _COMMUTATIVE


_COMMUTATIVE = {"add", "multiply", "maximum", "minimum", "equal"}


# --- levels ---------------------------------------------------------------------------------------


def levels(diagram: Diagram, groups: list[Scope]) -> list[int]:
    """Give each box a level, so that edges lead upwards and are short.

    A box stands one level above its highest input, and a scope begins above what flows into it, so
    that scopes in a row do not stand side by side. Leaves, and branches that begin with leaves,
    then move up to just below where they are used.
    """
    boxes = len(diagram.boxes)
    edges = {(edge.tail, edge.head): 1 for edge in diagram.edges}
    level = _lowest(boxes + len(groups), edges) or []
    for constraint in _group_constraints(diagram, groups):
        raised = _lowest(boxes + len(groups), edges | constraint)
        if raised is not None:
            level, edges = raised, edges | constraint
    inputs: list[list[int]] = [[] for _ in level]
    users: list[list[tuple[int, int]]] = [[] for _ in level]
    for (tail, head), step in edges.items():
        inputs[head].append(tail)
        users[tail].append((head, step))
    for i in sorted(range(len(level)), key=lambda i: -level[i]):
        if users[i] and all(not inputs[j] or len(users[j]) == 1 for j in inputs[i] if j < boxes):
            level[i] = min(level[j] - step for j, step in users[i])
    return level[:boxes]


Steps = dict[tuple[int, int], int]


def _group_constraints(diagram: Diagram, groups: list[Scope]) -> list[Steps]:
    """For each scope, that it begins above the operations that flow into it.

    The scope itself counts as a box, numbered after the others, on the level of its lowest member.
    """
    constraints: list[Steps] = []
    boxes = diagram.boxes
    for g, scope in enumerate(groups):
        members = {i for i, box in enumerate(boxes) if box.scope[: len(scope)] == scope}
        before = {
            edge.tail
            for edge in diagram.edges
            if edge.head in members
            and edge.tail not in members
            and boxes[edge.tail].kind in ("operation", "module")
        }
        start = len(boxes) + g
        steps = {(i, start): 1 for i in sorted(before)}
        constraints.append(steps | {(start, i): 0 for i in sorted(members)} if steps else {})
    return constraints


def _lowest(count: int, edges: Steps) -> list[int] | None:
    """The lowest levels that keep every edge's step; None if the edges form a cycle."""
    users: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    waiting = [0] * count
    for (tail, head), step in edges.items():
        users[tail].append((head, step))
        waiting[head] += 1
    level = [0] * count
    ready = [i for i, n in enumerate(waiting) if not n]
    for i in ready:
        for j, step in users[i]:
            level[j] = max(level[j], level[i] + step)
            waiting[j] -= 1
            if not waiting[j]:
                ready.append(j)
    return level if len(ready) == count else None


# --- what holds what in place ---------------------------------------------------------------------


def _pulls(diagram: Diagram) -> tuple[list[float], list[float]]:
    """How much each edge's head minds its tail, and how firmly each box stays in place.

    A box follows its deepest inputs, those at the end of the longest path. So the main line of a
    graph is drawn straight, and what joins it makes way.
    """
    depth = [0] * len(diagram.boxes)
    for edge in diagram.edges:
        depth[edge.head] = max(depth[edge.head], depth[edge.tail] + 1)
    pulls = [1.0 if depth[e.tail] == depth[e.head] - 1 else _ASIDE for e in diagram.edges]
    weights = [0.0] * len(diagram.boxes)
    for i in diagram.outputs:
        weights[i] = 1.0
    for edge, pull in zip(reversed(diagram.edges), reversed(pulls)):
        weights[edge.tail] = max(weights[edge.tail], weights[edge.head] * pull)
    return pulls, [max(weight, _LIGHTEST) for weight in weights]


_LIGHTEST = 1e-9  # what every box weighs, so that something holds it
_ASIDE = 5e-4  # how much a head minds a tail that is not its deepest
_ALONG, _TURN = 1.0, 1e-6  # a long edge goes straight on before it follows its ends


def _minds(station: int, other: int, bends: set[int]) -> float:
    """How much a station that an edge passes minds where the one before or after it is."""
    if station not in bends:
        return 1.0
    return _ALONG if other in bends else _TURN


def _passed(tail: Scope, head: Scope, n: int, spans: dict[Scope, tuple[int, int]]) -> Scope:
    """The scope where an edge passes level n: still its tail's, already its head's, or between."""
    shared = len(_common(tail, head))
    left = coming = shared
    while left < len(tail) and spans[tail[: left + 1]][1] >= n:
        left += 1
    while coming < len(head) and spans[head[: coming + 1]][0] <= n:
        coming += 1
    if left > shared and coming > shared:
        return tail[:shared]
    return tail[:left] if left > shared else head[:coming]


def _scope_spans(
    diagram: Diagram, level: list[int], groups: list[Scope]
) -> dict[Scope, tuple[int, int]]:
    """The first and the last level of each scope."""
    held = {
        scope: [n for box, n in zip(diagram.boxes, level) if box.scope[: len(scope)] == scope]
        for scope in groups
    }
    return {scope: (min(inside), max(inside)) for scope, inside in held.items()}


def _common_heads(diagram: Diagram, level: list[int]) -> dict[tuple[int, int], Scope]:
    """The scope that all the boxes have in common to which a stem still leads, at each level."""
    scopes: dict[tuple[int, int], Scope] = {}
    for edge in diagram.edges:
        scope = diagram.boxes[edge.head].scope
        for n in range(level[edge.tail] + 1, level[edge.head]):
            scopes[edge.tail, n] = _common(scopes.get((edge.tail, n), scope), scope)
    return scopes


def _common(a: Scope, b: Scope) -> Scope:
    n = 0
    while n < min(len(a), len(b)) and a[n] == b[n]:
        n += 1
    return a[:n]


# --- sizes, which depend on names and shapes and never on a number --------------------------------


def symbol_half(symbol: str) -> float:
    """Half the width of the circle around an operation's symbol; words make it a capsule."""
    room = 0.0 if len(symbol) == 1 else width(symbol, theme.WORD_SIZE) / 2 + _SYMBOL_PADDING
    return max(theme.RADIUS, room)


def symbol_size(symbol: str) -> float:
    """The font size of an operation's symbol."""
    return theme.SYMBOL_SIZE if len(symbol) == 1 else theme.WORD_SIZE


def label_width(edge: Edge) -> float:
    """The width kept for the label of an edge."""
    return edge.room + _LABEL_PADDING


def _sizes(diagram: Diagram, is_right: bool) -> list[Size]:
    """The width and height of each box. Variables and operations share one width."""
    rows = theme.TWO_ROWS if diagram.shows_gradients else theme.ROW
    arrivals = Counter(edge.head for edge in diagram.edges)
    shared = max((_natural_width(box, diagram, is_right) for box in diagram.boxes), default=0.0)
    shared = min(max(shared, theme.MIN_WIDTH), theme.MAX_WIDTH)
    sizes = []
    for i, box in enumerate(diagram.boxes):
        match box.kind:
            case "constant":
                size = min(_natural_width(box, diagram, is_right), shared), theme.CONSTANT
            case "module":
                height = theme.TWO_ROWS if box.label else theme.ROW
                crowded = _ARRIVAL * arrivals[i] + _ENDS if is_right else 0.0
                size = shared, min(max(height, crowded), _TALLEST)
            case "operation":
                size = shared, rows if is_right else rows + theme.RADIUS
            case _:
                size = shared, rows
        sizes.append(size)
    return sizes


def _natural_width(box: Box, diagram: Diagram, is_right: bool) -> float:
    """The width that the texts of a box would like, with the same room for every number."""
    first = width(box.label, theme.NAME_SIZE, bold=box.kind == "module")
    if box.kind == "module":
        return max(first, width(box.operation, theme.GRADIENT_SIZE)) + _MODULE_AROUND
    if box.value is not None:
        first += box.room + (width(" = ", theme.NAME_SIZE) if box.label else 0)
    second = 0.0
    if box.gradient is not None:
        second = (
            width(f"{diagram.second(box.label)} = ", theme.GRADIENT_SIZE)
            + box.room * theme.GRADIENT_PART
        )
    beside = symbol_half(box.symbol) if box.kind == "operation" and is_right else 0.0
    around = _CONSTANT_AROUND if box.kind == "constant" else _BOX_AROUND
    return max(first, second) + beside + around
