"""`record`: the passes of a finished graph as events. `Tracer`: those of a program of your own.

Nothing is recorded while a graph is built or differentiated. A recording replays the graph
afterwards, so it costs nothing when it is off, and it leaves every Node as it was.
"""

from __future__ import annotations

import difflib
import warnings
from typing import Any

import numpy as np

from ..autodiff.derivatives import check_differentiable, checked_seed
from ..core.node import Node, checked_value, is_symbolic
from ..core.order import topological_order
from ..errors import MinigraphError, NodeTypeError, SymbolicError
from ..errors.words import describe
from ..graph.symbolic import placeholders_of
from ..graph.watched import takes_watched
from ..reading import Reading
from ..reading.formula import local_formula
from ..reading.local import local_derivative
from ..reading.names import Name
from ..reading.text import clean
from .data import same, summarised
from .events import BACKWARD, FORWARD, Event, RecordedNode, Recording
from .nudging import checked_nudge, nudged
from .sweeps import MISCONCEPTIONS, AtHooks, Sweep

PASSES = ("both", "forward", "backward")
LARGEST_AT_ONCE = 200_000  # nodes, from where on it is said that recording takes its time


@takes_watched
def record(
    y: Node,
    passes: str = "both",
    *,
    seed: Any = None,
    wrong: str = "",
    nudge: Any = None,
    opened: Any = False,
) -> Recording:
    """Record the forward pass and the backward pass of y as events, or the way of a nudge.

    A call of a composed function, such as `mg.softmax`, is one node, unless it is opened. A warning
    says of a graph of hundreds of thousands of nodes that it takes its time.

    Args:
        y: the output; a scalar, unless `seed` is given or the forward pass alone is recorded.
        passes: "both", "forward" or "backward".
        seed: the gradient to start from, of y's shape; 1 for a scalar.
        wrong: a misconception to run the backward pass with: a name from `MISCONCEPTIONS`.
        nudge: what to nudge, instead of going back: the name of a node, a Node, or a dict with a
            change for each; y may have any shape then.
        opened: what to open, as in `mg.draw`.

    Raises:
        GradientError: if y has no gradient, or is not a scalar and no seed is given.
        MinigraphError: for an unknown option.
    """
    if not isinstance(y, Node):
        raise NodeTypeError(f"record takes a Node, not {type(y).__name__} {y!r:.40}")
    check_options(y, passes, wrong)
    if nudge is not None:
        check_nudge_alone(passes=(passes, "both"), seed=(seed, None), wrong=(wrong, ""))
    order = topological_order(y)
    if len(order) > LARGEST_AT_ONCE:
        warnings.warn(
            f"recording {len(order):,} nodes takes minutes, and some kilobytes for each; record a "
            "part of the graph, from a Node further up",
            stacklevel=3,
        )
    reading = Reading([y], opened, order=order)
    if nudge is not None:
        return recorded_nudge(reading, checked_nudge(reading, nudge))
    return recorded(reading, passes, seed=seed, wrong=wrong)


