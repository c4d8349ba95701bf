"""The graph of an exploration: a drawing that stays, and the texts that each move puts into it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from ..core.node import Node
from ..drawing.diagram import Box, diagram
from ..drawing.route import picture
from ..drawing.words import title
from ..reading import Reading
from ..reading.text import UNSET
from ..recording.data import written
from .explore_function import Run
from .stage import number_size, stage_svg

_CALL = re.compile("#[0-9]+")  # the number of a call, which is another one in every run


def structure(order: list[Node]) -> list[Any]:
    """What the drawing of a graph depends on: all but the numbers."""
    place = {node: i for i, node in enumerate(order)}
    calls: dict[str, int] = {}
    return [
        (
            node.op.name if node.op else node.kind,
            [place[x] for x in node.inputs],
            node.shape,
            node.name,
            _CALL.sub("", node.scope) if node.scope else "",
            calls.setdefault(node.scope, len(calls)),
        )
        for node in order
    ]


class Scene:
    """The drawing of a function's graph, and where its numbers go."""

    def __init__(self, run: Run) -> None:
        self._structure = structure(run.order)
        drawn = diagram(Reading([run.output], order=run.order), gradients=True)
        bare = replace(drawn, boxes=[*map(_bare, drawn.boxes)], of=run.of)
        self._picture = picture(bare, "auto")
        self._nodes = [
            (placed, int(placed.box.id[1:]))
            for placed in self._picture.boxes
            if placed.box.kind != "module"
        ]

    def fits(self, run: Run) -> bool:
        """Whether a graph differs from the one that was drawn in its numbers only."""
        return structure(run.order) == self._structure

    def view(self, names: list[str]) -> dict[str, Any]:
        """The drawing, and the boxes of the inputs."""
        boxes = [placed.box for placed, _ in self._nodes]
        return {
            "title": title(self._picture.diagram),
            "svg": stage_svg(self._picture),
            "places": {},
            "boxes": {b.label: b.id for b in boxes if b.kind == "variable" and b.label in names},
        }

    def texts(self, run: Run) -> list[list[Any]]:
        """For each number in the drawing its box, its part, its text and its size."""
        made = []
        for placed, place in self._nodes:
            node, box = run.order[place], placed.box
            if box.value is not None:
                made.append((placed, "value", written(node.value)))
            if box.gradient is not None:
                g = run.gradients.get(node)
                made.append((placed, "gradient", UNSET if g is None else written(g)))
        return [
            [placed.box.id, part, text, number_size(self._picture, placed, part, text)]
            for placed, part, text in made
        ]


def _bare(box: Box) -> Box:
    """A box without its numbers, which stay out of the drawing; the shape of an array stays in."""
    value, gradient = (
        UNSET if text is not None and not (box.shape and text.startswith("(")) else text
        for text in (box.value, box.gradient)
    )
    return replace(box, value=value, gradient=gradient)
