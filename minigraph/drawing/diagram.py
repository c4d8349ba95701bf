"""What is drawn, before it has a place: boxes, edges and scopes, with their texts.

A `Diagram` is a snapshot. It holds texts and positions in topological order, nothing of the Nodes,
so identical graphs give identical diagrams, and a later change of a Node does not show.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from ..core.node import Node, is_symbolic
from ..errors import NodeTypeError
from ..reading import Reading
from ..reading.calls import Contraction
from ..reading.formula import as_word, derivative_name, is_number, local_formula
from ..reading.local import local_derivative
from ..reading.names import Name
from ..reading.parts import Part, homes, links
from ..reading.text import LONGEST_VECTOR, UNSET, clean, number, shape_text, value_text
from .text import elided, width
from .theme import LABEL_SIZE, NAME_SIZE, WORD_SIZE

SCALAR_ROOM, VECTOR_ROOM = 74.0, 100.0  # pixels kept for a value in a box, whatever it is
DERIVATIVE_ROOM = 58.0  # and for the value of a local derivative
SYMBOL_ROOM = 110.0  # for the name of a function
_DEEPEST = 6  # scopes drawn inside each other
_MOST_OUTPUTS = 3  # that a module says it gives
LABEL_NAME_ROOM = 60.0  # for a name in the label of an edge


@dataclass(frozen=True)
class Box:
    """A node or a module, and the texts that it shows.

    Attributes:
        id: "n" and the position in topological order, or "m" and the number of the module.
        kind: "variable", "constant", "placeholder", "operation" or "module".
        label: what the picture calls it; "" for a constant without a name.
        full: the same, different for each box of the drawing.
        operation: the operation's name, the function's name, or what a module holds.
        value, gradient: as text; None where none is shown. A change stands where a gradient does.
        room: the pixels kept for the value, whatever it is.
        scope: the scopes that it lies in, outermost first.
        operations: how many are behind the box of a composed function; 0 for others.
    """

    id: str
    kind: str
    label: str
    full: str
    symbol: str
    operation: str
    value: str | None
    gradient: str | None
    room: float
    shape: tuple[int, ...]
    scope: tuple[str, ...]
    highlighted: bool
    operations: int = 0


@dataclass(frozen=True)
class Edge:
    """An argument: the box at `tail` is input number `slot` of the box at `head`.

    `room` is the width kept for the label, whatever number it shows.
    """

    tail: int
    head: int
    slot: int
    label: str
    kind: str  # of the label: "derivative", "shape" or ""
    room: float
    highlighted: bool


@dataclass(frozen=True)
class Diagram:
    """Boxes in topological order, and edges in the order of their heads and slots.

    Attributes:
        outputs: the positions of the outputs among the boxes.
        of: whose gradient is shown: "y" in ∂y/∂a; None where that is not known.
        nodes: how many Nodes the graph has, each call that is drawn as one counted as one.
        shows_changes: whether the boxes have in the place of a gradient the change by a nudge.
    """

    boxes: list[Box]
    edges: list[Edge]
    outputs: tuple[int, ...]
    of: str | None
    nodes: int
    shows_gradients: bool
    shows_changes: bool = False

    def second(self, name: str) -> str:
        """Name what the second line of a box shows: ∂y/∂a, Δa, or "grad", of what is not known."""
        if self.shows_changes:
            return f"Δ{as_word(name)}"
        return derivative_name(self.of, name) if self.of else "grad"

    @property
    def caption(self) -> str:
        """What a drawing with folded parts says about them."""
        shown = sum(box.kind != "module" for box in self.boxes)
        if shown == len(self.boxes):
            return ""
        return f"{shown:,} of {self.nodes:,} nodes are shown; the others are in the stacked boxes."


def diagram(
    reading: Reading,
    *,
    values: bool = True,
    gradients: bool | None = None,
    derivatives: bool = False,
    highlight: Any = (),
    hide_values: Any = (),
) -> Diagram:
    """Say what to draw of a graph; the arguments are those of `draw`."""
    lit, lit_edges = _highlighted(highlight)
    hidden = set(nodes_of(hide_values))
    reading.check_members(lit | hidden | {node for edge in lit_edges for node in edge[:2]})
    if gradients is None:
        gradients = any(node.grad is not None for node in reading.order)
    graph, parts = reading.graph, reading.parts
    wish = _Wish(
        values,
        gradients,
        derivatives,
        set(graph.standing_for(lit)),
        {graph.standing_for(edge) for edge in lit_edges},
        set(graph.standing_for(hidden)),
    )
    home = homes(parts)
    boxes = [
        _node_box(part.nodes[0], id, reading, wish)
        if part.module is None
        else _module_box(
            part,
            id,
            graph,
            [y for y in dict.fromkeys(reading.outputs) if home[y] == place],
            not wish.lit.isdisjoint(part.nodes),
        )
        for place, (id, part) in enumerate(zip(_ids(reading), parts))
    ]
    return Diagram(
        boxes,
        _edges(reading, home, wish),
        tuple(dict.fromkeys(home[y] for y in reading.outputs)),
        _differentiated(reading),
        len(graph.order),
        gradients,
    )


@dataclass(frozen=True)
class _Wish:
    """What the caller of `draw` asked to see."""

    values: bool
    gradients: bool
    derivatives: bool
    lit: set[Node]
    lit_edges: set[tuple[Any, ...]]
    hidden: set[Node]


def nodes_of(outputs: Any, taker: str = "draw takes a Node or a list of Nodes") -> list[Node]:
    """List what was given as one Node or several; what takes them says so where it is another."""
    if isinstance(outputs, Node):
        return [outputs]
    try:
        nodes = None if isinstance(outputs, str | bytes) else list(outputs)
    except TypeError:  # as of a tensor of PyTorch that is a number
        nodes = None
    if nodes is None:
        raise NodeTypeError(f"{taker}, not {type(outputs).__name__} {outputs!r:.40}")
    for node in nodes:
        if not isinstance(node, Node):
            raise NodeTypeError(f"{taker}; this list holds {type(node).__name__} {node!r:.40}")
    return nodes


def _highlighted(highlight: Any) -> tuple[set[Node], set[tuple[Any, ...]]]:
    """Sort what to highlight into Nodes and edges: (input, user), or with the argument's place."""
    if isinstance(highlight, Node) or not isinstance(highlight, Iterable):
        return set(nodes_of(highlight)), set()
    items = list(highlight)
    edges = {(*nodes_of(item[:2]), *item[2:]) for item in items if isinstance(item, tuple)}
    return set(nodes_of(item for item in items if not isinstance(item, tuple))), edges


