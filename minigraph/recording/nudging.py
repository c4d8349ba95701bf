"""A nudge as events: how a change of some nodes travels forwards, from edge to edge.

Along an edge it is multiplied by the local derivative, and where edges meet, what they bring adds
up. This is forward mode, whose other form, with Nodes for changes, stands in `core/forward.py`.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..core.node import Node, checked_value, frozen
from ..core.operation import REFUSALS
from ..errors import GradientError, MinigraphError, NodeTypeError, ShapeError
from ..errors.words import describe
from ..reading import Reading
from ..reading.local import pushed
from ..reading.text import quoted
from .events import NUDGE, Event, told
from .sweeps import Sweep

SIZE = 0.1  # of a nudge for which none is given


def checked_nudge(reading: Reading, nudge: Any) -> dict[Node, Any]:
    """Return which Nodes are nudged, and by how much, from one of the forms that users write.

    Raises:
        NodeTypeError: if it is no name, no Node and no dict of these.
        MinigraphError: for a Node that is not in the graph, and if nothing is nudged.
        GradientError: for a Node that has no gradient.
        ShapeError: for a change that does not have the shape of its Node, and is no number.
    """
    asked = nudge if isinstance(nudge, Mapping) else {nudge: SIZE} if _is_place(nudge) else None
    if asked is None or not all(map(_is_place, asked)):
        raise NodeTypeError(
            "nudge is the name of a node, a Node, or a dict such as {'b': 0.1}, not "
            f"{type(nudge).__name__} {nudge!r:.40}"
        )
    if not asked:
        raise MinigraphError("nothing is nudged: nudge is an empty dict")
    return {(x := _found(reading, place)): _size(x, size) for place, size in asked.items()}


def _is_place(x: Any) -> bool:
    return isinstance(x, (str, Node))


def _found(reading: Reading, place: Node | str) -> Node:
    """The Node of this name, which is shown."""
    named = {reading.names[node].full: node for node in reading.graph.order}
    if isinstance(place, Node):
        if place not in reading.graph.order:
            inside = " open: it lies in a call that is drawn as one box" * (place in reading.ids)
            raise MinigraphError(f"{describe(place)} is not part of the graph{inside}", (place,))
        node = place
    elif place in named:
        node = named[place]
    else:
        known = [name for name, node in named.items() if node.requires_grad]
        near = difflib.get_close_matches(place, known, 1)
        hint = f"; did you mean {near[0]!r:.60}?" if near else ""
        raise MinigraphError(f"there is no node {place!r:.60}, only {quoted(known)}{hint}")
    if not node.requires_grad:
        raise GradientError(
            f"{describe(node)} cannot be nudged, for it has no derivatives; make it with "
            "mg.variable if it is to change",
            (node,),
        )
    return node


def _size(x: Node, size: Any) -> Any:
    """A change in the shape of a Node; a number is for each of its elements."""
    change = checked_value(size, x.dtype)
    if change.shape not in ((), x.shape):
        raise ShapeError(
            f"the nudge of {describe(x)} has shape {change.shape}; give its shape, or one number "
            "for all elements",
            (x,),
        )
    if not np.all(np.isfinite(change)):
        raise MinigraphError(f"{describe(x)} is nudged by a finite number, not {size!r:.40}", (x,))
    return frozen(np.full(x.shape, change, x.dtype)) if x.shape else change


def nudged(reading: Reading, changes: Mapping[Node, Any]) -> list[Event]:
    """The way of a nudge as events: nodes in topological order, each after all of its inputs.

    The last event compares: `before` is the change of the output to first order, `value` is by how
    much it changes when everything is computed again; None if that cannot be.
    """
    return _Wave(reading, changes).events()


class _Wave:
    """A nudge on its way."""

    def __init__(self, reading: Reading, nudges: Mapping[Node, Any]) -> None:
        self.reading, self.graph, self.ids = reading, reading.graph, reading.ids
        self.nudges = nudges
        self.changes: dict[Node, Any] = dict(nudges)
        self.back = Sweep(reading, None)  # knows the local derivatives

    def events(self) -> list[Event]:
        (y,) = self.reading.outputs
        events = [self._event("seed", x, value=dx) for x, dx in self.nudges.items()]
        with np.errstate(all="ignore"):
            for node in self.graph.order:
                events += self._arrived(node)
            really = self._really()
        told = {"before": self.changes.get(y), "value": really}
        return [*events, self._event("done", y, **told)]

    def _arrived(self, node: Node) -> list[Event]:
        """What reaches a node, edge by edge."""
        inputs = self.graph.inputs(node)
        if not node.requires_grad or not any(x in self.changes for x in inputs):
            return []
        ones = frozen(np.ones_like(node.value))
        locals_ = {slot: local for slot, _, local, _ in self.back.pulled_back(node, ones)}
        events = []
        for slot, x in enumerate(inputs):
            dx = self.changes.get(x)
            contribution = None if dx is None else self._pushed(node, slot, dx)
            if contribution is None:
                continue
            edge = {"user": self.ids[node], "slot": slot}
            before = self.changes.get(node)
            self.changes[node] = frozen(contribution if before is None else before + contribution)
            arriving = {"upstream": dx, "local": locals_.get(slot), "value": contribution}
            events += [
                self._event("multiply", x, **edge, **arriving),
                self._event("accumulate", x, **edge, before=before, value=self.changes[node]),
            ]
        return events

    def _pushed(self, node: Node, slot: int, dx: Any) -> Any:
        """What the change of one input brings; within a composed function, from Node to Node."""
        call = self.graph.calls.get(node)
        if call is None:
            return pushed(node, slot, dx)
        inside = {call.inputs[slot]: dx}
        for inner in self.back.members[node]:
            for place, x in enumerate(inner.inputs):
                change = pushed(inner, place, inside[x]) if x in inside else None
                if change is not None:
                    inside[inner] = inside[inner] + change if inner in inside else change
        return inside.get(node)

    def _really(self) -> Any:
        """By how much the output changes when the nudged graph is computed."""
        (y,) = self.reading.outputs
        values: dict[Node, Any] = {}
        for node in self.reading.order:
            value = node.value
            if any(values[x] is not x.value for x in node.inputs):
                try:
                    value = node.op.forward(*[values[x] for x in node.inputs], **node.attrs)
                except REFUSALS:
                    return None  # an operation of a user's own may refuse what is nudged
            values[node] = value + self.nudges[node] if node in self.nudges else value
        return values[y] - y.value

    def _event(self, kind: str, node: Node, **details: Any) -> Event:
        return told(kind, NUDGE, self.ids[node], **details)
