"""Look into the scopes of a graph: from a network to its layers, to their operations, and back."""

from __future__ import annotations

import ipywidgets as widgets

from ..core.node import Node
from ..drawing import draw
from ..errors import MinigraphError, NodeTypeError
from ..reading import Reading
from .base import GraphWidget


class ScopeZoom(GraphWidget):
    """A button for each scope that can be opened, one that goes back, and the graph then.

    Attributes:
        output: the Node whose graph is shown.
        path: of the scope that is open, such as "classifier/hidden"; "" before any is.
        out: the `ipywidgets.Button` that closes the scope again.
        inside: the `ipywidgets.HBox` of the buttons that open a scope within it.
    """

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
        self._sizes = Reading([output]).scopes
        if not self._sizes:
            raise MinigraphError(
                "this graph has no scopes to look into; layers make them, or mg.scope", (output,)
            )
        self.path = ""
        self.out = widgets.Button(description="Out", icon="arrow-left")
        self.inside = widgets.HBox([], layout=widgets.Layout(flex_flow="row wrap"))
        row = widgets.HBox([self.out, self.inside], layout=widgets.Layout(flex_flow="row wrap"))
        super().__init__("Scopes, opened one by one", [row])
        self.out.on_click(lambda _: self.go(self.path.rpartition("/")[0]))
        self.go(path)

    def go(self, path: str) -> None:
        """Show what a scope holds, and around it the other scopes as one box each."""
        if path and path not in self._sizes:
            known = ", ".join(self._sizes)
            raise MinigraphError(f"there is no scope {path!r:.60} to open, only {known}")
        self.path = path
        within = self._within(path)
        self.inside.children = [self._button(scope) for scope in within]
        parts = path.split("/") if path else []
        way = ["/".join(parts[:n]) for n in range(len(parts) + 1)]
        folded = [scope for around in way for scope in self._within(around) if scope not in way]
        self.show(
            draw(self.output, folded=folded or False, direction="right"), self._sentence(within)
        )

    def _within(self, path: str) -> list[str]:
        """The scopes that lie in a scope directly."""
        return [scope for scope in self._sizes if scope.rpartition("/")[0] == path]

    def _button(self, scope: str) -> widgets.Button:
        name = scope.rpartition("/")[2]
        button = widgets.Button(description=name, icon="search-plus", tooltip=f"Open {scope}")
        button.on_click(lambda _: self.go(scope))
        return button

    def _sentence(self, within: list[str]) -> str:
        """Say where one is, how much that holds, and what can be opened."""
        where = f"{self.path}: {self._sizes[self.path]} nodes" if self.path else "The whole graph"
        if not within:
            return f"{where}. There is nothing in it to open."
        return f"{where}. To open: " + ", ".join(x.rpartition("/")[2] for x in within) + "."


zoom = ScopeZoom