def check_options(y: Node, passes: str, wrong: str) -> None:
    """Raise a MinigraphError unless y can be recorded so."""
    if is_symbolic(y):
        raise SymbolicError(
            f"{describe(y)} has no numbers to record: it waits for {placeholders_of(y)}; give its "
            "placeholders values, as variables",
            (y,),
        )
    if passes not in PASSES:
        raise MinigraphError(f"passes is {' or '.join(map(repr, PASSES))}, not {passes!r:.60}")
    if wrong != "" and (not isinstance(wrong, str) or wrong not in MISCONCEPTIONS):
        near = difflib.get_close_matches(str(wrong), MISCONCEPTIONS, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        known = ", ".join(map(repr, MISCONCEPTIONS))
        raise MinigraphError(f"there is no misconception {wrong!r:.60}, only {known}{hint}")


def recorded(
    reading: Reading,
    passes: str,
    *,
    seed: Any = None,
    wrong: str = "",
    hooks_met: dict[Node, AtHooks] | None = None,
) -> Recording:
    """Record passes of a graph of one output that has been read; the options are `record`'s.

    What hooks have done is put into `hooks_met`, and is not asked of them again if it is there.
    """
    (y,) = reading.outputs
    events: list[Event] = []
    if passes != "backward":
        events += _forward(reading, y)
    if passes != "forward":
        check_differentiable(y, reading.order)
        sweep = MISCONCEPTIONS.get(wrong, Sweep)
        events += sweep(reading, checked_seed(y, seed), hooks_met).events()
    return Recording(_nodes(reading), tuple(events), reading.ids[y], wrong)


def check_nudge_alone(**options: tuple[Any, Any]) -> None:
    """Refuse what is for the backward pass beside a nudge; with each option goes its default."""
    for name, (value, default) in options.items():
        if value is not default and value != default:
            raise MinigraphError(f"a nudge goes forwards, and has no {name}: leave out one of them")


def recorded_nudge(reading: Reading, changes: dict[Node, Any]) -> Recording:
    """Record the forward pass of a graph that has been read, and the way of a nudge."""
    (y,) = reading.outputs
    check_differentiable(y, reading.order)
    events = (*_forward(reading, y), *nudged(reading, changes))
    return Recording(_nodes(reading), events, reading.ids[y])


def _forward(reading: Reading, y: Node) -> list[Event]:
    events, ids = [], reading.ids
    for node in reading.graph.order:
        value = summarised(node.value)
        if node.op is None:
            events.append(Event("visit", FORWARD, ids[node], value=value))
        else:
            events.append(Event("visit", FORWARD, ids[node]))
            events.append(Event("compute", FORWARD, ids[node], value=value))
    return [*events, Event("done", FORWARD, ids[y])]


def _nodes(reading: Reading) -> tuple[RecordedNode, ...]:
    graph, ids, names = reading.graph, reading.ids, reading.names
    return tuple(
        RecordedNode(
            id=ids[node],
            name=names[node].full,
            kind=node.kind,
            operation=clean(call.name) if (call := graph.calls.get(node)) else _operation(node),
            symbol=clean(call.name if call else node.op.symbol) if node.op else "",
            inputs=tuple(ids[x] for x in graph.inputs(node)),
            shape=node.shape,
            scope=graph.shown(graph.scope(node)),
            formulas=() if call else _formulas(node, names),
            differentiable=node.requires_grad,
        )
        for node in graph.order
    )


def _operation(node: Node) -> str:
    return clean(node.op.name) if node.op else node.kind


def _formulas(node: Node, names: dict[Node, Name]) -> tuple[str, ...]:
    """By slot, the local derivative in the names of the nodes."""
    if node.op is None or not node.op.partials:
        return ()
    places = zip((*node.op.parameters, "out"), (*node.inputs, node))
    called = {place: names[x].full if x in names else place for place, x in places}
    return tuple(local_formula(formula, called) for formula in node.op.partials)


class Tracer:
    """Records a backward pass of your own, to be compared with the engine's.

    Tell it what your program does, in the order in which it does it:

        tracer = Tracer(y)
        tracer.seed(y, 1.0)
        tracer.multiply(y, 0, c)            # what y contributes to its input number 0
        tracer.accumulate(y, 0, total)      # what that input has now
        first_difference(mg.record(y), tracer.recording())
    """

    def __init__(self, y: Node) -> None:
        reading = Reading([y], opened=True)
        self._y = y
        self._ids = reading.ids
        self._nodes = _nodes(reading)
        self._events: list[Event] = []
        self._gradients: dict[Node, Any] = {}

    @property
    def output(self) -> Node:
        """The Node whose pass is recorded."""
        return self._y

    def seed(self, node: Node, g: Any) -> None:
        """The pass starts at a Node with the gradient g."""
        self._add("seed", node, value=_value(g))
        self._gradients[node] = _value(g)

    def visit(self, node: Node) -> None:
        """The pass reaches a Node."""
        self._check(node)
        self._add("visit", node, value=self._gradients.get(node))

    def multiply(self, user: Node, slot: int, contribution: Any) -> None:
        """A Node hands a contribution to its input number `slot`."""
        x, edge = self._edge(user, slot)
        upstream, value = self._gradients.get(user), _value(contribution)
        local = _local(user, slot)
        if upstream is None or local is None or not _is_product(value, upstream, local):
            local = None  # the program has not multiplied by it
        self._add("multiply", x, **edge, upstream=upstream, local=local, value=value)

    def accumulate(self, user: Node, slot: int, total: Any) -> None:
        """The input number `slot` of a Node now has the gradient `total`."""
        x, edge = self._edge(user, slot)
        before, value = self._gradients.get(x), _value(total)
        self._gradients[x] = value
        self._add("accumulate", x, **edge, before=before, value=value)

    def recording(self) -> Recording:
        """What has been told so far, as a finished pass."""
        done = Event("done", BACKWARD, self._ids[self._y])
        return Recording(self._nodes, (*self._events, done), self._ids[self._y])

    def _edge(self, user: Node, slot: int) -> tuple[Node, dict[str, Any]]:
        """An input of a Node, and where it stands as events say it."""
        self._check(user)
        if isinstance(slot, bool) or not isinstance(slot, (int, np.integer)):
            raise NodeTypeError(f"the place of an input is a number, not {type(slot).__name__}")
        if not 0 <= slot < len(user.inputs):
            inputs = f"{len(user.inputs)} input{'s' * (len(user.inputs) != 1)}"
            raise MinigraphError(f"{describe(user)} has {inputs}, and none with number {slot}")
        return user.inputs[slot], {"user": self._ids[user], "slot": int(slot)}

    def _check(self, node: Node) -> None:
        if not isinstance(node, Node) or node not in self._ids:
            raise MinigraphError(f"{described(node)} is not part of the graph")

    def _add(self, kind: str, node: Node, **details: Any) -> None:
        self._check(node)
        self._events.append(Event(kind, BACKWARD, self._ids[node], **details))


def _local(user: Node, slot: int) -> Any:
    """The local derivative of an operation on numbers by one of its inputs, None for others."""
    if user.op is None or not user.op.partials or any(x.shape for x in user.inputs):
        return None
    return local_derivative(user, slot)


def _is_product(value: Any, upstream: Any, local: Any) -> bool:
    with np.errstate(all="ignore"):
        return np.ndim(upstream) == 0 and same(upstream * local, value)


def _value(x: Any) -> Any:
    return summarised(checked_value(x))


def described(x: Any) -> str:
    """Name what stands in the place of a Node."""
    return describe(x) if isinstance(x, Node) else f"{type(x).__name__} {x!r:.40}"
