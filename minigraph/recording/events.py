"""What a recording is made of: nodes, events, and the JSON that holds them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from ..graph.saving import dumped
from .data import encoded, summarised

SCHEMA, VERSION = "minigraph recording", 1
FORWARD, BACKWARD, NUDGE = "forward", "backward", "nudge"
KINDS = ("visit", "compute", "seed", "hook", "multiply", "accumulate", "done")
NUMBERS = ("upstream", "local", "before", "value")
EdgeId = tuple[str, str, int]  # the ids of input and user, and the slot


@dataclass(frozen=True, slots=True)
class RecordedNode:
    """A node as it is known to a recording.

    Attributes:
        id: "n" and the place in topological order; a drawing's box has it as `data-node`.
        name: what narration and drawing call it, different for each node.
        kind: "variable", "constant" or "operation".
        operation, symbol: of an operation, or of a composed function, which is one node here.
        inputs: the ids of what it uses, by slot.
        formulas: by slot the local derivative as text, empty where it is no product of numbers.
        differentiable: whether the backward pass goes here.
    """

    id: str
    name: str
    kind: str
    operation: str
    symbol: str
    inputs: tuple[str, ...]
    shape: tuple[int, ...]
    scope: str
    formulas: tuple[str, ...]
    differentiable: bool


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happens in a pass.

    | kind       | what happens                                                                  |
    |------------|-------------------------------------------------------------------------------|
    | visit      | the pass reaches `node`; of a leaf going forward, `value` is what it holds     |
    | compute    | `node` gets its `value`                                                        |
    | seed       | the backward pass starts at `node` with the gradient `value`                   |
    | hook       | the hook `note` of `node` sees the gradient `before`, and leaves `value`       |
    | multiply   | `upstream`, arriving at `user`, times `local` is `value`, for input `node`     |
    | accumulate | what `node` has, `before`, becomes `value`; None where it has nothing yet      |
    | done       | the pass has ended at `node`; `note` says why, if it could not go on           |

    `slot` says as which input `user` uses `node`. `local` is None where the local derivative is no
    factor of numbers, as for a matrix product.

    A nudge goes the other way: `seed` is what `node` is nudged by, `upstream` is the change of
    `node`, whose product arrives at `user`, and what accumulates is the change of `user`. At the
    end `before` is the change of the output to first order, `value` the one that it really makes.
    """

    kind: str
    phase: str
    node: str
    user: str | None = None
    slot: int | None = None
    upstream: Any = None
    local: Any = None
    before: Any = None
    value: Any = None
    note: str = ""

    @property
    def edge(self) -> EdgeId:
        """What the step belongs to, if it hands something on."""
        return self.node, self.user or "", self.slot or 0


def told(kind: str, phase: str, node: str, **details: Any) -> Event:
    """Make an event of values as they are; large ones are kept as summaries."""
    kept = {n: summarised(x) if n in NUMBERS and x is not None else x for n, x in details.items()}
    return Event(kind, phase, node, **kept)


@dataclass(frozen=True, eq=False)
class Recording:
    """The events of a forward pass, and of a backward pass or a nudge, or of one of these.

    Attributes:
        nodes: in topological order.
        events: in the order in which they happened.
        output: the id of the node whose pass it is.
        wrong: the name of the misconception that was run, or "".
    """

    nodes: tuple[RecordedNode, ...]
    events: tuple[Event, ...]
    output: str
    wrong: str = ""

    @cached_property
    def by_id(self) -> dict[str, RecordedNode]:
        """The nodes by their ids."""
        return {node.id: node for node in self.nodes}

    @cached_property
    def values(self) -> dict[str, Any]:
        """The value of each node that has one at the end of the forward pass, by id."""
        return {
            event.node: event.value
            for event in self.events
            if event.phase == FORWARD and event.value is not None
        }

    @cached_property
    def gradients(self) -> dict[str, Any]:
        """The gradient of each node that has one at the end of the backward pass, by id."""
        return {
            e.node: e.value
            for e in self.events
            if e.phase == BACKWARD and e.kind in ("seed", "accumulate", "hook")
        }

    @cached_property
    def changes(self) -> dict[str, Any]:
        """The change of each node that a nudge has reached, by id."""
        return {
            (e.user if e.kind == "accumulate" and e.user else e.node): e.value
            for e in self.events
            if e.phase == NUDGE and e.kind in ("seed", "accumulate")
        }

    def __repr__(self) -> str:
        return self.table()

    def to_json(self) -> str:
        """Write everything as JSON, the same in every interpreter."""
        document = {
            "schema": SCHEMA,
            "version": VERSION,
            "output": self.output,
            "wrong": self.wrong,
            "nodes": [dict(_node_row(node)) for node in self.nodes],
            "events": [dict(_event_row(event)) for event in self.events],
        }
        return dumped(document, separators=(",", ":"))

    if TYPE_CHECKING:  # bound at the feet of narration.py and of loading.py
        narrate: ClassVar[Callable[[Recording], list[str]]]
        table: ClassVar[Callable[[Recording], str]]
        from_json: ClassVar[Callable[[str], Recording]]


def _node_row(node: RecordedNode) -> Iterator[tuple[str, Any]]:
    for name in RecordedNode.__slots__:
        yield name, getattr(node, name)


def _event_row(event: Event) -> Iterator[tuple[str, Any]]:
    """The fields of an event that say something."""
    for name in Event.__slots__:
        x = getattr(event, name)
        if x is not None and not (name == "note" and x == ""):
            yield name, encoded(x) if name in NUMBERS else x
