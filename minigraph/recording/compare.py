"""Where two recordings part, and which misconception goes the same way.

A right pass may take its nodes in another order than the engine. So a difference is not another
event, but an event that no right pass can hold: a wrong number, a contribution too many, a node
that hands on before it is complete, or at the end something that is missing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..core.node import Node
from ..errors import MinigraphError
from ..reading import Reading
from .data import Summary, same, summarised, written
from .events import BACKWARD, EdgeId, Event, Recording
from .narration import gradient_name
from .recorder import check_options, described, recorded
from .sweeps import MISCONCEPTIONS, Sweep


@dataclass(frozen=True)
class Divergence:
    """The first event of a recording that cannot be right.

    Attributes:
        place: its position among the events.
        event: the event.
        expected: the number that should be there; None where there should be none.
        text: the difference in a sentence.
    """

    place: int
    event: Event
    expected: Any
    text: str

    @property
    def vague(self) -> str:
        """The difference without the number that should be there."""
        return _NEEDED.sub("", _WANTED.sub("; that is not right.", self.text))


_WANTED = re.compile(r"; it should be .*\.$")
_NEEDED = re.compile(r", and needs .*(?=\.$)|(?<=has not handed on) .*(?= to )")


class OtherGraphError(MinigraphError, KeyError):
    """Recordings of two graphs, where one graph is needed."""

    __str__ = Exception.__str__  # a KeyError would quote it


def first_difference(reference: Recording, other: Recording) -> Divergence | None:
    """Find the first event of the backward pass that parts from the reference; None if none does.

    Raises:
        OtherGraphError: if the recordings are not of the same graph.
        MinigraphError: if the reference has no backward pass.
    """
    one, two = ([(n.id, n.inputs) for n in told.nodes] for told in (reference, other))
    if one != two:
        raise OtherGraphError("these recordings are of two graphs, and cannot be compared")
    if reference.output not in reference.gradients:
        raise MinigraphError("the first recording has no backward pass to compare with")
    return _Comparison(reference, other).run()


class _Comparison:
    """What the reference says, and how far the other recording has come."""

    def __init__(self, reference: Recording, other: Recording) -> None:
        self.reference, self.other = reference, other
        backward = [e for e in reference.events if e.phase == BACKWARD]
        self.contributions = {e.edge: e for e in backward if e.kind == "multiply"}
        self.gradients = reference.gradients
        self.arrived: dict[EdgeId, None] = {}
        self.added: set[EdgeId] = set()

    def run(self) -> Divergence | None:
        for place, event in enumerate(self.other.events):
            if event.phase != BACKWARD:
                continue
            check = getattr(self, f"_{event.kind}")
            if difference := check(event):
                expected, text = difference
                return Divergence(place, event, expected, text)
        return None

    def _seed(self, event: Event) -> tuple[Any, str] | None:
        expected = self.gradients[self.reference.output]
        if event.node != self.reference.output:
            return expected, f"The pass starts at {self._name(event.node)}, not at the output."
        return self._number(event.value, expected, f"{self._gradient(event.node)} starts as")

    def _visit(self, event: Event) -> tuple[Any, str] | None:
        return None  # nothing is handed on yet; what is, is checked below

    _hook = _visit

    def _multiply(self, event: Event) -> tuple[Any, str] | None:
        edge = event.edge
        node, user = self._name(event.node), self._name(event.user)
        right = self.contributions.get(edge)
        if right is None:
            return None, f"{user} hands on to {node}, which needs no gradient from it."
        if edge in self.arrived:
            return None, f"{user} hands on to {node} a second time."
        self.arrived[edge] = None
        if event.upstream is not None and not same(event.upstream, right.upstream):
            has, needs = written(event.upstream), written(right.upstream)
            return right.upstream, (
                f"{user} hands on to {node} before its own gradient is complete"
                + (f": it has {has}, and needs {needs}." if has != needs else ".")
            )
        return self._number(event.value, right.value, f"{user} contributes to {node}")

    def _accumulate(self, event: Event) -> tuple[Any, str] | None:
        parts = [self.contributions[e].value for e in self.arrived if e[0] == event.node]
        if not parts:
            return None, f"{self._name(event.node)} gets a gradient that nothing has handed on."
        if any(isinstance(part, Summary) for part in parts):
            return None  # summaries do not add up; the contributions have been compared
        # A pass may hand on to several inputs first, and add up afterwards, one by one.
        self.added.add(event.edge)
        added = [
            self.contributions[e].value
            for e in self.arrived
            if e[0] == event.node and e in self.added
        ]
        if added and same(event.value, _total(added)):
            return None
        what = f"With what has arrived, {self._gradient(event.node)} is"
        return self._number(event.value, _total(parts), what)

    def _done(self, event: Event) -> tuple[Any, str] | None:
        for edge, right in self.contributions.items():
            if edge not in self.arrived:
                node, user = self._name(edge[0]), self._name(edge[1])
                return right.value, (
                    f"The pass ends, and {user} has not handed on {written(right.value)} to {node}."
                )
        return None

    def _number(self, x: Any, expected: Any, what: str) -> tuple[Any, str] | None:
        if same(x, expected):
            return None
        if written(x) == written(expected):
            return expected, f"{what} {written(x)}, as it should, but with other numbers."
        return expected, f"{what} {written(x)}; it should be {written(expected)}."

    def _name(self, id: str | None) -> str:
        return self.reference.by_id[id or ""].name

    def _gradient(self, id: str) -> str:
        return gradient_name(self.reference, id)


def _total(parts: list[Any]) -> Any:
    return summarised(sum(parts[1:], parts[0]))


def diagnose(y: Node, gradients: Mapping[Node, Any], seed: Any = None) -> type[Sweep] | None:
    """Find the misconception that leaves just these gradients in these Nodes.

    None if they are right, or wrong in a way that is not known.
    """
    reading = Reading([y], opened=True)
    for node in gradients:
        if node not in reading.ids:
            raise MinigraphError(f"{described(node)} is not part of the graph")
    check_options(y, "backward", "")
    return diagnosed(reading, {reading.ids[node]: g for node, g in gradients.items()}, seed)


def diagnosed(
    reading: Reading, gradients: Mapping[str, Any], seed: Any = None
) -> type[Sweep] | None:
    """What `diagnose` says of gradients by the ids of Nodes; all calls of the graph are open."""
    wanted = {id: summarised(g) for id, g in gradients.items()}

    def agree(wrong: str) -> bool:
        left = recorded(reading, "backward", seed=seed, wrong=wrong).gradients
        return all(same(left.get(id), g) for id, g in wanted.items())

    if agree(""):
        return None
    return next((sweep for name, sweep in MISCONCEPTIONS.items() if agree(name)), None)
