"""The backward pass as events, and the wrong ways to run it, each one method away from the right.

`Sweep` is the pass of the engine, with its numbers to the last bit. A misconception overrides the
one method in which it goes wrong. A composed function, such as softmax, is one step of a sweep.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import Any, ClassVar

import numpy as np

from ..core.node import Node, frozen
from ..core.table import astype, unbroadcast
from ..graph.hooks import hooks_of
from ..reading import Reading
from ..reading.local import contributions
from .events import BACKWARD, Event, told

AtHooks = tuple[list[Event], Any, str]  # what happens, the gradient then, and why the pass ends
Pieces = list[Any]  # what an operation contributes to one input, in the order of adding


class Sweep:
    """A backward pass over a graph; `events` runs it."""

    name: ClassVar[str] = ""
    title: ClassVar[str] = "as it should be"
    why: ClassVar[str] = ""

    def __init__(
        self, reading: Reading, seed: Any, hooks_met: dict[Node, AtHooks] | None = None
    ) -> None:
        """Make a pass; what hooks have done is put into `hooks_met`, or taken from there."""
        self.reading, self.graph, self.ids = reading, reading.graph, reading.ids
        (self.y,) = reading.outputs
        self.seed = seed
        self.members: dict[Node, list[Node]] = {}
        for node, output in self.graph.outputs.items():
            self.members.setdefault(output, []).append(node)
        self.gradients: dict[Node, Any] = {}
        self.hooks_met = {} if hooks_met is None else hooks_met

    def events(self) -> list[Event]:
        """Run the pass, and say what happened."""
        self.gradients = self.start()
        self.gradients[self.y] = self.seed
        events = [self._event("seed", self.y, value=self.seed)]
        note = ""
        with np.errstate(all="ignore"):
            for node in self.order():
                if node not in self.gradients:
                    continue
                events.append(self._event("visit", node, value=self.gradients[node]))
                met, self.gradients[node], note = self._past_hooks(node)
                events += met
                if note:
                    break
                try:
                    for slot, x, local, pieces in self.pulled_back(node, self.gradients[node]):
                        events += self._handed_on(node, slot, x, local, pieces)
                except (ValueError, TypeError, IndexError) as error:
                    note = f"the rule of {self.ids[node]} could not go on: {error}"
                    break
        return [*events, self._event("done", self.y, note=note)]

    # --- what a misconception changes -------------------------------------------------------------

    def start(self) -> dict[Node, Any]:
        """What the nodes hold before the pass."""
        return {}

    def order(self) -> Sequence[Node]:
        """The nodes in the order of handing on: each after all of its users."""
        return self.graph.order[::-1]

    def upstream(self, node: Node, g: Any) -> Any:
        """What a node hands on, multiplied by its local derivatives."""
        return g

    def fitted(self, c: Any, x: Node) -> Any:
        """A contribution in the shape and dtype of its input, summed where that was stretched."""
        if c.shape != x.shape:
            c = unbroadcast(c, x.shape)
        return c if c.dtype == x.dtype else astype(c, x.dtype)

    def signed(self, c: Any, node: Node, slot: int) -> Any:
        """A contribution with its sign."""
        return c

    def total(self, before: Any, pieces: Pieces) -> Any:
        """What an input has after a contribution."""
        return reduce(add, pieces) if before is None else reduce(add, pieces, before)

    # --- one step ---------------------------------------------------------------------------------

    def pulled_back(self, node: Node, g: Any) -> list[tuple[int, Node, Any, Pieces]]:
        """For each input with a gradient: slot, input, local derivative, contribution."""
        if node.op is None:
            return []
        pieces = self._pieces(node, frozen(self.upstream(node, g)))
        if not pieces:
            return []
        locals_: dict[int, Pieces] = {}
        inputs = self.graph.inputs(node)
        is_call = node in self.graph.calls
        if not is_call and node.op.partials:
            ones = frozen(np.ones_like(node.value))
            locals_ = self._pieces(node, ones, fit=False)
        elif node.shape == () and all(inputs[slot].shape == () for slot in pieces):
            locals_ = self._pieces(node, node.dtype.type(1))
        return [
            (slot, inputs[slot], reduce(add, locals_[slot]) if slot in locals_ else None, c)
            for slot, c in pieces.items()
        ]

    def _pieces(self, node: Node, g: Any, fit: bool = True) -> dict[int, Pieces]:
        """By slot, what g contributes; the rules of a composed function's operations in turn."""
        if node not in self.graph.calls:
            contributed = contributions(node, g)
            return {
                slot: [frozen(self.fitted(c, x)) if fit else c]
                for slot, x, c in ((s, x, self.signed(c, node, s)) for s, x, c in contributed)
            }
        slots = {x: slot for slot, x in enumerate(self.graph.calls[node].inputs)}
        inside, within = {node: g}, dict[int, Pieces]()
        for inner in reversed(self.members[node]):
            if inner not in inside:
                continue
            for _, x, c in contributions(inner, inside.pop(inner)):
                c = frozen(Sweep.fitted(self, c, x))  # a composed function is right within
                if x in slots:
                    within.setdefault(slots[x], []).append(c)
                else:
                    inside[x] = inside[x] + c if x in inside else c
        return dict(sorted(within.items()))

    def _handed_on(
        self, user: Node, slot: int, x: Node, local: Any, pieces: Pieces
    ) -> tuple[Event, Event]:
        before = self.gradients.get(x)
        after = self.gradients[x] = frozen(self.total(before, pieces))
        edge = {"user": self.ids[user], "slot": slot}
        g = self.gradients[user]
        c = reduce(add, pieces)
        return (
            self._event("multiply", x, **edge, upstream=g, local=local, value=c),
            self._event("accumulate", x, **edge, before=before, value=after),
        )

    def _past_hooks(self, node: Node) -> AtHooks:
        """Show the gradient of a Node to its hooks: what happens, what is left, what ends it."""
        if node in self.hooks_met:
            return self.hooks_met[node]
        events, g, note = list[Event](), self.gradients[node], ""
        for hook in hooks_of(node):
            before = g
            try:
                g = hook.called(node, frozen(before))
            except Exception as error:  # whatever a function of the user's raises
                note = f"the hook {hook.name} of {self.reading.names[node].full} raised "
                note += f"{type(error).__name__}: {error}".removesuffix(": ")
            events.append(self._event("hook", node, before=before, value=g, note=hook.name))
            if note:
                break
        self.hooks_met[node] = events, g, note
        return self.hooks_met[node]

    def _event(self, kind: str, node: Node, **details: Any) -> Event:
        return told(kind, BACKWARD, self.ids[node], **details)


