"""What is drawn, before it has a place: boxes, edges and scopes, with their texts.

A `Diagram` is a snapshot. It holds texts and positions in topological order, nothing of the Nodes,
so identical graphs give identical diagrams, and a later change of a Node does not show.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import count
from typing import Any

import numpy as np

from ..core.node import Node, is_symbolic
from ..core.order import topological_order
from ..errors import MinigraphError, NodeTypeError
from ..errors.words import describe
from . import fold
from .calls import Contraction, contracted, listed
from .formula import derivative_name, is_number, local_derivative
from .text import UNSET, array, clean, elided, number, quoted, shape_text, subscript, width
from .theme import LABEL_SIZE, NAME_SIZE, WORD_SIZE

SCALAR_ROOM, VECTOR_ROOM = 74.0, 100.0  # pixels kept for a value in a box, whatever it is
DERIVATIVE_ROOM = 58.0  # and for the value of a local derivative
SYMBOL_ROOM = 110.0  # for the name of a function
_DEEPEST = 6  # scopes drawn inside each other
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
        value, gradient: as text; None where none is shown.
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
    """

    boxes: list[Box]
    edges: list[Edge]
    outputs: tuple[int, ...]
    of: str | None
    nodes: int
    shows_gradients: bool

    @property
    def caption(self) -> str:
        """What a drawing with folded parts says about them."""
        shown = sum(box.kind != "module" for box in self.boxes)
        if shown == len(self.boxes):
            return ""
        return f"{shown:,} of {self.nodes:,} nodes are shown; the others are in the stacked boxes."


