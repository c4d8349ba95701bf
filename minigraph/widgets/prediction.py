"""The card of a prediction: it asks, and holds what it tells back until there is a guess."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from html import escape
from typing import Any

import anywidget
import traitlets

from ..core.node import Node
from ..drawing.diagram import diagram
from ..drawing.route import picture
from ..drawing.words import title
from ..reading import Reading
from .lifetime import Released
from .page import module, style
from .stage import stage_svg


@dataclass(frozen=True)
class Field:
    """Where a part of a guess is typed, chosen or clicked.

    Attributes:
        name: what the guess is sent under.
        label: what is asked for.
        kind: "text", "choice", "several", or "boxes" of the graph.
        asked_for: what a guess looks like.
        words: what there is to choose from.
    """

    name: str
    label: str
    kind: str
    asked_for: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Told:
    """What is told after a guess, as HTML and as text."""

    html: str
    text: str


class PredictionCard(Released, anywidget.AnyWidget):
    """A question with fields for a guess; after the guess, what is true.

    Attributes:
        told: what is told; None before the first guess.
        question, fields, view: what the page shows.
        say: what is still to be said.
        answer: what the page is told, as HTML; "" before the first guess.
    """

    _esm = module("prediction")
    _css = style("prediction")
    question = traitlets.Unicode().tag(sync=True)
    fields: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    view = traitlets.Dict().tag(sync=True)
    say = traitlets.Unicode().tag(sync=True)
    answer = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        text: str,
        html: str,
        fields: list[Field],
        graph: Node | None,
        call: str,
        judge: Callable[[Mapping[str, Any]], Told | str],
    ) -> None:
        """Ask.

        Args:
            text, html: the question, twice.
            fields: for the parts of a guess.
            graph: what is shown with the question: its inputs with their values.
            call: how a guess is made in Python.
            judge: says what is true, or what is still missing, of what was said of each part.
        """
        self._text, self._call, self._judge = text, call, judge
        self._told: Told | None = None
        super().__init__(
            question=html, fields=[*map(asdict, fields)], view=_view(graph) if graph else {}
        )
        self.on_msg(self._heard)

    @property
    def told(self) -> Told | None:
        """What is told after the guess."""
        return self._told

    @told.setter
    def told(self, told: Told) -> None:
        self._told = told
        self.answer, self.say = told.html, ""

    def guess(self, said: Mapping[str, Any]) -> None:
        """Take a guess, by the names of the fields."""
        heard = self._judge(said)
        if isinstance(heard, Told):
            self.told = heard
        else:
            self.say = heard

    def _heard(self, _: Any, content: dict[str, Any], buffers: Any) -> None:
        if content.get("kind") == "guess":
            self.guess(content["said"])
            self.send({"kind": "heard"})

    @property
    def html(self) -> str:
        """The card for a page without kernel."""
        if self._told:
            below = self._told.html
        else:
            below = f"<p>{escape(self.say) or 'Run this cell to make your guess.'}</p>"
        style = "border:1px solid #808a94;border-radius:12px;padding:8px 16px;max-width:52em"
        return f'<div style="{style}"><p><b>Predict.</b> {self.question}</p>{below}</div>'

    def __repr__(self) -> str:
        if self._told:
            return f"{self._text}\n\n{self._told.text}"
        return "\n".join(filter(None, [self._text, self.say, f"Your guess: {self._call}"]))

    def _repr_mimebundle_(self, **options: Any) -> Any:
        data, metadata = super()._repr_mimebundle_(**options) or ({}, {})
        return {**data, "text/html": self.html, "text/plain": repr(self)}, metadata


def _view(output: Node) -> dict[str, Any]:
    """A graph as it is known before it is computed: the numbers of its inputs alone."""
    reading = Reading([output])
    computed = [node for node in reading.order if node.op]
    drawn = diagram(reading, gradients=False, hide_values=computed)
    shown = picture(replace(drawn, of=None), "auto")
    return {
        "title": title(drawn),
        "svg": stage_svg(shown),
        "places": {},
        "boxes": {box.label: box.id for box in drawn.boxes if box.label},
    }