# --- wrong ways -----------------------------------------------------------------------------------


class Overwrite(Sweep):
    """Where several contributions arrive, the last one stays."""

    name = "overwrite"
    title = "overwrite instead of add"
    why = "A node that is used several times keeps the last contribution; they should add up."

    def total(self, before: Any, pieces: Pieces) -> Any:
        """Forget what was there."""
        return reduce(add, pieces)


class NoOrder(Sweep):
    """A node hands on as soon as it is reached."""

    name = "order"
    title = "no topological order"
    why = "A node hands on its gradient before all of its users have handed on theirs."

    def order(self) -> Sequence[Node]:
        """Breadth first, each node once."""
        reached, seen = [self.y], {self.y}
        for node in reached:
            for x in self.graph.inputs(node):
                if x not in seen:
                    seen.add(x)
                    reached.append(x)
        return reached


class ForgottenUpstream(Sweep):
    """The local derivative alone is handed on."""

    name = "upstream"
    title = "upstream gradient forgotten"
    why = "The local derivative is handed on without being multiplied by the gradient above it."

    def upstream(self, node: Node, g: Any) -> Any:
        """One, whatever has arrived."""
        return np.ones_like(g)


class NoBroadcastSum(Sweep):
    """A contribution keeps the shape that broadcasting gave to its input."""

    name = "broadcast"
    title = "no sum over stretched axes"
    why = "An input that was stretched gets a gradient of the stretched shape; it should be summed."

    def fitted(self, c: Any, x: Node) -> Any:
        """Leave it as it is."""
        return c


class WrongSign(Sweep):
    """The second input of a difference gets its gradient without the minus."""

    name = "sign"
    title = "sign of the difference"
    why = "In x − y the local derivative by y is −1."

    def signed(self, c: Any, node: Node, slot: int) -> Any:
        """Take the minus away."""
        return -c if node.op and node.op.name == "subtract" and slot == 1 else c


class StaleGradients(Sweep):
    """The nodes still hold what an earlier pass left in them."""

    name = "stale"
    title = "stale gradients"
    why = "The gradients of an earlier pass were not cleared, and the new ones are added to them."

    def start(self) -> dict[Node, Any]:
        """Run a right pass first, and keep what it leaves."""
        earlier = Sweep(self.reading, self.seed)
        earlier.events()
        return earlier.gradients


MISCONCEPTIONS: dict[str, type[Sweep]] = {
    sweep.name: sweep
    for sweep in (Overwrite, NoOrder, ForgottenUpstream, NoBroadcastSum, WrongSign, StaleGradients)
}