def _ids(reading: Reading) -> list[str]:
    modules = count(1)
    return [
        reading.ids[part.nodes[0]] if part.module is None else f"m{next(modules)}"
        for part in reading.parts
    ]


# --- boxes ----------------------------------------------------------------------------------------


def _node_box(node: Node, id: str, reading: Reading, wish: _Wish) -> Box:
    graph = reading.graph
    label, full = reading.names[node]
    call = graph.calls.get(node)
    symbol, operation = "", node.kind
    if node.op:
        operation = clean(call.name if call else node.op.name)
        symbol = operation if call else clean(node.op.symbol)
        symbol = elided(symbol, SYMBOL_ROOM, WORD_SIZE)
    is_hidden = node in wish.hidden
    value = gradient = None
    if wish.values or not label:
        value = UNSET if is_hidden else _value_of(node)
    if wish.gradients and node.kind != "constant":
        gradient = UNSET if is_hidden or node.grad is None else value_text(node.grad)
    return Box(
        id=id,
        kind=node.kind,
        label=label,
        full=full,
        symbol=symbol,
        operation=operation,
        value=value,
        gradient=gradient,
        room=_room(node.shape),
        shape=() if is_hidden else node.shape,
        scope=_path(graph.shown(graph.scope(node))),
        highlighted=node in wish.lit,
        operations=call.operations if call else 0,
    )


def _module_box(
    part: Part, id: str, graph: Contraction, outputs: list[Node], highlighted: bool
) -> Box:
    operations = sum(node.op is not None for node in part.nodes)
    leaves = {node.kind for node in part.nodes if node.op is None}
    what = "operation" if operations else leaves.pop() if len(leaves) == 1 else "input"
    size = operations or len(part.nodes)
    holds = f"{size:,} {what}{'s' * (size > 1)}"
    if 0 < len(outputs) <= _MOST_OUTPUTS:
        holds += f" → {', '.join(map(_value_of, outputs))}"  # which no edge says
    path = _path(graph.shown(part.module or ""))
    return Box(
        id=id,
        kind="module",
        label=path[-1] if path else "",
        full="/".join(path) or holds,
        symbol="",
        operation=holds,
        value=None,
        gradient=None,
        room=0.0,
        shape=(),
        scope=path[:-1],
        highlighted=highlighted,
    )


