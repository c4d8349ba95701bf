"""The inspector: what goes wrong in a graph, as heat over its drawing, as a list and as a table."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace
from html import escape
from typing import Any

import anywidget
import numpy as np
import traitlets

from ..core.node import Node
from ..drawing import words
from ..drawing.diagram import Diagram, diagram
from ..drawing.drawing import as_image
from ..drawing.route import picture
from ..drawing.svg import to_svg
from ..errors import NodeTypeError
from ..graph.context import watching
from ..graph.graph import Graph
from ..graph.watched import Watched
from ..reading import Reading
from ..reading.inspecting import KINDS, Finding, Inspection, Row
from ..reading.text import UNSET, value_text
from ..reading.words import counted
from ..recording.recorder import check_options
from .base import table
from .heat import halos, marks, with_heat
from .lifetime import Released
from .page import module, style
from .stage import stage_svg

MOST_ROWS = 500  # of the table in a page
_STILL = 60  # of these where no script may run
_MODULE, _STYLE = module("inspector"), style("inspector")
_MARKS = {  # what is written at the corner of a box
    "nan": "NaN",
    "nan gradient": "∂ NaN",
    "no gradient": "no ∂",
    "detached": "cut off",
    "zero gradient": "∂ 0",
    "vanishing": "∂ ↓",
    "exploding": "∂ ↑",
    "accumulated": "∂ + ∂",
    "broadcast": "stretched",
    "dead units": "dead",
    "saturated": "flat",
}


class Inspector(Released, anywidget.AnyWidget):
    """A graph with what was found in it; all of it is in the page, and needs no kernel.

    Attributes:
        inspection: the numbers behind it.
        view: all that the browser shows.
    """

    _esm = _MODULE
    _css = _STYLE
    view = traitlets.Dict().tag(sync=True)

    def __init__(self, inspection: Inspection, direction: str = "auto") -> None:
        """Show an inspection; `mg.inspect` makes one."""
        self.inspection = inspection
        self._diagram = _with_gradients(inspection)
        self._picture = picture(self._diagram, direction)
        parts = zip(self._diagram.boxes, inspection.reading.parts, strict=True)
        self._boxes = {x: box.id for box, part in parts for x in part.nodes}
        super().__init__(view=self._view())

    @property
    def findings(self) -> list[Finding]:
        """What strikes the eye, each with its `kind`, its `text` and its `nodes`; worst first."""
        return self.inspection.findings

    @property
    def rows(self) -> list[Row]:
        """For each node the sizes of its value and its gradient, in topological order."""
        return self.inspection.rows

    @property
    def text(self) -> str:
        """The findings and the table, as text."""
        return self.inspection.text

    def __repr__(self) -> str:
        return self.text

    __str__ = __repr__

    def _repr_mimebundle_(self, **options: Any) -> Any:
        data, metadata = super()._repr_mimebundle_(**options) or ({}, {})
        return {**data, "text/html": self.html, "text/plain": self.text}, metadata

    @property
    def html(self) -> str:
        """The inspector for a page without kernel: a picture, lists, and a script that revives it.

        Where scripts are not allowed, the picture and the lists stay.
        """
        data = json.dumps({"view": self.view}, ensure_ascii=False, separators=(",", ":"))
        data = data.replace("<", "\\u003c")
        id = hashlib.sha256(data.encode()).hexdigest()[:12]
        shown = to_svg(self._picture, "auto")
        image = as_image(
            with_heat(shown, "".join(self._halos()[:1]), self._marks()),
            words.sentence(self._diagram),
            self._picture.width,
            self._picture.height,
        )
        told = "".join(f"<li>{escape(str(finding))}</li>" for finding in self.findings)
        head = tuple(self.view["columns"])
        cells = table([head, *(tuple(row["cells"]) for row in self.view["rows"][:_STILL])])
        return (
            f'<div data-minigraph-inspector="{id}"><p>{escape(self._count)}</p>'
            f"<ul>{told}</ul>{image}<details><summary>{counted(len(self.rows), 'node')}</summary>"
            f"{cells}</details></div><style>{_STYLE}</style>"
            f'<script type="module">{_MODULE}\nbringToLife("{id}", {data});</script>'
        )

    # --- what the page shows ----------------------------------------------------------------------

    def _view(self) -> dict[str, Any]:
        svg = with_heat(stage_svg(self._picture), "".join(self._halos()), self._marks())
        places = {row.node: place for place, row in enumerate(self._told_rows)}
        return {
            "title": words.title(self._diagram),
            "svg": svg,
            "places": {},
            "say": self._count + " Choose one, to see where it is." * bool(self.findings),
            "heats": self._heats,
            "columns": ["node", "operation", "shape", "value", "zeros", "gradient", "zeros"],
            "numbers": [3, 4, 5, 6],
            "findings": [
                {
                    "kind": KINDS[finding.kind],
                    "text": finding.text,
                    "boxes": self._boxes_of(finding.nodes),
                    "rows": [places[x] for x in self._standing(finding.nodes) if x in places],
                }
                for finding in self.findings
            ],
            "rows": [self._row(row) for row in self._told_rows],
            "more": f"{MOST_ROWS:,} of {len(self.rows):,} nodes are in this table."
            if len(self.rows) > MOST_ROWS
            else "",
        }

    @property
    def _heats(self) -> list[str]:
        return ["gradient", "value"] if self.inspection.gradients else ["value"]

    @property
    def _count(self) -> str:
        if not self.findings:
            return "Nothing strikes the eye."
        count = len(self.findings)
        return f"{counted(count, 'thing')} strike{'s' * (count == 1)} the eye."

    @property
    def _told_rows(self) -> list[Row]:
        """The rows of the table; of a large graph first those that something was found about."""
        if len(self.rows) <= MOST_ROWS:
            return self.rows
        found = {x for finding in self.findings for x in self._standing(finding.nodes[:3])}
        return sorted(self.rows, key=lambda row: row.node not in found)[:MOST_ROWS]

    def _row(self, row: Row) -> dict[str, Any]:
        measures = [row.value, row.gradient]
        keys: list[Any] = [row.name.lower(), row.operation, float(len(row.shape))]
        for measure in measures:
            # what is not finite is larger than anything
            size = measure and (1e308 if measure.strange else measure.size)
            keys += [size, measure and measure.zeros]
        return {"box": self._boxes[row.node], "cells": row.cells, "keys": keys}

    def _standing(self, nodes: Iterable[Node]) -> list[Node]:
        """The nodes of the graph that stand for some Nodes; others are left out."""
        known = (x for x in nodes if x in self._boxes or x in self.inspection.graph.outputs)
        return [*dict.fromkeys(self.inspection.graph.standing_for(known))]

    def _boxes_of(self, nodes: Iterable[Node]) -> list[str]:
        return [*dict.fromkeys(self._boxes[x] for x in self._standing(nodes))]

    def _halos(self) -> list[str]:
        return [halos(self._picture, self._sizes(what), what) for what in self._heats]

    def _sizes(self, what: str) -> dict[str, float]:
        """By box the largest size of a value or a gradient; NaN where a number is not finite."""
        sizes: dict[str, float] = {}
        for row in self.rows:
            measure = row.value if what == "value" else row.gradient
            if measure is None:
                continue
            id = self._boxes[row.node]
            size = float("nan") if measure.strange else measure.size
            before = sizes.get(id, 0.0)
            sizes[id] = size if size != size else before if before != before else max(size, before)
        return sizes

    def _marks(self) -> str:
        said: dict[str, dict[str, None]] = {}
        for finding in self.findings:
            if finding.kind in _MARKS:
                for box in self._boxes_of(finding.nodes[:1]):
                    said.setdefault(box, {})[_MARKS[finding.kind]] = None
        return marks(self._picture, said)


def _with_gradients(inspection: Inspection) -> Diagram:
    """The drawing of a graph, with the gradients of the inspection and not those in `grad`."""
    reading, gradients = inspection.reading, inspection.gradients
    drawn = diagram(reading, gradients=bool(gradients))
    boxes = [
        replace(box, gradient=_told(gradients.get(part.nodes[0])))
        if box.gradient is not None
        else box
        for box, part in zip(drawn.boxes, reading.parts, strict=True)
    ]
    is_one = bool(gradients) and bool(np.all(gradients[inspection.y] == 1))
    of = drawn.boxes[drawn.outputs[0]].label if is_one else None
    return replace(drawn, boxes=boxes, of=of)


def _told(gradient: Any) -> str:
    return UNSET if gradient is None else value_text(gradient)


def inspect(
    y: Any,
    value: Any = None,
    *,
    beside: Any = (),
    seed: Any = None,
    opened: Any = False,
    folded: Any = None,
    direction: str = "auto",
) -> Inspector:
    """Look for what goes wrong in a graph, in the values and in the gradients of y.

    The gradients are computed anew; what a backward pass has left in `grad` stays, and is compared.

    Args:
        y: the output, a Node; a function without arguments that computes it, of which then all is
            known that it computes and does not use; or what was watched of a PyTorch program, and
            as `value` the tensor.
        beside: leaves that should have a part in y: Nodes, or a module with `parameters()`.
        seed: the gradient to start from, of y's shape; 1 for a scalar.
        opened, folded, direction: as in `mg.draw`.

    Returns:
        An `Inspector`: shown in notebooks, printed as text; its `findings` and its `rows` are data.

    Raises:
        NodeTypeError: for something else than Nodes.
        SymbolicError: if y waits for placeholders.
    """
    made: list[Node] = []
    idle: list[str] = []
    if isinstance(y, Watched):
        if value is None:
            raise NodeTypeError("say of which value: inspect(seen, loss)")
        watched, y = y, y[value]
        made, idle = watched.made(), watched.idle()
    elif value is not None:
        raise NodeTypeError("a second value goes with a watched program: inspect(seen, loss)")
    elif callable(y) and not isinstance(y, Node):
        with watching(made.append):
            y = y()
        if not isinstance(y, Node):
            raise NodeTypeError(
                f"inspect takes a Node, not {type(y).__name__} {y!r:.40}, which the function "
                "returns; of a compiled plan it takes the graph"
            )
    if isinstance(y, Graph):
        # What another output needs is used.
        made, y = y.order if y.is_single else [], y.outputs[0]
    if not isinstance(y, Node):
        raise NodeTypeError(f"inspect takes a Node, not {type(y).__name__} {y!r:.40}")
    check_options(y, "both", "")
    leaves = _leaves(beside)
    reading = Reading([y], opened, folded)
    inspection = Inspection(reading, seed=seed, made=made, beside=leaves, idle=idle)
    return Inspector(inspection, direction)


def _leaves(beside: Any) -> list[Node]:
    """The Nodes that are meant: those given, and the parameters of modules."""
    items = [beside] if isinstance(beside, Node) or hasattr(beside, "parameters") else beside
    if not isinstance(items, Iterable):
        raise NodeTypeError(f"beside takes Nodes or modules, not {items!r:.40}")
    found: list[Node] = []
    for item in items:
        found += item.parameters() if hasattr(item, "parameters") else [item]
    for x in found:
        if not isinstance(x, Node):
            raise NodeTypeError(f"beside takes Nodes or modules, not {x!r:.40}")
    return found
