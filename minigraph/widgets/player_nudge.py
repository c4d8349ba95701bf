"""What the player shows of a nudge: how a change travels forwards through the graph, in waves.

A wave is all that the nudge reaches after as many edges, on the longest way there. So where paths
meet, everything that comes along them arrives in the same step, and is added up in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np

from ..core.node import Node
from ..drawing.diagram import Diagram
from ..reading import Reading
from ..reading.formula import as_word
from ..reading.words import joined
from ..recording import Recording
from ..recording.data import same, written
from ..recording.events import NUDGE, Event, RecordedNode
from ..recording.narration import change_text, is_product, product_text, sentence, wave
from ..recording.nudging import SIZE, checked_nudge
from ..recording.recorder import recorded_nudge
from .player_view import Change, Stage, Writer, grid, view

MOST_EDGES = 60  # of a graph in which each variable can be nudged without the kernel
MOST_NUDGES = 8


def nudge_recordings(reading: Reading, nudge: Any) -> list[Recording]:
    """The nudge that was asked for, and then in a small graph those of the other variables."""
    asked = checked_nudge(reading, nudge)
    order = reading.graph.order
    edges = sum(len(reading.graph.inputs(node)) for node in order)
    leaves = [node for node in order if node.kind == "variable"] if edges <= MOST_EDGES else []
    single = [checked_nudge(reading, {x: SIZE}) for x in leaves[:MOST_NUDGES]]
    others = [one for one in single if not _is_same(one, asked)]
    return [recorded_nudge(reading, changes) for changes in (asked, *others)]


def _is_same(one: dict[Node, Any], other: dict[Node, Any]) -> bool:
    return one.keys() == other.keys() and all(same(one[x], other[x]) for x in one)


def nudge_view(recordings: Sequence[Recording], on: Stage) -> dict[str, Any]:
    """Everything that the player needs, with the steps of the first nudge and of the others."""
    writers = [NudgeWriter(recording, on) for recording in recordings]
    shown = view(writers[0])
    writers.sort(key=lambda writer: [int(seed.node[1:]) for seed in writer.seeds])
    nudges = [{"name": title(writer.recording), "steps": writer.steps()} for writer in writers]
    return shown | {"nudges": nudges}


def title(recording: Recording) -> str:
    """What is nudged by how much, for a menu."""
    seeds = [e for e in recording.events if (e.kind, e.phase) == ("seed", NUDGE)]
    return joined([f"{recording.by_id[e.node].name} by {change_text(e.value)}" for e in seeds])


def still(recording: Recording, on: Stage) -> Diagram:
    """The graph as the nudge leaves it: the changes in the boxes, and the products on its way."""
    writer, drawn = NudgeWriter(recording, on), on.picture.diagram
    reached = {
        edge: flowing(event)[0]
        for event in recording.events
        if event.phase == NUDGE and event.kind == "multiply"
        if (edge := on.edge(event.node, event.user or "", event.slot or 0))
    }
    edges = [
        replace(e, label=reached[id], kind="derivative", highlighted=True) if id in reached else e
        for id, e in zip(map(writer.edge_id, drawn.edges), drawn.edges)
    ]
    return replace(drawn, edges=edges)


def flowing(multiply: Event) -> tuple[str, ...]:
    """What a nudge brings along an edge, and a shorter way to write it."""
    gives = change_text(multiply.value)
    return (f"{product_text(multiply)} = {gives}", gives) if is_product(multiply) else (gives,)


def _plus(x: Any) -> str:
    return f" {'−' if x < 0 else '+'} {written(abs(x))}"


class NudgeWriter(Writer):
    """Writes the waves of one nudge for one stage."""

    def __init__(self, recording: Recording, on: Stage) -> None:
        super().__init__(recording, on)
        self.given = recording.values  # the forward pass is over
        events = [event for event in recording.events if event.phase == NUDGE]
        self.seeds = [event for event in events if event.kind == "seed"]
        self.end = events[-1]
        self.arriving: dict[str, list[Event]] = {}
        self.totals: dict[str, list[Event]] = {}
        for event in events:
            by_kind = {"multiply": self.arriving, "accumulate": self.totals}
            if event.kind in by_kind:
                by_kind[event.kind].setdefault(event.user or "", []).append(event)

    def start(self) -> str:
        """What is known before the first step."""
        return "Every value is known. Nothing has been nudged yet."

    def first_labels(self) -> list[Change]:
        """The factors and the shapes, which are known before a nudge."""
        return [*self._labels("shape"), *self._labels("derivative")]

    def steps(self, difference: Any = None) -> list[dict[str, Any]]:
        """One step for the nudge itself, one for each wave, and one for the end."""
        self.values = dict(self.given)
        self.known_at = dict.fromkeys(self.given, 0)
        made = [self._begun(), *map(self._arrived, self._waves()), self._compared()]
        return [step | {"phase": NUDGE} for step in made]

    def _waves(self) -> list[list[str]]:
        """The ids of the nodes that the nudge reaches, by the number of edges to them."""
        far = {event.node: 0 for event in self.seeds}
        waves: list[list[str]] = []
        for id, parts in self.arriving.items():
            far[id] = max(far.get(id, 0), *(far[part.node] + 1 for part in parts))
            waves += [[] for _ in range(far[id] - len(waves))]
            waves[far[id] - 1].append(id)
        return [wave for wave in waves if wave]

    def _begun(self) -> dict[str, Any]:
        ids = [event.node for event in self.seeds]
        changes = [
            change
            for event in self.seeds
            for change in self._number(event.node, "gradient", written(event.value))
        ]
        told = " ".join(sentence(self.recording, e, self.values) for e in self.seeds)
        return {
            "say": told,
            **self._reached(ids),
            "set": changes,
            "grids": self._grids({event.node: event.value for event in self.seeds}),
        }

    def _arrived(self, ids: list[str]) -> dict[str, Any]:
        """The step in which the nudge comes to some nodes, along all edges that lead there."""
        parts = {id: self.arriving[id] for id in ids}
        totals = {id: self.totals[id][-1].value for id in ids}
        flows = [
            (edge, flowing(event))
            for event in chain(*parts.values())
            if (edge := self.on.edge(event.node, event.user or "", event.slot or 0))
        ]
        return {
            "say": wave(self.recording, parts),
            **self._reached(ids),
            "set": [
                change
                for id, total in totals.items()
                for change in self._number(id, "gradient", written(total))
            ],
            "now": [change for id in ids for change in self._sum(id, self._adding(id))],
            "flow": [self._label(edge, *texts, kind="value") for edge, texts in flows],
            "labels": [self._label(edge, *texts, kind="change") for edge, texts in flows],
            "hands": [self._hand(event, totals[id]) for id in ids for event in parts[id]],
            "grids": self._grids(totals),
        }

    def _adding(self, id: str) -> str:
        """The sum that is made at a node, where it is one of numbers: "0.2 + 0.5 = 0.7"."""
        totals, parts = self.totals[id], self.arriving[id]
        terms = [part.value for part in parts]
        if totals[0].before is not None:
            terms.insert(0, totals[0].before)
        if len(terms) == 1 or any(map(np.ndim, terms)):
            return written(totals[-1].value)
        first, *others = terms
        return (
            written(first) + "".join(_plus(x) for x in others) + f" = {written(totals[-1].value)}"
        )

    def _compared(self) -> dict[str, Any]:
        """The end: what the derivatives say of the output beside what it really does."""
        id, told, really = self.end.node, self.end.before, self.end.value
        made = {"say": sentence(self.recording, self.end, self.values), **self._reached([id])}
        if told is None or really is None or np.ndim(told) or same(told, really):
            return made
        return made | {"now": self._sum(id, f"{written(told)}, really {written(really)}")}

    def _reached(self, ids: list[str]) -> dict[str, Any]:
        boxes = [*dict.fromkeys(self.on.box_of[id] for id in ids)]
        return {"node": ids[0], "box": boxes[0], "boxes": boxes}

    def _hand(self, multiply: Event, total: Any) -> dict[str, Any]:
        user = multiply.user or ""
        return {
            "to": user,
            "via": multiply.node,
            "edge": self.on.edge(multiply.node, user, multiply.slot or 0),
            "product": product_text(multiply) if is_product(multiply) else "",
            "gives": change_text(multiply.value),
            "total": change_text(total),
        }

    def _grids(self, changes: dict[str, Any]) -> dict[str, Any]:
        return {id: rows for id, change in changes.items() if (rows := grid(change))}

    def node(self, node: RecordedNode) -> dict[str, Any]:
        """A node for the lens, which adds up its change."""
        return super().node(node) | {"gradient": f"Δ{as_word(node.name)}"}