def diagram(
    outputs: Node | Iterable[Node],
    *,
    values: bool = True,
    gradients: bool | None = None,
    derivatives: bool = False,
    highlight: Any = (),
    hide_values: Any = (),
    opened: Any = False,
    folded: Any = None,
) -> Diagram:
    """Say what to draw; the arguments are those of `draw`."""
    outputs = _nodes(outputs)
    if not outputs:
        raise NodeTypeError("there is nothing to draw: the list of Nodes is empty")
    order = topological_order(outputs)
    lit, lit_edges = _highlighted(highlight)
    hidden = set(_nodes(hide_values))
    to_open = listed(opened)
    named = {item for item in to_open if isinstance(item, Node)}
    named |= lit | hidden | {node for edge in lit_edges for node in edge[:2]}
    _check_members(named, set(order))
    if gradients is None:
        gradients = any(node.grad is not None for node in order)
    graph = contracted(order, outputs, to_open)
    wish = _Wish(
        values,
        gradients,
        derivatives,
        set(graph.standing_for(lit)),
        {graph.standing_for(edge) for edge in lit_edges},
        set(graph.standing_for(hidden)),
    )

    parts = fold.parts(graph, outputs, to_fold(graph, folded))
    names = node_names(graph, parts)
    boxes = [
        _node_box(part.nodes[0], id, graph, names, wish)
        if part.module is None
        else _module_box(part, id, graph, not wish.lit.isdisjoint(part.nodes))
        for id, part in zip(_ids(order, parts), parts)
    ]
    home = fold.homes(parts)
    return Diagram(
        boxes,
        _edges(parts, home, graph, names, wish),
        tuple(dict.fromkeys(home[y] for y in outputs)),
        _differentiated(outputs, order, names),
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


def _nodes(given: Any) -> list[Node]:
    """List what was given as one Node or several."""
    if isinstance(given, Node):
        return [given]
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise NodeTypeError(
            f"draw takes a Node or a list of Nodes, not {type(given).__name__} {given!r:.40}"
        )
    found = list(given)
    for node in found:
        if not isinstance(node, Node):
            raise NodeTypeError(
                "draw takes a Node or a list of Nodes; this list holds "
                f"{type(node).__name__} {node!r:.40}"
            )
    return found


def _highlighted(given: Any) -> tuple[set[Node], set[tuple[Any, ...]]]:
    """Sort what to highlight into Nodes and edges: (input, user), or with the argument's place."""
    if isinstance(given, Node) or not isinstance(given, Iterable):
        return set(_nodes(given)), set()
    items = list(given)
    edges = {(*_nodes(item[:2]), *item[2:]) for item in items if isinstance(item, tuple)}
    return set(_nodes(item for item in items if not isinstance(item, tuple))), edges


def _check_members(nodes: set[Node], members: set[Node]) -> None:
    for node in sorted(nodes - members, key=lambda node: node.seq):
        raise MinigraphError(f"{describe(node)} is not part of the graph that is drawn", (node,))


def to_fold(graph: Contraction, given: Any) -> set[str] | None:
    """The paths of the scopes to fold; None where that is left to the size of the graph."""
    if given is None:
        return None
    known = fold.scopes(graph)
    found = set[str]()
    for item in listed(given):
        if isinstance(item, bool):
            found.update(path for path in known if item and "/" not in path)
        elif isinstance(item, str) and item in known:
            found.add(item)
        else:
            raise MinigraphError(_no_such_scope(item, [*known]))
    return found


def _no_such_scope(given: Any, known: list[str]) -> str:
    if not isinstance(given, str):
        return f"folded takes True, False or the paths of scopes, not {given!r:.40}"
    if not known:
        return f"there is no scope {given!r:.60} to fold: this graph has no scopes"
    near = get_close_matches(given, known, 1)
    hint = f"; did you mean {near[0]!r:.60}?" if near else ""
    return f"there is no scope {given!r:.60} to fold, only {quoted(known)}{hint}"


# --- names ----------------------------------------------------------------------------------------


def node_names(graph: Contraction, parts: list[fold.Part]) -> dict[Node, tuple[str, str]]:
    """Give each Node that is drawn a label, and a full name that no other has.

    Operations without a name are v₁, v₂ … in topological order, after Wengert; constants without a
    name are their number, so their label is empty.
    """
    drawn = {part.nodes[0] for part in parts if part.module is None}
    given = {node: clean(node.name) for node in graph.order if node.name and node in drawn}
    taken = set(given.values())
    numbers = count(1)
    for node in graph.order:
        if node.op is not None and not node.name:
            label = f"v{subscript(next(numbers))}"
            while label in taken:
                label = f"v{subscript(next(numbers))}"
            if node in drawn:
                given[node] = label
    nameless = (node for node in graph.order if node in drawn and node not in given)
    inputs = count(1)
    for node in nameless:
        given[node] = f"x{subscript(next(inputs))}" if node.kind == "variable" else ""
    return _told_apart({node: given[node] for node in graph.order if node in drawn}, graph)


def _told_apart(labels: dict[Node, str], graph: Contraction) -> dict[Node, tuple[str, str]]:
    """Add what distinguishes Nodes of the same name: the scope, where that does, else a number."""
    scopes = {node: graph.shown(graph.scope(node)) for node in labels}
    scopes = {node: clean(scope) if scope else "" for node, scope in scopes.items()}
    by_name = Counter(labels.values())
    by_path = Counter((label, scopes[node]) for node, label in labels.items())
    numbers = {path: count(1) for path, nodes in by_path.items() if nodes > 1}
    names: dict[Node, tuple[str, str]] = {}
    taken = {""}
    for node, label in labels.items():
        start, scope = label, scopes[node]
        if label and (label, scope) in numbers:
            while by_path[label, scope]:
                label = f"{start} ({next(numbers[start, scope])})"
        path = full = f"{scope}/{label}" if label and by_name[start] > 1 and scope else label
        further = count(2)
        while label and full in taken:  # by another's own name, such as "scope/a"
            full = f"{path} ({next(further)})"
        taken.add(full)
        names[node] = label, full or _value_text(node.value)
    return names


def _ids(order: list[Node], parts: list[fold.Part]) -> list[str]:
    place = {node: i for i, node in enumerate(order)}
    modules = count(1)
    return [
        f"n{place[part.nodes[0]]}" if part.module is None else f"m{next(modules)}" for part in parts
    ]


# --- boxes ----------------------------------------------------------------------------------------


def _node_box(
    node: Node, id: str, graph: Contraction, names: dict[Node, tuple[str, str]], wish: _Wish
) -> Box:
    label, full = names[node]
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
        gradient = UNSET if is_hidden or node.grad is None else _value_text(node.grad)
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


def _module_box(part: fold.Part, id: str, graph: Contraction, highlighted: bool) -> Box:
    operations = sum(node.op is not None for node in part.nodes)
    leaves = {node.kind for node in part.nodes if node.op is None}
    what = "operation" if operations else leaves.pop() if len(leaves) == 1 else "input"
    size = operations or len(part.nodes)
    holds = f"{size:,} {what}{'s' * (size > 1)}"
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


def _value_text(value: Any) -> str:
    return array(value, VECTOR_ROOM, NAME_SIZE) if np.ndim(value) else number(value)


def _value_of(node: Node) -> str:
    """The value of a Node as text; of a symbolic one its shape, or – for a scalar."""
    if is_symbolic(node):
        return f"({shape_text(node.shape)})" if node.shape else UNSET
    return _value_text(node.value)


def _room(shape: tuple[int, ...]) -> float:
    """The pixels to keep for a value of this shape, whatever its numbers."""
    if not shape:
        return SCALAR_ROOM
    if len(shape) == 1 and shape[0] <= 4:
        return VECTOR_ROOM
    return width(f"({shape_text(shape)})", NAME_SIZE, bold=True)


def _differentiated(
    outputs: list[Node], order: list[Node], names: dict[Node, tuple[str, str]]
) -> str | None:
    """Name the output whose gradient the Nodes hold: the only one, if its own gradient is 1."""
    y = outputs[0]
    unset = y.grad is None and all(node.grad is None for node in order)
    if len(outputs) == 1 and (unset or (y.grad is not None and np.all(y.grad == 1))):
        return names[y][0]
    return None


# --- edges ----------------------------------------------------------------------------------------


def _edges(
    parts: list[fold.Part],
    home: dict[Node, int],
    graph: Contraction,
    names: dict[Node, tuple[str, str]],
    wish: _Wish,
) -> list[Edge]:
    between = fold.links(parts, home, graph.inputs)
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
    node: Node, slot: int, names: dict[Node, tuple[str, str]], wish: _Wish
) -> tuple[str, str, float] | None:
    """Write the local derivative by one input, with its value where everything is a scalar."""
    op = node.op
    assert op is not None
    if not (wish.derivatives and op.partials and node.inputs[slot].requires_grad):
        return None
    places = dict(zip((*op.parameters, "out"), (*node.inputs, node)))
    called = {place: _short(names, x, place) for place, x in places.items()}
    formula = local_derivative(op.partials[slot], called)
    label = f"{derivative_name(called['out'], called[op.parameters[slot]])} = {formula}"
    room = width(label, LABEL_SIZE)
    if is_number(formula) or any(x.shape for x in places.values()):
        return label, "derivative", room
    known = not any(map(is_symbolic, places.values()))
    if known and wish.hidden.isdisjoint(places.values()):
        label += f" = {_local_value(node, slot)}"
    return label, "derivative", room + DERIVATIVE_ROOM


def _short(names: dict[Node, tuple[str, str]], x: Node, place: str) -> str:
    """Name a Node in a formula; one that is folded away keeps the name of its place."""
    if x not in names:
        return place
    return elided(names[x][0] or _value_text(x.value), LABEL_NAME_ROOM, LABEL_SIZE)


def _local_value(node: Node, slot: int) -> str:
    vjp = node.op.vjps[slot]
    with np.errstate(all="ignore"):
        values = [x.value for x in node.inputs]
        return number(vjp(node.dtype.type(1), node.value, values, node.attrs))