def _path(scope: str) -> tuple[str, ...]:
    """The names of the scopes, outermost first; very deep ones are drawn as one."""
    names = [clean(name) for name in scope.split("/")] if scope else []
    return tuple(names[:_DEEPEST])


def _value_of(node: Node) -> str:
    """The value of a Node as text; of a symbolic one its shape, or – for a scalar."""
    if is_symbolic(node):
        return f"({shape_text(node.shape)})" if node.shape else UNSET
    return value_text(node.value)


def _room(shape: tuple[int, ...]) -> float:
    """The pixels to keep for a value of this shape, whatever its numbers."""
    if not shape:
        return SCALAR_ROOM
    if len(shape) == 1 and shape[0] <= LONGEST_VECTOR:
        return VECTOR_ROOM
    return width(f"({shape_text(shape)})", NAME_SIZE, bold=True)


def _differentiated(reading: Reading) -> str | None:
    """Name the output whose gradient the Nodes hold: the only one, if its own gradient is 1."""
    y, *others = reading.outputs
    unset = y.grad is None and all(node.grad is None for node in reading.order)
    if not others and (unset or (y.grad is not None and np.all(y.grad == 1))):
        return reading.names[y].label
    return None


# --- edges ----------------------------------------------------------------------------------------


def _edges(reading: Reading, home: dict[Node, int], wish: _Wish) -> list[Edge]:
    graph, parts = reading.graph, reading.parts
    between = links(parts, home, graph.inputs)
    names = {part.nodes[0]: reading.names[part.nodes[0]] for part in parts if part.module is None}
    tails: dict[int, list[int]] = {}
    for tail, head in sorted(between):
        tails.setdefault(head, []).append(tail)
    edges = []
    for head, part in enumerate(parts):
        if part.module is None:
            node = part.nodes[0]
            for slot, x in enumerate(graph.inputs(node)):
                label = _shape_label([x], wish)
                if node not in graph.calls:
                    label = _derivative_label(node, slot, names, wish) or label
                is_lit = not wish.lit_edges.isdisjoint({(x, node), (x, node, slot)})
                edges.append(Edge(home[x], head, slot, *label, is_lit))
        else:
            for slot, tail in enumerate(tails.get(head, ())):
                used = list(between[tail, head])
                is_lit = any(
                    home[x] == tail and home[node] == head for x, node, *_ in wish.lit_edges
                )
                edges.append(Edge(tail, head, slot, *_shape_label(used, wish), is_lit))
    return edges


def _shape_label(used: list[Node], wish: _Wish) -> tuple[str, str, float]:
    """Write the shape of what an edge carries, with the room that it needs when it is known."""
    shapes = {x.shape for x in used}
    label = shape_text(used[0].shape) if len(shapes) == 1 else ""
    if len(used) > 1:
        label = f"{len(used):,} of {label}" if label else f"{len(used):,} values"
    elif len(used[0].shape) == 1:
        label = f"({label})"
    room = width(label, LABEL_SIZE)
    if label and not wish.hidden.isdisjoint(used):
        label = UNSET
    return label, "shape" if label else "", room


def _derivative_label(
    node: Node, slot: int, names: dict[Node, Name], wish: _Wish
) -> tuple[str, str, float] | None:
    """Write the local derivative by one input, with its value where everything is a scalar."""
    op = node.op
    assert op is not None
    if not (wish.derivatives and op.partials and node.inputs[slot].requires_grad):
        return None
    places = dict(zip((*op.parameters, "out"), (*node.inputs, node)))
    called = {place: _short(names, x, place) for place, x in places.items()}
    formula = local_formula(op.partials[slot], called)
    label = f"{derivative_name(called['out'], called[op.parameters[slot]])} = {formula}"
    room = width(label, LABEL_SIZE)
    if is_number(formula) or any(x.shape for x in places.values()):
        return label, "derivative", room
    known = not any(map(is_symbolic, places.values()))
    if known and wish.hidden.isdisjoint(places.values()):
        label += f" = {number(local_derivative(node, slot))}"
    return label, "derivative", room + DERIVATIVE_ROOM


def _short(names: dict[Node, Name], x: Node, place: str) -> str:
    """Name a Node in a formula; one that is folded away keeps the name of its place."""
    if x not in names:
        return place
    return elided(names[x].label or value_text(x.value), LABEL_NAME_ROOM, LABEL_SIZE)
