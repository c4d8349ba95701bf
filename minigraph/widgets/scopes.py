"""Look into the scopes of a graph: from a network to its layers, to their operations, and back."""

from __future__ import annotations

from typing import Any

import anywidget
import ipywidgets as widgets
import traitlets

from ..core.node import Node
from ..drawing.diagram import Diagram, diagram
from ..drawing.drawing import Drawing
from ..drawing.route import Picture, picture
from ..drawing.words import title
from ..errors import MinigraphError, NodeTypeError
from ..graph.watched import takes_watched
from ..reading import Reading
from ..reading.parts import prefixes
from ..reading.repeats import run_name, runs
from .base import GraphWidget
from .page import module
from .stage import fold_toggle, stage_svg, unfold_toggle


class OpenableDrawing(anywidget.AnyWidget):
    """A drawing in which boxes and frames can be clicked, or chosen with the keyboard.

    Attributes:
        value: the same as an element for a page without kernel.
        view: what the page shows, and what can be opened and closed in it.
    """

    _esm = module("scopes")
    value = traitlets.Unicode()
    view = traitlets.Dict().tag(sync=True)


class ScopeZoom(GraphWidget):
    """A graph whose boxes open and close: a click on one, or the buttons above.

    Blocks that are built alike and follow each other are one box, such as "block0–11 ×12", until
    one of them is open.

    Attributes:
        output: the Node whose graph is shown.
        path: of the scope that is open, such as "classifier/hidden"; "" before any is.
        out: the `ipywidgets.Button` that closes the scope again.
        inside: the `ipywidgets.HBox` of the buttons that open a scope within it.
    """

    @takes_watched
    def __init__(self, output: Node, path: str = "") -> None:
        """Show a graph with all of its scopes folded, but those on the way to one.

        Args:
            output: of the graph, such as a loss or the scores of a network.
            path: of the scope that is open at the beginning.

        Raises:
            NodeTypeError: if it is no Node.
            MinigraphError: if its graph has no scopes, or not this one.
        """
        if not isinstance(output, Node):
            raise NodeTypeError(f"zoom takes a Node, such as model(x), not {output!r:.40}")
        self.output = output
        reading = Reading([output], opened=True)
        self._order, self._sizes = reading.order, reading.scopes
        if not self._sizes:
            raise MinigraphError(
                "this graph has no scopes to look into; layers make them, or mg.scope", (output,)
            )
        self._runs, self._loose = runs(reading.order, reading.graph, self._sizes)
        self.path = ""
        self.out = widgets.Button(description="Out", icon="arrow-left")
        self.inside = widgets.HBox([], layout=widgets.Layout(flex_flow="row wrap"))
        row = widgets.HBox([self.out, self.inside], layout=widgets.Layout(flex_flow="row wrap"))
        super().__init__("Scopes, opened one by one", [row], picture=OpenableDrawing())
        self.out.on_click(lambda _: self.go(self.path.rpartition("/")[0]))
        self.picture.on_msg(self._told)
        self.go(path)

    def go(self, path: str) -> None:
        """Show what a scope holds, and around it the other scopes as one box each."""
        if not isinstance(path, str) or (path and path not in self._sizes):
            known = ", ".join(self._sizes)
            raise MinigraphError(f"there is no scope {path!r:.60} to open, only {known:.400}")
        before, self.path = self.path, path
        way = ["", *prefixes(path)]
        named = {name: run for around in way for name, run in self._closed(around, way).items()}
        within = self._closed(path, way)
        self._offer(within)
        folded: dict[Any, str] = {scope: name for name, run in named.items() for scope in run}
        for name, run in named.items():
            if len(run) > 1:
                folded |= {node: name for scope in run for node in self._loose[scope]}
        reading = Reading([self.output], True, folded, order=self._order, kept=())
        drawn = diagram(reading)
        was = ["", *prefixes(before)]
        closed = (run[0] for run in named.values() if not set(was).isdisjoint(run))
        moved = next(closed, path) if path in was[:-1] else path
        self.picture.view = _view(drawn, picture(drawn, "right"), named, way) | {"moved": moved}
        self.show(Drawing(drawn, "right"), self._sentence(within))

    def _closed(self, path: str, way: list[str]) -> dict[str, list[str]]:
        """What is closed in a scope directly, by its name: a scope, or several of a run."""
        closed: dict[str, list[str]] = {}
        for run in self._runs.get(path, []):
            at = next((n for n, block in enumerate(run) if not set(way).isdisjoint(block)), None)
            parts = [run] if at is None else [run[:at], *([[x]] for x in run[at]), run[at + 1 :]]
            for part in filter(None, parts):
                scopes = [scope for block in part for scope in block]
                if scopes[0] not in way:
                    closed[run_name(scopes, len(part))] = scopes
        return closed

    def _offer(self, within: dict[str, list[str]]) -> None:
        """Show a button for each scope to open; one that has the focus stays, and keeps it."""
        buttons = list(self.inside.children)
        while len(buttons) < len(within):
            buttons.append(widgets.Button(icon="search-plus"))
            buttons[-1].on_click(lambda button: self.go(button.scope))
        for button, (name, run) in zip(buttons, within.items()):
            button.scope = run[0]
            button.description, button.tooltip = name.rpartition("/")[2], f"Open {run[0]}"
        self.inside.children = buttons[: len(within)]

    def _sentence(self, within: dict[str, list[str]]) -> str:
        """Say where one is, how much that holds, and what can be opened."""
        where = "The whole graph"
        if self.path:
            where = f"{self.path}: {self._sizes[self.path]:,} nodes"
            outer = self.path.rpartition("/")[0]
            alike = [run for run in self._runs[outer] if any(self.path in block for block in run)]
            if len(alike[0]) > 1:
                where += f", one of {len(alike[0])} in a row that are built alike"
        if not within:
            return f"{where}. There is nothing in it to open."
        return f"{where}. To open: " + ", ".join(x.rpartition("/")[2] for x in within) + "."

    def _told(self, _: Any, content: Any, buffers: Any) -> None:
        match content:
            case {"kind": "toggle", "action": action, "path": path} if path in self._sizes:
                self.go(path if action == "unfold" else path.rpartition("/")[0])


def _view(
    drawn: Diagram, shown: Picture, named: dict[str, list[str]], way: list[str]
) -> dict[str, Any]:
    """What the page shows: the drawing, and what opens and closes in it."""
    paths = ["/".join(group.path) for group in shown.groups]
    frames = [fold_toggle("fold", p, group) for p, group in zip(paths, shown.groups) if p in way]
    boxes = [
        unfold_toggle("unfold", named[p.box.full][0], f"{p.box.label}, {p.box.operation}", p)
        for p in shown.boxes
        if p.box.kind == "module" and p.box.full in named
    ]
    return {
        "title": title(drawn),
        "svg": stage_svg(shown),
        "places": {},
        "toggles": [*frames, *boxes],
    }


zoom = ScopeZoom
